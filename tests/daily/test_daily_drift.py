"""A market that becomes another one: the loop names it, and retrains, which counts as a try; else nothing fires."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import COMMAND, clean_environment
from lived import SHARES, UTC, World, evening, write_run

from components.evidence.tried import RETRAINED
from components.extractor.calendar import ExchangeCalendar
from components.feature_store import FeatureStore, PriceBars
from components.ledger.verifying import verify
from components.trials.record import read_record, record_path
from pipeline.daily.report import AlertKind, DailyReport, PartReport
from pipeline.plan import Plan, load_plan
from pipeline.runs.folder import read_report
from pipeline.runs.results import DataSummary, SplitResult

DAYS = ExchangeCalendar.of("XSHG", dt.datetime(2026, 1, 1, tzinfo=UTC)).sessions(
    dt.date(2021, 1, 4), dt.date(2024, 12, 31)
)
START = 860
"""The session of the first loop."""

CHANGE = START + 26
"""The first session of the other market."""

CALM, CHANGED = START + 25, CHANGE + 25


def returns(change: str) -> np.ndarray:
    """Log returns, [sessions, shares], whose distribution is another one from CHANGE on."""
    rng = np.random.default_rng(4)
    size = len(DAYS), len(SHARES)
    made = 0.015 * rng.standard_normal(size)
    other = {
        "none": made,
        "volatility": 3 * made,
        "distribution": 0.8 * made + 0.012,  # on most days it rises, and moves by about as much as before
    }
    return np.where(np.arange(len(DAYS))[:, None] < CHANGE, made, other[change])


def bars(database: Path, change: str, until: int) -> None:
    """Puts the bars up to a session into the database, as an extraction would."""
    closes = np.round(50 * np.exp(np.cumsum(returns(change), axis=0)), 4)[: until + 1]
    with FeatureStore.create(database) as store:
        for share, close in zip(SHARES, closes.T, strict=True):
            store.upsert(share, PriceBars(DAYS[: until + 1], close, np.ones(until + 1)), "tencent")


def part(report: DailyReport, name: str) -> PartReport:
    [found] = [one for one in report.parts if one.name == name]
    return found


def notes(database: Path) -> list[str]:
    with closing(sqlite3.connect(f"{database}.ledger")) as ledger:
        return [text for (text,) in ledger.execute("SELECT text FROM NOTE WHERE kind = 'retraining' ORDER BY seq")]


@pytest.mark.parametrize(
    ("change", "named"),
    [("none", ""), ("volatility", "log_volatility: "), ("distribution", "returns: the latest 20 sessions are ")],
)
def test_drift_is_named_and_a_retraining_follows_and_without_it_nothing_does(
    folder: Path, monkeypatch: pytest.MonkeyPatch, change: str, named: str
) -> None:
    world = World(folder, None)
    database = folder / "prices.db"

    def known(plan: Plan, until: int) -> dict[str, Any]:
        train = SplitResult(str(DAYS[20]), str(DAYS[600]), 2900, 0, 0, 580)
        test = SplitResult(str(DAYS[700]), str(DAYS[until]), 800, 0, 0, 160)
        data = DataSummary(5, until, "d", str(DAYS[0]), str(DAYS[until]), SHARES, str(plan.database))
        return {"splits": {"train": train, "test": test}, "data": data}

    trained: list[str] = []

    def retrain(plan: Plan, console: object, kind: str, serving: Path | None) -> tuple[Any, Path]:
        trained.append(kind)
        run = write_run(plan, f"2024-10-1{len(trained)}T11-00-00", 1, **known(plan, CHANGED))
        return read_report(run), run

    monkeypatch.setattr("pipeline.job.run.run", retrain)
    write_run(world.plan(), pushed=True, **known(world.plan(), START))
    reports = []
    for at in (START, CALM, CHANGED, CHANGED + 1):
        bars(database, change, at)
        reports.append(world.loop(evening(DAYS[at].item()), retrain=None))

    for report in reports[:2]:
        assert part(report, "drift").numbers["alarms"] == 0
        assert 0 < part(report, "drift").numbers["features_of_limit"] < 1
        assert part(report, "retrain").said == ("it is not due",)
    told = {alert.text for alert in reports[2].alerts if alert.kind is AlertKind.DRIFT}
    if change == "none":
        assert not told
        assert (trained, notes(database)) == ([], [])
        assert AlertKind.RETRAINED not in [alert.kind for report in reports for alert in report.alerts]
        return
    assert any(text.startswith(named) for text in told), told
    assert trained == [RETRAINED]
    [note] = notes(database)
    assert note.startswith(f"after {DAYS[CHANGED]}, as ")
    assert named.rstrip() in note
    [alert] = [alert.text for alert in reports[2].alerts if alert.kind is AlertKind.RETRAINED]
    assert named.rstrip() in alert
    assert part(reports[3], "retrain").said == ("it is not due",)


@pytest.mark.slow
def test_by_the_installed_command_a_changed_market_is_learned_and_counted(tmp_path: Path) -> None:
    """Two trainings through TFX: the first model there is, and the one that drift asks for."""
    database = tmp_path / "prices.db"
    (tmp_path / "awesome.toml").write_text('models = ["linear"]\naudit = false\n')

    def loop(at: int) -> dict[str, Any]:
        bars(database, "volatility", at)
        clock = evening(DAYS[at].item()).isoformat()
        done = subprocess.run(
            [COMMAND, "daily", "--db", "prices.db", "--clock", clock, "--json"],
            cwd=tmp_path,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 3), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    def of(report: dict[str, Any], name: str) -> dict[str, Any]:
        found: dict[str, Any] = [one for one in report["parts"] if one["name"] == name][-1]
        return found

    def tried() -> list[str]:
        return [trial.kind for trial in read_record(record_path(database)).trials]

    first, calm = loop(START), loop(CALM)
    assert "there is no model yet" in " ".join(of(first, "retrain")["said"])
    assert tried() == [RETRAINED]
    assert of(calm, "drift")["numbers"]["alarms"] == 0
    assert of(calm, "retrain")["said"] == ["it is not due"]

    changed = loop(CHANGED)
    told = [alert["text"] for alert in changed["alerts"] if alert["kind"] == "drift"]
    assert any(text.startswith("log_volatility: ") for text in told), told
    assert of(changed, "retrain")["status"] == "done"
    assert [alert["kind"] for alert in changed["alerts"]].count("retrained") == 1
    assert tried() == [RETRAINED, RETRAINED]  # as little as any other try can it be taken back
    assert "log_volatility: " in notes(database)[-1]
    assert of(loop(CHANGED + 1), "retrain")["said"] == ["it is not due"]
    assert verify(f"{database}.ledger", now=evening(DAYS[CHANGED + 2].item())).sound
    with closing(sqlite3.connect(f"{database}.ledger")) as ledger:
        origins = ledger.execute("SELECT text FROM NOTE WHERE kind = 'origin' ORDER BY seq").fetchall()
    runs = sorted(path.parent.name for path in tmp_path.glob("runs/*/report.json") if not path.parent.is_symlink())
    assert [json.loads(text)["run"] for (text,) in origins] == runs

    # An earlier version gave this name to a workspace that lay anywhere, as the database lay in the current folder.
    name = changed["name"]
    elsewhere = tmp_path / "elsewhere" / "runs"
    elsewhere.parent.mkdir()
    (tmp_path / "runs").rename(elsewhere)
    assert load_plan({"db": str(database), "workspace": str(elsewhere)}).name == name
    assert load_plan({"db": str(tmp_path / "other.db"), "workspace": str(elsewhere)}).name != "other-window_returns-h1"
