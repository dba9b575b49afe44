"""How steady the IC is from day to day; not annualised.

```
ICIR = mean over days of IC / standard deviation over days of IC
```

Times √252 it is comparable to a year's Sharpe ratio before costs, where horizons do not overlap.

- Grinold and Kahn (1999), as the information ratio; Qlib's tables report the same quotient.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.metric import Answers, Measured, Metric, Sums, of_sums, ratio


def _icir(sums: Sums) -> NDArray[Any]:
    mean = ratio(sums["ic"], sums["days"])
    variance = (sums["squared"] - sums["days"] * mean**2) / np.maximum(sums["days"] - 1, 1)
    return ratio(mean, np.sqrt(np.maximum(variance, 0.0)))


def _measure(answers: Answers) -> Measured:
    ic = np.nan_to_num(answers.daily_ic)
    return of_sums(answers.blocks, _icir, {"ic": ic, "squared": ic**2, "days": ~np.isnan(answers.daily_ic)})


METRIC = Metric("icir", "ICIR", _measure, higher_is_better=True, no_skill=0.0, order=8)
