"""Intervals from resampling blocks of whole days.

Shares move together within a day and labels of horizon h overlap for h days, so rows are not independent. An interval
that resamples rows is far too narrow; every interval here resamples blocks of whole days instead: all rows of a day are
drawn together, which keeps what shares have in common on a day, and blocks of consecutive days keep what labels have in
common that overlap in time.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.interval import Interval

_NAN = float("nan")

DayStatistic = Callable[[NDArray[Any]], float]
"""A statistic as a function of how often each distinct day counts, a float array [days] of whole numbers."""


class DayBlocks:
    """The days of some rows, and the same resamples of them for every statistic.

    As every statistic sees the same resamples, the difference of two statistics is resampled by taking the difference
    of what was drawn: the paired interval.

    Attributes:
        unique: the distinct days, ascending.
        index: int array [rows], each row's position among them.
        block: days in a block.
    """

    def __init__(
        self,
        days: NDArray[Any],
        *,
        horizon: int = 1,
        block: int | None = None,
        resamples: int = 1000,
        seed: int = 0,
    ) -> None:
        """Takes the days in.

        Args:
            days: array [rows] of anything that sorts in time.
            horizon: sessions ahead that the labels look.
            block: days in a block; `default_block` if None.
            resamples: bootstrap samples.
            seed: of the resampling; the same seed gives the same interval.

        Raises:
            ValueError: a value is out of its range.
        """
        if horizon < 1 or resamples < 2 or (block is not None and block < 1):
            raise ValueError("need horizon >= 1, resamples >= 2 and block >= 1")
        values = np.asarray(days)
        if values.ndim != 1:
            raise ValueError(f"days must have one dimension, not the shape {values.shape}")
        self.unique, index = np.unique(values, return_inverse=True)
        self.index: NDArray[Any] = index.reshape(-1)
        self.block = default_block(horizon, len(self.unique)) if block is None else block
        self._horizon = horizon
        self._resamples = resamples
        self._seed = seed

    @property
    def enough(self) -> bool:
        """Whether there are the two blocks that a spread needs at least."""
        return len(self.unique) >= 2 * self.block

    @cached_property
    def weights(self) -> NDArray[Any]:
        """How often each day counts in each resample: whole numbers as float64, [resamples, days].

        Blocks of consecutive days are drawn from a circle, so that every day is as likely as any other; the last one is
        cut so that every resample has as many days as there are.
        """
        return _weights(len(self.unique), self.block, self._resamples, self._seed)

    def draw(self, statistic: DayStatistic) -> NDArray[Any]:
        """The statistic of every resample, [resamples]; all nan where there are fewer than two blocks of days."""
        if not self.enough:
            return np.full(self._resamples, _NAN)
        return np.array([statistic(weight) for weight in self.weights])

    def sums(self, daily: NDArray[Any]) -> NDArray[Any]:
        """Sums over the days of every resample, [resamples] or [resamples, parts], of [days] or [days, parts]."""
        drawn: NDArray[Any] = self.weights @ daily
        return drawn

    def summarise(
        self,
        value: float,
        drawn: NDArray[Any],
        level: float = 0.95,
        bounds: tuple[float, float] | None = None,
    ) -> Interval:
        """The interval of a statistic whose resamples were drawn.

        The ends are ``value -+ t x standard_error``, with Student's t at the degrees of freedom that blocks of this
        length leave. Three corrections, because blocks are few when horizons are long. The spread over resamples of D
        days in blocks of b falls short by the factor 1 - b / D in variance, since each block is compared with a mean it
        is itself part of. It falls short by 1 - h / (3 b) where labels overlap over h > 1 days (see `default_block`).
        And it is itself an estimate, with about 1.5 D / b degrees of freedom (those of a triangular lag window of b
        days), so its quantile is Student's, not the normal one.

        Args:
            value: the statistic on the rows as they are.
            drawn: what `draw` gave for it, [resamples]; resamples without a value are left out.
            level: coverage of the interval, within (0, 1).
            bounds: what the statistic cannot leave; the ends are cut to them.

        Returns:
            The interval; its ends are nan with fewer than two blocks of days.

        Raises:
            ValueError: the level is out of its range.
        """
        error = self.standard_error(drawn)
        if math.isnan(value) or math.isnan(error):
            return Interval(value, _NAN, _NAN, _NAN)
        reach = self.quantile(level) * error
        low, high = bounds or (-math.inf, math.inf)
        return Interval(value, max(low, value - reach), min(high, value + reach), error)

    def standard_error(self, drawn: NDArray[Any]) -> float:
        """Standard deviation of what was drawn, [resamples], corrected as in `summarise`; nan for too few days."""
        drawn = drawn[~np.isnan(drawn)]
        if len(drawn) < 2 or not self.enough:
            return _NAN
        return float(np.std(drawn, ddof=1)) / math.sqrt(self._variance_seen)

    def quantile(self, level: float) -> float:
        """Standard errors from the value to either end of an interval of that level."""
        from scipy.special import stdtrit  # Student's t, without the second that scipy.stats takes to import

        if not 0 < level < 1:
            raise ValueError("need a level within (0, 1)")
        return float(stdtrit(self.degrees, (1 + level) / 2))

    @property
    def degrees(self) -> float:
        """Degrees of freedom of a standard error: those of Student's t in `summarise`."""
        return 1.5 * len(self.unique) / self.block

    @property
    def _variance_seen(self) -> float:
        seen = 1 - self.block / len(self.unique)
        if self._horizon > 1:
            # Blocks shorter than the overlap see yet less; what they see of it falls off differently then.
            seen *= 1 - self._horizon / (3 * max(self.block, self._horizon))
        return seen

    def interval(
        self,
        statistic: DayStatistic,
        value: float | None = None,
        level: float = 0.95,
        bounds: tuple[float, float] | None = None,
    ) -> Interval:
        """The interval of a statistic.

        Args:
            statistic: of how often each day counts; may be nan for a resample in which it is undefined.
            value: the statistic on the rows as they are; computed with every day once if None.
            level: as in `summarise`.
            bounds: as in `summarise`.
        """
        if value is None:
            value = statistic(np.ones(len(self.unique)))
        drawn = np.array([]) if math.isnan(value) else self.draw(statistic)
        return self.summarise(value, drawn, level, bounds)


@functools.lru_cache(maxsize=2)
def _weights(days: int, block: int, resamples: int, seed: int) -> NDArray[Any]:
    """`DayBlocks.weights`, which all statistics of the same days share; nobody may write to them."""
    rng = np.random.default_rng(seed)
    starts = rng.integers(0, days, size=(resamples, -(-days // block)))
    offset = np.arange(block)
    # As what they are multiplied with: they would be turned into it again and again.
    weights = np.empty((resamples, days))
    for i, first in enumerate(starts):
        picked = (first[:, None] + offset).ravel()[:days] % days
        weights[i] = np.bincount(picked, minlength=days)
    weights.flags.writeable = False
    return weights


def default_block(horizon: int, days: int) -> int:
    """Days in a bootstrap block.

    Labels of horizon h on days less than h apart share returns, so what a day adds to a statistic is correlated over h
    days, falling off about linearly. Blocks of b >= h days see only the fraction 1 - h / (3 b) of the variance that
    this adds up to: 67 % with b = h, 78 % with b = 1.5 h. `DayBlocks.summarise` makes up for the rest; longer blocks
    would need less of that, but are fewer. (On a market without signal, with 580 days and h = 20, intervals from blocks
    of 1, 1.5 and 2 horizons held the truth in 95, 94 and 93 % of 700 cases; the shortest see the least of what lasts
    longer than the labels.) Where labels do not overlap (h = 1)
    the cube root of the number of days, the rate at which a block should grow, guards against what else lasts for days,
    such as volatility. Never more than a quarter of the days: fewer than four blocks measure no spread.

    Args:
        horizon: sessions ahead that the label looks.
        days: days there are.

    Returns:
        Days in a block, at least 1.

    >>> default_block(1, 1000), default_block(20, 1000)
    (10, 30)
    """
    overlap = math.ceil(1.5 * horizon) if horizon > 1 else 1
    return max(1, min(max(overlap, math.ceil(days ** (1 / 3))), days // 4))
