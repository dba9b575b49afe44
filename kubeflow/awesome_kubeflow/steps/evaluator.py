"""Evaluator: TFMA's point values of all models."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from awesome_kubeflow.node import NodeSlice, message_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from pipeline.job.step import Step

_OVER_DAYS = "EvidenceOverDays"
"""The metric that is told the horizon."""


def _section(step: Step) -> Section:
    from components.evidence.tfma import metrics as names
    from components.evidence.words import number

    evaluations = _evaluations(step)

    def of(values: Mapping[str, float], name: str) -> str:
        return number(float(values.get(name, math.nan)))

    figures = tuple(
        (
            model,
            of(one.metrics, names.AUC_EXACT),
            of(one.metrics, names.RANK_IC),
            of(one.metrics, "accuracy"),
            of(one.metrics, names.ACCURACY_BASELINE),
        )
        for model, one in evaluations.items()
    )
    years = tuple(
        (model, str(year), of(values, names.AUC_EXACT), f"{values.get('example_count', 0):,.0f}")
        for model, one in evaluations.items()
        for year, values in one.by_year.items()
    )
    every = tuple((name, f"{value:.6g}") for name, value in _named(evaluations).items())
    areas = ", ".join(f"{model} {of(one.metrics, names.AUC_EXACT)}" for model, one in evaluations.items())
    return Section(
        f"AUC on the test split: {areas}. Intervals, baselines and the blessings are on the page of the step Evidence.",
        (
            Table(
                "On the test split",
                ("model", "AUC", "rank IC", "accuracy", "accuracy of the commoner direction"),
                figures,
                "Without skill an AUC is 0.5 and a rank IC 0.",
            ),
            Table("By year", ("model", "year", "AUC", "rows"), years),
            Table("Every metric", ("metric", "value"), every),
        ),
    )


def _evaluations(step: Step) -> Mapping[str, Any]:
    """By model, in order of name."""
    from components.evaluator.executor import MODELS_PROPERTY
    from components.evidence.tfma.evaluations import read_evaluation

    artifact = only(step, "evaluation")
    models = artifact.get_string_custom_property(MODELS_PROPERTY).split(",")
    return {model: read_evaluation(artifact.uri, model) for model in models}


def _named(evaluations: Mapping[str, Any]) -> dict[str, float]:
    return {
        f"{model}.{name}": float(value)
        for model, one in evaluations.items()
        for name, value in sorted(one.metrics.items())
    }


def _metrics(step: Step) -> Mapping[str, float]:
    return {name: value for name, value in _named(_evaluations(step)).items() if math.isfinite(value)}


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    from tensorflow_model_analysis.proto import config_pb2

    from models.features import label_key

    config = message_of(part.node, "eval_config", config_pb2.EvalConfig())
    for model in config.model_specs:
        model.label_key = label_key(parameters.horizon)
    for specs in config.metrics_specs:
        for metric in specs.metrics:
            if metric.class_name == _OVER_DAYS:
                metric.config = json.dumps(json.loads(metric.config) | {"horizon": parameters.horizon})
    set_property(part.node, "eval_config", config)


STEP = StepKind("Evaluator", resources="evaluation", section=_section, metrics=_metrics, change=_change)
