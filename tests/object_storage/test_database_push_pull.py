"""A database to a storage and back: the layout, what interruptions leave, and what a pull refuses to replace."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import CODE, Place, digest_of, leftovers, write_database

from components.errors import StorageError, StoreError
from components.feature_store import FeatureStore, PriceBars
from components.object_storage import (
    DatabaseManifest,
    Storage,
    StoredDatabase,
    StoredFile,
    list_databases,
    pull_database,
    push_database,
)

MONDAY = dt.datetime(2026, 11, 23, 21, 30, tzinfo=dt.timezone.utc)
TUESDAY = MONDAY + dt.timedelta(days=1)
MONDAYS = "features/2026-11-23/awesome.db"


def manifest_at(storage: Storage, name: str) -> dict[str, Any]:
    content = storage.read(name)
    assert content is not None
    return json.loads(content)


def test_a_database_comes_back_whole_with_its_manifest(place: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db", shares=3, sessions=40)
    moved: list[tuple[int, int]] = []
    with place.open() as storage:
        pushed = push_database(storage, database, CODE, lambda *both: moved.append(both), MONDAY)
        assert storage.names("features") == (MONDAYS, f"{MONDAYS}.manifest.json")
        assert list_databases(storage) == (StoredDatabase("2026-11-23", "awesome.db"),)
        manifest = manifest_at(storage, f"{MONDAYS}.manifest.json")
        pulled = pull_database(storage, tmp_path / "pulled.db")
    content = (tmp_path / "pulled.db").read_bytes()
    assert manifest == {
        "format": 1,
        "kind": "database",
        "file": {"path": "awesome.db", "size": len(content), "sha256": hashlib.sha256(content).hexdigest()},
        "data_digest": digest_of(database),
        "shares": 3,
        "last_session": "2024-02-09",  # the 40th day from 2024-01-01 on
        "created": "2026-11-23T21:30:00+00:00",
        "code": {"version": "0.1.0", "digest": "0123456789abcdef"},
    }
    assert digest_of(tmp_path / "pulled.db") == digest_of(database)
    assert (pushed.files, pushed.size, pushed.already_there) == (1, len(content), False)
    assert pushed.url.endswith(MONDAYS)
    assert (pulled.database, pulled.manifest.shares) == (tmp_path / "pulled.db", 3)
    assert moved[-1] == (len(content), len(content))
    assert leftovers(tmp_path) == []


def test_a_pulled_database_can_be_continued(folder_storage: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    with folder_storage.open() as storage:
        push_database(storage, database, CODE)
        pull_database(storage, tmp_path / "pulled.db")
    write_database(tmp_path / "pulled.db", shares=4)
    with FeatureStore.open(tmp_path / "pulled.db") as store:
        assert [share.share_id for share in store.shares()] == ["S0", "S1", "S2", "S3"]


def test_what_is_there_already_is_not_sent_again(s3: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    assert s3.link is not None
    with s3.open() as storage:
        push_database(storage, database, CODE, now=MONDAY)
        sent = len(s3.link.requests())
        again = push_database(storage, database, CODE, now=MONDAY)
        assert (again.already_there, again.files, again.size) == (True, 0, 0)
        assert not [head for head in s3.link.requests()[sent:] if not head.startswith(("GET", "HEAD"))]
        write_database(database, seed=1)
        assert not push_database(storage, database, CODE, now=MONDAY).already_there


def test_a_day_is_named_or_the_latest_is_taken(folder_storage: Place, tmp_path: Path) -> None:
    old, new = write_database(tmp_path / "awesome.db"), tmp_path / "new" / "awesome.db"
    new.parent.mkdir()
    write_database(new, seed=1)
    target = tmp_path / "pulled.db"
    with folder_storage.open() as storage:
        push_database(storage, new, CODE, now=TUESDAY)
        push_database(storage, old, CODE, now=MONDAY)
        pull_database(storage, target)
        assert digest_of(target) == digest_of(new)
        pull_database(storage, target, "2026-11-23")
        assert digest_of(target) == digest_of(old)
        with pytest.raises(StorageError, match=r"no database of 2026-11-25; there are 2026-11-23, 2026-11-24$"):
            pull_database(storage, target, "2026-11-25")


def test_a_database_of_the_targets_name_goes_first(folder_storage: Place, tmp_path: Path) -> None:
    china = write_database(tmp_path / "china.db")
    us = write_database(tmp_path / "us.db", seed=1)
    (tmp_path / "there").mkdir()
    with folder_storage.open() as storage:
        push_database(storage, china, CODE, now=MONDAY)
        push_database(storage, us, CODE, now=TUESDAY)
        pull_database(storage, tmp_path / "there" / "china.db")
        assert digest_of(tmp_path / "there" / "china.db") == digest_of(china)
        with pytest.raises(StorageError, match=r"no database other\.db, but china\.db, us\.db; name one with --db"):
            pull_database(storage, tmp_path / "other.db")


def test_the_date_is_that_of_utc(folder_storage: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    evening = dt.datetime(2026, 11, 23, 20, tzinfo=dt.timezone(dt.timedelta(hours=-5)))
    with folder_storage.open() as storage:
        push_database(storage, database, CODE, now=evening)
        assert list_databases(storage) == (StoredDatabase("2026-11-24", "awesome.db"),)


def test_an_empty_storage_says_so(place: Place, tmp_path: Path) -> None:
    with (
        place.open() as storage,
        pytest.raises(StorageError, match="holds no database; push one with `awesome db push`"),
    ):
        pull_database(storage, tmp_path / "awesome.db")


def test_what_is_no_database_is_not_pushed(folder_storage: Place, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("no database, but long enough to be one")
    with folder_storage.open() as storage:
        for name in ("missing.db", "text.db"):
            with pytest.raises(StoreError, match=name):
                push_database(storage, tmp_path / name, CODE)
        assert storage.names("features") == ()


# interruptions


class Interrupting:
    """A storage in which the program is stopped right after the nth change."""

    def __init__(self, storage: Storage, monkeypatch: pytest.MonkeyPatch, step: int) -> None:
        self.count = 0
        for name in ("write", "upload", "remove"):
            monkeypatch.setattr(storage, name, self._stopping(getattr(storage, name), step))

    def _stopping(self, change: Any, step: int) -> Any:
        def stop(*arguments: Any) -> None:
            self.count += 1
            change(*arguments)
            if self.count == step:
                raise KeyboardInterrupt

        return stop


@pytest.mark.parametrize("second", [1, 2, 3, 4])
@pytest.mark.parametrize("first", [1, 2, 3, 4])
def test_pushes_of_one_day_that_are_stopped_leave_a_whole_database(
    folder_storage: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: int, second: int
) -> None:
    """Two in a row, each stopped at any step: the database there is one of those pushed, and the next push heals."""
    database, target = tmp_path / "awesome.db", tmp_path / "pulled.db"
    pushed = set()
    with folder_storage.open() as storage:
        for seed, step in ((0, None), (1, first), (2, second)):
            pushed.add(digest_of(write_database(database, seed=seed)))
            with monkeypatch.context() as patches:
                if step is None:
                    push_database(storage, database, CODE, now=MONDAY)
                else:
                    Interrupting(storage, patches, step)
                    with pytest.raises(KeyboardInterrupt):
                        push_database(storage, database, CODE, now=MONDAY)
            pull_database(storage, target)
            assert digest_of(target) in pushed
        for seed in (0, 3):  # also back to what was pushed first
            wanted = digest_of(write_database(database, seed=seed))
            push_database(storage, database, CODE, now=MONDAY)
            pull_database(storage, target)
            assert digest_of(target) == wanted
            assert storage.names("features") == (MONDAYS, f"{MONDAYS}.manifest.json")
    assert leftovers(tmp_path) == []


def test_a_first_push_that_is_stopped_is_never_seen(
    folder_storage: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = write_database(tmp_path / "awesome.db")
    with folder_storage.open() as storage:
        with monkeypatch.context() as patches:
            Interrupting(storage, patches, 1)
            with pytest.raises(KeyboardInterrupt):
                push_database(storage, database, CODE, now=MONDAY)
        assert storage.names("features") == (MONDAYS,)
        assert list_databases(storage) == ()
        push_database(storage, database, CODE, now=MONDAY)
        assert list_databases(storage) == (StoredDatabase("2026-11-23", "awesome.db"),)


def big_database(path: Path) -> Path:
    """More than two parts: 12 MiB of prices."""
    write_database(path, shares=13, sessions=3500)
    assert path.stat().st_size > 11 * 2**20
    return path


def test_a_link_that_breaks_in_an_upload_leaves_nothing_and_a_second_push_heals(s3: Place, tmp_path: Path) -> None:
    database = big_database(tmp_path / "awesome.db")
    assert s3.link is not None
    with s3.open() as storage:
        s3.link.break_after("up", 7 * 2**20)  # in the second part
        with pytest.raises(StorageError, match="does not answer, or the connection broke"):
            push_database(storage, database, CODE, now=MONDAY)
        assert s3.link.broken
        s3.link.heal()
        assert storage.names("features") == ()
        with pytest.raises(StorageError, match="holds no database"):
            pull_database(storage, tmp_path / "pulled.db")
        push_database(storage, database, CODE, now=MONDAY)
        pull_database(storage, tmp_path / "pulled.db")
    assert digest_of(tmp_path / "pulled.db") == digest_of(database)
    assert leftovers(tmp_path) == []


def test_a_link_that_breaks_in_a_download_leaves_the_old_database(s3: Place, tmp_path: Path) -> None:
    database = big_database(tmp_path / "awesome.db")
    target = write_database(tmp_path / "pulled.db", seed=1)
    before = target.read_bytes()
    assert s3.link is not None
    with s3.open() as storage:
        push_database(storage, database, CODE)
        s3.link.break_after("down", 7 * 2**20)
        with pytest.raises(StorageError, match="does not answer, or the connection broke"):
            pull_database(storage, target)
        assert target.read_bytes() == before
        assert leftovers(tmp_path) == []
        s3.link.heal()
        pull_database(storage, target)
    assert digest_of(target) == digest_of(database)


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
