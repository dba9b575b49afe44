"""The mean squared difference of probability and label.

```
Brier = mean over i of ( p(i) - y(i) )²
```

A constant ½ has 0.25. Like the loss it rewards honest probabilities, but a confident error costs less.

- Brier (1950), *Verification of forecasts expressed in terms of probability*, Monthly Weather Review 78.
"""

from __future__ import annotations

from components.evidence.metric import Answers, Measured, Metric, mean_of_rows


def _measure(answers: Answers) -> Measured:
    return mean_of_rows(answers, (answers.probability - answers.positive) ** 2)


METRIC = Metric(
    "brier", "Brier score", _measure, higher_is_better=False, bounds=(0.0, 1.0), order=4, needs_probability=True
)
