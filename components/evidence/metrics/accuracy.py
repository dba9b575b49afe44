"""How often the direction was called, less how often the commoner direction would have been right.

```
accuracy = share of rows with ( p(i) > ½ ) = y(i)
majority = max( mean y, 1 - mean y )
```

Only `accuracy - majority` says anything: the second is what "always up" (or "always down") gets on the same rows. It is
known only afterwards which of the two is commoner, so the comparison leans against the model: coins are below 0 on
average. The commoner direction is that of the whole split in every resample, and the upper end of the interval is that
of two intervals, one for each constant (Bonferroni), so that it still contains 0 for coins.

- Dunn (1961), *Multiple comparisons among means*, JASA 56, for the upper end.
- `components/evidence/accuracy.py`: `accuracy`, `majority`.
"""

from __future__ import annotations

from dataclasses import replace

from components.evidence.interval import Interval
from components.evidence.metric import Answers, Measured, Metric, mean_of_rows
from components.evidence.resampling import DayBlocks


class _AboveTheBetterOfTwo(Measured):
    def interval(self, blocks: DayBlocks, level: float, bounds: tuple[float, float] | None) -> Interval:
        high = super().interval(blocks, (1 + level) / 2, bounds).high
        return replace(super().interval(blocks, level, bounds), high=high)


def _measure(answers: Answers) -> Measured:
    right = (answers.probability > 0.5) == answers.positive
    # A baseline, not a second model: chosen once, not anew in each resample.
    rises = 2 * answers.positive.sum() >= len(answers.positive)
    baseline = answers.positive if rises else ~answers.positive
    measured = mean_of_rows(answers, right.astype(float) - baseline)
    return _AboveTheBetterOfTwo(measured.value, measured.drawn)


METRIC = Metric(
    "accuracy_above_majority",
    "accuracy - majority class",
    _measure,
    higher_is_better=True,
    no_skill=0.0,
    bounds=(-1.0, 1.0),
    order=2,
    needs_probability=True,
)
