"""Information coefficients: correlations over shares, day by day; arrays as in rows.py."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.interval import UNKNOWN, Interval
from components.evidence.resampling import DayBlocks
from components.evidence.rows import as_numbers, middle_ranks, positions


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
    unique, day, score, forward = _by_day(scores, forward_returns, days)
    return unique, _correlation(score, forward, day, len(unique))


def daily_rank_ic(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rank information coefficient of each day: Spearman's correlation; ties get their middle rank. Else as `daily_ic`.

    >>> daily_rank_ic(np.array([0.1, 0.4, 0.9]), np.array([-0.02, 0.03, 0.01]), np.array(["d", "d", "d"]))[1]
    array([0.5])
    """
    unique, day, score, forward = _by_day(scores, forward_returns, days)
    return unique, _correlation(middle_ranks(score, day), middle_ranks(forward, day), day, len(unique))


def _by_day(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """The distinct days [days], each row's position among them, and the two columns, all [rows]."""
    score = as_numbers(scores, "scores")
    forward = as_numbers(forward_returns, "forward_returns")
    if score.shape != forward.shape:
        raise ValueError(f"{len(score)} scores but {len(forward)} forward returns")
    return *positions(days, len(score)), score, forward


def _correlation(
    one: NDArray[np.float64], other: NDArray[np.float64], day: NDArray[np.int64], count: int
) -> NDArray[np.float64]:
    """Pearson's correlation of two columns within each day, [days]; scipy's, day by day, takes 50 times as long.

    A day's value follows from its own rows alone, to the last bit.
    """
    rows = np.bincount(day, minlength=count)
    centred, squares, vary = [], [], []
    with np.errstate(invalid="ignore", over="ignore"):  # infinite values have no correlation, and are no error
        for values in (one, other):
            away = values - (np.bincount(day, values, count) / rows)[day]
            centred.append(away)
            squares.append(np.bincount(day, away**2, count))
            # A mean of equal values is off by its last digit: a day without variance has to be seen otherwise.
            some = np.empty(count)
            some[day] = values
            vary.append(np.bincount(day, values != some[day], count) > 0)
        product = squares[0] * squares[1]
    counts = vary[0] & vary[1] & (rows >= 3) & (product > 0)
    together = np.bincount(day, centred[0] * centred[1], count)
    daily: NDArray[np.float64] = np.where(counts, together / np.sqrt(np.where(counts, product, 1.0)), np.nan)
    return daily
