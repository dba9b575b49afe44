"""What the original project's README reported: facts to stand beside our figures, none of them measured here.

Its split is not stated and can only have been shuffled. It evaluated at horizon 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

METRICS = (
    "loss",
    "accuracy_baseline",
    "global_step",
    "recall",
    "auc",
    "prediction/mean",
    "precision",
    "label/mean",
    "average_loss",
    "auc_precision_recall",
    "accuracy",
)
"""The eleven metrics of TensorFlow's estimators, in the order of the original README."""

HORIZON = 1
"""Sessions ahead that the reported figures are of."""

LOSS_BATCH = 16
"""Rows over which its linear and dnn models summed the loss: 11.0544 = 16 x 0.6909; its other losses are means."""

_STEPS = 1_000_000
"""That each of its models with figures was trained."""


def _all(loss: float, baseline: float, *others: float) -> Mapping[str, float]:
    """All figures of a model, in the order of the metrics, but for the steps."""
    return MappingProxyType(dict(zip(METRICS, (loss, baseline, _STEPS, *others), strict=True)))


LINEAR = _all(
    11.054411, 0.503875, 0.60543287, 0.5334816, 0.5041689, 0.5238811, 0.503875, 0.6909007, 0.53230953, 0.5239375
)
LINEAR_TIME = _all(
    7.8904605, 0.5008125, 0.740297, 0.83925486, 0.5027409, 0.76670545, 0.5008125, 0.49315378, 0.8436985, 0.757125
)
DNN_UNSTATED = _all(
    10.751576, 0.5085625, 0.5825243, 0.61233175, 0.505836, 0.5855466, 0.5085625, 0.6719735, 0.62195647, 0.578
)
DNN_256_128_64 = _all(
    10.645561, 0.5015, 0.6064307, 0.63192403, 0.5171307, 0.58443433, 0.5015, 0.6653476, 0.6384548, 0.586375
)
CUSTOM_DNN_DROPOUT: Mapping[str, float] = MappingProxyType(
    {"accuracy": 0.5325625, "global_step": _STEPS, "loss": 0.6892759}
)
CUSTOM_DNN_512_64: Mapping[str, float] = MappingProxyType(
    {"loss": 0.71108305, "global_step": _STEPS, "accuracy": 0.554125}
)
RNN: Mapping[str, float] = MappingProxyType({})
"""Trained (rnn_v1, rnn_v2), no figures reported."""

TIP = "I should not use feature `time`, because different shares in the same `time` has the same trend"
CONCLUSION = "it's easier to predict the next 1 day than the next 20 days when using the same feature(recent 20 days)"
