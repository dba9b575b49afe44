"""What is decided of prices reaches a cluster with the database, or by its own settings; a package holds none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from awesome_kubeflow import database_pull
from awesome_kubeflow.cli.compile import write_package
from components.errors import UserError
from components.feature_store import Decision, FeatureStore, read_decisions
from components.object_storage import CodeVersion, Storage, StorageSettings, push_database, push_tries
from components.synthetic_market import generate, write_market
from components.trials.record import Trial, append, begun_with, read_record, record_path
from pipeline.plan import resolve
from pipeline.settings import Settings

HTML = {"name": "html", "uri": "file://page.html"}


def test_a_package_refuses_decisions_that_it_cannot_hold(tmp_path: Path) -> None:
    plan = resolve(Settings(accept=("A:2020-08-31",)))
    with pytest.raises(UserError, match=r"accept A:2020-08-31: a package holds no decisions.*awesome db push"):
        write_package(plan, tmp_path / "package.yaml")
    assert not (tmp_path / "package.yaml").exists()


def test_the_pod_that_pulls_the_database_writes_its_clusters_decisions_into_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_market(generate("null", shares=3, sessions=60), folder / "pushed.db")
    with FeatureStore.create(folder / "pushed.db") as store:
        names = [one.share_id for one in store.shares()]
        store.decide(read_decisions(exclude=names[:1]))
    (folder / "storage").mkdir()
    url = f"file://{folder}/storage"
    with Storage.at(url, StorageSettings()) as storage:
        push_database(storage, folder / "pushed.db", CodeVersion("0.1.0", "0123456789abcdef"))
    monkeypatch.setenv("AWESOME_STORAGE_URL", url)
    command = ["--database", str(folder / "volume" / "pulled.db"), "--executor-input", EXECUTOR_INPUT]

    assert database_pull.main(command) == 0
    assert decided(folder / "volume" / "pulled.db") == read_decisions(exclude=names[:1])

    monkeypatch.setenv("AWESOME_ACCEPT", f"{names[1]}:2020-08-31,HK:0001:2020-09-01")
    monkeypatch.setenv("AWESOME_EXCLUDE", names[2])
    assert database_pull.main(command) == 0
    both = read_decisions([f"{names[1]}:2020-08-31", "HK:0001:2020-09-01"], [names[0], names[2]])
    assert set(decided(folder / "volume" / "pulled.db")) == set(both)
    log = capsys.readouterr().err
    for idle in (f"accept {names[1]}:2020-08-31: the share has no price", "pulled.db has no such share"):
        assert idle in log
        assert idle in (folder / "page.html").read_text()
    assert "exclude" not in log

    monkeypatch.setenv("AWESOME_EXCLUDE", f"{names[2]}:2020-08-31")
    assert database_pull.main(command) == 1


def test_the_pod_that_pulls_the_database_brings_the_record_of_its_tries(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with begun_with(folder / "pushed.db"):
        write_market(generate("null", shares=3, sessions=60), folder / "pushed.db")
    trial = Trial("1", "2026-01-02T03:04:05Z", "run", {}, 1, "r", (20200102,), ())
    append(record_path(folder / "pushed.db"), [trial])
    (folder / "storage").mkdir()
    url = f"file://{folder}/storage"
    with Storage.at(url, StorageSettings()) as storage:
        push_tries(storage, folder / "pushed.db")
        push_database(storage, folder / "pushed.db", CodeVersion("0.1.0", "0123456789abcdef"))
    monkeypatch.setenv("AWESOME_STORAGE_URL", url)
    volume = folder / "volume" / "awesome.db"
    command = ["--database", str(volume), "--executor-input", EXECUTOR_INPUT]
    assert database_pull.main(command) == 0
    record = read_record(record_path(volume))
    assert (record.trials, record.complete) == ((trial,), True)
    assert "1 not known here before, of 1" in (folder / "page.html").read_text()
    assert database_pull.main(command) == 0
    assert read_record(record_path(volume)) == record
    assert "0 not known here before, of 1" in (folder / "page.html").read_text()


def decided(database: Path) -> tuple[Decision, ...]:
    with FeatureStore.open(database) as store:
        return store.decision_list()


EXECUTOR_INPUT = json.dumps({"outputs": {"outputFile": "outputs.json", "artifacts": {"html": {"artifacts": [HTML]}}}})


def test_the_page_of_the_first_step_lists_what_looks_wrong(tmp_path: Path) -> None:
    from awesome_kubeflow.steps.feature_example_gen import suspects_table
    from components.plausibility import SUSPECTS_FILE, Grade, Suspect, SuspectRecord

    assert suspects_table(str(tmp_path)) == ()
    wrong = Suspect("A", "2020-08-31", -0.75, Grade.WRONG, "a 4-for-1 split")
    (tmp_path / SUSPECTS_FILE).write_text(SuspectRecord((wrong,), shares=2, returns=20).to_json())
    [table] = suspects_table(str(tmp_path))
    assert table.rows == (("A", "2020-08-31", "-75.0 %", "wrong", "a 4-for-1 split"),)
    assert "1 wrong" in table.note
