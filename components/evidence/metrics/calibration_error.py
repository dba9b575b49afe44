"""How far what was said is from what happened, in bins of the predictions.

```
ECE = Σ over bins b of  n(b)/n * | mean p in b - mean y in b |
```

It is never negative, so even a perfectly calibrated model shows some on few rows: read it beside its interval, not
against 0. An interval around it would leave out the truth of a calibrated model. Its interval contains every error that
is nearer than the bins' gaps move in 95 % of the resamples, so it reaches 0 for a calibrated model as often as it
should, and is too wide for others.

- Naeini, Cooper and Hauskrecht (2015), *Obtaining well calibrated probabilities using Bayesian binning*, AAAI; Guo et
  al. (2017), *On calibration of modern neural networks*, ICML.
- `components/evidence/curves.py`: `calibration_bins`, ten bins of equally many rows; equal predictions are never torn
  apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.curves import calibration_bins
from components.evidence.interval import Interval
from components.evidence.metric import Answers, Measured, Metric, ratio
from components.evidence.resampling import DayBlocks

_BINS = 10


@dataclass(frozen=True, eq=False)
class _Error(Measured):
    """`gap_moves`, [resamples], bounds how far the error moves: it is how far all gaps together do."""

    gap_moves: NDArray[Any]

    def interval(self, blocks: DayBlocks, level: float, bounds: tuple[float, float] | None) -> Interval:
        if math.isnan(self.value) or not blocks.enough:
            return super().interval(blocks, level, bounds)
        error, spread = blocks.standard_error(self.drawn), float(np.std(self.drawn, ddof=1))
        # A constant has the same error on all days where all rows have the same label.
        reach = float(np.quantile(self.gap_moves, level)) * error / spread if spread > 0 else 0.0
        return Interval(self.value, max(0.0, self.value - reach), min(1.0, self.value + reach), error)


def _measure(answers: Answers) -> Measured:
    blocks, days = answers.blocks, len(answers.blocks.unique)
    cell = blocks.index * _BINS + calibration_bins(answers.probability, _BINS)
    missed = np.bincount(cell, answers.probability - answers.positive, minlength=days * _BINS).reshape(days, _BINS)
    rows = np.bincount(blocks.index, minlength=days)
    # Of each bin, mean probability less share of rises, weighted by the bin's share of the rows: [..., bins].
    gaps = ratio(missed.sum(axis=0), rows.sum())
    drawn = ratio(blocks.sums(missed), blocks.sums(rows)[:, None])
    value = float(np.abs(gaps).sum())
    return _Error(value, np.abs(drawn).sum(axis=-1), np.abs(drawn - gaps).sum(axis=-1))


METRIC = Metric(
    "calibration_error",
    "expected calibration error",
    _measure,
    higher_is_better=False,
    bounds=(0.0, 1.0),
    order=5,
    needs_probability=True,
)
