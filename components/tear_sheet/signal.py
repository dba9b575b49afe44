"""A model's scores beside the returns that followed, without a portfolio: by quantile, day and lag.

Everything is a mean over days with its interval from blocks of days. Lags are counted in the sessions of the rows
themselves, and a return is that over the horizon, so at a horizon of h a lag below h sees a part of the same return.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.correlation import daily_rank_ic
from components.evidence.interval import UNKNOWN, Interval
from components.evidence.resampling import DayBlocks
from components.evidence.rows import middle_ranks
from components.tear_sheet.intervals import interval_of
from components.tear_sheet.results import SignalFigures

if TYPE_CHECKING:
    import pandas as pd

GROUPS = 5
"""Of a day's shares, as in the field's quintiles."""

LAGS = (0, 1, 2, 3, 5, 10, 20, 60)
"""Sessions."""

MOST_ROWS = 250_000
"""Rows that are looked at at each lag; of more, every second, third ... day is: a page is written in seconds."""


@dataclass(frozen=True, eq=False)
class Signal:
    """A model's scores beside what followed.

    Attributes:
        figures: of all days.
        days: datetime64 array [days].
        daily: array [days], rank IC; nan where a day has none.
    """

    figures: SignalFigures
    days: NDArray[np.datetime64]
    daily: NDArray[np.float64]


def read_signals(
    predictions: pd.DataFrame,
    models: Sequence[str],
    horizon: int,
    *,
    lags: Sequence[int] = LAGS,
    most_rows: int = MOST_ROWS,
) -> dict[str, Signal]:
    """Looks at the scores of models.

    Args:
        predictions: a row a share and day: time (datetime64), share_id, forward_return, and the models' scores.
        models: columns.
        horizon: sessions ahead that returns reach.
        lags: sessions from a score to what it is compared with; those without two days are left out.
        most_rows: as `MOST_ROWS`.

    Returns:
        By model, the figures; nan where a day has too few shares, and without ends where there are too few days.
    """
    days, day = np.unique(predictions["time"].to_numpy(), return_inverse=True)
    share_ids, share = np.unique(predictions["share_id"].to_numpy(dtype=str), return_inverse=True)

    def by_day(column: str) -> NDArray[np.float64]:
        values = np.full((len(days), len(share_ids)), np.nan)
        values[day, share] = predictions[column].to_numpy(np.float64)
        return values

    means, returns = _Means(days), by_day("forward_return")
    kept = tuple(lag for lag in lags if lag < len(days) - 1)
    every = max(1, -(-len(predictions) // most_rows))
    return {model: _signal(by_day(model), returns, means, horizon, kept, every) for model in models}


def _signal(
    scores: NDArray[np.float64],
    returns: NDArray[np.float64],
    means: _Means,
    horizon: int,
    lags: tuple[int, ...],
    every: int,
) -> Signal:
    """One model's, of its scores and of what followed, [days, shares]."""
    by_group = _daily_groups(scores, returns)
    looked = np.arange(0, len(scores), every)
    decay, persistence = [], []
    for lag in lags:
        at = looked[looked + lag < len(scores)]
        decay.append(means.of(at, _daily(scores[at], returns[at + lag]), -(-horizon // every)))
        persistence.append(means.of(at, _daily(scores[at], scores[at + lag]), -(-max(horizon, lag) // every)))
    figures = SignalFigures(
        groups=tuple(means.of(None, daily, horizon) for daily in by_group.T),
        spread=means.of(None, by_group[:, -1] - by_group[:, 0], horizon),
        lags=lags,
        decay=tuple(decay),
        persistence=tuple(persistence),
        every=every,
    )
    return Signal(figures, means.days, _daily(scores, returns))


class _Means:
    """Means over days with their intervals; the same days are drawn once for all of them."""

    def __init__(self, days: NDArray[Any]) -> None:
        self.days = days
        self._blocks: dict[tuple[bytes, int], DayBlocks] = {}

    def of(self, at: NDArray[np.intp] | None, daily: NDArray[np.float64], horizon: int) -> Interval:
        """The mean of what is known, whose neighbours share up to `horizon` days; unknown where nothing is."""
        known = np.flatnonzero(~np.isnan(daily))
        if not len(known):
            return UNKNOWN
        days = self.days[known if at is None else at[known]]
        key = days.tobytes(), horizon
        if key not in self._blocks:
            self._blocks[key] = DayBlocks(days, horizon=max(horizon, 1))
        blocks, values = self._blocks[key], daily[known]
        return interval_of(blocks, float(values.mean()), blocks.sums(values) / len(values))


def _daily(scores: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rank correlation over the shares that both have, [days], of two arrays [days, shares]; nan without one."""
    day, share = np.nonzero(~np.isnan(scores) & ~np.isnan(others))
    daily = np.full(len(scores), np.nan)
    if len(day):
        found, values = daily_rank_ic(scores[day, share], others[day, share], day)
        daily[found] = values
    return daily


def _daily_groups(scores: NDArray[np.float64], returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean return of each group less the day's mean, [days, groups]; nan on a day with fewer shares than groups.

    Ties share their middle rank, so a group may be empty on a day, and is nan there.
    """
    day, share = np.nonzero(~np.isnan(scores) & ~np.isnan(returns))
    count = np.bincount(day, minlength=len(scores))
    # From 0 to 1: a middle rank is one of 1, 2 ... up to the number of shares.
    place = (middle_ranks(scores[day, share], day) - 0.5) / count[day]
    cell = day * GROUPS + np.minimum((place * GROUPS).astype(int), GROUPS - 1)
    moves = returns[day, share]
    rows = np.bincount(cell, minlength=len(scores) * GROUPS)
    total = np.bincount(cell, moves, minlength=len(scores) * GROUPS)
    with np.errstate(invalid="ignore"):
        means = (total / rows).reshape(-1, GROUPS) - (np.bincount(day, moves, minlength=len(scores)) / count)[:, None]
    means[count < GROUPS] = np.nan
    return means
