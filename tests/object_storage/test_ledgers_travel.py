"""What a push keeps of a ledger can be taken back by nobody who holds the file, and makes it anew where it is gone."""

from __future__ import annotations

import dataclasses
import datetime as dt
import shutil
from pathlib import Path

import pytest
from live_records import NEW_YORK, Live, lived, rows_of
from places import Place

from benchmarks import tampering
from components.errors import StorageError
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.verifying import verify
from components.object_storage import Storage, pull_ledger, push_ledger, stored_heads

NAME = "awesome.db"
FOLDER = "features/awesome.db.ledger"


def pushed(storage: Storage, live: Live) -> int:
    return push_ledger(storage, live.path, NAME, live.now + dt.timedelta(minutes=5))


@pytest.fixture
def live(tmp_path: Path) -> Live:
    return lived(tmp_path, 3)


def test_each_push_keeps_a_head_and_what_was_new(place: Place, live: Live) -> None:
    with place.open() as storage:
        count = len(rows_of(live.path))
        assert pushed(storage, live) == count
        first = storage.names(FOLDER)
        contents = {name: storage.read(name) for name in first}
        live.evenings(NEW_YORK[23:25])
        assert pushed(storage, live) == len(rows_of(live.path)) - count
        assert {name: storage.read(name) for name in first} == contents
        assert pushed(storage, live) == 0
        heads = stored_heads(storage, NAME)
        assert len(storage.names(FOLDER)) == 4
        assert push_ledger(storage, live.folder / "none", NAME) == 0
    assert [head.seq for head in heads] == [count, len(rows_of(live.path))]
    assert heads[0].time == "2024-02-02T23:05:00Z"
    with Ledger.open(live.path) as ledger:
        assert dataclasses.replace(heads[1], time=ledger.head.time) == ledger.head
    found = verify(live.path, heads, live.now)
    assert (found.faults, found.heads, found.held) == ((), 2, heads[1].seq)


def test_a_ledger_is_made_anew_from_what_was_pushed(place: Place, live: Live, tmp_path: Path) -> None:
    with place.open() as storage:
        assert pull_ledger(storage, tmp_path / "new", NAME) == 0
        assert not (tmp_path / "new").exists()
        for evening in (23, 24):
            pushed(storage, live)
            live.evenings(NEW_YORK[evening : evening + 1])
        pushed(storage, live)
        assert pull_ledger(storage, tmp_path / "new", NAME) == len(rows_of(live.path))
        assert rows_of(tmp_path / "new") == rows_of(live.path)
        assert pull_ledger(storage, tmp_path / "new", NAME) == 0
        heads = stored_heads(storage, NAME)
    assert verify(tmp_path / "new", heads, live.now).sound


def test_two_machines_go_on_one_after_the_other(folder_storage: Place, live: Live, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Live(tmp_path / "other")
    with folder_storage.open() as storage:
        pushed(storage, live)
        pull_ledger(storage, other.path, NAME)
        other.evenings(NEW_YORK[23:24])
        new = pushed(storage, other)
        assert pull_ledger(storage, live.path, NAME) == new
        assert rows_of(live.path) == rows_of(other.path)
        live.evenings(NEW_YORK[24:25])
        pushed(storage, live)
        other.now = live.now
        other.evenings(NEW_YORK[25:26])  # without the other's evening
        with pytest.raises(
            LedgerError, match=r"row \d+ is not the one that .*awesome\.db\.ledger has held since 2024-"
        ):
            pushed(storage, other)
        with pytest.raises(LedgerError, match=r"row \d+ is not the one that"):
            pull_ledger(storage, other.path, NAME)


def test_what_was_changed_is_not_pushed(folder_storage: Place, live: Live, tmp_path: Path) -> None:
    with folder_storage.open() as storage:
        pushed(storage, live)
        before = storage.names(FOLDER)
        whole = live.path.read_bytes()
        rows = rows_of(live.path)
        tampering.write_anyway(live.path, rows[:-2])
        with pytest.raises(LedgerError, match=r"ends with row 17, and .* has held row 19 since 2024-02-02T23:05:00Z"):
            pushed(storage, live)
        (tmp_path / "other").mkdir()
        shutil.copy(lived(tmp_path / "other", 4).path, live.path)
        with pytest.raises(LedgerError, match="holds another ledger"):
            pushed(storage, live)
        live.path.write_bytes(whole)
        live.evenings(NEW_YORK[23:24])
        rows = rows_of(live.path)
        rows[20] = dataclasses.replace(rows[20], values=(*rows[20].values[:3], 0.999, *rows[20].values[4:]))
        tampering.write_anyway(live.path, rows)
        with pytest.raises(LedgerError, match="row 21 is not as it was written"):
            pushed(storage, live)
        assert storage.names(FOLDER) == before


def test_a_push_that_is_stopped_before_its_head_is_made_up_for(
    folder_storage: Place, live: Live, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with folder_storage.open() as storage:
        write = storage.write

        def stopped(name: str, content: bytes) -> None:
            if "/heads/" in name:
                raise KeyboardInterrupt
            write(name, content)

        with monkeypatch.context() as patches:
            patches.setattr(storage, "write", stopped)
            with pytest.raises(KeyboardInterrupt):
                pushed(storage, live)
        assert stored_heads(storage, NAME) == ()
        live.evenings(NEW_YORK[23:24])
        pushed(storage, live)
        assert pull_ledger(storage, tmp_path / "new", NAME) == len(rows_of(live.path))


def test_rows_that_a_storage_lost_or_changed_bring_no_ledger(folder_storage: Place, live: Live, tmp_path: Path) -> None:
    with folder_storage.open() as storage:
        pushed(storage, live)
        live.evenings(NEW_YORK[23:24])
        pushed(storage, live)
        first = next(name for name in storage.names(FOLDER) if "/rows/000000000001-" in name)
        content = storage.read(first)
        storage.write(first, b"no rows")
        with pytest.raises(StorageError, match="holds no rows of a ledger"):
            pull_ledger(storage, tmp_path / "new", NAME)
        storage.remove(first)
        with pytest.raises(StorageError, match="lacks rows before row 20"):
            pull_ledger(storage, tmp_path / "new", NAME)
        assert not (tmp_path / "new").exists()
        assert content is not None
        storage.write(first, content)
        assert pull_ledger(storage, tmp_path / "new", NAME) == len(rows_of(live.path))
