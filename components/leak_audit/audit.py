"""All checks of a run, in their order."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from components.evidence.resampling import Interval
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
from components.leak_audit.config import AuditConfig
from components.leak_audit.results import AuditReport, CheckResult
from components.leak_audit.rows import read_rows
from models.formatters import get_formatter

CHECKS = (
    split_proof.NAME,
    label_proof.NAME,
    inflation.NAME,
    day_ablation.NAME,
    level.NAME,
    canary.NAME,
    permutation.NAME,
    scaling.NAME,
    limits.NAME,
)
"""The names of the checks, in their order."""


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
    checks: dict[str, Callable[[], CheckResult]] = {
        split_proof.NAME: lambda: split_proof.split_proof(rows, config.embargo),
        label_proof.NAME: lambda: label_proof.label_proof(rows),
        inflation.NAME: lambda: inflation.leak_inflation(rows, features, config),
        day_ablation.NAME: lambda: day_ablation.day_ablation(rows, features, config),
        level.NAME: lambda: level.level_test(rows, features.seeing_level, config),
        canary.NAME: lambda: canary.future_canary(rows, features, schema, config),
        permutation.NAME: lambda: permutation.permuted_labels(rows, features, config),
        scaling.NAME: lambda: scaling.scaling(rows, features, transform_graph),
        limits.NAME: lambda: limits.alarm(aucs, config.limits),
    }
    results = []
    for name in CHECKS:
        if progress is not None:
            progress(name)
        results.append(checks[name]())
    return AuditReport(tuple(results), config.model, config.formatter, config.horizon, len(rows))
