"""Forecasts as they stand in a file, and a sieve that says of each that is not judged why."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.errors import UserError
from components.feature_store.arrays import Booleans, Floats, Integers
from components.price_files.rows import Refusal
from components.price_files.stamps import NO_DAY, day_text

SHOWN = 3
"""Examples that are kept of each reason."""


class JudgingError(UserError):
    """Forecasts that cannot be judged."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What a file of forecasts holds.

    Attributes:
        path: The file.
        rows: The number of each row, int64, shape (n,): lines of a CSV file, the header being line 1; rows of a Parquet
            file, from 1.
        names: The shares.
        share: The position of each row's share among them, int64, shape (n,).
        days: The session that each was made after, days since 1970-01-01, int64, shape (n,); NO_DAY where there is
            none.
        values: What is forecast, by model, float64, shape (n,); NaN where there is none.
        scores: The models whose values are scores, larger where a rise is thought likelier, and no probabilities.
        written: The day each was written on, as `days`; None where the file does not say.
        notes: How the file was read, a line each.
    """

    path: Path
    rows: Integers
    names: tuple[str, ...]
    share: Integers
    days: Integers
    values: Mapping[str, Floats]
    scores: frozenset[str]
    written: Integers | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.rows)


@dataclass(frozen=True)
class LeftOut:
    """Forecasts that are not judged, all for one reason.

    Attributes:
        why: The reason in a word or two.
        words: What is the matter, and what to do where something can be done.
        count: How many.
        mend: Whether somebody should mend the file or the database; otherwise it is as it should be.
        examples: The first of them; `reason` holds what is special to each.
    """

    why: str
    words: str
    count: int
    mend: bool
    examples: tuple[Refusal, ...]


class Sieve:
    """Leaves forecasts out for one reason after another; the first one counts.

    Attributes:
        forecasts: All of them.
        kept: Which are still there, shape (n,).
        left_out: Those that are not, by reason.
    """

    def __init__(self, forecasts: Forecasts) -> None:
        """Begins with all of them."""
        self.forecasts = forecasts
        self.kept: Booleans = np.ones(len(forecasts), dtype=bool)
        self.left_out: list[LeftOut] = []

    def leave_out(
        self,
        where: Booleans | Integers,
        why: str,
        words: str,
        mend: bool = True,
        detail: Callable[[int], str] = lambda at: "",
    ) -> None:
        """Leaves forecasts out.

        Args:
            where: Which, a mask of shape (n,) or their positions; those that are gone already do not count again.
            why: As in `LeftOut`.
            words: Likewise.
            mend: Likewise.
            detail: What is special to the forecast at a position.
        """
        mask = np.zeros(len(self.kept), dtype=bool)
        mask[where] = True
        mask &= self.kept
        places = np.flatnonzero(mask)
        if not len(places):
            return
        self.kept &= ~mask
        given = self.forecasts
        examples = tuple(
            Refusal(
                int(given.rows[at]),
                given.names[given.share[at]],
                day_text(int(given.days[at])) if given.days[at] != NO_DAY else "",
                detail(at),
            )
            for at in places[:SHOWN].tolist()
        )
        self.left_out.append(LeftOut(why, words, len(places), mend, examples))
