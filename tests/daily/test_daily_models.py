"""Which model predicts, when one is trained anew, and how one takes another's place."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lived import SHANGHAI, SHARES, START, World, evening, write_model, write_run

from components.drift.features import Alarm, FeatureDrift, Kind
from components.drift.losses import LossDrift
from components.evidence.tried import RETRAINED
from components.ledger.verifying import verify
from pipeline.daily import loop
from pipeline.daily.day import Day, Drift, Told
from pipeline.daily.report import AlertKind, DailyReport, Status
from pipeline.plan import Plan
from pipeline.runs.folder import read_report
from pipeline.runs.results import DataSummary, RunReport

EVENINGS = SHANGHAI[START : START + 8]


@pytest.fixture
def world(folder: Path) -> World:
    """Without a source: the bars are put into the database."""
    return World(folder, None)


def lived(world: World, at: int, **flags: Any) -> DailyReport:
    world.bars(EVENINGS[at])
    return world.loop(evening(EVENINGS[at]), **flags)


def select(query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect("prices.db.ledger")) as connection:
        return connection.execute(query).fetchall()


class Trainings:
    """Stands in for the job: each training leaves a run as the test wants it, and is remembered."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, leave: Callable[[Plan, Path | None], Path]) -> None:
        self.asked: list[tuple[Plan, str, Path | None]] = []
        self._leave = leave
        monkeypatch.setattr("pipeline.job.run.run", self)

    def __call__(
        self, plan: Plan, console: object, kind: str = "run", serving: Path | None = None
    ) -> tuple[RunReport, Path]:
        self.asked.append((plan, kind, serving))
        folder = self._leave(plan, serving)
        return read_report(folder), folder


def known_until(plan: Plan, session: dt.date) -> Mapping[str, Any]:
    return {"data": DataSummary(5, 160, "d", "2024-01-02", str(session), SHARES, str(plan.database))}


def test_the_pushed_model_predicts_and_no_candidate(world: World) -> None:
    write_run(world.plan(), pushed=True)
    write_run(world.plan(), name="2024-08-31T12-00-00", seed=1)
    report = lived(world, 0)

    assert "on trial" not in " ".join(report.part("predict").said)
    assert select("SELECT COUNT(*) FROM NOTE WHERE kind = 'on trial'") == [(0,)]
    assert select("SELECT role, trained_from, trained_until FROM MODEL") == [("champion", "2024-01-02", "2024-05-31")]


def test_a_model_is_noted_as_blessed_or_on_trial_with_its_run_before_it_speaks(
    world: World, awesome: Callable[..., Any]
) -> None:
    write_run(world.plan())
    lived(world, 0)
    run = write_run(world.plan(), name="2024-09-02T12-00-00", pushed=True)  # the same model, blessed
    (run.parent / "latest").symlink_to(run, target_is_directory=True)
    lived(world, 1)
    lived(world, 2)

    origins = "SELECT json_extract(text, '$.blessed'), json_extract(text, '$.run'), json_extract(text, '$.pushed')"
    assert select(f"{origins} FROM NOTE WHERE kind = 'origin' ORDER BY seq") == [
        (0, "2024-08-30T12-00-00", ""),
        (1, "2024-09-02T12-00-00", "2024-09-02T12:00:00Z"),
    ]
    assert select("SELECT MIN(seq) < (SELECT MIN(seq) FROM PREDICTION) FROM NOTE WHERE kind = 'origin'") == [(1,)]
    [named] = {f"linear {digest[:8]}" for (digest,) in select("SELECT digest FROM MODEL")}
    blessed = f"{named}: blessed by run 2024-09-02T12-00-00, pushed 2024-09-02 12:00 UTC\n"
    assert blessed in awesome("ledger", "show", "--db", "prices.db").out
    shown = json.loads(awesome("ledger", "show", "--db", "prices.db", "--json").out)
    assert [day["origin"]["blessed"] for day in shown] == [True, True, False]
    assert verify("prices.db.ledger", now=evening(EVENINGS[3])).sound


def test_a_model_that_was_pushed_for_another_horizon_says_nothing(world: World) -> None:
    write_model(world.plan(horizon=20).serving / "1725000000")
    report = lived(world, 0, horizon=20)

    assert report.part("predict").status is Status.FAILED
    assert "1725000000 holds a model of horizon 1 and formatter window_returns" in report.part("predict").wrong[0]
    assert not Path("prices.db.ledger").exists()


def test_a_model_that_the_audit_holds_back_is_on_no_trial_and_that_is_said(world: World) -> None:
    write_run(world.plan(), held_back={"linear": ("alarm",)})
    report = lived(world, 0, retrain=None)

    assert not Path("prices.db.ledger").exists()
    assert "the leak audit holds back the candidates" in report.part("predict").wrong[0]
    assert "--accept-suspicion alarm" in report.part("predict").wrong[0]


def test_the_first_model_is_trained_and_speaks_the_same_evening(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    trainings = Trainings(monkeypatch, lambda plan, serving: write_run(plan, **known_until(plan, EVENINGS[0])))
    report = lived(world, 0, retrain=None)

    assert [(plan.source, kind, serving) for plan, kind, serving in trainings.asked] == [(None, RETRAINED, None)]
    assert [one.name for one in report.parts][-4:] == ["predict", "ledger", "push", "page"]
    assert report.exit_code == 0
    assert len(select("SELECT 1 FROM PREDICTION")) == len(SHARES)
    assert AlertKind.RETRAINED in [one.kind for one in report.alerts]
    assert "there is no model yet" in " ".join(report.part("retrain").said)
    lived(world, 1, retrain=None)
    assert len(trainings.asked) == 1


def test_it_is_due_after_so_many_sessions_and_then_not_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(world.plan(), pushed=True)
    trainings = Trainings(
        monkeypatch, lambda plan, _: write_run(plan, "2024-09-04T11-00-00", 1, **known_until(plan, EVENINGS[2]))
    )
    for at in range(5):
        lived(world, at, retrain=None, retrain_sessions=3)

    assert len(trainings.asked) == 1
    assert select("SELECT text FROM NOTE WHERE kind = 'retraining'") == [
        (
            "after 2024-09-04, as 3 sessions since the last one that it was trained on, 3 are allowed: no model is "
            "blessed, so nothing is pushed",
        )
    ]
    assert select("SELECT COUNT(DISTINCT digest) FROM MODEL") == [(1,)]


def test_drift_is_a_reason_once_and_broken_data_is_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(world.plan(), pushed=True, **known_until(world.plan(), SHANGHAI[START - 25]))
    lost = LossDrift("log loss", (9.0,), 5.0, 0, 0.8, 0.69)
    broken = FeatureDrift("2024-09-02", (Alarm(Kind.MISSING, "returns", "returns: all of it is missing"),), ())
    measured = [Drift(broken, (lost,)), Drift(None, (lost,)), Drift(None, (lost,))]

    def measure(day: Day, told: Told) -> None:
        day.drift = measured.pop(0)

    parts = tuple(replace(one, work=measure) if one.name == "drift" else one for one in loop.PARTS)
    monkeypatch.setattr(loop, "PARTS", parts)
    trainings = Trainings(
        monkeypatch, lambda plan, _: write_run(plan, "2024-09-04T11-00-00", 1, **known_until(plan, EVENINGS[1]))
    )
    reports = [lived(world, at, retrain=None) for at in range(3)]

    assert "the data looks broken: returns: all of it is missing" in reports[0].part("retrain").wrong[0]
    assert "log loss: 0.8000 a day live, 0.6900 in the backtest" in reports[1].part("retrain").said[0]
    assert len(trainings.asked) == 1


def test_a_new_champion_is_pushed_and_speaks_from_the_next_session_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(world.plan(), pushed=True)
    Trainings(
        monkeypatch,
        lambda plan, _: write_run(plan, "2024-09-02T11-00-00", 1, pushed=True, **known_until(plan, EVENINGS[0])),
    )
    report = lived(world, 0, retrain=True)
    lived(world, 1)

    assert {AlertKind.PUSHED, AlertKind.RETRAINED} <= {one.kind for one in report.alerts}
    assert [session for session, _ in select("SELECT DISTINCT session, model FROM PREDICTION ORDER BY seq")] == [
        str(session) for session in EVENINGS[:2]
    ]
    assert select("SELECT role FROM MODEL") == [("champion",), ("champion",)]


@pytest.mark.parametrize("better", [True, False])
def test_a_challenger_predicts_beside_the_champion_before_it_may_replace_it(
    world: World, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    write_run(world.plan(), pushed=True)

    def leave(plan: Plan, serving: Path | None) -> Path:
        assert serving is not None
        version = "20240902110000"
        write_model(serving / version, 1)
        folder = write_run(plan, "2024-09-02T11-00-00", 1, pushed=True, **known_until(plan, EVENINGS[0]))
        # The run pushes where it is told to.
        (plan.serving / version).rename(plan.workspace / "not pushed")
        return folder

    trainings = Trainings(monkeypatch, leave)
    reports = [lived(world, 0, retrain=True, challenger_sessions=3)]
    monkeypatch.setattr(
        "pipeline.daily.challenging.compare",
        _found(monkeypatch, better),
    )
    reports += [lived(world, at, challenger_sessions=3) for at in range(1, 6)]

    [(_, _, serving)] = trainings.asked
    assert serving == Path("runs/challengers") / reports[0].name or str(serving).endswith(
        f"runs/challengers/{reports[0].name}"
    )
    by_role = dict(select("SELECT role, COUNT(*) FROM PREDICTION JOIN MODEL ON digest = model GROUP BY role"))
    assert by_role["challenger"] >= 3 * len(SHARES)
    pushed = sorted(path.name for path in world.plan().serving.iterdir())
    assert pushed == (["20240830120000", "20240902110000"] if better else ["20240830120000"])
    [(text,)] = select("SELECT text FROM NOTE WHERE kind = 'challenge'")
    assert text.endswith("so it takes its place" if better else "so it is dismissed")
    speaks = select("SELECT DISTINCT model FROM PREDICTION WHERE session = (SELECT MAX(session) FROM PREDICTION)")
    assert len(speaks) == 1
    last_champion = select("SELECT digest FROM MODEL WHERE role = 'champion' ORDER BY seq DESC LIMIT 1")
    assert speaks == last_champion


def _found(monkeypatch: pytest.MonkeyPatch, better: bool) -> Callable[..., Any]:
    """The comparison as it is, but for who wins."""
    from pipeline.daily.challenging import compare

    del monkeypatch

    def found(*arguments: Any) -> Any:
        return replace(compare(*arguments), champion=0.7, challenger=0.69 if better else 0.71)

    return found
