"""The IC on ranks (ties get their middle rank), so that one share with a wild return does not decide a day.

```
rank IC = mean over days of  corr( rank p, rank r )  within the day        (Spearman)
```

- Spearman (1904), *The proof and measurement of association between two things*, American Journal of Psychology 15.
- `components/evidence/correlation.py`: `rank_ic`, `daily_rank_ic`.
"""

from __future__ import annotations

from components.evidence.correlation import daily_rank_ic
from components.evidence.metric import RANK_IC, Answers, Measured, Metric, mean_of_days


def _measure(answers: Answers) -> Measured:
    blocks = answers.blocks
    return mean_of_days(blocks, daily_rank_ic(answers.probability, answers.forward_returns, blocks.index)[1])


METRIC = Metric(RANK_IC, "rank IC", _measure, higher_is_better=True, no_skill=0.0, bounds=(-1.0, 1.0), order=7)
