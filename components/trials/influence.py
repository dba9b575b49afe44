"""What each test day adds to an AUC: the terms whose common ups and downs say how much two tries are one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def day_influence(labels: NDArray[Any], scores: NDArray[Any], days: NDArray[Any]) -> NDArray[np.float64]:
    """Parts AUC - 1/2 by day.

    A row's placement is the share of the other class that it stands on the right side of, ties counting half; AUC - 1/2
    is the mean of all placements less 1/2, of "up" and of "down" rows alike. Half of every pair's win goes to the day
    of its "up" row and half to that of its "down" row. Twice this, centred, is the first term of Hoeffding's
    decomposition (Sen 1960; DeLong, DeLong and Clarke-Pearson 1988), so sums of it over blocks of days tell the
    variance of the AUC and the covariance of two AUCs on days that they have in common.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows], larger where "up" is thought likelier.
        days: array [rows] of anything that sorts in time.

    Returns:
        Array [days] in the order of the distinct days, whose sum is AUC - 1/2; all NaN where a class has no row.

    Raises:
        ValueError: lengths differ, a label is neither 0 nor 1, or a score is NaN.

    >>> day_influence(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]), np.array([1, 1, 2, 2]))
    array([0.1875, 0.1875])
    """
    label, score, day = np.asarray(labels), np.asarray(scores, np.float64), np.asarray(days)
    if not label.shape == score.shape == day.shape or label.ndim != 1:
        raise ValueError(f"need one label, score and day a row, not {label.shape}, {score.shape} and {day.shape}")
    up = label == 1
    if not np.all(up | (label == 0)) or np.any(np.isnan(score)):
        raise ValueError("labels must be 0 or 1, and scores numbers")
    unique, position = np.unique(day, return_inverse=True)
    if up.all() or not up.any():
        return np.full(len(unique), np.nan)
    placement = np.empty(len(score))
    placement[up] = _beaten(score[up], score[~up])
    placement[~up] = 1 - _beaten(score[~up], score[up])
    share = (placement - 0.5) / np.where(up, up.sum(), (~up).sum()) / 2
    return np.bincount(position.reshape(-1), share, minlength=len(unique))


def _beaten(mine: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """The share of others that lie below each of mine, ties counting half."""
    ranked = np.sort(others)
    # Sorted queries run through memory in order.
    order = np.argsort(mine, kind="stable")
    query = mine[order]
    below = np.searchsorted(ranked, query, "left") + np.searchsorted(ranked, query, "right")
    share = np.empty(len(mine))
    share[order] = below / (2 * len(ranked))
    return share
