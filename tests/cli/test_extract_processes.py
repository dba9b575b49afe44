"""`awesome extract` as a process that is stopped or killed, one of two at once, on a terminal or without TensorFlow."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, on_a_terminal
from replayed_prices import (
    SHARES,
    Awesome,
    Gate,
    all_days,
    command,
    contents,
    events,
    files,
    rows,
    stored_days,
    until,
)

from components.extractor.replay import Fault, ReplayServer

ROOT = Path(__file__).parents[2]
NEEDLESS = ("tensorflow", "tfx", "tfx_bsl", "apache_beam", "keras", "ml_metadata", "adbc_driver_manager", "matplotlib")


@contextmanager
def started(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, which does not outlive the block."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with subprocess.Popen([COMMAND, *arguments], text=True, stdin=subprocess.DEVNULL, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(server: ReplayServer, requests: int, process: subprocess.Popen[str]) -> None:
    """Waits until a server has got so many requests."""
    while len(server.requests) < requests:
        assert process.poll() is None, "the process ended before"
        time.sleep(0.005)


def test_sigterm_finishes_what_is_in_hand_and_resume_the_rest(
    awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any
) -> None:
    gate.hold_after(5)
    with started(*command(last=until())) as process:
        wait_for(server, 7, process)  # two connections, both of which are held
        process.terminate()
        gate.open()
        out, err = process.communicate()
    assert process.returncode == 3
    assert err == ""
    told = {one["share_id"]: one for one in events(out) if one["event"] == "share"}
    assert told.keys() == set(SHARES)
    done = [share for share in SHARES if told[share]["status"] == "new"]
    assert 2 <= len(done) <= 5
    assert {(one["status"], one["reason"]) for share, one in told.items() if share not in done} == {
        ("failed", "not reached: the extraction was stopped; --resume goes on")
    }
    counts = events(out)[-1]["counts"]
    assert (counts["new"], counts["failed"]) == (len(done), len(SHARES) - len(done))
    assert stored_days() == dict.fromkeys(sorted(done), all_days(until()))

    server.forget()
    outcome = awesome("extract", "--resume")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].endswith(f", {len(done)} of them done before")
    assert {request.share for request in server.requests} == set(SHARES) - set(done)
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


def test_a_second_ctrl_c_stops_at_once(awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any) -> None:
    gate.hold_after(0)
    with started(*command(last=until())) as process:
        wait_for(server, 1, process)
        process.send_signal(signal.SIGINT)
        time.sleep(1)  # two that come together count as one
        process.send_signal(signal.SIGINT)
        gate.open()
        out, err = process.communicate()
    assert (process.returncode, [one["event"] for one in events(out)]) == (130, ["started"])
    assert err.splitlines()[-1].startswith("awesome: stopped; the same command takes up")
    assert "Traceback" not in err
    assert awesome(*command(last=until())).code == 0
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


@pytest.mark.parametrize(("resume", "moments"), [(True, (1, 6)), (False, (4, 9))], ids=["resume", "same command"])
def test_a_killed_extraction_ends_in_what_a_clean_one_leaves(
    awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any, resume: bool, moments: tuple[int, ...]
) -> None:
    line = command(last=until())
    for requests in moments:
        server.forget()
        gate.hold_after(requests - 1)
        with started(*line) as process:
            wait_for(server, requests, process)
            process.kill()
            process.communicate()
        gate.open()
        assert process.returncode == -signal.SIGKILL
        # Whatever is there of a share is all of it.
        if Path("awesome.db").exists():
            assert rows("awesome.db", "PRAGMA quick_check") == [("ok",)]
            assert set(map(tuple, stored_days().values())) <= {tuple(all_days(until()))}
        if resume:
            line = ("extract", "--resume")
    outcome = awesome(*line)
    assert outcome.code == 0
    assert files() == ["awesome.db"]
    assert rows("awesome.db", "PRAGMA quick_check") == [("ok",)]
    assert contents("awesome.db") == clean


def test_a_second_process_is_told_that_the_first_works_on_the_database(
    awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any
) -> None:
    gate.hold_after(0)
    with started(*command(last=until())) as process:
        wait_for(server, 2, process)
        refused = awesome(*command(last=until())).refusal
        assert process.poll() is None
        assert len(server.requests) == 2
        gate.open()
        process.communicate()
    assert refused == "awesome.db: another extraction works on it; wait for its end"
    assert process.returncode == 0
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


def test_a_terminal_shows_a_bar_and_no_json(server: ReplayServer, folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    server.faults.add(Fault("slow", value=0.1))
    code, out, text = on_a_terminal([COMMAND, *command(*SHARES[:3], last=until())], dict(os.environ))
    assert code == 0
    assert sorted(one["share_id"] for one in events(out) if one["event"] == "share") == sorted(SHARES[:3])
    assert '"event"' not in text
    assert "\x1b[" in text
    assert "tencent" in text
    assert "/3" in text
    assert f"{SHARES[2]} new" in text


# --- what need not be there


def test_it_runs_where_tensorflow_and_tfx_cannot_be_imported(server: ReplayServer, folder: Path, clean: Any) -> None:
    code = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {NEEDLESS!r}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
import components.extractor, components.feature_store, components.extractor.replay
from pipeline.cli import main
main()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *command(last=until())],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert contents("awesome.db") == clean


@pytest.mark.parametrize("line", [None, "--help", "extract --help", "sources --help"])
def test_help_loads_nothing_heavy(folder: Path, line: str | None) -> None:
    call = "" if line is None else "main()"
    code = f"""
import atexit, sys
heavy = "requests numpy pandas pyarrow exchange_calendars tenacity urllib3 rich sqlite3 matplotlib".split()
heavy += "tensorflow tfx apache_beam keras".split()
if len(sys.argv) < 3:  # to show the help of a command, typer takes it itself
    heavy.append("pydantic")
atexit.register(lambda: print([name for name in heavy if name in sys.modules], file=sys.stderr))
from pipeline.cli import main
{call}
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *(line or "").split()],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert ("Usage: awesome" in done.stdout) == (line is not None)
