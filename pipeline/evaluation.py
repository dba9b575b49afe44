"""The TFMA configuration: which metrics, on which slices, and what a model must pass to be blessed."""

from __future__ import annotations

import json

from tensorflow_model_analysis.proto import config_pb2

from components.evidence import tfma_metrics
from components.evidence.evaluations import AUC, BASELINE, CANDIDATE
from models.features import YEAR, label_key
from models.serving import PROBABILITY

# Probabilities of this field crowd around 1/2; with TFMA's default a narrow band of them would share a threshold.
_THRESHOLDS = 10_000

EXTRACTORS = "components.evidence.tfma_extractors"
"""The module that gives the Evaluator its extractors."""

# Cross-entropy is not among them: TFMA weighs it wrongly where rows come in groups (tfma_extractors.py).
_METRICS: tuple[tuple[str, dict[str, object]], ...] = (
    ("BinaryAccuracy", {"name": "accuracy"}),
    ("Precision", {"name": "precision"}),
    ("Recall", {"name": "recall"}),
    ("AUC", {"name": AUC, "num_thresholds": _THRESHOLDS}),
    ("AUC", {"name": "auc_precision_recall", "curve": "PR", "num_thresholds": _THRESHOLDS}),
    ("MeanLabel", {"name": "label/mean"}),
    ("MeanPrediction", {"name": "prediction/mean"}),
)


def evaluation_config(horizon: int, seed: int, code: str = "") -> config_pb2.EvalConfig:
    """What each Evaluator is told.

    A model is blessed when its AUC is above 1/2 by more than its standard error over blocks of days, and not below
    that of its predecessor on the same test split.

    Args:
        horizon: the trained one.
        seed: of the resampling of days.
        code: digest of the metrics' code; it becomes part of a name, so that TFX's cache sees a change.

    Returns:
        TFMA's configuration.
    """
    specs = [
        config_pb2.ModelSpec(
            name=name,
            model_type="tf_generic",
            signature_name="serving_default",
            label_key=label_key(horizon),
            prediction_key=PROBABILITY,
            is_baseline=name == BASELINE,
        )
        for name in (CANDIDATE, BASELINE)
    ]
    metrics = [config_pb2.MetricConfig(class_name=name, config=json.dumps(config)) for name, config in _METRICS]
    evidence = config_pb2.MetricConfig(
        class_name=tfma_metrics.EvidenceOverDays.__name__,
        module=tfma_metrics.__name__,
        config=json.dumps({"name": f"evidence_over_days_{code}", "horizon": horizon, "seed": seed}),
    )
    above_chance = config_pb2.MetricThreshold(
        value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": 0.0})
    )
    not_worse = config_pb2.MetricThreshold(
        change_threshold=config_pb2.GenericChangeThreshold(
            # The last digit of a float32 sum is no worsening.
            absolute={"value": -1e-6},
            direction=config_pb2.MetricDirection.HIGHER_IS_BETTER,
        )
    )
    for metric in metrics:
        if json.loads(metric.config)["name"] == AUC:
            metric.per_slice_thresholds.append(_overall(not_worse))
    return config_pb2.EvalConfig(
        model_specs=specs,
        metrics_specs=[
            config_pb2.MetricsSpec(
                metrics=[*metrics, evidence],
                per_slice_thresholds={
                    tfma_metrics.ABOVE_CHANCE: config_pb2.PerSliceMetricThresholds(thresholds=[_overall(above_chance)])
                },
            )
        ],
        slicing_specs=[config_pb2.SlicingSpec(), config_pb2.SlicingSpec(feature_keys=[YEAR])],
    )


def _overall(threshold: config_pb2.MetricThreshold) -> config_pb2.PerSliceMetricThreshold:
    """The threshold for the whole test split only: a single year has to pass none."""
    return config_pb2.PerSliceMetricThreshold(slicing_specs=[config_pb2.SlicingSpec()], threshold=threshold)
