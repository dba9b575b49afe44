"""Past predictions computed once more, from the windows in the ledger, and compared to the bit."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.feature_store.arrays import Floats
from components.feature_store.schema import CLOSE_COLUMNS
from components.ledger.columns import BEFORE_PREDICTION, Columns, columns_of_rows, reads_of
from components.ledger.file import Ledger

Forecaster = Callable[..., npt.ArrayLike]
"""What a model says of shares [n] and their windows [n, 21], close0 first: probabilities [n], float32 or float64.

One that reads day-wide columns is given them as well, as `day`: by name, float32 [n] or [n, width]. The answer for one
window must not depend on the others that are asked about with it.
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

    Raises:
        LedgerError: a prediction lacks the columns that it was made of.
    """
    count, different = 0, []
    for part in written_predictions(ledger, model):
        day = {"day": part.day} if part.day else {}
        answer = np.asarray(forecast(part.share_ids, part.closes, **day), np.float64).reshape(len(part.seq))
        for at in np.flatnonzero(answer.view(np.int64) != part.probability.view(np.int64)).tolist():
            what = part.seq[at], part.share_ids[at], part.sessions[at]
            different.append(Difference(*what, float(part.probability[at]), float(answer[at])))
        count += len(part.seq)
    return Recomputed(count, tuple(different))


@dataclass(frozen=True, eq=False)
class WrittenPredictions:
    """Some predictions of a model, with all that they were made of.

    Attributes:
        seq: their rows, [n].
        share_ids: [n].
        sessions: ISO, [n].
        probability: [n].
        closes: the windows, close0 first, in single precision, [n, 21].
        day: the day-wide columns, [n] or [n, width] by name; empty where the model reads none.
    """

    seq: Sequence[int]
    share_ids: Sequence[str]
    sessions: Sequence[str]
    probability: Floats
    closes: npt.NDArray[np.float32]
    day: Columns


def written_predictions(ledger: Ledger, model: str) -> Iterator[WrittenPredictions]:
    """Yields the predictions of a model, by its digest, some thousands at a time in the order of their rows.

    Raises:
        LedgerError: a prediction lacks the columns that it was made of.
    """
    reads = model in reads_of(ledger)
    rows = ledger.stream(
        f"SELECT p.seq, share_id, session, probability, n.text, {', '.join(CLOSE_COLUMNS)} FROM PREDICTION p "
        f"LEFT JOIN NOTE n ON {BEFORE_PREDICTION} WHERE model = ? ORDER BY p.seq",
        model,
    )
    while part := list(itertools.islice(rows, _ROWS_AT_ONCE)):
        seq, shares, sessions, probability, texts, *closes = zip(*part, strict=True)
        windows = np.array(closes, np.float64).T.astype(np.float32)
        day = columns_of_rows(texts) if reads else {}
        yield WrittenPredictions(seq, shares, sessions, np.array(probability, np.float64), windows, day)
