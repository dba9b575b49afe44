"""Whether a twin may answer in a model's place: it has to give TensorFlow's answers on all test rows."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from models.errors import TwinError
from models.twin.arithmetic import Array
from models.twin.features import Raw
from models.twin.forecasting import TOLERANCE, Twin, load_twin
from models.twin.proof import Proof


def prove(saved_model: Path, rows: Iterable[tuple[Raw, Array]]) -> Proof:
    """Compares a model's twin with TensorFlow on all rows of a split.

    Args:
        saved_model: the folder of the model.
        rows: batches of raw features, each with TensorFlow's probabilities, [rows].
    """
    try:
        twin = load_twin(saved_model)
    except TwinError as error:
        return Proof(reason=str(error))
    count, largest = 0, 0.0
    for raw, expected in rows:
        # A nan on either side must not pass for no difference.
        differences = np.abs(twin.answer(raw).astype(np.float64) - expected)
        largest = max(largest, float(np.max(np.where(np.isnan(differences), np.inf, differences), initial=0.0)))
        count += len(expected)
    if not count:
        return Proof(twin.digest, reason="there are no test rows to prove it on")
    if largest > TOLERANCE:
        difference = largest if np.isfinite(largest) else None
        return Proof(twin.digest, count, difference, f"on the test rows it is {largest:.1e} from TensorFlow's answers")
    return Proof(twin.digest, count, largest)


def proven_twin(saved_model: Path, proof: Proof | None) -> Twin:
    """The twin of a model, if it is the one that was proven.

    Args:
        saved_model: the folder of the model.
        proof: what is known of its twin.

    Raises:
        TwinError: it may not answer.
    """
    if proof is None:
        raise TwinError("its run was of a version that proved none")
    if proof.reason:
        raise TwinError(proof.reason)
    twin = load_twin(saved_model)
    if twin.digest != proof.digest:
        raise TwinError("it is not the one that was proven on the test rows")
    return twin
