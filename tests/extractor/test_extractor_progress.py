from __future__ import annotations

import datetime as dt
import io
import json
import os
import sys
from pathlib import Path

import command_line as terminal
import pytest

from components.extractor import ExtractionPlan, ExtractionReport, ShareOutcome, Status
from components.extractor.progress import ExtractionListener, JsonLines, extraction_progress

PLAN = ExtractionPlan("tencent", ("sh600519", "sz000001"), dt.date(2015, 1, 1))
HOSTILE = 'line one\nline "two"\r\u2028 它 é \U0001f600 [red]markup[/red]'
GOOD = ShareOutcome("sh600519", Status.NEW, new=20)
BAD = ShareOutcome("sz000001", Status.FAILED, HOSTILE)
REPORT = ExtractionReport("tencent", "awesome.db", None, "2026-09-22T08:00:00+00:00", 2.5, (GOOD, BAD), ("careful",))


def play(listener: ExtractionListener) -> None:
    listener.started(PLAN, 2)
    listener.warned(HOSTILE)
    listener.ended_share(GOOD, 1, 2)
    listener.ended_share(BAD, 2, 2)
    listener.ended(REPORT)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "ascii"])
def test_each_line_is_json_whatever_the_stream_can_hold(encoding: str) -> None:
    raw = io.BytesIO()
    # As Python opens its error stream.
    stream = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace")
    play(JsonLines(stream))
    lines = raw.getvalue().split(b"\n")
    assert lines[-1] == b""
    events = [json.loads(line) for line in lines[:-1]]
    assert [event["event"] for event in events] == ["started", "warning", "share", "share", "ended"]
    started, warning, _, share, ended = events
    assert (started["source"], started["shares"], started["since"]) == ("tencent", 2, "2015-01-01")
    assert warning["text"] == HOSTILE
    assert (share["share_id"], share["status"], share["reason"]) == ("sz000001", "failed", HOSTILE)
    assert (share["done"], share["shares"]) == (2, 2)
    assert ended["counts"] == {"new": 1, "unchanged": 0, "readjusted": 0, "behind": 0, "failed": 1}
    assert (ended["exit_code"], ended["warnings"]) == (3, ["careful"])
    assert "shares" not in ended


def test_each_line_is_out_before_the_next_event() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8")
    JsonLines(stream).warned("now")
    assert raw.getvalue().endswith(b"\n")


def test_json_lines_where_there_is_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    with extraction_progress(summary=True) as listener:
        assert isinstance(listener, JsonLines)
        play(listener)
    out, err = capfd.readouterr()
    assert out == ""
    assert len([json.loads(line) for line in err.split("\n")[:-1]]) == 5


def test_a_listener_may_ignore_all() -> None:
    play(ExtractionListener())


PROGRAM = """
import sys, time
sys.path[:0] = {tests!r}
from test_extractor_progress import BAD, GOOD, PLAN, REPORT, play
from components.extractor.progress import extraction_progress
with extraction_progress(summary={summary}) as listener:
    {body}
"""


def on_a_terminal(body: str, summary: bool = False) -> tuple[int, str]:
    """Runs a program whose error stream is a terminal; its exit code and what is shown."""
    program = PROGRAM.format(tests=[str(folder) for folder in Path(__file__).parents[:2]], summary=summary, body=body)
    environment = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "COLUMNS", "LINES")}
    environment |= {"TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "200"}
    code, _, shown = terminal.on_a_terminal([sys.executable, "-c", program], environment)
    return code, shown


def test_a_bar_on_a_terminal() -> None:
    code, shown = on_a_terminal("play(listener); time.sleep(0.3)", summary=True)
    assert code == 0
    assert "Traceback" not in shown
    assert "tencent" in shown
    assert "2/2" in shown
    assert "sz000001 failed" in shown
    assert "warning: line one" in shown
    assert "[red]markup[/red]" in shown
    assert "2 shares from tencent: 1 new, 1 failed" in shown
    assert '"event"' not in shown
    # The cursor is shown again.
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")


def test_without_a_summary_nothing_is_said_at_the_end() -> None:
    code, shown = on_a_terminal("play(listener)")
    assert code == 0
    assert "shares from tencent" not in shown


def test_a_long_summary_is_cut() -> None:
    body = (
        "import dataclasses; "
        "listener.started(PLAN, 13); "
        "shares = tuple(dataclasses.replace(BAD, share_id=f'sz{n:06d}', reason=f'reason {n}') for n in range(13)); "
        "listener.ended(dataclasses.replace(REPORT, shares=shares))"
    )
    code, shown = on_a_terminal(body, summary=True)
    assert code == 0
    assert "sz000009 failed: reason 9" in shown
    assert "reason 10" not in shown
    assert "... and 3 more" in shown


def test_a_file_whose_number_of_shares_is_known_late() -> None:
    code, shown = on_a_terminal("listener.started(PLAN, 0); listener.ended_share(GOOD, 1, 3); time.sleep(0.3)")
    assert code == 0
    assert "1/3" in shown


def test_the_bar_goes_when_the_extraction_breaks_off() -> None:
    body = "listener.started(PLAN, 2); time.sleep(0.2); sys.exit(7)"
    code, shown = on_a_terminal(body)
    assert code == 7
    assert "Traceback" not in shown
    assert shown.rfind("\x1b[?25h") > shown.rfind("\x1b[?25l")
