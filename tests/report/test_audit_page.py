"""The leak audit where people read it: in report.json, on the page, on the terminal; no TensorFlow."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hand_made_run import made_run
from judged_runs import model, report
from made_audit import AUDIT
from shown import printed

from components.leak_audit.results import AuditReport, CheckResult, Status
from pipeline.report.charts import audit_chart
from pipeline.report.page import render_html
from pipeline.report.summary import print_audit, print_summary
from pipeline.runs.folder import read_report, save_report
from pipeline.runs.results import ReportError

AUDITED = report({"linear": model(0.7)}, audit=AUDIT)


def test_the_report_keeps_the_audit(tmp_path: Path) -> None:
    save_report(AUDITED, tmp_path / "report.json")

    read = read_report(tmp_path).audit

    assert read is not None
    assert read.to_json() == AUDIT.to_json()
    raw = json.loads((tmp_path / "report.json").read_text())["audit"]
    assert (raw["verdict"], raw["checks"][1]["status"]) == ("leaking", "leaking")


def test_an_earlier_report_has_none_and_a_broken_one_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    save_report(replace(AUDITED, audit=None), path)
    raw = json.loads(path.read_text())
    del raw["audit"]
    path.write_text(json.dumps(raw))
    assert read_report(path).audit is None

    path.write_text(json.dumps(raw | {"audit": {"checks": [1]}}))
    with pytest.raises(ReportError, match=r"audit\.checks\.0 holds int"):
        read_report(path)


def test_the_page_shows_every_check_and_escapes_it() -> None:
    _, predictions, _ = made_run(names=("linear",))
    page = render_html(AUDITED, predictions, {})

    assert "Leak audit: leaking" in page
    assert "The AUC of &lt;linear&gt; is above 0.6." in page
    assert "Look at: check the split." in page
    assert "0.4700 to 0.5300 (95 %)" in page
    assert "What a shuffled split would have claimed" in page
    assert "The evaluation leaks, nothing pushed" in page
    assert "Nothing: the evaluation leaks" in page
    assert "Leak audit" not in render_html(replace(AUDITED, audit=None), predictions, {})


def test_the_chart_draws_what_is_there_for_information_only() -> None:
    chart = audit_chart(AUDIT)

    assert chart is not None
    assert "AUC of linear, rows shuffled 0.5264 (0.5000 to 0.5500)" in chart.description
    assert "0.7400" in chart.description
    assert "AUC linear 0.7" not in chart.description
    assert audit_chart(replace(AUDIT, checks=AUDIT.checks[:2])) is None


@pytest.mark.parametrize("width", [80, 200])
def test_the_terminal_shows_numbers_whole(width: int) -> None:
    lines = printed(width, print_audit, AUDIT).splitlines()
    assert max(map(len, lines)) <= width
    assert any("0.7000" in line and "0.6800 to 0.7200 (95 %)" in line for line in lines)
    assert "alarm: leaking" in lines
    assert " ".join(lines).rstrip().endswith("the AUC of <linear> is above 0.6.")


def test_the_summary_of_a_run_ends_with_the_verdict() -> None:
    assert printed(200, print_summary, AUDITED).rstrip().endswith(f"Leak audit: {AUDIT.verdict_line}")


SUSPICIOUS = AuditReport(
    (
        CheckResult("level test", Status.SUSPICIOUS, "The level is seen."),
        CheckResult("weekends", Status.SUSPICIOUS, "rnn trades on <Sundays>.", models=("rnn",)),
    ),
    ("linear",),
    "closes",
    1,
    11623,
)


def test_the_page_says_why_nothing_was_pushed_and_what_was_accepted_by_whom() -> None:
    _, predictions, _ = made_run(names=("linear",))
    run = report({"linear": model(0.52, blessed=True)}, audit=SUSPICIOUS, held_back={"linear": ("level test",)})
    page = render_html(run, predictions, {})
    assert "held back" in page
    assert "the leak audit holds back <strong>linear</strong> (level test)" in page
    assert "--accept-suspicion &#39;level test&#39;" in page
    assert "touches rnn" in page
    assert "accepted by --" not in page
    both = render_html(replace(run, held_back={"linear": ("level test", "alarm")}), predictions, {})
    assert "<code>awesome run --accept-suspicion 'level test' --accept-suspicion 'alarm'</code>" in both

    accepted = replace(run, champion="linear", held_back={}, accepted={"level test": "--accept-suspicion"})
    page = render_html(accepted, predictions, {})
    assert page.count("accepted by --accept-suspicion") == 1
    assert "holds back" not in page


def test_what_holds_a_model_back_is_what_touches_it_and_nobody_has_accepted() -> None:
    assert SUSPICIOUS.held_back(["linear", "rnn"]) == {"linear": ("level test",), "rnn": ("level test", "weekends")}
    assert SUSPICIOUS.held_back(["linear", "rnn"], ["level test"]) == {"rnn": ("weekends",)}
    assert SUSPICIOUS.held_back(["linear", "rnn"], ["weekends", "level test"]) == {}
    assert AUDIT.held_back(["linear"], ["alarm"]) == {"linear": ("alarm",)}
    one_of_two = replace(SUSPICIOUS, checks=(CheckResult("weekends, rnn", Status.SUSPICIOUS, "", models=("rnn",)),))
    assert one_of_two.held_back(["rnn"], ["weekends"]) == {}


def test_an_audit_of_before_touches_all_models() -> None:
    raw = json.loads(SUSPICIOUS.to_json())
    for check in raw["checks"]:
        del check["models"]
    read = AuditReport.from_json(json.dumps(raw), "audit.json")
    assert read.held_back(["linear"]) == {"linear": ("level test", "weekends")}
