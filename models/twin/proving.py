"""Whether a twin may answer in a model's place: it has to give TensorFlow's answers on rows of the test split."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from models.errors import TwinError
from models.twin.arithmetic import Array
from models.twin.features import Raw
from models.twin.files import read_twin
from models.twin.forecasting import TOLERANCE, Twin, check_examples, load_twin
from models.twin.proof import Proof


def prove(saved_model: Path, raw: Raw, expected: Array) -> Proof:
    """Compares a model's twin with TensorFlow.

    Args:
        saved_model: the folder of the model.
        raw: raw features of test rows.
        expected: TensorFlow's probabilities of them, [rows].
    """
    try:
        twin = load_twin(saved_model)
    except TwinError as error:
        return Proof(reason=str(error))
    if not len(expected):
        return Proof(twin.digest, reason="there are no test rows to prove it on")
    features = twin.features_of(raw)
    largest, estimated = (_largest(twin.of_features(features, exact), expected) for exact in (True, False))
    finite = estimated if np.isfinite(estimated) else None
    if largest > TOLERANCE:
        difference = largest if np.isfinite(largest) else None
        reason = f"on the test rows it is {largest:.1e} from TensorFlow's answers"
        return Proof(twin.digest, len(expected), difference, reason, finite)
    return Proof(twin.digest, len(expected), largest, estimated=finite)


def _largest(answer: Array, expected: Array) -> float:
    """The largest difference; a nan on either side must not pass for none."""
    differences = np.abs(answer.astype(np.float64) - expected)
    return float(np.max(np.where(np.isnan(differences), np.inf, differences), initial=0.0))


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


def may_estimate(saved_model: Path, twin: Twin, proof: Proof | None) -> bool:
    """Whether a twin may answer in single precision, where nobody asks for the same bits again.

    It was as near to TensorFlow on the test rows, and reproduces its examples on the processor at hand.
    """
    if proof is None or proof.estimated is None or proof.estimated > TOLERANCE:
        return False
    record, _ = read_twin(saved_model)
    try:
        check_examples(twin.estimate, record.arrays)
    except TwinError:
        return False
    return True
