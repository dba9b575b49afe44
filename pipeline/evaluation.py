"""The TFMA configuration: which metrics, on which slices. It has no thresholds: the Evidence step blesses."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tensorflow_model_analysis.proto import config_pb2

from components.evidence.tfma import metrics as tfma_metrics
from components.evidence.tfma import thresholds
from models.features import YEAR, label_key
from models.labels import UP
from models.serving import PROBABILITY


def evaluation_config(models: Sequence[str], horizon: int, code: str = "", label: str = UP) -> config_pb2.EvalConfig:
    """What the Evaluator is told.

    Args:
        models: their names.
        horizon: the trained one.
        code: digest of the metrics' code; it becomes part of a name, so that TFX's cache sees a change.
        label: name of the label.
    """
    specs = [
        config_pb2.ModelSpec(
            # TFMA leaves out the name of an only model when it writes, and then does not find what it wrote.
            name=name if len(models) > 1 else "",
            model_type="tf_generic",
            signature_name="serving_default",
            label_key=label_key(horizon),
            prediction_key=PROBABILITY,
        )
        for name in models
    ]
    counts = config_pb2.MetricConfig(
        class_name=thresholds.CountsByThreshold.__name__,
        module=thresholds.__name__,
        config=json.dumps({"name": f"counts_by_threshold_{code}"}),
    )
    evidence = config_pb2.MetricConfig(
        class_name=tfma_metrics.EvidenceOverDays.__name__,
        module=tfma_metrics.__name__,
        config=json.dumps({"name": f"evidence_over_days_{code}", "horizon": horizon, "label": label}),
    )
    return config_pb2.EvalConfig(
        model_specs=specs,
        metrics_specs=[config_pb2.MetricsSpec(metrics=[counts, evidence])],
        slicing_specs=[config_pb2.SlicingSpec(), config_pb2.SlicingSpec(feature_keys=[YEAR])],
    )
