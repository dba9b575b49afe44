"""Evaluator: TFMA's point values of one model."""

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

    evaluation = _evaluation(step)
    metrics = evaluation.metrics

    def of(name: str) -> float:
        return float(metrics.get(name, math.nan))

    figures = (
        ("AUC", number(of(names.AUC_EXACT)), "0.5"),
        ("rank IC", number(of(names.RANK_IC)), "0"),
        ("accuracy", number(of("accuracy")), number(of(names.ACCURACY_BASELINE))),
    )
    years = tuple(
        (str(year), number(float(values.get(names.AUC_EXACT, math.nan))), f"{values.get('example_count', 0):,.0f}")
        for year, values in evaluation.by_year.items()
    )
    every = tuple((name, f"{value:.6g}") for name, value in sorted(metrics.items()))
    return Section(
        f"AUC {number(of(names.AUC_EXACT))} on the test split. Intervals, baselines and the blessing are on the page of"
        " the step Evidence.",
        (
            Table(
                "On the test split",
                ("figure", "value", "without skill"),
                figures,
                "Without skill: a coin, and for the accuracy the test split's commoner direction.",
            ),
            Table("By year", ("year", "AUC", "rows"), years),
            Table("Every metric", ("metric", "value"), every),
        ),
    )


def _evaluation(step: Step) -> Any:
    from components.evidence.tfma.evaluations import read_evaluation

    return read_evaluation(only(step, "evaluation").uri)


def _metrics(step: Step) -> Mapping[str, float]:
    metrics = _evaluation(step).metrics
    return {name: float(value) for name, value in sorted(metrics.items()) if math.isfinite(value)}


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
