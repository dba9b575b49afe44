"""What a pull of a database refuses, and what it does not replace."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from places import CODE, MONDAY, MONDAYS, Place, digest_of, leftovers, write_database

from components.errors import StorageError, StoreError
from components.feature_store import FeatureStore, PriceBars
from components.object_storage import DatabaseManifest, Storage, StoredFile, pull_database, push_database

# what a pull refuses


def flip(content: bytes) -> bytes:
    return content[:5000] + bytes([content[5000] ^ 1]) + content[5001:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (flip, "has another sha256 than its manifest says"),
        (lambda content: content[:-1], r"has \d+ bytes, its manifest says \d+"),
        (lambda content: b"", "has 0 bytes"),
    ],
    ids=["changed", "cut", "empty"],
)
def test_an_object_that_was_changed_is_refused(place: Place, tmp_path: Path, damage: Any, said: str) -> None:
    database = write_database(tmp_path / "awesome.db")
    target = write_database(tmp_path / "pulled.db", seed=1)
    before = target.read_bytes()
    with place.open() as storage:
        push_database(storage, database, CODE, now=MONDAY)
        storage.write(MONDAYS, damage(storage.read(MONDAYS)))
        with pytest.raises(StorageError, match=said):
            pull_database(storage, target)
    assert target.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_an_object_that_is_gone_is_refused(place: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    with place.open() as storage:
        push_database(storage, database, CODE, now=MONDAY)
        storage.remove(MONDAYS)
        with pytest.raises(StorageError, match=r"awesome\.db: is not there; push it again"):
            pull_database(storage, tmp_path / "pulled.db")
    assert not (tmp_path / "pulled.db").exists()


def put(storage: Storage, content: bytes) -> None:
    """A push by somebody else, whose manifest fits."""
    file = StoredFile("awesome.db", len(content), hashlib.sha256(content).hexdigest())
    storage.write(MONDAYS, content)
    storage.write(
        f"{MONDAYS}.manifest.json", DatabaseManifest(file, "0" * 64, 1, "2024-01-30", "2026-11-23", CODE).to_json()
    )


def test_a_database_that_is_damaged_inside_is_refused(folder_storage: Place, tmp_path: Path) -> None:
    with closing(sqlite3.connect(write_database(tmp_path / "awesome.db", shares=20))) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        [(size,)] = connection.execute("PRAGMA page_size")
        [(page,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'PRICE'")
    content = bytearray((tmp_path / "awesome.db").read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    with folder_storage.open() as storage:
        put(storage, bytes(content))
        with pytest.raises(StorageError, match=r"awesome\.db: (the database is damaged inside|is no feature store)"):
            pull_database(storage, tmp_path / "pulled.db")
    assert not (tmp_path / "pulled.db").exists()


def test_a_database_of_another_program_is_refused(folder_storage: Place, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        connection.execute("CREATE TABLE t (x)")
    with folder_storage.open() as storage:
        put(storage, (tmp_path / "other.db").read_bytes())
        with pytest.raises(StorageError, match="is no feature store that can be used: it: the database holds neither"):
            pull_database(storage, tmp_path / "pulled.db")
        put(storage, b"no database at all")
        with pytest.raises(StorageError, match="is no feature store that can be used"):
            pull_database(storage, tmp_path / "pulled.db")
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"not JSON", "is no manifest"),
        (b'{"format": 1, "kind": "model"}', "is no manifest of a database"),
        (b'{"format": 2, "kind": "database"}', "has format 2, this version of awesome reads 1; upgrade it"),
        (b'{"format": 1, "kind": "database"}', "file is missing"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused(
    folder_storage: Place, tmp_path: Path, content: bytes, said: str
) -> None:
    with folder_storage.open() as storage:
        storage.write(f"{MONDAYS}.manifest.json", content)
        with pytest.raises(StorageError, match=said):
            pull_database(storage, tmp_path / "pulled.db")


@pytest.fixture
def pushed(folder_storage: Place, tmp_path: Path) -> Place:
    """A storage that holds a database."""
    with folder_storage.open() as storage:
        push_database(storage, write_database(tmp_path / "awesome.db"), CODE)
    return folder_storage


def refuses(pushed: Place, target: Path, said: str) -> None:
    with pushed.open() as storage, pytest.raises(StorageError, match=said) as refusal:
        pull_database(storage, target)
    assert str(target) in str(refusal.value)
    assert leftovers(target.parent) == []


def test_a_database_that_is_being_written_is_not_replaced(pushed: Place, tmp_path: Path) -> None:
    target = write_database(tmp_path / "pulled.db", seed=1)
    time = np.datetime64("2025-01-01", "D") + np.arange(30)
    with FeatureStore.create(target) as store:
        store.upsert("S9", PriceBars(time, np.full(30, 2.0), np.ones(30)), "file")
        before = target.read_bytes()
        refuses(pushed, target, r"pulled\.db-wal holds changes: another program is writing, or was stopped")
        assert target.read_bytes() == before
    with FeatureStore.open(target) as store:
        assert [share.share_id for share in store.shares()] == ["S0", "S1", "S9"]


def test_a_database_that_is_only_open_is_not_replaced(pushed: Place, tmp_path: Path) -> None:
    """Its owner may write at any moment, into a file that would be gone."""
    target = write_database(tmp_path / "pulled.db", seed=1)
    with FeatureStore.create(target) as store:
        assert len(store.shares()) == 2
        assert (tmp_path / "pulled.db-wal").stat().st_size == 0
        refuses(pushed, target, "another program has the database open; let it finish")
    with pushed.open() as storage:
        pull_database(storage, target)


def test_what_a_killed_writer_left_is_not_replaced(pushed: Place, tmp_path: Path) -> None:
    target = write_database(tmp_path / "pulled.db", seed=1)
    script = (
        "import os, sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute(\"DELETE FROM PRICE WHERE share_id = 'S1'\")\n"
        "os._exit(0)\n"
    )
    subprocess.run([sys.executable, "-c", script, str(target)], check=True)
    assert (tmp_path / "pulled.db-wal").stat().st_size > 0
    refuses(pushed, target, "was stopped in the middle")
    with closing(sqlite3.connect(target)) as connection:  # nothing of it was lost
        assert connection.execute("SELECT COUNT(*) FROM PRICE").fetchone() == (30,)


def test_a_database_in_a_transaction_without_a_log_is_not_replaced(pushed: Place, tmp_path: Path) -> None:
    target = write_database(tmp_path / "pulled.db", seed=1)
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN IMMEDIATE")
        refuses(pushed, target, "another program has the database open")


def test_what_is_no_database_is_not_replaced(pushed: Place, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("Years of work, none of which is a database." * 100)
    refuses(pushed, tmp_path / "notes.txt", "is no SQLite database; move it away")
    assert (tmp_path / "notes.txt").read_text().startswith("Years of work")
    (tmp_path / "folder").mkdir()
    refuses(pushed, tmp_path / "folder", "is a folder, not a database")
    refuses_missing = tmp_path / "nowhere" / "awesome.db"
    with pushed.open() as storage, pytest.raises(StorageError, match="does not exist; make it or name another"):
        pull_database(storage, refuses_missing)


def test_a_check_changes_nothing_in_a_database(pushed: Place, tmp_path: Path) -> None:
    """Even when the pull then fails."""
    target = write_database(tmp_path / "pulled.db", seed=1)
    before = target.read_bytes()
    with pushed.open() as storage, pytest.raises(StorageError, match="no database of"):
        pull_database(storage, target, "2000-01-01")
    assert target.read_bytes() == before
    assert sorted(path.name for path in tmp_path.glob("pulled.db*")) == ["pulled.db"]


def test_a_link_that_leads_back_to_itself_is_not_followed(pushed: Place, tmp_path: Path) -> None:
    (tmp_path / "a.db").symlink_to(tmp_path / "b.db")
    (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
    refuses(pushed, tmp_path / "a.db", r"a\.db: is a link that leads back to itself; name another file or folder")


def test_a_link_and_the_files_mode_stay(pushed: Place, tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    real = write_database(tmp_path / "disk" / "real.db", seed=1)
    real.chmod(0o640)
    link = tmp_path / "linked.db"
    link.symlink_to(real)
    with pushed.open() as storage:
        pull_database(storage, link)
    assert link.is_symlink()
    assert digest_of(real) == digest_of(tmp_path / "awesome.db")
    assert os.stat(real).st_mode & 0o777 == 0o640


def change(database: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(database)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
        connection.execute("PRAGMA journal_mode = DELETE")
    return database


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (["CREATE TRIGGER sweep AFTER INSERT ON PRICE BEGIN DELETE FROM PRICE; END"], "the trigger sweep changes"),
        (["ALTER TABLE PRICE RENAME TO P", "CREATE VIEW PRICE AS SELECT * FROM P"], "PRICE is a view"),
        (["CREATE UNIQUE INDEX i ON PRICE (time)"], "the unique index i removes rows"),
        (
            ["DROP TABLE EXTRACTION", "CREATE TABLE EXTRACTION (share_id PRIMARY KEY ON CONFLICT IGNORE, since)"],
            "the table EXTRACTION is not as this program makes it",
        ),
        (["PRAGMA user_version = -7"], r"the database belongs to something else \(its user_version is -7"),
    ],
)
def test_a_database_that_would_change_what_is_written_is_refused(
    folder_storage: Place, tmp_path: Path, statements: list[str], said: str
) -> None:
    database = change(write_database(tmp_path / "awesome.db", shares=1, sessions=21), *statements)
    target = write_database(tmp_path / "pulled.db", seed=1)
    before = target.read_bytes()
    with folder_storage.open() as storage:
        with pytest.raises(StoreError, match=said):
            push_database(storage, database, CODE, now=MONDAY)
        put(storage, database.read_bytes())
        with pytest.raises(StorageError, match=f"is no feature store that can be used: .*{said}") as refusal:
            pull_database(storage, target)
    assert "\n" not in str(refusal.value)
    assert target.read_bytes() == before
    assert leftovers(tmp_path) == []


def test_a_database_of_another_program_is_not_replaced(pushed: Place, tmp_path: Path) -> None:
    target = change(tmp_path / "bookmarks.db", "CREATE TABLE bookmarks (url)", "INSERT INTO bookmarks VALUES ('mine')")
    before = target.read_bytes()
    refuses(pushed, target, r"bookmarks\.db: belongs to something else \(tables bookmarks\); pull into another --db")
    assert target.read_bytes() == before


def test_tables_of_somebodys_own_are_not_lost(pushed: Place, tmp_path: Path) -> None:
    own = ("CREATE TABLE Notes (note)", "INSERT INTO Notes VALUES ('mine')", "CREATE VIEW few AS SELECT 1")
    target = change(write_database(tmp_path / "pulled.db", seed=1), *own)
    before = target.read_bytes()
    refuses(pushed, target, r"pulled\.db: holds few, notes beside the prices")
    assert target.read_bytes() == before
    with pushed.open() as storage:  # those that are in the pulled one, too, came from there
        push_database(storage, change(tmp_path / "awesome.db", *own), CODE)
        pull_database(storage, target)
    assert digest_of(target) == digest_of(tmp_path / "awesome.db")
