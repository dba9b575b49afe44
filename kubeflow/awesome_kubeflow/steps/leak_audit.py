"""LeakAudit: whether the evaluation leaks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from awesome_kubeflow.node import CUSTOM_CONFIG, NodeSlice, properties_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import MOST_ROWS, StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from models.formatters import get_formatter
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    from components.leak_audit.results import AUDIT_FILE, AuditReport

    path = Path(only(step, "audit").uri) / AUDIT_FILE
    audit = AuditReport.from_json(path.read_text(encoding="utf-8"), str(path))
    checks = tuple((check.name, check.status.value, check.sentence, check.look_at) for check in audit.checks)
    figures = tuple((check.name, one.name, one.text()) for check in audit.checks for one in check.figures)
    return Section(
        f"Leak audit: {audit.verdict_line}",
        (
            Table("Checks", ("check", "status", "what it found", "look at"), checks),
            Table("Figures", ("check", "figure", "value"), figures[:MOST_ROWS]),
        ),
    )


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    from components.leak_audit.config import AuditConfig

    config = AuditConfig.from_json(properties_of(part.node)[CUSTOM_CONFIG])
    models = tuple(
        replace(one, hyperparameters={**one.hyperparameters, **parameters.hyperparameters.get(one.name, {})})
        for one in config.models
    )
    splits = config.splits
    if splits is not None:  # completeness and prefix replay make the examples again as FeatureExampleGen is told to
        horizons = part.compiled.all_horizons(parameters.horizon)
        splits = replace(splits, horizon=parameters.horizon, horizons=horizons)
        splits = splits.reaching(get_formatter(parameters.formatter).reach)
    config = replace(
        config,
        models=models,
        splits=splits,
        embargo=config.embargo if splits is None else splits.embargo,
        shares=parameters.shares,
        formatter=parameters.formatter,
        horizon=parameters.horizon,
        train_steps=parameters.train_steps,
    )
    set_property(part.node, CUSTOM_CONFIG, config.to_json())


STEP = StepKind("LeakAudit", resources="training", section=_section, change=_change)
