"""A database to a storage and back: the layout, and what interruptions leave."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from places import CODE, MONDAY, MONDAYS, Place, digest_of, leftovers, write_database

from components.errors import StorageError, StoreError
from components.feature_store import FeatureStore
from components.object_storage import Storage, StoredDatabase, list_databases, pull_database, push_database

TUESDAY = MONDAY + dt.timedelta(days=1)


def test_a_database_comes_back_whole_with_its_manifest(place: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db", shares=3, sessions=40)
    moved: list[tuple[int, int]] = []
    with place.open() as storage:
        pushed = push_database(storage, database, CODE, lambda *both: moved.append(both), MONDAY)
        assert storage.names("features") == (MONDAYS, f"{MONDAYS}.manifest.json")
        assert list_databases(storage) == (StoredDatabase("2026-11-23", "awesome.db"),)
        manifest = json.loads(storage.read(f"{MONDAYS}.manifest.json"))
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


KILLED = (
    "import datetime as dt, os, sys, pathlib\n"
    "from components.object_storage import CodeVersion, Storage, pull_database, push_database\n"
    "what, url, database, day = sys.argv[1:]\n"
    "def die(done, total):\n"
    "    if done: os.kill(os.getpid(), 9)\n"
    "def upload(self, file, name, advance=None):\n"
    "    with self._whole(name) as path:\n"
    "        pathlib.Path(path).parent.mkdir(parents=True, exist_ok=True)\n"
    "        pathlib.Path(path).write_bytes(b'half'); os.kill(os.getpid(), 9)\n"
    "Storage.upload = upload if what == 'push' else Storage.upload\n"
    "now = dt.datetime.fromisoformat(day + 'T12:00:00+00:00')\n"
    "with Storage.at(url) as storage:\n"
    "    if what == 'push': push_database(storage, pathlib.Path(database), CodeVersion('1', '2'), now=now)\n"
    "    else: pull_database(storage, pathlib.Path(database), progress=die)\n"
)


def test_what_killed_pushes_and_pulls_left_is_cleared(folder_storage: Place, tmp_path: Path) -> None:
    storage_folder = tmp_path / "storage"
    database = write_database(tmp_path / "awesome.db")

    def killed(what: str, day: str) -> None:
        command = [sys.executable, "-c", KILLED, what, folder_storage.url, str(database), day]
        assert subprocess.run(command, cwd=Path(__file__).parents[2], check=False).returncode == -9

    killed("push", "2026-11-20")
    beside, within = leftovers(tmp_path), leftovers(storage_folder)
    assert len(beside) == 2  # a folder with the snapshot, and the half file in the storage
    assert len(within) == 1
    with folder_storage.open() as storage:
        assert list_databases(storage) == ()
        push_database(storage, database, CODE, now=MONDAY)  # of another day, so to another folder
    assert leftovers(tmp_path) == []
    killed("pull", "2026-11-23")
    assert leftovers(tmp_path)
    with folder_storage.open() as storage:
        pull_database(storage, database)
    assert leftovers(tmp_path) == []
    killed("pull", "2026-11-23")
    FeatureStore.create(database).close()  # as an import or an extraction does
    assert leftovers(tmp_path) == []
