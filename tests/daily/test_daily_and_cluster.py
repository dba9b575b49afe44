"""The loop and runs on a cluster: what a run pushes beside the loop counts as tried, and its champion speaks."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from lived import SHANGHAI, SHARES, START, World, evening, killed_after, write_run

from awesome_kubeflow import run_report
from awesome_kubeflow.parameters import INPUT_TYPES
from awesome_kubeflow.run_report import CompiledRun
from components.ledger.verifying import verify
from components.object_storage import CodeVersion, push_database, push_tries
from components.trials.record import Trial, append, read_record, record_path
from pipeline.daily.report import AlertKind, DailyReport, PartReport
from pipeline.runs.folder import read_report
from pipeline.uses.predict import finished_runs, pushed_versions
from pipeline.uses.storage import open_storage

EVENINGS = SHANGHAI[START : START + 8]
HTML = {"name": "html", "uri": "file://page.html"}
EXECUTOR_INPUT = json.dumps({"outputs": {"outputFile": "outputs.json", "artifacts": {"html": {"artifacts": [HTML]}}}})


@pytest.fixture
def world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A loop on its own volume, without a source, and a storage."""
    (folder / "loop").mkdir()
    monkeypatch.setenv("AWESOME_STORAGE_URL", str(folder / "storage"))
    monkeypatch.setenv("AWESOME_NODE_METADATA_SQLITE", str(folder / "metadata.db"))
    return World(folder / "loop", None, {"take_champion": True})


def lived(world: World, at: int, **flags: Any) -> DailyReport:
    world.bars(EVENINGS[at])
    return world.loop(evening(EVENINGS[at]), **flags)


def part(report: DailyReport, name: str) -> PartReport:
    [found] = [one for one in report.parts if one.name == name]
    return found


def select(world: World, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(world.folder / "prices.db.ledger")) as connection:
        return connection.execute(query).fetchall()


def trained_on_the_cluster(
    folder: Path, name: str, seed: int, tries: Sequence[Trial] = (), pushed: bool = True
) -> Path:
    """What the nodes of a run leave on the cluster's volume, and then its last pod, RunReport."""
    volume = World(folder / "volume", None)
    volume.folder.mkdir(exist_ok=True)
    volume.bars(EVENINGS[0])
    append(record_path(volume.folder / "prices.db"), tries)
    run = write_run(volume.plan(), name, seed, pushed=pushed)
    (run / "report.html").write_text("<!DOCTYPE html>")
    compiled = CompiledRun("p", (), ("linear",), {}, "window_returns", 1, str(run.parent))
    parameters = [part for name in INPUT_TYPES for part in (f"--{name.replace('_', '-')}", "")]
    command = ["--run-id", name, *parameters, "--compiled", compiled.to_json(), "--executor-input", EXECUTOR_INPUT]
    assert run_report.main(command) == 0
    return run


def made_trial(number: int, day: int) -> Trial:
    return Trial(f"{number:016x}", f"2026-01-02T03:04:{number:02d}Z", "run", {}, 1, "r", (day,), ())


def test_the_champion_of_a_run_on_the_cluster_speaks_and_all_is_known_of_it(world: World, folder: Path) -> None:
    write_run(world.plan(), pushed=True)
    lived(world, 0)
    tried = made_trial(1, 20240603)
    run = trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1, [tried])
    version = Path(read_report(run).pushed or "")
    report = lived(world, 1)

    assert report.exit_code == 0
    assert part(report, "take").said[0].startswith("1 try that was not known here")
    assert part(report, "take").said[-1].startswith("linear 20240902T120000Z is taken from the storage: ")
    assert AlertKind.PUSHED in [alert.kind for alert in report.alerts]
    assert tried in read_record(record_path(world.folder / "prices.db")).trials
    shutil.rmtree(folder / "volume")  # nothing of it is needed any more
    plan = world.plan()
    taken = finished_runs(plan)[-1]
    assert taken.folder.name == "20240902T120000Z-taken"
    assert taken.predictions().shape == (600, 5)
    # It takes over with its training, its origin and its claim, and drift can be measured.
    [first, second] = select(world, "SELECT digest, role, trained_from, trained_until FROM MODEL ORDER BY seq")
    assert second[1:] == ("champion", "2024-01-02", "2024-05-31")
    assert first[0] != second[0]
    [(origin,)] = select(world, "SELECT text FROM NOTE WHERE kind = 'origin' ORDER BY seq DESC LIMIT 1")
    assert json.loads(origin) == {
        "model": second[0],
        "horizon": 1,
        "blessed": True,
        "run": "20240902T120000Z-taken",
        "pushed": "2024-09-02T12:00:00Z",
    }
    claims = [json.loads(text)["model"] for (text,) in select(world, "SELECT text FROM NOTE WHERE kind = 'claim'")]
    assert claims == [first[0], second[0]]
    assert "the run that trained the model is gone" not in part(report, "drift").said
    said = select(world, "SELECT session, model, COUNT(*) FROM PREDICTION GROUP BY 1, 2 ORDER BY 1")
    assert said == [(str(day), model, 5) for day, model in zip(EVENINGS, (first[0], second[0]), strict=False)]
    assert verify(world.folder / "prices.db.ledger", now=evening(EVENINGS[2])).sound
    assert pushed_versions(plan.serving)[-1].name != version.name

    again = lived(world, 2)
    assert part(again, "take").said == ("no newer champion",)
    assert len(select(world, "SELECT 1 FROM MODEL")) == 2


def test_the_ledger_of_the_loop_is_the_one_that_the_storage_holds(world: World, folder: Path) -> None:
    write_run(world.plan(), pushed=True)
    lived(world, 0)
    heads = folder / "storage" / "features" / "prices.db.ledger" / "heads"
    kept = sorted(path.name for path in heads.rglob("*.json"))
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1)
    assert not (folder / "volume" / "prices.db.ledger").exists()
    assert sorted(path.name for path in heads.rglob("*.json")) == kept
    lived(world, 1)
    assert len(list(heads.rglob("*.json"))) == len(kept) + 1


def test_tries_on_another_database_of_the_storage_are_not_taken(world: World, folder: Path) -> None:
    other = World(folder / "other", None)
    other.folder.mkdir()
    other.bars(EVENINGS[0])
    database = other.folder / "prices.db"
    renamed = database.rename(other.folder / "newyork.db")
    append(record_path(renamed), [made_trial(1, 20240603)])
    with open_storage(world.plan()) as storage:
        push_tries(storage, renamed)
        push_database(storage, renamed, CodeVersion("1", ""))
    record = record_path(world.folder / "prices.db")
    append(record, [made_trial(2, 20240603)], complete=True)

    assert part(lived(world, 0), "take").said[0] == "no newer champion"

    assert [one.id for one in read_record(record).trials] == [made_trial(2, 20240603).id]
    assert read_record(record).complete


@pytest.mark.parametrize(
    ("flags", "pushed", "said"),
    [
        ({"take_champion": False}, True, "champions are not taken from it"),
        ({}, False, "no newer champion"),
        ({"horizon": 20}, True, "no newer champion"),
        ({"formatter": "closes"}, True, "no newer champion"),
    ],
)
def test_a_model_that_is_not_wanted_not_blessed_or_of_another_kind_is_not_taken(
    world: World, folder: Path, flags: dict[str, Any], pushed: bool, said: str
) -> None:
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1, pushed=pushed)
    world.bars(EVENINGS[0])
    report = world.loop(evening(EVENINGS[0]), "take", **flags)
    assert part(report, "take").said[-1] == said
    assert not list(world.folder.glob("runs/serving/*/*"))


def test_a_manifest_that_cannot_be_read_is_named_and_hinders_no_other(world: World, folder: Path) -> None:
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1)
    trained_on_the_cluster(folder, "2024-09-03T12-00-00", 2)
    manifests = sorted(folder.glob("storage/models_training/linear/*/manifest.json"))
    manifests[-1].write_text("{}")
    world.bars(EVENINGS[0])
    report = part(world.loop(evening(EVENINGS[0]), "take"), "take")
    [line] = report.wrong
    assert line.startswith("passed over, as it cannot be read: ")
    assert str(manifests[-1].parent.name) in line
    assert "is taken from the storage" in report.said[-1]


def test_a_champion_of_another_label_is_not_taken(world: World, folder: Path) -> None:
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1)
    [manifest] = folder.glob("storage/models_training/linear/*/manifest.json")
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | {"label": "outperform"}))
    world.bars(EVENINGS[0])
    assert part(world.loop(evening(EVENINGS[0]), "take"), "take").said[-1] == "no newer champion"
    assert not list(world.folder.glob("runs/serving/*/*"))


def test_an_older_champion_takes_nobodys_place_nor_one_that_was_taken_back(world: World, folder: Path) -> None:
    write_run(world.plan(), "2024-08-30T12-00-00", pushed=True)
    trained_on_the_cluster(folder, "2024-08-29T12-00-00", 1)
    assert part(lived(world, 0), "take").said[-1] == "no newer champion"
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 2)
    lived(world, 1)
    serving = world.plan().serving
    assert len(pushed_versions(serving)) == 2
    shutil.rmtree(pushed_versions(serving)[-1])  # somebody goes back to the one before
    assert part(lived(world, 2), "take").said[-1] == "no newer champion"
    assert len(pushed_versions(serving)) == 1


def test_a_new_champion_challenges_where_that_is_asked_for(world: World, folder: Path) -> None:
    write_run(world.plan(), pushed=True)
    lived(world, 0)
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1)
    report = lived(world, 1, challenger_sessions=3)
    assert part(report, "take").said[-1].endswith("; it challenges the champion for 3 sessions")
    assert select(world, "SELECT role FROM MODEL ORDER BY seq") == [("champion",), ("challenger",)]
    assert len(pushed_versions(world.plan().serving)) == 1


def test_a_loop_that_is_killed_takes_it_once(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(world.plan(), pushed=True)
    lived(world, 0)
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1)
    world.bars(EVENINGS[1])
    with killed_after("take"):
        world.loop(evening(EVENINGS[1]))
    lived(world, 1)
    # One that dies between the version and the run has the version already.
    shutil.rmtree(world.plan().workspace / "20240902T120000Z-taken")
    report = lived(world, 2)
    assert part(report, "take").said[-1].startswith("linear 20240902T120000Z is taken")
    assert len(select(world, "SELECT 1 FROM MODEL")) == 2
    assert len(pushed_versions(world.plan().serving)) == 2
    assert not list(world.folder.rglob(".partial-*"))


def test_a_champion_without_its_run_is_refused_in_a_line_and_the_rest_is_done(world: World, folder: Path) -> None:
    write_run(world.plan(), pushed=True)
    trained_on_the_cluster(folder, "2024-09-02T12-00-00", 1)
    [manifest] = folder.glob("storage/models_training/linear/*/manifest.json")
    plain = json.loads(manifest.read_text())
    plain["files"] = [one for one in plain["files"] if not one["path"].startswith("run/")]
    manifest.write_text(json.dumps(plain))
    report = lived(world, 0)
    [wrong] = part(report, "take").wrong
    assert wrong.endswith(
        "does not hold its run's report as this version writes it; push it again from where it was trained (awesome "
        "model push)"
    )
    assert report.exit_code == 3
    assert len(select(world, "SELECT 1 FROM PREDICTION")) == len(SHARES)
    assert len(pushed_versions(world.plan().serving)) == 1
