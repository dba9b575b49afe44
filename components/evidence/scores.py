"""One model's figures (metrics/), each with an interval, and the paired differences between models.

All are computed from the same resamples of days (resampling.py), so that the difference of two models has an interval
of its own: what both owe to the same days is no difference between them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.interval import Interval
from components.evidence.metric import METRICS, Answers, Measured
from components.evidence.resampling import DayBlocks
from components.evidence.rows import checked


class ScoredModel:
    """One model's figures on the test split, and what they were on every resample of its days."""

    def __init__(
        self,
        labels: NDArray[Any],
        probabilities: NDArray[Any],
        forward_returns: NDArray[Any],
        blocks: DayBlocks,
        score: bool = False,
    ) -> None:
        """Computes all figures.

        Args:
            labels: array [rows] of 0 and 1.
            probabilities: array [rows] within [0, 1], or scores.
            forward_returns: array [rows], the return over the horizon that followed.
            blocks: of the rows' days; models that share one can be compared.
            score: they are no probabilities, only larger where "up" is thought likelier: figures that need a
                probability are left out.

        Raises:
            ValueError: lengths differ, or a value is out of its range.
            PluginError: a metric comes from outside, and its code fails.
        """
        positive, probability = checked(labels, probabilities)
        outside = not score and np.any((probability < 0) | (probability > 1))
        if len(positive) != len(blocks.index) or outside:
            raise ValueError("need a probability within [0, 1] for each row of the days")
        self._blocks = blocks
        answers = Answers(positive, probability, np.asarray(forward_returns), blocks)
        asked = {name: metric for name, metric in METRICS.items() if not (score and metric.needs_probability)}
        self._measured: dict[str, Measured] = {}
        for name, metric in asked.items():
            with METRICS.called(name):
                self._measured[name] = metric.measure(answers)
        self.values: Mapping[str, float] = {name: measured.value for name, measured in self._measured.items()}

    def interval(self, metric: str, level: float = 0.95) -> Interval:
        """A figure with its interval.

        Args:
            metric: one of `values`.
            level: coverage, within (0, 1).
        """
        return self._measured[metric].interval(self._blocks, level, METRICS[metric].bounds)

    def difference(self, other: ScoredModel, metric: str) -> Interval:
        """This model's figure less another's on the same rows, with the paired 95 % interval.

        Raises:
            ValueError: the other one was scored with other blocks.
        """
        if other._blocks is not self._blocks:
            raise ValueError("only models that were scored on the same blocks of days can be compared")
        mine, its = self._measured[metric], other._measured[metric]
        return self._blocks.summarise(mine.value - its.value, mine.drawn - its.drawn)
