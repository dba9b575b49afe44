"""The audit of a small run as far as a test looks at it: the checks beside train models, seconds each."""

from __future__ import annotations

from collections.abc import Mapping

from benchmarks.planted_leaks.small_runs import Asked, SmallRun
from components.evidence.interval import Interval
from components.leak_audit.audit import audit
from components.leak_audit.check import CHECKS
from components.leak_audit.checks import alarm, prices
from components.leak_audit.results import AuditReport

SMALL = Asked(shares=6, sessions=420)


def audited_by(
    run: SmallRun,
    *checks: str,
    aucs: Mapping[str, Interval] | None = None,
    baselines: Mapping[str, Interval] | None = None,
) -> AuditReport:
    """What these checks say; the alarm hears of the model's own AUC on the test split if no others are given."""
    if aucs is None:
        aucs = {run.config.models[0].name: run.auc()} if alarm.NAME in checks else {}
    report = audit(run.examples, run.schema, str(run.graph), aucs, run.config, baselines=baselines, only=checks)
    assert {check.name for check in report.checks} == set(checks)
    return report


def accusing() -> tuple[str, ...]:
    """Names of the checks that may keep a model back; the others inform."""
    return tuple(name for name, check in CHECKS.items() if check.leaks or name == prices.NAME)
