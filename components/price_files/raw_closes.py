"""Makes closes raw that are adjusted already, and factors ones to multiply by, as the closes beside them show."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.errors import ImportFileError
from components.feature_store.arrays import Floats
from components.price_files.adjusted_closes import (
    ClosesBesideFactors,
    StepEvidence,
    closes_beside_factors,
    step_evidence,
)
from components.price_files.factors import factors_from_divisors
from components.price_files.found import Found, ShareRows
from components.price_files.layout import LayoutChoice
from components.price_files.stamps import day_text


def step_evidence_of(found: Found) -> list[StepEvidence]:
    """Returns what the steps of the factors in a file say, a share each; nothing where there are no factors."""
    return [
        step_evidence(share.share_id, share.days, share.numbers["close"], share.numbers["factor"])
        for share in _with_factor(found)
    ]


def closes_of(evidence: Sequence[StepEvidence], found: Found, choice: LayoutChoice | None) -> ClosesBesideFactors:
    """Tells what the closes of a file, or of several, are.

    Args:
        evidence: What the steps of their factors say.
        found: The file, or one of them.
        choice: What the user says, which counts before all else.

    Raises:
        ImportFileError: The steps contradict one another, and the user says nothing.
    """
    if choice is not None and choice.prices is not None:
        return ClosesBesideFactors(choice.prices, "")
    closes = closes_beside_factors(evidence, "adjusted" if found.layout.expects_adjusted else "raw")
    if closes.reading is None:
        raise ImportFileError(f"{found.path}: {closes.note}; say --prices raw or --prices adjusted")
    return closes


def settle_closes(found: Found, closes: ClosesBesideFactors) -> None:
    """Makes a file's closes raw, and refuses the shares whose factor says the other than those of all others."""
    given = _with_factor(found)
    if not given:
        return
    if closes.note:
        found.notes.append(closes.note)
    against = {one.share_id: one for one in closes.against}
    for share in given:
        if share.share_id in against:
            one = against[share.share_id]
            found.refuse(
                share.rows[0],
                share.share_id,
                day_text(one.day or 0),
                f"its factor does not fit its closes as those of the other shares do ({one.shown}); correct it, or "
                "import the share alone with --prices",
            )
        elif closes.reading == "divided":
            share.numbers["factor"] = factors_from_divisors(share.numbers["factor"])
        elif closes.reading == "adjusted":
            _divide(share.numbers, share.numbers["factor"])
    found.shares = [share for share in found.shares if share.share_id not in against]


def _divide(numbers: dict[str, Floats], factor: Floats) -> None:
    with np.errstate(all="ignore"):  # a close that leaves float64's range is refused before it is written
        for name in {"open", "high", "low", "close"} & set(numbers):
            numbers[name] = numbers[name] / factor
        if "volume" in numbers:
            numbers["volume"] = numbers["volume"] * factor


def _with_factor(found: Found) -> list[ShareRows]:
    return [share for share in found.shares if "factor" in share.numbers]
