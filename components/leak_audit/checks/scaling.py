"""Scaling: what Transform learned of the data, it learned of the train split alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.leak_audit.check import Audited, Check
from components.leak_audit.reading.rows import BLOCK, TRAIN
from components.leak_audit.results import CheckResult, Figure, Status
from models.operations import Feature, Kind
from models.stored import pieces

if TYPE_CHECKING:
    from components.leak_audit.reading.features import AuditFeatures

NAME = "scaling"
_TOLERANCE = 1e-3
"""Of mean and variance: Transform adds up in single precision."""


def scaling(audited: Audited) -> CheckResult:
    """Compares means, variances and vocabularies with those of the train rows."""
    features, train = audited.features, audited.rows.of(TRAIN)
    figures: list[Figure] = []
    faults: list[str] = []
    checked = 0
    for feature in features.formatter.features:
        if feature.operation.scaled:
            checked += 1
            off = _off_standard(features, feature, train)
            figures.append(Figure(f"{feature.name}: mean or variance on train rows off 0 or 1 by", off, decimals=6))
            if off > _TOLERANCE:
                everywhere = " and is that of all splits" if _off_standard(features, feature) <= _TOLERANCE else ""
                faults.append(f"the scale of {feature.name} is not that of the train rows{everywhere}")
        elif feature.kind is Kind.CATEGORY:
            checked += 1
            unknown = _not_in_train(feature, audited, train)
            figures.append(Figure(f"{feature.name}: values in the vocabulary that no train row has", len(unknown)))
            if unknown:
                faults.append(f"the vocabulary of {feature.name} holds {unknown[0]}, which no train row has")
    if faults:
        sentence = "; ".join(faults)
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"{sentence[0].upper()}{sentence[1:]}.",
            tuple(figures),
            "let Transform analyze the train split alone (splits_config in pipeline/pipeline.py)",
        )
    if not checked:
        return CheckResult(NAME, Status.NOT_APPLICABLE, "The formatter learns nothing of the data.")
    return CheckResult(
        NAME, Status.PASSED, "Means, variances and vocabularies are those of the train rows alone.", tuple(figures)
    )


def _off_standard(features: AuditFeatures, feature: Feature, places: NDArray[np.int64] | None = None) -> float:
    """How far the mean is from 0 or the variance from 1, the larger; a constant has no variance to be scaled."""
    mean, variance = features.moments(feature.name, places)
    return float(np.max(np.maximum(np.abs(mean), np.where(variance > 0, np.abs(variance - 1), 0))))


def _not_in_train(feature: Feature, audited: Audited, train: NDArray[np.int64]) -> list[str]:
    """Values of a vocabulary that stand in no train row."""
    import tensorflow_transform as tft

    from models.operations import vocabulary_name

    vocabulary = tft.TFTransformOutput(audited.transform_graph).vocabulary_by_name(vocabulary_name(feature))
    values: set[Any] = set()
    for some in pieces(train, BLOCK):
        values.update(audited.rows.read([feature.source], some)[feature.source].reshape(-1).tolist())
    known = {value if isinstance(value, bytes) else str(value).encode() for value in values}
    return [value.decode(errors="replace") for value in vocabulary if value not in known]


CHECK = Check(
    NAME,
    scaling,
    passes="means, variances and vocabularies are those of the train rows",
    leaks="they are those of other rows",
    order=30,
)
