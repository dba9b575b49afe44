"""What a figure is, and all there are: one a file of metrics/, and what other packages add as `awesome.metrics`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.correlation import daily_ic
from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks
from models.plugins import GROUPS, LAST, Registry

AUC, RANK_IC = "auc", "rank_ic"
"""The figures that are asked for by their names."""

SURE = 1e-7
"""Probabilities nearer to 0 or 1 are clipped: the cross-entropy of a sure answer that was wrong would be infinite."""

Sums = Mapping[str, NDArray[Any]]
"""Sums over the rows of a set of days by name, [...] each, or [..., bins]."""


@dataclass(frozen=True, eq=False)
class Answers:
    """What a model answered on the test split, and what happened.

    Attributes:
        positive: bool array [rows], True where the close rose.
        probability: float array [rows] within [0, 1]; any score, for metrics that need no probability.
        forward_returns: array [rows], the return over the horizon that followed.
        blocks: of the rows' days.
    """

    positive: NDArray[Any]
    probability: NDArray[Any]
    forward_returns: NDArray[Any]
    blocks: DayBlocks

    @cached_property
    def daily_ic(self) -> NDArray[Any]:
        """The IC of each day of the blocks, [days]; nan where a day has none. More than one figure is made of it."""
        return daily_ic(self.probability, self.forward_returns, self.blocks.index)[1]


@dataclass(frozen=True, eq=False)
class Measured:
    """A figure on the rows as they are, and on every resample of their days.

    Attributes:
        value: nan where it is undefined.
        drawn: array [resamples].
    """

    value: float
    drawn: NDArray[Any]

    def interval(self, blocks: DayBlocks, level: float, bounds: tuple[float, float] | None) -> Interval:
        """The figure with its interval, as in `DayBlocks.summarise`."""
        return blocks.summarise(self.value, self.drawn, level, bounds)


@dataclass(frozen=True)
class Metric:
    """One figure; the docstring of the file that declares it is its entry in docs/metrics.md.

    Attributes:
        name: in JSON.
        title: for people.
        measure: computes it.
        higher_is_better: else a lower one is.
        no_skill: its value for a coin or a constant; None where that depends on the data.
        bounds: what it cannot leave; None for no bounds.
        order: its place among the figures.
        needs_probability: whether it means nothing for a score, which only puts rows in order.
    """

    name: str
    title: str
    measure: Callable[[Answers], Measured]
    higher_is_better: bool
    no_skill: float | None = None
    bounds: tuple[float, float] | None = None
    order: int = LAST
    needs_probability: bool = False


METRICS: Registry[Metric] = Registry(GROUPS["awesome.metrics"], Metric)


def of_sums(blocks: DayBlocks, statistic: Callable[[Sums], NDArray[Any]], daily: Sums) -> Measured:
    """A figure that is a function of sums over days.

    Args:
        blocks: of the days.
        statistic: of the sums; nan where it is undefined.
        daily: what each day adds, [days] or [days, bins] by name.
    """
    whole = {name: sums.sum(axis=0) for name, sums in daily.items()}
    resampled = {name: blocks.sums(sums) for name, sums in daily.items()}
    return Measured(float(statistic(whole)), statistic(resampled))


def mean_of_rows(answers: Answers, values: NDArray[Any]) -> Measured:
    """The mean of an array [rows]."""
    days, index = len(answers.blocks.unique), answers.blocks.index
    daily = {name: np.bincount(index, part, minlength=days) for name, part in (("sum", values), ("rows", None))}
    return of_sums(answers.blocks, lambda sums: ratio(sums["sum"], sums["rows"]), daily)


def mean_of_days(blocks: DayBlocks, values: NDArray[Any]) -> Measured:
    """The mean of an array [days] over those of the days where it is not nan."""
    daily = {"sum": np.nan_to_num(values), "days": ~np.isnan(values)}
    return of_sums(blocks, lambda sums: ratio(sums["sum"], sums["days"]), daily)


def ratio(above: Any, below: Any) -> NDArray[Any]:
    """Quotient of two arrays; nan where the second is 0."""
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
