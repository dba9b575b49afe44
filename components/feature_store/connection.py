"""Connections to the database file: to read it, to write it, and what SQLite complains of as one line."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from components.errors import StoreError
from components.feature_store.schema import check_readable, migrate
from components.whole_files import clear_left

_SQLITE_HEADER = b"SQLite format 3\0"

_NO_PANEL = "of a panel (docs/panel.md) this command makes no use, it needs a database: --db FILE"


def connect_to_read(file: Path) -> sqlite3.Connection:
    """Opens a database never to change it; raises as `FeatureStore.open` says."""
    if not file.is_file():
        if file.is_dir():
            raise StoreError(f"{file} is a folder, not a database; {_NO_PANEL}")
        raise StoreError(f"{file} does not exist; import prices into it with `awesome prices import FILE`")
    _check_header(file, may_be_empty=False)
    with translated(file):
        connection = sqlite3.connect(reading_uri(file), uri=True, isolation_level=None, timeout=30)
        with closed_on_error(connection):
            connection.execute("PRAGMA query_only = ON")
            check_readable(connection, str(file))
    return connection


def connect_to_write(file: Path) -> sqlite3.Connection:
    """Opens or makes a database of the current schema; raises as `FeatureStore.create` says."""
    if file.is_dir():
        raise StoreError(f"{file} is a folder; name a database file in it, such as {file / 'awesome.db'}; {_NO_PANEL}")
    if not file.parent.is_dir():
        raise StoreError(f"{file}: the folder {file.parent} does not exist; make it or name another database")
    real = Path(os.path.realpath(file))
    if real.is_symlink():
        raise StoreError(f"{file} is a link that leads back to itself; name another database")
    if file.exists():
        _check_header(file, may_be_empty=True)
    for folder in {file.parent, real.parent}:  # a copy is made beside the file, not its link
        clear_left(folder)
    with translated(file):
        connection = sqlite3.connect(file, isolation_level=None, timeout=30)
        with closed_on_error(connection):
            connection.execute("PRAGMA page_size = 8192")  # only a new file takes it: rows of 200 bytes pack better
            # A table of somebody's own that refers to ours keeps its rows: replacing one of ours begins by removing it.
            connection.execute("PRAGMA foreign_keys = OFF")
            migrate(connection, str(file))
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA cache_size = -32768")
    return connection


def reading_uri(path: Path) -> str:
    """Returns the SQLite URI that opens a file to be read, in the way that leaves nothing behind.

    A database in WAL mode needs two files beside it even to be read. Only a connection that could write takes them away
    again, so a file that can be written is opened so, and reading is all it is used for. In a folder that cannot be
    written, such as a read-only mount, there is no place for them and no one to write: the file is immutable.
    """
    file = path.resolve()
    uri = f"file:{quote(str(file))}?mode="
    if not os.access(file.parent, os.W_OK):
        log = file.with_name(file.name + "-wal")
        return uri + ("ro" if log.exists() else "ro&immutable=1")
    return uri + ("rw" if os.access(file, os.W_OK) else "ro")


@contextlib.contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what SQLite complains of into one line that names the file."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a defect of ours, such as the use of a closed store
    except sqlite3.Error as error:
        damaged = "; put a copy in its place, or bring it anew: awesome db pull" if "malformed" in str(error) else ""
        raise StoreError(f"{path}: the database cannot be used: {error}{damaged}") from error


@contextlib.contextmanager
def closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    """Closes a connection where what the block does with it fails."""
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _check_header(file: Path, may_be_empty: bool) -> None:
    """Refuses a file that SQLite would either not open or quietly take for a new database."""
    try:
        with file.open("rb") as stream:
            start = stream.read(len(_SQLITE_HEADER))
    except OSError as error:
        raise StoreError(f"{file} cannot be read: {error.strerror}") from error
    if not start and not may_be_empty:
        raise StoreError(f"{file} is empty; import prices into it with `awesome prices import FILE`")
    if start and start != _SQLITE_HEADER:
        raise StoreError(f"{file} is not an SQLite database; name another file")
