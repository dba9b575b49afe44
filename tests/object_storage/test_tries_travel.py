"""The record of tries goes with the database and the models, and no push loses what another one has written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from model_files import FACTS, write_model
from places import CODE, MONDAY, Place, write_database

from components.errors import StorageError
from components.object_storage import pull_model, pull_tries, push_database, push_model, push_tries
from components.object_storage.tries import NOT_PUSHED, folder_of, stored_tries
from components.trials.record import (
    NO_RECORD,
    Record,
    Series,
    Trial,
    TriedModel,
    append,
    begun_with,
    read_record,
    record_path,
    render_record,
)
from pipeline.uses.trials import take_tries


def made_trial(number: int) -> Trial:
    model = TriedModel("linear", 0.51, 0.01, False, 2.0, "a", Series.of(np.array([0.01, 0.0])))
    time = f"2026-01-02T03:04:{number:02d}Z"
    return Trial(f"{number:016x}", time, "run", {"seed": str(number)}, 1, "r", (20240201, 20240202), (model,))


def database_with(path: Path, *numbers: int) -> Path:
    """A database whose record began with it and holds tries of these numbers."""
    path.parent.mkdir(exist_ok=True)
    with begun_with(path):
        write_database(path)
    append(record_path(path), [made_trial(number) for number in numbers])
    return path


def numbers_in(record: Record) -> list[int]:
    return [int(trial.id, 16) for trial in record.trials]


def test_a_new_machine_knows_every_try_of_the_database_that_it_pulls(place: Place, tmp_path: Path) -> None:
    database = database_with(tmp_path / "awesome.db", 1, 2)
    with place.open() as storage:
        assert push_tries(storage, database) == 2
        push_database(storage, database, CODE, now=MONDAY)
        assert pull_tries(storage, tmp_path / "new.db") == 2
    record = read_record(record_path(tmp_path / "new.db"))
    assert (numbers_in(record), record.complete) == ([1, 2], True)
    assert record.trials == read_record(record_path(database)).trials


def test_pushes_of_two_machines_lose_nothing_of_one_another(folder_storage: Place, tmp_path: Path) -> None:
    one = database_with(tmp_path / "one" / "awesome.db", 1, 2)
    other = database_with(tmp_path / "other" / "awesome.db", 2, 3)
    with folder_storage.open() as storage:
        push_database(storage, one, CODE, now=MONDAY)
        assert push_tries(storage, one) == 2
        names = storage.names(folder_of("awesome.db"))
        content = storage.read(names[0])
        assert push_tries(storage, other) == 1
        assert storage.read(names[0]) == content  # what another push wrote is not written again
        assert push_tries(storage, one) == 0
        assert len(storage.names(folder_of("awesome.db"))) == 2
        assert pull_tries(storage, one) == 1
    record = read_record(record_path(one))
    assert (numbers_in(record), record.complete) == ([1, 2, 3], True)


def test_many_pushes_leave_few_files_and_every_try(folder_storage: Place, tmp_path: Path) -> None:
    database = database_with(tmp_path / "awesome.db")
    with folder_storage.open() as storage:
        for number in range(1, 41):
            append(record_path(database), [made_trial(number)])
            assert push_tries(storage, database) == 1
        stored = stored_tries(storage, "awesome.db")
    assert len(stored.names) < 33
    assert stored.record is not None
    assert (numbers_in(stored.record), stored.record.complete) == (list(range(1, 41)), True)


def test_a_compaction_that_is_stopped_loses_nothing(
    folder_storage: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = database_with(tmp_path / "awesome.db")
    with folder_storage.open() as storage:
        for number in range(1, 33):
            append(record_path(database), [made_trial(number)])
            push_tries(storage, database)
        append(record_path(database), [made_trial(33)])
        with monkeypatch.context() as patches:
            patches.setattr(storage, "remove", lambda name: (_ for _ in ()).throw(KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                push_tries(storage, database)
        stored = stored_tries(storage, "awesome.db")
        assert stored.record is not None
        assert numbers_in(stored.record) == list(range(1, 34))
        append(record_path(database), [made_trial(34)])
        push_tries(storage, database)
        assert len(storage.names(folder_of("awesome.db"))) == 1


def test_a_storage_without_a_record_makes_the_count_a_lower_bound(folder_storage: Place, tmp_path: Path) -> None:
    database = database_with(tmp_path / "awesome.db", 1)
    with folder_storage.open() as storage:
        push_database(storage, database, CODE, now=MONDAY)
        assert pull_tries(storage, database) == 0
        assert pull_tries(storage, tmp_path / "new.db") == 0
    for path in (database, tmp_path / "new.db"):
        record = read_record(record_path(path))
        assert (record.complete, record.gaps) == (False, (NOT_PUSHED,))


def test_a_record_that_was_deleted_is_a_gap_for_everybody(folder_storage: Place, tmp_path: Path) -> None:
    database = database_with(tmp_path / "awesome.db", 1)
    with folder_storage.open() as storage:
        push_database(storage, database, CODE, now=MONDAY)
        push_tries(storage, database)
        record_path(database).unlink()
        push_tries(storage, database)
        pull_tries(storage, tmp_path / "new.db")
        pull_tries(storage, database)
    for path in (database, tmp_path / "new.db"):
        record = read_record(record_path(path))
        assert (numbers_in(record), record.gaps) == ([1], (NO_RECORD,))


def test_a_file_in_the_records_place_is_named(folder_storage: Place, tmp_path: Path) -> None:
    database = database_with(tmp_path / "awesome.db", 1)
    with folder_storage.open() as storage:
        storage.write(f"{folder_of('awesome.db')}/x.jsonl", b"no record\n")
        with pytest.raises(StorageError, match=r"awesome\.db\.trials/x\.jsonl, line 1: no try"):
            push_tries(storage, database)


def test_a_model_brings_the_tries_of_its_test_days(folder_storage: Place, tmp_path: Path) -> None:
    tries = render_record(Record(True, (made_trial(1), made_trial(2))))
    folders = write_model(tmp_path / "made")
    database = database_with(tmp_path / "awesome.db", 2)
    elsewhere = database_with(tmp_path / "other.db")
    with folder_storage.open() as storage:
        push_model(storage, FACTS, type(folders)(folders.saved_model, tries=tries))
        pulled = pull_model(storage, "rnn", tmp_path / "pulled")
    assert take_tries(pulled, database) == f"3 tries on its test days, 1 of them new to {record_path(database)}"
    assert numbers_in(read_record(record_path(database))) == [2, 1]
    assert "trials.jsonl" in take_tries(pulled, elsewhere)
    assert numbers_in(read_record(record_path(elsewhere))) == []
    take_tries(pulled, elsewhere, named=True)
    assert numbers_in(read_record(record_path(elsewhere))) == [1, 2]


def test_tries_after_a_push_do_not_make_another_model_of_the_version(folder_storage: Place, tmp_path: Path) -> None:
    folders = write_model(tmp_path / "made")
    with folder_storage.open() as storage:
        for number in (1, 2):
            tries = render_record(Record(True, tuple(made_trial(one) for one in range(number))))
            pushed = push_model(storage, FACTS, type(folders)(folders.saved_model, tries=tries))
            assert pushed.already_there == (number == 2)
