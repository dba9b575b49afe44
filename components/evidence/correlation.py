"""Information coefficients: correlations over shares, day by day; arrays as in rows.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks
from components.evidence.rows import as_numbers, positions


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
    """Rank information coefficient: the mean over days of Spearman's correlation between scores and forward returns.

    Ties get their middle rank. A day with fewer than 3 shares, or on which the scores or the returns are all equal,
    has no correlation and is left out.

    Args:
        scores: array [rows].
        forward_returns: array [rows], the return over the horizon that followed.
        days: array [rows], the session each row was scored on.
        horizon: sessions ahead that the returns look.
        block: days in a block; `default_block` if None.
        resamples: bootstrap samples.
        seed: of the resampling.
        level: coverage of the interval, within (0, 1).

    Returns:
        The mean within [-1, 1] with an interval as in `auc_interval`; all nan if no day counts.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    unique, daily = daily_rank_ic(scores, forward_returns, days)
    counts = ~np.isnan(daily)
    if not np.any(counts):
        return Interval(math.nan, math.nan, math.nan, math.nan)
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
    score, forward, unique, day = _by_day(scores, forward_returns, days)
    return unique, _daily_correlation(day, score, forward, len(unique))


def daily_rank_ic(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rank information coefficient of each day: Spearman's correlation; ties get their middle rank.

    Args:
        scores: array [rows].
        forward_returns: array [rows], the return over the horizon that followed.
        days: array [rows], the session each row was scored on.

    Returns:
        As `daily_ic` does.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    score, forward, unique, day = _by_day(scores, forward_returns, days)
    return unique, _daily_correlation(day, _ranks_within(day, score), _ranks_within(day, forward), len(unique))


def _by_day(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    score = as_numbers(scores, "scores")
    forward = as_numbers(forward_returns, "forward_returns")
    if score.shape != forward.shape:
        raise ValueError(f"{len(score)} scores but {len(forward)} forward returns")
    return (score, forward, *positions(days, len(score)))


def _daily_correlation(day: NDArray[Any], x: NDArray[Any], y: NDArray[Any], days: int) -> NDArray[Any]:
    """Pearson's correlation of x and y within each day, [days]."""
    rows = np.bincount(day, minlength=days)
    varies = np.ones(days, dtype=bool)
    centred = []
    for values in (x, y):
        # A mean of equal values is off by its last digit: a day without variance has to be seen before.
        highest, lowest = np.full(days, -np.inf), np.full(days, np.inf)
        np.maximum.at(highest, day, values)
        np.minimum.at(lowest, day, values)
        varies &= highest > lowest
        centred.append(values - (np.bincount(day, values, minlength=days) / np.maximum(rows, 1))[day])
    x, y = centred
    covariance = np.bincount(day, x * y, minlength=days)
    variance = np.bincount(day, x * x, minlength=days) * np.bincount(day, y * y, minlength=days)
    counts = (rows >= 3) & varies & (variance > 0)
    daily = np.full(days, math.nan)
    daily[counts] = covariance[counts] / np.sqrt(variance[counts])
    return daily


def _ranks_within(group: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Middle ranks (from 1) of ``values`` within each group of rows; ``group`` holds integers from 0. Float [rows]."""
    rows = len(values)
    order = np.lexsort((values, group))
    sorted_group, sorted_values = group[order], values[order]
    opens = np.ones(rows, dtype=bool)
    opens[1:] = (sorted_group[1:] != sorted_group[:-1]) | (sorted_values[1:] != sorted_values[:-1])
    first = np.flatnonzero(opens)
    size = np.diff(np.append(first, rows))
    middle = np.repeat(first + (size + 1) / 2, size)
    before = np.cumsum(np.bincount(group)) - np.bincount(group) if rows else group
    ranks = np.empty(rows)
    ranks[order] = middle - before[sorted_group]
    return ranks
