"""Past predictions computed once more, from the windows in the ledger, and compared to the bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.feature_store.schema import CLOSE_COLUMNS
from components.ledger.file import Ledger

Forecaster = Callable[[Sequence[str], npt.NDArray[np.float32]], npt.ArrayLike]
"""What a model says of shares [n] and their windows [n, 21], close0 first: probabilities [n], float32 or float64.

The answer for one window must not depend on the others that are asked about with it.
"""

_ROWS_AT_ONCE = 4096


@dataclass(frozen=True)
class Difference:
    """A prediction that the model does not make again: its row, the probability there, and the one of today."""

    seq: int
    share_id: str
    session: str
    written: float
    computed: float


@dataclass(frozen=True)
class Recomputed:
    """How many predictions of a model were computed once more, and which of them are others by any bit."""

    predictions: int
    different: tuple[Difference, ...]


def recompute(ledger: Ledger, model: str, forecast: Forecaster) -> Recomputed:
    """Computes every prediction of a model once more.

    Args:
        ledger: the predictions.
        model: digest of the model.
        forecast: the model of this digest; windows come as it saw them, in single precision.
    """
    query = (
        f"SELECT seq, share_id, session, probability, {', '.join(CLOSE_COLUMNS)} FROM PREDICTION WHERE model = ? "
        "ORDER BY seq"
    )
    rows = ledger.stream(query, model)
    count, different = 0, []
    while part := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        closes = np.array([row[4:] for row in part], np.float64).astype(np.float32)
        answer = np.asarray(forecast([row[1] for row in part], closes), np.float64).reshape(len(part))
        written = np.array([row[3] for row in part], np.float64)
        for at in np.flatnonzero(answer.view(np.int64) != written.view(np.int64)).tolist():
            seq, share, session, before = part[at][:4]
            different.append(Difference(seq, share, session, before, float(answer[at])))
        count += len(part)
    return Recomputed(count, tuple(different))
