"""The information coefficient: whether, on one day, the shares with higher probabilities had higher returns.

```
IC = mean over days of  corr( p, r )  within the day        (Pearson)
```

A day with fewer than three shares, or on which all predictions or all returns are equal, has none and is left out.

- Grinold (1989), *The fundamental law of active management*, Journal of Portfolio Management 15; Grinold and Kahn
  (1999), *Active Portfolio Management*.
- `components/evidence/correlation.py`: `daily_ic`.
"""

from __future__ import annotations

from components.evidence.metric import Answers, Measured, Metric, mean_of_days


def _measure(answers: Answers) -> Measured:
    return mean_of_days(answers.blocks, answers.daily_ic)


METRIC = Metric("ic", "IC", _measure, higher_is_better=True, no_skill=0.0, bounds=(-1.0, 1.0), order=6)
