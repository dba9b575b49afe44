"""Closes beside a factor: as traded, or adjusted already?

The project's `factor` belongs to closes as traded: close x factor is adjusted. Other tools write a factor beside closes
that are adjusted already (Qlib's factor = adjusted / as traded), and taken for raw ones their splits would be counted
twice. The closes themselves tell: where the factor doubles, a close as traded halves and an adjusted one goes on as
ever. Each step of a factor is weighed by how much likelier the day's return is in one reading than in the other, in
normal returns of the share's own scale, cut at four standard deviations so that no single day decides alone against
many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Floats, Integers

# Odds of about 150 to 1 for a file, of 20,000 to 1 for a share that is to be an exception among thousands.
_SURE = 5.0
_SURE_OF_ONE = 10.0
_MOST = 4.0  # standard deviations
_LEAST_SCALE = 0.002
_FEWEST_RETURNS = 20


@dataclass(frozen=True)
class StepEvidence:
    """What the steps of one share's factor say.

    Attributes:
        share_id: The share.
        for_raw: Log of the odds that its closes are raw; below 0 they are likelier adjusted.
        steps: How many steps there are.
        day: The day of the step that says most, as days since 1970-01-01; None without one.
        factor_moved: What the factor was multiplied by on that day.
        close_moved: What the close was multiplied by.
    """

    share_id: str
    for_raw: float
    steps: int
    day: int | None = None
    factor_moved: float = 1.0
    close_moved: float = 1.0

    @property
    def shown(self) -> str:
        """The step in words, such as "A on 2020-08-31: factor x 4, close x 1.01"."""
        day = np.datetime64(int(self.day or 0), "D")
        return f"{self.share_id} on {day}: factor x {self.factor_moved:.4g}, close x {self.close_moved:.4g}"


def step_evidence(share_id: str, days: Integers, close: Floats, factor: Floats) -> StepEvidence:
    """Weighs the steps of a factor.

    Args:
        share_id: The share.
        days: Days since 1970-01-01, ascending, shape (n,).
        close: Closes above 0, shape (n,).
        factor: Factors above 0, shape (n,).

    Returns:
        The evidence; none where the share has fewer than 20 other returns, as its scale is not known then.

    >>> days, factor = np.arange(50), np.repeat([1.0, 2.0], 25)
    >>> close = np.tile([10.0, 10.1], 25)
    >>> step_evidence("A", days, close, factor).for_raw, step_evidence("A", days, close / factor, factor).for_raw
    (-7.8, 7.8)
    """
    with np.errstate(all="ignore"):
        moved, stepped = np.diff(np.log(close)), np.diff(np.log(factor))
    steps = np.flatnonzero((np.abs(stepped) > 1e-6) & np.isfinite(stepped) & np.isfinite(moved))
    if not len(steps):
        return StepEvidence(share_id, 0.0, 0)
    others = np.delete(moved, steps)
    others = others[np.isfinite(others)]
    if len(others) < _FEWEST_RETURNS:
        return StepEvidence(share_id, 0.0, len(steps))
    scale = max(_LEAST_SCALE, 1.4826 * float(np.median(np.abs(others - np.median(others)))))
    if_adjusted = np.minimum(np.abs(moved[steps]) / scale, _MOST)
    if_raw = np.minimum(np.abs(moved[steps] + stepped[steps]) / scale, _MOST)
    weight = np.round((if_adjusted**2 - if_raw**2) / 2, 1)
    at = int(np.argmax(np.abs(weight)))
    step = steps[at]
    return StepEvidence(
        share_id,
        float(weight.sum()),
        len(steps),
        int(days[step + 1]),
        float(factor[step + 1] / factor[step]),
        float(close[step + 1] / close[step]),
    )


@dataclass(frozen=True)
class ClosesBesideFactors:
    """What a file's closes are.

    Attributes:
        adjusted: Whether they are adjusted already; None where the steps contradict one another.
        note: Why, for the report; empty where there is no step.
        against: Shares whose own steps say the other, with surety.
    """

    adjusted: bool | None
    note: str
    against: tuple[StepEvidence, ...] = ()


def closes_beside_factors(shares: Iterable[StepEvidence], expected: bool) -> ClosesBesideFactors:
    """Tells what the closes of a file are, from all of its shares.

    Args:
        shares: What each of them says.
        expected: Whether adjusted closes are what such a file is said to hold, where its steps are too small to tell.
    """
    all_shares = list(shares)
    if not all_shares:
        return ClosesBesideFactors(expected, "")
    total = sum(share.for_raw for share in all_shares)
    steps = sum(share.steps for share in all_shares)
    first, last = max(all_shares, key=lambda one: one.for_raw), min(all_shares, key=lambda one: one.for_raw)
    if abs(total) < _SURE:
        if first.for_raw >= _SURE_OF_ONE and last.for_raw <= -_SURE_OF_ONE:
            return ClosesBesideFactors(
                None, f"closes move against the factor at some steps and not at others ({first.shown}; {last.shown})"
            )
        if not steps:
            return ClosesBesideFactors(expected, "")
        why = "1 step of the factor does" if steps == 1 else f"{steps} steps of the factor do"
        what = "adjusted already" if expected else "traded"
        return ClosesBesideFactors(expected, f"closes: taken as {what} ({why} not tell; --prices decides otherwise)")
    adjusted = total < 0
    against = tuple(one for one in all_shares if (one.for_raw if adjusted else -one.for_raw) >= _SURE_OF_ONE)
    if adjusted:
        note = f"closes: adjusted already (raw is close / factor), as they go on where the factor steps ({last.shown})"
    else:
        note = f"closes: as traded, as they move against the factor where it steps ({first.shown})"
    return ClosesBesideFactors(adjusted, note, against)
