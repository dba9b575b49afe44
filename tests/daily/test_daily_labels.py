"""The loop with a model of a return above the day's median, and one that follows a model of a higher close."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lived import SHANGHAI, SHARES, START, World, evening, write_model, write_run

from components.drift.losses import LossDrift
from components.ledger.verifying import verify
from pipeline.daily import drifting
from pipeline.daily.report import AlertKind, Status
from pipeline.plan import Plan
from pipeline.uses.live import live_facts

EVENINGS = SHANGHAI[START : START + 6]


@pytest.fixture
def quiet(folder: Path) -> World:
    """A world without a source: its bars are put into the database before each loop."""
    return World(folder, None)


def lived(world: World, at: int, **flags: Any) -> Any:
    world.bars(EVENINGS[at])
    return world.loop(evening(EVENINGS[at]), **flags)


def select(query: str) -> list[Any]:
    with closing(sqlite3.connect("prices.db.ledger")) as connection:
        return connection.execute(query).fetchall()


def returns(at: int) -> np.ndarray:
    """Of all shares from an evening's session to the next one, by the database."""
    with closing(sqlite3.connect("prices.db")) as connection:
        rows = connection.execute(
            "SELECT share_id, close0 FROM FEATURE WHERE time IN (?, ?) ORDER BY share_id, time",
            (str(EVENINGS[at]), str(EVENINGS[at + 1])),
        ).fetchall()
    closes = np.array([close for _, close in rows]).reshape(-1, 2)
    return closes[:, 1] / closes[:, 0] - 1


def page_of(plan: Plan) -> str:
    [path] = plan.workspace.glob("daily/*/live.html")
    return path.read_text()


def test_what_is_predicted_is_written_down_and_settled_by_the_days_median(quiet: World) -> None:
    quiet.flags["label"] = "outperform"
    write_run(quiet.plan(), pushed=True)
    reports = [lived(quiet, at) for at in range(len(EVENINGS))]

    assert [report.exit_code for report in reports] == [0] * len(EVENINGS)
    [(parameters,)] = select("SELECT parameters FROM SETUP")
    assert json.loads(parameters)["label"] == "outperform"
    # Of five shares one is the median each day, and of the others as many are above it as below.
    assert json.loads(parameters)["base_rate"] == pytest.approx(0.5, abs=0.001)
    assert select("SELECT MAX(n.seq) < MIN(m.seq) FROM NOTE n, MODEL m WHERE n.kind = 'label'") == [(1,)]
    noted = [json.loads(text) for (text,) in select("SELECT text FROM NOTE WHERE kind = 'level' ORDER BY seq")]
    assert [one["session"] for one in noted] == [str(day) for day in EVENINGS[:-1]]
    for at, one in enumerate(noted):
        assert one["level"] == pytest.approx(np.median(returns(at)), abs=1e-7)
    assert "predicts a return above the day's median" in " ".join(reports[0].part("predict").said)
    assert "1 new level of a day; 1 to come" in " ".join(reports[2].part("outcomes").said)
    assert verify("prices.db.ledger", now=evening(EVENINGS[-1])).sound

    facts = live_facts(quiet.plan(), now=evening(EVENINGS[-1]))
    assert (facts.label, facts.labelled) == ("outperform", 4 * (len(EVENINGS) - 1))
    assert facts.evidence is not None
    assert [day.session for day in facts.evidence.days] == [str(day) for day in EVENINGS[:-1]]
    page = " ".join(page_of(quiet.plan()).replace("&#39;", "'").split())
    assert "Above the day's median next session?" in page
    assert "came above the median" in page
    assert " rose" not in page


def test_losses_are_those_of_the_label(quiet: World, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[np.ndarray] = []
    judge = drifting.loss_drift

    def noting(reference: Any, live: np.ndarray) -> LossDrift:
        seen.append(live)
        return judge(reference, live)

    monkeypatch.setattr(drifting, "loss_drift", noting)
    quiet.flags["label"] = "outperform"
    write_run(quiet.plan(), pushed=True)
    for at in range(4):
        lived(quiet, at)
    for at, loss in enumerate(seen[-1].tolist()):
        said = dict(select(f"SELECT share_id, probability FROM PREDICTION WHERE session = '{EVENINGS[at]}'"))
        ahead = dict(zip(sorted(SHARES), returns(at), strict=True))
        level = float(np.median(list(ahead.values())))
        own = [
            -np.log(said[share] if change > level else 1 - said[share])
            for share, change in ahead.items()
            if abs(change - level) > 1e-9
        ]
        assert loss == pytest.approx(np.mean(own), abs=1e-9)


def test_another_label_begins_another_record_and_the_old_one_stays(quiet: World, awesome: Callable[..., Any]) -> None:
    write_run(quiet.plan(), pushed=True)
    for at in range(3):
        lived(quiet, at)
    before = quiet.rows()
    quiet.flags["label"] = "outperform"
    write_run(quiet.plan(), name="2024-09-04T12-00-00", seed=3, pushed=True)
    reports = [lived(quiet, at) for at in range(3, 6)]

    assert quiet.rows()[: len(before)] == before
    said = "a new record begins: of a return above the day's median, no longer of a higher close"
    assert said in " ".join(reports[0].part("ledger").said)
    assert AlertKind.MODEL in [one.kind for one in reports[0].alerts if one.text == said]
    assert said not in " ".join(reports[1].part("ledger").said)
    assert [json.loads(text)["label"] for (text,) in select("SELECT parameters FROM SETUP ORDER BY seq")] == [
        "up",
        "outperform",
    ]
    # What was said of a higher close before is settled as such, on the evening of the change too.
    assert len(select("SELECT 1 FROM OUTCOME")) == 5 * len(SHARES)
    facts = live_facts(quiet.plan(), now=evening(EVENINGS[-1]))
    assert (len(facts.older), facts.older[0].sessions) == (1, 3)
    assert facts.evidence is not None
    assert [day.session for day in facts.evidence.days] == [str(day) for day in EVENINGS[3:5]]
    assert verify("prices.db.ledger", now=evening(EVENINGS[-1])).sound
    shown = awesome("live", "--db", "prices.db", "--label", "outperform", "--output", "page.html").out
    assert "The probabilities are of a return above the day's median." in shown


def test_a_pushed_model_of_the_other_label_says_nothing(quiet: World) -> None:
    quiet.flags["label"] = "outperform"
    write_model(quiet.plan().serving / "1725000000")
    report = lived(quiet, 0)
    assert report.part("predict").status is Status.FAILED
    assert "holds a model of label up, and label outperform is asked for" in report.part("predict").wrong[0]
    assert not Path("prices.db.ledger").exists()
