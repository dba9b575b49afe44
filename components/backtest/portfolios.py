"""Portfolios formed by scores: which share of the capital is in which share of the market, day by day.

Scores are arrays [days, shares] with nan where a share cannot be held, weights are arrays of the same shape in units of
the capital, 0 where nothing is held. Only the scores of a day decide its weights.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.backtest.panel import BacktestError


def check_quantile(quantile: float) -> None:
    """Refuses a quantile that is out of its range, with a BacktestError."""
    if not 0 < quantile <= 0.5:
        raise BacktestError(f"quantile {quantile:g} is not above 0 and up to 0.5, such as 0.2 for a fifth")


def top_quantile(scores: NDArray[Any], quantile: float) -> NDArray[np.float64]:
    """Long only: the shares with the highest scores of each day, equally weighted.

    Of n shares the nearest number to ``quantile`` x n is held, at least one, and at most half of them where there are
    two or more. Shares whose scores tie at the border share its remaining places equally, so neither a share's name nor
    its place in a file decides; shares that all tie are all held alike.

    Args:
        scores: array [days, shares].
        quantile: share of a day's shares to hold, within (0, 0.5].

    Returns:
        Weights [days, shares], which add up to 1 on each day with a share.

    Raises:
        BacktestError: the quantile is out of its range.

    >>> top_quantile(np.array([[0.1, 0.5, 0.3, 0.5]]), 0.5)
    array([[0. , 0.5, 0. , 0.5]])
    """
    check_quantile(quantile)
    count = np.sum(~np.isnan(scores), axis=1)
    places = np.clip(np.floor(quantile * count + 0.5), 1, np.maximum(count // 2, 1))[:, None]
    first, last = _places(scores)
    tied = last - first + 1
    # Of the places from `first` to `last`, which the tied shares hold together, those that are within the quantile.
    within = np.clip(places - (first - 1), 0, tied)
    return np.nan_to_num(within / tied / places)


def long_short(scores: NDArray[Any], quantile: float) -> NDArray[np.float64]:
    """Dollar neutral: long the top quantile and short the bottom quantile of each day, each with all of the capital.

    This is the return spread of the field (Jegadeesh and Titman 1993): weights add up to 0, their absolute values to 2.
    They add up to less where a tie spans both quantiles, as then nothing tells those shares apart; scores that all tie
    hold nothing.

    Args:
        scores: array [days, shares].
        quantile: share of a day's shares on each side, within (0, 0.5].

    Returns:
        Weights [days, shares].

    Raises:
        BacktestError: the quantile is out of its range.

    >>> long_short(np.array([[0.1, 0.5, 0.3, 0.7]]), 0.25)
    array([[-1.,  0.,  0.,  1.]])
    """
    return top_quantile(scores, quantile) - top_quantile(-scores, quantile)


def equal_weight(present: NDArray[Any]) -> NDArray[np.float64]:
    """The benchmark: all shares of each day alike.

    Args:
        present: bool array [days, shares], which shares can be held.

    Returns:
        Weights [days, shares], which add up to 1 on each day with a share.
    """
    return present / np.maximum(present.sum(axis=1), 1)[:, None]


def held_targets(targets: NDArray[Any], horizon: int) -> NDArray[np.float64]:
    """What is held when each day's target is held for ``horizon`` sessions: the mean of the latest ``horizon`` targets.

    Overlapping tranches as in Jegadeesh and Titman (1993): every day the tranche that was formed ``horizon`` sessions
    before is exchanged for a new one, and each tranche has an equal part of the capital. On the first days, before all
    tranches are formed, the capital is in those that are.

    Args:
        targets: weights [days, shares] asked for on each day.
        horizon: sessions that a target is held, at least 1.

    Returns:
        Weights [days, shares].
    """
    total = np.zeros_like(targets, dtype=np.float64)
    for age in range(min(horizon, len(targets))):
        total[age:] += targets[: len(targets) - age]
    tranches = np.minimum(np.arange(1, len(targets) + 1), horizon)
    return total / tranches[:, None]


def _places(scores: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first and the last place of each score among those of its day, the highest first; nan where there is none.

    Scores that tie share their places. The same as ranks "min" and "max" of pandas, which takes a third of a second to
    import: an evening of the daily loop has no other use for it.
    """
    order = np.argsort(-scores, axis=1, kind="stable")  # nan last
    ordered = np.take_along_axis(scores, order, axis=1)
    place = np.broadcast_to(np.arange(1.0, scores.shape[1] + 1), scores.shape)
    another = ordered[:, 1:] != ordered[:, :-1]
    edge = np.ones((len(scores), 1), bool)
    first = np.maximum.accumulate(np.where(np.hstack([edge, another]), place, 0), axis=1)
    last = np.minimum.accumulate(np.where(np.hstack([another, edge]), place, np.inf)[:, ::-1], axis=1)[:, ::-1]
    found = []
    for places in (first, last):
        back = np.full(scores.shape, np.nan)
        np.put_along_axis(back, order, np.where(np.isnan(ordered), np.nan, places), axis=1)
        found.append(back)
    return found[0], found[1]
