"""All checks of a run, in their order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from components.evidence.interval import Interval
from components.leak_audit.check import CHECKS, Audited
from components.leak_audit.config import AuditConfig
from components.leak_audit.reading.rows import read_rows
from components.leak_audit.results import AuditReport, CheckResult, Status
from components.plausibility import read_suspects
from models.formatters import get_formatter

_ONE_CLASS = CheckResult("", Status.NOT_APPLICABLE, "Train or test holds one answer alone: nothing can be learned.")


def audit(
    examples: str | Path,
    schema: Any,
    transform_graph: str,
    aucs: Mapping[str, Interval],
    config: AuditConfig,
    progress: Callable[[str], None] | None = None,
    baselines: Mapping[str, Interval] | None = None,
    only: Collection[str] | None = None,
) -> AuditReport:
    """Audits a run.

    Args:
        examples: folder of its Examples artifact.
        schema: the Schema that they were validated with.
        transform_graph: folder of its TransformGraph artifact.
        aucs: of its models on the test split, with 95 % intervals, by name.
        config: what is trained again, and what was asked of the splits.
        progress: is told the name of each check before it is made.
        baselines: AUCs of the baselines, as `aucs`; None for none.
        only: names of the checks that are made; None for all.

    Returns:
        What was found.

    Raises:
        AuditError: the examples are not there, or of another version.
        PluginError: a check from outside cannot be used.
    """
    from components.leak_audit.reading.features import transform_rows

    CHECKS.check()
    formatter = get_formatter(config.formatter)
    rows = read_rows(examples, formatter.sources)
    features = transform_rows(rows, formatter, transform_graph)
    suspects = read_suspects(examples)
    audited = Audited(
        rows, features, schema, transform_graph, aucs, config, config.models[0], suspects, baselines or {}
    )
    both = rows.both_classes(config.horizon)
    results = []
    for check in (one for name, one in CHECKS.items() if only is None or name in only):
        for model in config.models if check.each_model else config.models[:1]:
            name = f"{check.name}, {model.name}" if check.each_model and len(config.models) > 1 else check.name
            if progress is not None:
                progress(name)
            with CHECKS.called(check.name):
                result = check.run(replace(audited, model=model)) if both or not check.learns else _ONE_CLASS
            # What a check finds by training one model says nothing of the others.
            touches = result.models or ((model.name,) if check.each_model else ())
            results.append(replace(result, name=name, models=touches))
    models = tuple(model.name for model in config.models)
    return AuditReport(tuple(results), models, config.formatter, config.horizon, len(rows))
