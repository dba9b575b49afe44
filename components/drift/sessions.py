"""What a model saw in one session, in a few numbers: all that drift is judged by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.records import Number

LEVELS = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
"""Of the quantiles over shares; further out a single share decides."""

MIDDLE = LEVELS.index(0.5)
QUARTILES = LEVELS.index(0.25), LEVELS.index(0.75)


@dataclass(frozen=True)
class NumbersSeen:
    """A feature of numbers over the shares of a session, by step of its sequence.

    Attributes:
        name: of the feature.
        quantiles: of the finite values at LEVELS, [steps][levels]; nan where there is none.
        low: the lowest finite value, [steps]; nan where there is none.
        high: the highest one, [steps].
        missing: part of the rows without a finite value, [steps].
    """

    name: str
    quantiles: tuple[tuple[Number, ...], ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    missing: tuple[float, ...]


@dataclass(frozen=True)
class CategorySeen:
    """A category over the shares of a session.

    Attributes:
        name: of the feature.
        values: the distinct ones, ascending.
    """

    name: str
    values: tuple[int, ...]


@dataclass(frozen=True)
class Session:
    """What a model saw after the close of one session.

    Attributes:
        day: ISO date of the session.
        rows: shares that had a window.
        numbers: features of numbers.
        categories: features of categories.
    """

    day: str
    rows: int
    numbers: tuple[NumbersSeen, ...]
    categories: tuple[CategorySeen, ...]


def summarise(day: dt.date | np.datetime64 | str, features: Mapping[str, NDArray[Any]]) -> Session:
    """The summary of one session.

    Args:
        day: the session.
        features: by name, [rows, steps] or [rows], as the model gets them; whole numbers are categories.

    Raises:
        ValueError: there are no rows or not as many of each feature, an array has another shape, or one holds neither
            numbers nor categories.
    """
    arrays = {name: _two_dimensional(name, np.asarray(values)) for name, values in features.items()}
    rows = {len(values) for values in arrays.values()}
    if len(rows) != 1 or rows == {0}:
        raise ValueError(f"need the same number of rows of each feature, and one at least, not {sorted(rows)}")
    numbers, categories = [], []
    for name, values in arrays.items():
        if np.issubdtype(values.dtype, np.integer):
            categories.append(CategorySeen(name, tuple(np.unique(values).tolist())))
        elif np.issubdtype(values.dtype, np.floating):
            numbers.append(_numbers(name, values))
        else:
            raise ValueError(f"feature {name} holds {values.dtype}, neither numbers nor whole numbers of categories")
    return Session(str(day)[:10], rows.pop(), tuple(numbers), tuple(categories))


def _two_dimensional(name: str, values: NDArray[Any]) -> NDArray[Any]:
    if values.ndim == 1:
        return values[:, None]
    if values.ndim != 2 or not values.shape[1]:
        raise ValueError(f"feature {name} has the shape {values.shape}, not [rows, steps]")
    return values


def _numbers(name: str, values: NDArray[Any]) -> NumbersSeen:
    finite = np.isfinite(values)
    if finite.all():
        ordered = np.sort(np.asarray(values, np.float64), axis=0)
        quantiles, low, high = _of_ordered(ordered), ordered[0], ordered[-1]
    else:
        steps = [np.sort(values[known, step].astype(np.float64)) for step, known in enumerate(finite.T)]
        nothing = np.full(len(LEVELS), np.nan)
        quantiles = np.stack([_of_ordered(one[:, None])[:, 0] if len(one) else nothing for one in steps], axis=1)
        low, high = (np.array([one[end] if len(one) else np.nan for one in steps]) for end in (0, -1))
    return NumbersSeen(
        name,
        tuple(tuple(step) for step in quantiles.T.tolist()),
        tuple(low.tolist()),
        tuple(high.tolist()),
        tuple((1 - finite.mean(axis=0)).tolist()),
    )


def _of_ordered(ordered: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quantiles, [levels, steps], of values that ascend in each step, [rows, steps]: np.quantile without its price."""
    place = np.array(LEVELS) * (len(ordered) - 1)
    below = place.astype(np.int64)
    above = np.minimum(below + 1, len(ordered) - 1)
    part = (place - below)[:, None]
    return ordered[below] * (1 - part) + ordered[above] * part
