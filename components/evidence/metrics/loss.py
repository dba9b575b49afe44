"""The cross-entropy, less that of always giving the split's share of rises.

```
average loss = mean over i of  -[ y ln p + (1 - y) ln(1 - p) ]
base rate    = -[ m ln m + (1 - m) ln(1 - m) ],   m = mean y
```

The cross-entropy, in nats, and what the best constant probability would have had on the same rows. Below 0 means that
the probabilities carry information; a constant ½ has a loss of ln 2 = 0.693. m is the best constant in hindsight, and
gains the more by chance the shorter the split is; the interval is one for what the difference is on average over splits
of this length, with the whole split's base rate in every resample. p is clipped to [1e-7, 1 - 1e-7].

- Good (1952), *Rational decisions*, JRSS B 14; Gneiting and Raftery (2007), *Strictly proper scoring rules*, JASA 102.
"""

from __future__ import annotations

import numpy as np

from components.evidence.metric import SURE, Answers, Measured, Metric, mean_of_rows


def _measure(answers: Answers) -> Measured:
    # The rate taken anew from each resample would stray by chance and widen the interval: at 20 sessions ahead it would
    # then cover the truth in every case.
    rate = answers.positive.mean() if len(answers.positive) else np.nan
    model, constant = (np.clip(one, SURE, 1 - SURE) for one in (answers.probability, rate))
    gained = np.where(answers.positive, np.log(constant) - np.log(model), np.log1p(-constant) - np.log1p(-model))
    return mean_of_rows(answers, gained)


METRIC = Metric(
    "loss_above_base_rate",
    "average loss - base rate",
    _measure,
    higher_is_better=False,
    no_skill=0.0,
    order=3,
    needs_probability=True,
)
