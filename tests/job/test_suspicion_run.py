"""A run that the leak audit suspects pushes nothing, says why, and pushes once a person accepts that by name."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jobs import MARKET, SETTINGS, awesome

from components.synthetic_market import generate, write_market

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def test_a_suspicion_is_accepted_by_name_and_the_other_steps_come_from_the_cache(tmp_path: Path) -> None:
    (tmp_path / "awesome.toml").write_text(SETTINGS)
    # What counts as real prices here has more signal than those ever had.
    write_market(generate("reversal_easy", shares=12, sessions=700, seed=0), tmp_path / "m.db")
    command = ("run", "--db", "m.db", "--models", "linear", "--output")

    job = awesome(tmp_path, *command, "held")

    assert (job.code, job.err) == (0, "")
    report = job.report("held")
    assert report["models"]["linear"]["blessed"]
    assert (report["audit"]["verdict"], report["champion"], report["pushed"]) == ("suspicious", None, None)
    checks = report["held_back"]["linear"]
    assert "alarm" in checks
    assert report["accepted"] == {}
    assert f"is held back: {checks[0]}" in " ".join(job.out.split())
    assert f"--accept-suspicion '{checks[0]}'" in " ".join(job.out.split())
    assert "Suspicious, nothing pushed" in (tmp_path / "held" / "report.html").read_text()
    assert not list((tmp_path / "runs" / "serving").glob("*/*"))

    (tmp_path / "awesome.toml").write_text(f"accept_suspicion = {json.dumps(checks)}\n{SETTINGS}")
    job = awesome(tmp_path, *command, "accepted")

    assert (job.code, job.err) == (0, "")
    report = job.report("accepted")
    assert report["champion"] == "linear"
    assert report["pushed"] is not None
    assert (report["held_back"], report["accepted"]) == ({}, dict.fromkeys(checks, "awesome.toml"))
    assert "that alarm is suspicious was accepted (awesome.toml)" in " ".join(job.out.split())
    assert {"Evidence", "LeakAudit"} <= set(report["cached"])
    assert not {"ModelSelector", "Pusher"} & set(report["cached"])


def test_a_check_that_does_not_exist_is_refused_before_anything_is_done(tmp_path: Path) -> None:
    job = awesome(tmp_path, "run", *MARKET, "--accept-suspicion", "weekends")

    assert (job.code, job.out) == (1, "")
    [line] = job.err.splitlines()
    assert "accept_suspicion (from --accept-suspicion): is no check whose suspicion can be accepted; there are" in line
    assert not (tmp_path / "runs").exists()
