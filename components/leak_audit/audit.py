"""All checks of a run, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from components.evidence.interval import Interval
from components.leak_audit import (
    canary,
    day_ablation,
    inflation,
    label_proof,
    level,
    limits,
    permutation,
    scaling,
    split_proof,
)
from components.leak_audit.config import AuditConfig, AuditedModel
from components.leak_audit.results import AuditReport, CheckResult, Status
from components.leak_audit.rows import read_rows
from models.formatters import get_formatter

_ONE_CLASS = CheckResult("", Status.NOT_APPLICABLE, "Train or test holds rises or falls alone: nothing can be learned.")


def audit(
    examples: str | Path,
    schema: Any,
    transform_graph: str,
    aucs: Mapping[str, Interval],
    config: AuditConfig,
    progress: Callable[[str], None] | None = None,
) -> AuditReport:
    """Audits a run.

    Args:
        examples: folder of its Examples artifact.
        schema: the Schema that they were validated with.
        transform_graph: folder of its TransformGraph artifact.
        aucs: of its models on the test split, with 95 % intervals, by name.
        config: what is trained again, and what was asked of the splits.
        progress: is told the name of each check before it is made.

    Returns:
        What was found.

    Raises:
        AuditError: the examples are not there, or of another version.
    """
    from components.leak_audit.features import transform_rows

    formatter = get_formatter(config.formatter)
    rows = read_rows(examples, formatter.sources)
    features = transform_rows(rows, formatter, transform_graph)

    def of(name: str, model: AuditedModel) -> str:
        return name if len(config.models) == 1 else f"{name}, {model.name}"

    # The cheap proofs come first: they are what a reader wants to know while the rest goes on.
    checks: dict[str, Callable[[], CheckResult]] = {
        split_proof.NAME: lambda: split_proof.split_proof(rows, config.embargo),
        label_proof.NAME: lambda: label_proof.label_proof(rows),
        scaling.NAME: lambda: scaling.scaling(rows, features, transform_graph),
        level.NAME: lambda: level.level_test(rows, features.seeing_level, config),
        canary.NAME: lambda: canary.future_canary(rows, features, schema, config),
    }
    for model in config.models:
        checks[of(permutation.NAME, model)] = partial(permutation.permuted_labels, rows, features, model, config)
    checks[limits.NAME] = lambda: limits.alarm(aucs, config.limits)
    for model in config.models:
        checks[of(inflation.NAME, model)] = partial(inflation.leak_inflation, rows, features, model, config)
    checks[inflation.MEMORISING] = lambda: inflation.leak_inflation(rows, features, None, config)
    checks[day_ablation.NAME] = lambda: day_ablation.day_ablation(rows, features, config)
    learning = (permutation.NAME, inflation.NAME, day_ablation.NAME)
    both = rows.both_classes(config.horizon)
    results = []
    for name, check in checks.items():
        if progress is not None:
            progress(name)
        result = check() if both or not name.startswith(learning) else _ONE_CLASS
        results.append(replace(result, name=name))
    models = tuple(model.name for model in config.models)
    return AuditReport(tuple(results), models, config.formatter, config.horizon, len(rows))
