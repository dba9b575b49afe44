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

LINEAR: Mapping[str, float] = MappingProxyType(
    {
        "loss": 11.054411,
        "accuracy_baseline": 0.503875,
        "global_step": 1_000_000,
        "recall": 0.60543287,
        "auc": 0.5334816,
        "prediction/mean": 0.5041689,
        "precision": 0.5238811,
        "label/mean": 0.503875,
        "average_loss": 0.6909007,
        "auc_precision_recall": 0.53230953,
        "accuracy": 0.5239375,
    }
)
LINEAR_TIME: Mapping[str, float] = MappingProxyType(
    {
        "loss": 7.8904605,
        "accuracy_baseline": 0.5008125,
        "global_step": 1_000_000,
        "recall": 0.740297,
        "auc": 0.83925486,
        "prediction/mean": 0.5027409,
        "precision": 0.76670545,
        "label/mean": 0.5008125,
        "average_loss": 0.49315378,
        "auc_precision_recall": 0.8436985,
        "accuracy": 0.757125,
    }
)
DNN_UNSTATED: Mapping[str, float] = MappingProxyType(
    {
        "loss": 10.751576,
        "accuracy_baseline": 0.5085625,
        "global_step": 1_000_000,
        "recall": 0.5825243,
        "auc": 0.61233175,
        "prediction/mean": 0.505836,
        "precision": 0.5855466,
        "label/mean": 0.5085625,
        "average_loss": 0.6719735,
        "auc_precision_recall": 0.62195647,
        "accuracy": 0.578,
    }
)
DNN_256_128_64: Mapping[str, float] = MappingProxyType(
    {
        "loss": 10.645561,
        "accuracy_baseline": 0.5015,
        "global_step": 1_000_000,
        "recall": 0.6064307,
        "auc": 0.63192403,
        "prediction/mean": 0.5171307,
        "precision": 0.58443433,
        "label/mean": 0.5015,
        "average_loss": 0.6653476,
        "auc_precision_recall": 0.6384548,
        "accuracy": 0.586375,
    }
)
CUSTOM_DNN_DROPOUT: Mapping[str, float] = MappingProxyType(
    {"accuracy": 0.5325625, "global_step": 1_000_000, "loss": 0.6892759}
)
CUSTOM_DNN_512_64: Mapping[str, float] = MappingProxyType(
    {"loss": 0.71108305, "global_step": 1_000_000, "accuracy": 0.554125}
)
RNN: Mapping[str, float] = MappingProxyType({})
"""Trained (rnn_v1, rnn_v2), no figures reported."""

TIP = "I should not use feature `time`, because different shares in the same `time` has the same trend"
CONCLUSION = "it's easier to predict the next 1 day than the next 20 days when using the same feature(recent 20 days)"
