"""Information coefficients: correlations over shares, day by day; arrays as in rows.py."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.interval import UNKNOWN, Interval
from components.evidence.resampling import DayBlocks
from components.evidence.rows import as_numbers, positions

if TYPE_CHECKING:
    import pandas as pd


def rank_ic(
    scores: NDArray[Any],
    forward_returns: NDArray[Any],
    days: NDArray[Any],
    *,
    horizon: int = 1,
    block: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Rank information coefficient: the mean over days of `daily_rank_ic`, within [-1, 1]; days without are left out.

    The interval and its settings are those of `auc_interval`; all nan if no day counts.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    unique, daily = daily_rank_ic(scores, forward_returns, days)
    counts = ~np.isnan(daily)
    if not np.any(counts):
        return UNKNOWN
    daily = daily[counts]
    blocks = DayBlocks(unique[counts], horizon=horizon, block=block, resamples=resamples, seed=seed)
    return blocks.interval(
        lambda weight: float(weight @ daily) / len(daily), float(daily.mean()), level, bounds=(-1.0, 1.0)
    )


def daily_ic(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Information coefficient of each day: Pearson's correlation over shares between scores and forward returns.

    Args:
        scores: array [rows].
        forward_returns: array [rows], the return over the horizon that followed.
        days: array [rows], the session each row was scored on.

    Returns:
        The distinct days, ascending, [days], and their correlations, [days]; nan for a day with fewer than 3 shares, or
        on which the scores or the returns are all equal.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    unique, day, both = _by_day(scores, forward_returns, days)
    return unique, _correlation(both, day)


def daily_rank_ic(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rank information coefficient of each day: Spearman's correlation; ties get their middle rank. Else as `daily_ic`.

    >>> daily_rank_ic(np.array([0.1, 0.4, 0.9]), np.array([-0.02, 0.03, 0.01]), np.array(["d", "d", "d"]))[1]
    array([0.5])
    """
    unique, day, both = _by_day(scores, forward_returns, days)
    return unique, _correlation(both.groupby(day).rank(), day)


def _by_day(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], pd.DataFrame]:
    """The distinct days [days], each row's position among them [rows], and the two columns."""
    import pandas as pd

    score = as_numbers(scores, "scores")
    forward = as_numbers(forward_returns, "forward_returns")
    if score.shape != forward.shape:
        raise ValueError(f"{len(score)} scores but {len(forward)} forward returns")
    return *positions(days, len(score)), pd.DataFrame({"score": score, "forward": forward})


def _correlation(both: pd.DataFrame, day: NDArray[Any]) -> NDArray[Any]:
    """Pearson's correlation of two columns within each day [days]; scipy's, day by day, takes 50 times as long."""
    by_day = both.groupby(day)
    centred = both - by_day.transform("mean")
    squares = (centred**2).groupby(day).sum().prod(axis=1)
    # A mean of equal values is off by its last digit: a day without variance has to be seen before.
    counts = (by_day.max() > by_day.min()).all(axis=1) & (by_day.size() >= 3) & (squares > 0)
    daily: NDArray[Any] = (centred.prod(axis=1).groupby(day).sum() / np.sqrt(squares)).where(counts).to_numpy()
    return daily
