"""Outcomes of a run that its exit code can tell."""

from __future__ import annotations

from typing import Any

import pytest
from judged_runs import REVERSAL, model, report

from components.errors import UserError
from components.leak_audit.results import AuditReport, CheckResult, Status
from pipeline.report.failing import OUTCOMES, failures, outcomes_named
from pipeline.runs.results import DataSummary

BEHIND = DataSummary(2, 9, "d", "2020-01-02", "2020-02-03", ("A", "B"), "awesome.db", behind=("B",))


def audit(status: Status) -> AuditReport:
    return AuditReport((CheckResult("split proof", status, "a row lies in two splits"),), (), "window_returns", 1, 10)


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"pushed": "serving/1"}, []),
        ({}, ["nothing-pushed"]),
        ({"pushed": "serving/1", "audit": audit(Status.LEAKING)}, ["leaking"]),
        ({"pushed": "serving/1", "audit": audit(Status.SUSPICIOUS)}, ["suspicious"]),
        ({"pushed": "serving/1", "audit": audit(Status.SUSPICIOUS), "accepted": {"split proof": "--accept"}}, []),
        ({"pushed": "serving/1", "data": BEHIND}, ["behind"]),
    ],
)
def test_each_outcome_is_named_and_no_other(changes: dict[str, Any], found: list[str]) -> None:
    lines = failures(report({"linear": model(0.502)}, **changes), tuple(OUTCOMES))
    assert [line.split(":")[0] for line in lines] == found
    if found == ["behind"]:
        assert lines == ["behind: prices end before the last session, 2020-02-03: B"]


def test_an_auc_that_cannot_be_honest_is_a_leak_without_an_audit() -> None:
    made = report({"linear": model(0.7, 0.001)}, market=REVERSAL, pushed="serving/1")
    [line] = failures(made, ("leaking", "suspicious"))
    assert line.startswith("leaking: ")


def test_only_what_was_asked_for_is_told() -> None:
    assert failures(report({"linear": model(0.502)}), ("leaking",)) == []


def test_names_are_checked() -> None:
    assert outcomes_named(None) == ()
    assert outcomes_named("leaking, behind") == ("leaking", "behind")
    for text, why in (("leeking", "no outcome 'leeking'; there are leaking, suspicious"), (" ,", "name at least one")):
        with pytest.raises(UserError, match=why):
            outcomes_named(text)
