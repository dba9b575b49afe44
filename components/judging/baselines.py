"""What anybody would have forecast without a model, from the closes that were known by then.

| baseline | what it says |
|---|---|
| momentum_20 | a score: the return of the last 20 sessions |
| reversal_1 | a score: the last session's return with its sign turned |
| base_rate | a probability: the share of rises before the first forecast |
| logistic | a probability: logistic regression of the window's 20 returns over their volatility, and of the latter |

The last two learn from the windows of the same shares whose label was known before the first forecast's session, the
latest ones where there are many; without any they are left out.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from components.feature_store.arrays import Booleans, Floats, Integers
from models.features import CLOSES, WINDOW
from models.formatters.window_returns import FORMATTER
from models.operations import Kind
from models.twin.features import FittedFeature

MOMENTUM, REVERSAL, BASE_RATE, LOGISTIC = "momentum_20", "reversal_1", "base_rate", "logistic"
BASELINES = (MOMENTUM, REVERSAL, BASE_RATE, LOGISTIC)
SCORES = frozenset({MOMENTUM, REVERSAL})
"""Those of them that are no probabilities."""

_MOST_ROWS = 200_000
_LEAST_ROWS = 100
_ROWS_AT_ONCE = 100_000

Closes: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32]]
"""Windows of closes, [rows, 21], the latest close first."""


class Training:
    """Windows and labels that were known before the first forecast, as they are found share by share."""

    def __init__(self, shares: int) -> None:
        """Begins without any; of each of so many shares the latest are kept."""
        self._each = max(1, _MOST_ROWS // max(shares, 1))
        self._closes: list[Closes] = []
        self._labels: list[Integers] = []

    def __len__(self) -> int:
        """Returns the number of rows."""
        return sum(map(len, self._labels))

    def add(self, closes: Floats, labels: Integers, usable: Booleans, end: Integers) -> None:
        """Takes rows of whole shares, in order of time.

        Args:
            closes: [rows, 21].
            labels: [rows].
            usable: Those whose label was known, [rows].
            end: The position behind the last row of each row's share, [rows].
        """
        rows = np.flatnonzero(usable)
        if not len(rows):
            return
        behind = np.searchsorted(end[rows], end[rows], side="right")  # the place behind the last one of the share
        following = behind - 1 - np.arange(len(rows))
        rows = rows[following < self._each]
        self._closes.append(closes[rows].astype(np.float32))
        self._labels.append(labels[rows])

    @property
    def enough(self) -> bool:
        """Whether both rises and falls are among them, and more than a few."""
        return len(self) >= _LEAST_ROWS and len(np.unique(self.labels)) == 2

    @property
    def labels(self) -> Integers:
        """The labels, [rows]."""
        return np.concatenate(self._labels) if self._labels else np.array([], dtype=np.int64)

    @property
    def closes(self) -> Closes:
        """The windows."""
        return np.concatenate(self._closes) if self._closes else np.empty((0, WINDOW), np.float32)


def forecast(closes: Closes, training: Training) -> dict[str, Floats]:
    """Makes the forecasts of every baseline that can be had, by name, [rows].

    Args:
        closes: windows, [rows, 21], the latest close first.
        training: what may be learned from.
    """
    now, before, first = (closes[:, at].astype(np.float64) for at in (0, 1, -1))
    made = {MOMENTUM: now / first - 1, REVERSAL: 1 - now / before}
    if training.enough and len(closes):
        made[BASE_RATE] = np.full(len(closes), float(np.mean(training.labels)))
        made[LOGISTIC] = _logistic(closes, training)
    return made


def _logistic(closes: Closes, training: Training) -> Floats:
    from sklearn.linear_model import LogisticRegression

    seen = _features(training.closes)
    mean, deviation = seen.mean(axis=0), seen.std(axis=0)
    deviation[deviation == 0] = 1
    model = LogisticRegression(max_iter=1000).fit((seen - mean) / deviation, training.labels)
    parts = (closes[begin : begin + _ROWS_AT_ONCE] for begin in range(0, len(closes), _ROWS_AT_ONCE))
    probability: Floats = np.concatenate(
        [model.predict_proba((_features(part) - mean) / deviation)[:, 1] for part in parts]
    )
    return probability


def _features(closes: Closes) -> Floats:
    """The numbers that a run's models see of windows by default, before they are standardised, [rows, 21]."""
    numbers = (feature for kind in (Kind.SEQUENCE, Kind.SCALAR) for feature in FORMATTER.of_kind(kind))
    return np.concatenate([FittedFeature(feature)({CLOSES: closes}) for feature in numbers], axis=1)
