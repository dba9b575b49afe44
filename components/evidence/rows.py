"""What comes into a statistic: arrays [rows] that are checked once.

Throughout this package, ``labels`` is an array [rows] of 0 and 1 (1: the close was higher after the horizon),
``scores`` an array [rows] that is larger where "up" is thought likelier, ``probabilities`` such scores within [0, 1],
and ``days`` an array [rows] of anything that sorts in time (datetime64, ISO strings, integers). Rows may come in any
order. Lengths that differ, labels other than 0 and 1, and scores that are not numbers raise ``ValueError``: they are
defects of the caller, not of the user.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

_MOST_PADDING = 2
"""Places a row of a table of days, up to which its days are sorted as its lines."""


def checked(labels: NDArray[Any], scores: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels as bool [rows] and scores as float64 [rows]; ``ValueError`` where their lengths differ."""
    positive, ranked = as_labels(labels), as_numbers(scores, "scores")
    if positive.shape != ranked.shape:
        raise ValueError(f"{len(positive)} labels but {len(ranked)} scores")
    return positive, ranked


def as_labels(labels: NDArray[Any]) -> NDArray[Any]:
    """Labels as bool [rows]; ``ValueError`` where one is neither 0 nor 1."""
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ValueError(f"labels must have one dimension, not the shape {values.shape}")
    positive = values == 1
    if not np.all(positive | (values == 0)):
        raise ValueError("labels must be 0 or 1")
    return positive


def as_numbers(values: NDArray[Any], what: str) -> NDArray[Any]:
    """Float64 [rows]; ``ValueError``, naming ``what`` they are, where one is nan."""
    # A float32 score keeps its value and its ties in float64.
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"{what} must have one dimension, not the shape {numbers.shape}")
    if np.any(np.isnan(numbers)):
        raise ValueError(f"{what} must be numbers, and {int(np.isnan(numbers).sum())} are not (nan)")
    return numbers


def positions(days: NDArray[Any], rows: int, what: str = "days") -> tuple[NDArray[Any], NDArray[Any]]:
    """The distinct days in order [days], and each row's position among them, int [rows]."""
    values = np.asarray(days)
    if values.shape != (rows,):
        raise ValueError(f"{what} must be one a row ({rows}), not of the shape {values.shape}")
    unique, position = np.unique(values, return_inverse=True)
    return unique, position.reshape(-1)


def middle_ranks(values: NDArray[Any], day: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
    """The rank of each value from 1 on, [rows]; values that tie get their middle rank.

    NumPy's sorting alone: pandas, whose ranks are the same, takes a third of a second to be imported.

    Args:
        values: numbers, [rows].
        day: position of each row's day, [rows], where ranks count within days; None for all rows together.

    >>> middle_ranks(np.array([0.3, 0.1, 0.3]))
    array([2.5, 1. , 2.5])
    """
    of = np.zeros(len(values), np.int64) if day is None else day
    order = _order(values, of)
    ordered, of_day = values[order], of[order]
    begins = np.ones(len(order), bool)
    begins[1:] = (ordered[1:] != ordered[:-1]) | (of_day[1:] != of_day[:-1])
    first = np.flatnonzero(begins)
    tied = np.diff(first, append=len(order))
    before = np.searchsorted(of_day, of_day[first])  # rows of earlier days
    ranks = np.empty(len(order))
    ranks[order] = np.repeat(first - before + (tied + 1) / 2, tied)
    return ranks


def _order(values: NDArray[Any], day: NDArray[np.int64]) -> NDArray[np.int64]:
    """The order of rows by day and value, as `np.lexsort` gives it, [rows]."""
    count = np.bincount(day)
    longest = int(count.max(initial=0))
    if values.dtype.kind != "f" or longest * len(count) > _MOST_PADDING * len(day):
        return np.lexsort((values, day))
    # Many short sorts take a fifth of one long one: a line of a table each, filled up with what comes last.
    by_day = np.arange(len(day)) if np.all(day[1:] >= day[:-1]) else np.argsort(day, kind="stable")
    begins = np.cumsum(count) - count
    if longest * len(count) == len(day):
        table = values[by_day].reshape(len(count), longest)
    else:
        table = np.full((len(count), longest), np.inf)
        table[day[by_day], np.arange(len(day)) - begins[day[by_day]]] = values[by_day]
    place = np.argsort(table, axis=1, kind="stable")
    order: NDArray[np.int64] = by_day[(begins[:, None] + place)[place < count[:, None]]]
    return order
