"""A DataFormatter's features without TensorFlow, by the same arithmetic and with what Transform learned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.errors import TwinError
from models.formatters import DataFormatter
from models.operations import Feature, Kind, Learned, scaled_by
from models.twin.arithmetic import Array
from models.twin.files import FeatureRecord

Raw = Mapping[str, NDArray[Any]]
"""Raw features by name (models/features.py), [rows] or [rows, 21]; share_id as bytes."""


def vocabulary_array(feature: Feature) -> str:
    """What a category's vocabulary is called among the arrays."""
    return f"{feature.name}/vocabulary"


def moment_arrays(feature: Feature) -> tuple[str, str]:
    """What mean and deviation of a feature are called among the arrays."""
    return f"{feature.name}/mean", f"{feature.name}/deviation"


def described(feature: Feature) -> FeatureRecord:
    """A feature as it is declared now."""
    return FeatureRecord(feature.name, feature.source, feature.operation.name, feature.steps, feature.parts)


@dataclass(frozen=True)
class FittedFeature:
    """A feature with what Transform learned for it.

    Attributes:
        feature: as declared.
        moments: mean and deviation, each [steps], where it is standardised.
        index: of the values of its vocabulary; a value that is not there has the number of those that are.
    """

    feature: Feature
    moments: tuple[Array, Array] | None = None
    index: Mapping[bytes, int] | None = None

    def __call__(self, raw: Raw) -> Array:
        """The feature of raw rows: float64 [rows, steps] with float32's digits, or int64 [rows, 1]."""
        source, operation = raw[self.feature.source], self.feature.operation
        if self.index is not None:
            unknown = len(self.index)
            texts = (one if isinstance(one, bytes) else str(one).encode() for one in source.tolist())
            return np.array([self.index.get(text, unknown) for text in texts], np.int64).reshape(-1, 1)
        if operation.values is None:
            raise TwinError(f"the operation {operation.name} is written for TensorFlow alone")
        values: Array = operation.values(np, source if source.ndim == 2 else source[:, None], self.feature)
        if self.moments is not None:
            values = scaled_by(np, values, *self.moments)
        # As Transform gives it to the network; the last bits of a logarithm, in which libraries differ, end here.
        return values.astype(np.float32).astype(np.float64)


def fitted_features(formatter: DataFormatter, arrays: Mapping[str, Array]) -> tuple[FittedFeature, ...]:
    """The formatter's features, with what Transform learned.

    Raises:
        TwinError: one of them is written for TensorFlow alone, or what was learned for it is missing.
    """
    fitted = []
    for feature in formatter.features:
        operation = feature.operation
        try:
            if operation.learned is Learned.VOCABULARY:
                known = arrays[vocabulary_array(feature)].tolist()
                fitted.append(FittedFeature(feature, index={value: at for at, value in enumerate(known)}))
            elif operation.values is None or feature.kind is Kind.CATEGORY:
                raise TwinError(
                    f"the operation {operation.name} of the feature {feature.name} is written for TensorFlow alone"
                )
            elif operation.learned is Learned.MOMENTS:
                mean, deviation = (arrays[name] for name in moment_arrays(feature))
                fitted.append(FittedFeature(feature, (mean, deviation)))
            else:
                fitted.append(FittedFeature(feature))
        except KeyError as error:
            raise TwinError(f"the twin holds no {error.args[0]}") from None
    return tuple(fitted)
