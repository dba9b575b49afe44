"""Feature stores in a storage: `features/DATE/awesome.db`, with `awesome.db.manifest.json` beside it.

A second push on the same day replaces the first. So that an interruption at any moment leaves one of the two, the new
manifest lies beside the old one (`awesome.db.manifest.SHA.next.json`) while the database is replaced: a pull takes the
database by whichever of them it fits.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import re
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import StorageError, StoreError
from components.feature_store import FeatureStore
from components.feature_store.additions import others_in
from components.feature_store.schema import CREATED, check_intact, columns_of
from components.object_storage.location import Storage
from components.object_storage.manifest import CodeVersion, DatabaseManifest, StoredFile, describe_file
from components.object_storage.snapshot import snapshot
from components.object_storage.transfer import Progress, Pushed, advance_of, real_path, verify
from components.whole_files import scratch_folder

FOLDER = "features"
LATEST = "latest"

_MANIFEST, _NEXT = ".manifest.json", ".next.json"
_PUSHED = re.compile(rf"{FOLDER}/([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}})/([^/]+){re.escape(_MANIFEST)}")


@dataclass(frozen=True)
class StoredDatabase:
    """A database in a storage.

    Attributes:
        date: Of its push, ISO, UTC.
        name: Its file name.
    """

    date: str
    name: str


@dataclass(frozen=True)
class PulledDatabase:
    """What a pull did.

    Attributes:
        url: Where from.
        database: Where to.
        manifest: Of what came.
        seconds: Wall-clock time.
    """

    url: str
    database: Path
    manifest: DatabaseManifest
    seconds: float


def push_database(
    storage: Storage,
    database: Path,
    code: CodeVersion,
    progress: Progress | None = None,
    now: dt.datetime | None = None,
) -> Pushed:
    """Pushes a snapshot of a database, which may be written meanwhile.

    Args:
        storage: Where to.
        database: A feature store.
        code: What pushes it.
        progress: Told of what was sent.
        now: The time of the push, with a time zone; None for the present.

    Returns:
        What was sent; nothing if the day's database is the same already.

    Raises:
        StoreError: The database is missing or is no feature store.
        StorageError: It cannot be copied or sent. What was pushed before can still be pulled.
    """
    start = time.monotonic()
    moment = (now or dt.datetime.now(dt.UTC)).astimezone(dt.UTC)
    name = f"{FOLDER}/{moment.date().isoformat()}/{database.name}"
    # Where the database's folder cannot be written, the snapshot goes to the system's temporary one.
    beside = real_path(database)
    if not os.access(beside.parent, os.W_OK):
        beside = Path(tempfile.gettempdir()) / database.name
    storage.clear_left(FOLDER)
    with _scratch(beside) as folder:
        copy = folder / database.name
        snapshot(database, copy)
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            check_intact(connection, str(database))  # else nobody could pull it
        file = describe_file(copy, database.name)
        before = _read_manifest(storage, name + _MANIFEST)
        coming = _coming(storage, name)
        if before is not None and before.file == file and not coming:
            return Pushed(storage.url_of(name), 0, 0, time.monotonic() - start, already_there=True)
        content = _manifest_of(copy, file, moment, code).to_json()
        if before is not None:
            own = f"{name}.manifest.{file.sha256[:16]}{_NEXT}"
            storage.write(own, content)
            coming = tuple({*coming, own})
        storage.upload(copy, name, advance_of(progress, file.size))
        storage.write(name + _MANIFEST, content)
        for one in coming:
            storage.remove(one)
    return Pushed(storage.url_of(name), 1, file.size, time.monotonic() - start)


def list_databases(storage: Storage) -> tuple[StoredDatabase, ...]:
    """Lists the databases that were pushed whole, by date and name, the earliest first.

    Raises:
        StorageError: The storage cannot be listed.
    """
    matches = (_PUSHED.fullmatch(name) for name in storage.names(FOLDER))
    found = [StoredDatabase(match[1], match[2]) for match in matches if match is not None]
    return tuple(sorted(found, key=lambda stored: (stored.date, stored.name)))


def pull_database(
    storage: Storage, database: Path, date: str = LATEST, progress: Progress | None = None
) -> PulledDatabase:
    """Pulls a database; the file that is there is replaced only once the new one is checked.

    Args:
        storage: Where from.
        database: Where to; its folder must exist. A database of this name is looked for first; if there is none and
            all databases have one other name, that one is taken.
        date: Of the push, ISO, or `latest`.
        progress: Told of what came.

    Returns:
        What came.

    Raises:
        StorageError: There is no such database in the storage, it is damaged, or `database` is being written, is no
            feature store, or holds tables of somebody's own. The file that was there is untouched.
    """
    start = time.monotonic()
    target = real_path(database)
    if not target.parent.is_dir():
        raise StorageError(f"{database}: the folder {target.parent} does not exist; make it or name another database")
    with _held(target, database):
        pass
    stored = _choose(storage, list_databases(storage), database.name, date)
    name = f"{FOLDER}/{stored.date}/{stored.name}"
    manifest = _read_manifest(storage, name + _MANIFEST)
    if manifest is None:
        raise StorageError(f"{storage.url_of(name + _MANIFEST)}: has gone meanwhile; run the same command again")
    try:
        with scratch_folder(target) as folder:
            fresh = folder / target.name
            storage.download(name, fresh, advance_of(progress, manifest.file.size))
            manifest = _fitting(storage, name, fresh, manifest)
            _check_database(fresh, storage.url_of(name))
            with fresh.open("rb") as stream:
                os.fsync(stream.fileno())
            with _held(target, database) as held:
                if held is not None:
                    _check_nothing_lost(held, fresh, database)
                if target.exists():
                    fresh.chmod(target.stat().st_mode)
                os.replace(fresh, target)
    except OSError as error:
        raise StorageError(f"{error.filename or database}: {error.strerror}; nothing was replaced") from None
    return PulledDatabase(storage.url_of(name), database, manifest, time.monotonic() - start)


@contextlib.contextmanager
def _scratch(beside: Path) -> Iterator[Path]:
    """Makes a folder for a snapshot; an OSError of the block's own goes on as it is."""
    with contextlib.ExitStack() as stack:
        try:
            folder = stack.enter_context(scratch_folder(beside))
        except OSError as error:
            raise StorageError(f"{beside.parent}: no snapshot can be made there: {error.strerror}") from None
        yield folder


def _manifest_of(copy: Path, file: StoredFile, moment: dt.datetime, code: CodeVersion) -> DatabaseManifest:
    with FeatureStore.open(copy) as store:
        shares = store.shares()
        last = max((share.last for share in shares), default=None)
        return DatabaseManifest(
            file=file,
            data_digest=store.digest(),
            shares=len(shares),
            last_session=None if last is None else last.isoformat(),
            created=moment.isoformat(timespec="seconds"),
            code=code,
        )


def _read_manifest(storage: Storage, name: str) -> DatabaseManifest | None:
    content = storage.read(name)
    return None if content is None else DatabaseManifest.from_json(content, storage.url_of(name))


def _coming(storage: Storage, name: str) -> tuple[str, ...]:
    """Returns the manifests of pushes that were begun and not ended."""
    names = storage.names(name.rpartition("/")[0])
    return tuple(one for one in names if one.startswith(f"{name}.manifest.") and one.endswith(_NEXT))


def _choose(storage: Storage, stored: Sequence[StoredDatabase], name: str, date: str) -> StoredDatabase:
    if not stored:
        raise StorageError(f"{storage.place_of(FOLDER)}: holds no database; push one with `awesome db push`")
    if date != LATEST:
        dates = sorted({one.date for one in stored})
        stored = [one for one in stored if one.date == date]
        if not stored:
            known = ", ".join(dates[-5:]) + (f" and {len(dates) - 5} earlier" if len(dates) > 5 else "")
            raise StorageError(f"{storage.place_of(FOLDER)}: holds no database of {date}; there are {known}")
    called_so = [one for one in stored if one.name == name]
    names = sorted({one.name for one in stored})
    if not called_so and len(names) > 1:
        raise StorageError(
            f"{storage.place_of(FOLDER)}: holds no database {name}, but {', '.join(names)}; name one with --db"
        )
    return (called_so or stored)[-1]


def _fitting(storage: Storage, name: str, fresh: Path, manifest: DatabaseManifest) -> DatabaseManifest:
    """Returns the manifest that a downloaded database fits: the one in force, or one that is to follow it."""
    if describe_file(fresh, manifest.file.path) == manifest.file:
        return manifest
    # A push that ended during the download has put its own manifest in force and taken it away from those to come.
    names = (*_coming(storage, name), name + _MANIFEST)
    others = [_read_manifest(storage, one) for one in names]
    candidates = [manifest, *(one for one in others if one is not None)]
    hint = ", or pull another --date"
    fit = verify(fresh, [one.file for one in candidates], storage.url_of(name), hint)
    return next(one for one in candidates if one.file == fit)


def _check_database(fresh: Path, url: str) -> None:
    """Checks that a file is a whole feature store. It has no log of its own, so nothing is left beside it."""
    try:
        with contextlib.closing(sqlite3.connect(f"{fresh.as_uri()}?mode=ro", uri=True)) as connection:
            complaints = [str(row[0]) for row in connection.execute("PRAGMA quick_check(1)")]
            if complaints != ["ok"]:
                raise StorageError(f"{url}: the database is damaged inside ({complaints[0]}); push it again")
            check_intact(connection, "it")
        FeatureStore.open(fresh).close()
    except (sqlite3.Error, StoreError) as error:
        text = " ".join(str(error).replace(str(fresh), "it").split())
        raise StorageError(f"{url}: is no feature store that can be used: {text}") from None


def _check_nothing_lost(held: sqlite3.Connection, fresh: Path, database: Path) -> None:
    """Refuses to replace a database that holds tables or views of somebody's own, unless the new one has them too."""
    with contextlib.closing(sqlite3.connect(fresh)) as connection:
        lost = others_in(held, CREATED) - others_in(connection, CREATED)
    if lost:
        raise StorageError(
            f"{database}: holds {', '.join(sorted(lost))} beside the prices, which the database that was pulled does "
            "not have; pull into another --db"
        )


@contextlib.contextmanager
def _held(target: Path, database: Path) -> Iterator[sqlite3.Connection | None]:
    """Refuses a database that anybody else has open, and keeps others out of it meanwhile; it is not changed.

    A file that is replaced under a program that has it open would lose what that program writes, and its log would be
    mixed with the new database. Nor is a database replaced that is no feature store.

    Yields:
        A connection to it; None where there is nothing.
    """
    if not target.exists():
        yield None
        return
    if not target.is_file():
        raise StorageError(f"{database}: is a folder, not a database; name another one with --db")
    for ending in ("-wal", "-journal"):
        log = target.with_name(target.name + ending)
        with contextlib.suppress(FileNotFoundError):
            if log.stat().st_size:
                raise StorageError(
                    f"{database}: {log.name} holds changes: another program is writing, or was stopped in the middle; "
                    "let it finish or run it again, or pull into another --db"
                )
    if target.stat().st_size == 0:
        yield None
        return
    uri = f"{target.as_uri()}?mode=rw"
    try:
        with contextlib.closing(sqlite3.connect(uri, uri=True, isolation_level=None, timeout=1)) as connection:
            # In this mode even a program that only has the database open, in WAL mode, is in the way.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            connection.execute("BEGIN EXCLUSIVE")
            others = others_in(connection, CREATED)
            if others and not any(columns_of(connection, table) for table in CREATED):
                raise StorageError(
                    f"{database}: belongs to something else (tables {', '.join(sorted(others))}); "
                    "pull into another --db"
                )
            yield connection
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise StorageError(
                f"{database}: another program has the database open; let it finish, or pull into another --db"
            ) from None
        raise StorageError(f"{database}: cannot be replaced: {error}; pull into another --db") from None
    except sqlite3.DatabaseError:
        raise StorageError(f"{database}: is no SQLite database; move it away, or pull into another --db") from None
