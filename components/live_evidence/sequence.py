"""The confidence sequence: an interval of a mean that holds at all times at once.

For numbers x with conditional means m, predictions p of them made before, and a stake l, each factor of

    product of (1 + l (x - p)) exp(-l (m - p))

is expected to be at most 1, as 1 + y <= exp(y). It depends on the means by their sum alone, so they may differ from day
to day: what is held is their average so far. The empirical Bernstein sequence of Howard, Ramdas, McAuliffe and Sekhon
(2021, *Time-uniform, nonparametric, nonasymptotic confidence sequences*, Annals of Statistics 49, theorem 4), which
Choe and Ramdas (2023, *Comparing sequential forecasters*, Operations Research) give for a forecast's scores, puts a
lower bound in the place of the logarithm (Fan, Grama and Liu, 2015) and is wider.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_STAKES = (0.75, 0.375, 0.1875, 0.09375)
"""Mixed in equal parts."""
_CENTRE = 0.25
"""Predictions stay within this, so that no stake can lose all: 0.75 (1 + 0.25) < 1."""
_STEPS = 12
"""Of Newton's method, which comes from outside: a step left out makes an interval too wide, never too narrow."""


class MeanSoFar(NamedTuple):
    """A mean and its confidence sequence, each [..., sessions]; nan before the first number."""

    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]


def mean_so_far(values: NDArray[Any], horizon: int, alpha: float, bound: float = 1.0) -> MeanSoFar:
    """The mean of daily numbers, and an interval that holds the average of their conditional means at all times.

    With a horizon of h sessions the days belong to h sequences, as in `log_capital`. Their geometric mean is at most
    their average, an open bet is counted at the least that it can be worth, and what is left depends on all days' sums
    alone.

    Args:
        values: float array [..., sessions], within [-bound, bound]; nan where a session has none.
        horizon: sessions after which a number is known.
        alpha: chance that the mean is outside at any time.
        bound: of the numbers.

    Raises:
        ValueError: a number is out of its bound.
    """
    scaled = np.asarray(values, np.float64) / bound
    known = ~np.isnan(scaled)
    numbers = np.where(known, scaled, 0.0)
    if np.any(np.abs(numbers) > 1 + 1e-12):
        raise ValueError("numbers must be within their bound")
    count, total = np.cumsum(known, axis=-1), np.cumsum(numbers, axis=-1)
    # What is known when a session's predictions are made: the numbers of those up to `horizon` sessions before.
    expected = np.zeros(numbers.shape)
    expected[..., horizon:] = np.clip(total / (count + 1), -_CENTRE, _CENTRE)[..., :-horizon]
    expected = np.where(known, expected, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        low, high = (
            sign * _least_sum(sign * numbers, sign * expected, horizon, math.log(2 / alpha)) / count for sign in (1, -1)
        )
        mean = total / count
    nothing = count == 0
    low, high = np.where(nothing, np.nan, np.maximum(low, -1)), np.where(nothing, np.nan, np.minimum(high, 1))
    return MeanSoFar(mean * bound, low * bound, high * bound)


def _least_sum(
    numbers: NDArray[np.float64], expected: NDArray[np.float64], horizon: int, threshold: float
) -> NDArray[np.float64]:
    """The sum of means below which the mixture over stakes is above a threshold, [..., sessions].

    Args:
        numbers: [..., sessions], 0 where there is none.
        expected: the predictions of them, [..., sessions], 0 where there is none.
        horizon: sessions after which a number is known.
        threshold: logarithm of what the mixture has to reach.
    """
    sums = np.cumsum(expected, axis=-1)
    worths = []
    for stake in _STAKES:
        # The least that an open bet is worth, where its number is -1, its mean was 1 and its prediction the highest.
        opened = math.log1p(-stake * (1 + _CENTRE)) - math.log1p(stake * (1 - _CENTRE))
        settled = (np.cumsum(np.log1p(stake * (numbers - expected)), axis=-1) + stake * sums) / horizon
        worths.append(settled + opened * (horizon - 1) / horizon - math.log(len(_STAKES)))
    least = np.max([(worth - threshold) / stake for worth, stake in zip(worths, _STAKES, strict=True)], axis=0)
    for _ in range(_STEPS):
        logs = [worth - stake * least for worth, stake in zip(worths, _STAKES, strict=True)]
        top = np.max(logs, axis=0)
        parts = [np.exp(log - top) for log in logs]
        whole = np.sum(parts, axis=0)
        slope = np.sum([stake * part for stake, part in zip(_STAKES, parts, strict=True)], axis=0) / whole
        least = least + (top + np.log(whole) - threshold) / slope
    found: NDArray[np.float64] = horizon * least
    return found
