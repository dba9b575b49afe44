"""Outcomes of a run that a scheduler may want to hear of by its exit code: `awesome run --fail-on`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from components.errors import UserError
from components.leak_audit.results import Status
from components.plausibility.record import name_some
from pipeline.report.universe import in_short
from pipeline.report.verdict import judge_aucs
from pipeline.runs.results import RunReport


def _leaking(report: RunReport) -> str:
    if report.audit is not None and report.audit.leaks:
        return f"the leak audit: {report.audit.verdict_line}"
    aucs = judge_aucs(report)
    return aucs.sentence if aucs.status is Status.LEAKING else ""


def _suspicious(report: RunReport) -> str:
    """What a person has accepted by name is none."""
    found = [check.name for check in report.audit.suspicious] if report.audit is not None else []
    aucs = judge_aucs(report)
    if aucs.status is Status.SUSPICIOUS and aucs.name not in found:
        found.append(aucs.name)
    if open_checks := [name for name in found if name not in report.accepted]:
        return f"suspicious: {', '.join(open_checks)}"
    if report.wrong_prices:
        return f"returns that no market makes: {name_some(report.wrong_prices)}"
    return ""


def _behind(report: RunReport) -> str:
    behind = report.data.behind
    return f"prices end before the last session, {report.data.last}: {in_short(behind)}" if behind else ""


def _nothing_pushed(report: RunReport) -> str:
    return "" if report.pushed else "no model was pushed"


OUTCOMES: Mapping[str, Callable[[RunReport], str]] = {
    "leaking": _leaking,
    "suspicious": _suspicious,
    "behind": _behind,
    "nothing-pushed": _nothing_pushed,
}
"""By name, why a report has it; empty where it does not."""


def outcomes_named(text: str | None) -> tuple[str, ...]:
    """The outcomes that an option names, separated by commas.

    Raises:
        UserError: there is none of a name.
    """
    names = tuple(name.strip() for name in (text or "").split(",") if name.strip())
    if text is not None and not names:
        raise UserError(f"--fail-on: name at least one of {', '.join(OUTCOMES)}")
    if unknown := [name for name in names if name not in OUTCOMES]:
        raise UserError(f"--fail-on: there is no outcome {unknown[0]!r}; there are {', '.join(OUTCOMES)}")
    return names


def failures(report: RunReport, names: Sequence[str]) -> list[str]:
    """A line for each of these outcomes that a run has."""
    found = [(name, OUTCOMES[name](report)) for name in names]
    return [f"{name}: {why}" for name, why in found if why]
