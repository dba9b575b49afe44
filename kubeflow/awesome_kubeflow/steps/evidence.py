"""Evidence: which models are blessed, every figure with its interval, beside the baselines'."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from awesome_kubeflow.node import NodeSlice, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    from components.evidence.metric import METRICS
    from components.evidence.words import figure, signed

    findings = _findings(step)
    scored = {name: model.scores for name, model in findings.models.items()} | dict(findings.baselines)
    header = ("model", *(metric.title for metric in METRICS.values()))
    figures = tuple((name, *(figure(scores[metric]) for metric in METRICS)) for name, scores in scored.items())
    differences = tuple(
        (name, other, figure(values["auc"], signed))
        for name, model in findings.models.items()
        for other, values in model.differences.items()
    )
    blessings = tuple((name, "yes" if model.blessed else "no", model.reason) for name, model in findings.models.items())
    blessed = [name for name, model in findings.models.items() if model.blessed]
    verdict = f"Blessed: {', '.join(blessed)}." if blessed else "No model is blessed."
    note = f"{findings.rows:,} rows on {findings.days:,} days; 95 % intervals from resampling blocks of whole days."
    return Section(
        verdict,
        (
            Table("Blessings", ("model", "blessed", "reason"), blessings),
            Table("Figures", header, figures, note),
            Table("Differences in AUC", ("model", "against", "difference"), differences, "Paired 95 % intervals."),
        ),
    )


def _findings(step: Step) -> Any:
    from components.evidence.findings import Findings

    return Findings.read(Path(only(step, "evidence").uri))


def _metrics(step: Step) -> Mapping[str, float]:
    from components.evidence.findings import flat

    findings = _findings(step)
    figures = {name: model.scores for name, model in findings.models.items()} | dict(findings.baselines)
    numbers = {f"{name}.{metric}": value for name, scores in figures.items() for metric, value in flat(scores).items()}
    return numbers | {f"{name}.blessed": float(model.blessed) for name, model in findings.models.items()}


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    set_property(part.node, "formatter", parameters.formatter)
    part.node.parameters.parameters["horizon"].field_value.int_value = parameters.horizon


STEP = StepKind("Evidence", resources="evaluation", section=_section, metrics=_metrics, change=_change)
