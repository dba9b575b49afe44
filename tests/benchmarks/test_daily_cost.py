"""What an evening costs is measured on ledgers that are ones, and leaves the folder of the loop as it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import pytest

from benchmarks.daily_cost import beside_earlier, long_ledgers
from components.ledger.file import Ledger
from components.live_record import judge


def test_a_long_ledger_is_sound_and_judged(tmp_path: Path) -> None:
    [row] = long_ledgers(tmp_path, 3, [6])
    assert (row["predictions"], row["rows"]) == (18, 4 + 18 + 15)
    with Ledger.open(tmp_path / "long6.db.ledger") as ledger:
        record = judge(ledger, 1)
    assert record is not None
    assert len(record.sessions) == 5


def test_both_builds_begin_with_the_same_folder_and_leave_it_as_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "loop"
    report = folder / "runs" / "daily" / "name" / "2024-01-02.json"
    report.parent.mkdir(parents=True)
    report.write_text("as it was")
    (folder / "prices.db").write_text("as it was")
    (tmp_path / "earlier").mkdir()  # checked out already
    calls = []

    def run(command: Sequence[str], variables: dict[str, str]) -> float:
        if command[-1] == "daily":
            assert (folder / "prices.db").read_text() == report.read_text() == "as it was"
            (folder / "prices.db").write_text("another day")
            (folder / "prices.db.ledger").write_text("a ledger")
            report.unlink()
        else:
            assert (folder / "prices.db.ledger").is_file()  # the page comes after the evening
        calls.append((command[-1], variables.get("PYTHONPATH", "")))
        return {"daily": 3.0, "live": 2.0}[command[-1]] * (2 if variables else 1) + len(calls) / 100

    rows = beside_earlier(run, folder, tmp_path, ["awesome"], "a commit", 2)
    earlier = str(tmp_path / "earlier")
    assert calls == [(what, path) for path in (earlier, "") for what in ("daily", "live")] * 2
    assert [row["command"] for row in rows] == ["awesome daily", "awesome live"]
    assert (rows[0]["before cpu s"], rows[0]["cpu s"]) == (6.01, 3.03)
    assert rows[0]["times less"] == pytest.approx(6.01 / 3.03)
    assert (folder / "prices.db").read_text() == report.read_text() == "as it was"
    assert not (folder / "prices.db.ledger").exists()


def test_a_loop_that_ends_before_it_is_killed_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from benchmarks import daily
    from components.extractor.replay import ReplayServer, from_synthetic

    monkeypatch.setattr(daily, "_AWESOME", "true")
    market = from_synthetic("null", ("sh600000",), dt.date(2024, 1, 2), dt.date(2024, 1, 31), 0)
    with ReplayServer(market) as server:
        replay = daily.Replay(server, tmp_path, ())
        assert replay.loop(dt.datetime(2024, 1, 2, tzinfo=dt.UTC), "killed", kill_after=0.3) == {}
