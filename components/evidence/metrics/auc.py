"""The chance that a random rise has a higher probability than a random fall, ties counting half.

```
AUC = P( p(i) > p(j) ) + ½ P( p(i) = p(j) )      i a random rise, j a random fall
    = (U of Mann and Whitney) / (rises * falls)
```

0.5 is a coin, 1 is perfect. It needs no threshold and does not care how many days rise.
For a jointly Gaussian score and return with correlation c, `AUC = 1/2 + (2/π) asin(c/√2)`: an IC of 0.05 is an AUC of
0.5225.

- Hanley and McNeil (1982), *The meaning and use of the area under a ROC curve*, Radiology 143; Mann and Whitney (1947).
- `components/evidence/auc.py`: `auc`, exact and with ties counted half, `auc_by_group` for years and shares;
  `components/evidence/curves.py`: `roc_curve` for the plot. The Evaluator's `auc` (by 10,000 bins) stands
  beside it in the report's list of metrics.
"""

from __future__ import annotations

from components.evidence.day_pairs import resampled_aucs
from components.evidence.metric import AUC, Answers, Measured, Metric
from components.evidence.pairs import Pairs


def _measure(answers: Answers) -> Measured:
    pairs = Pairs(answers.positive, answers.probability)
    return Measured(pairs.auc(None), resampled_aucs(pairs, answers.blocks))


METRIC = Metric(AUC, "AUC", _measure, higher_is_better=True, no_skill=0.5, bounds=(0.0, 1.0), order=1)
