"""A consistent copy of a database that others may be writing at the same time."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from components.errors import StorageError
from components.feature_store import FeatureStore
from components.feature_store.connection import reading_uri
from components.whole_files import whole_file

_LONGEST_WAIT = 30.0
_BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def snapshot(database: Path, target: Path) -> None:
    """Copies a database with SQLite's own backup, as it was at one moment between two transactions.

    Whoever writes to the database is not held up, as long as it keeps a write-ahead log, which feature stores do. The
    copy is one file that needs no other beside it. A database that nobody changed gives the same bytes again.

    Args:
        database: A feature store.
        target: The copy; its folder must exist. It appears whole or not at all.

    Raises:
        StoreError: The database is missing or is no feature store.
        StorageError: The copy cannot be written, or another program does not let go of the database.
    """
    FeatureStore.open(database).close()
    try:
        with whole_file(target) as partial:
            with _connected(reading_uri(database)) as source, _connected(str(partial)) as copy:
                _back_up(source, copy, database)
                # The log's mode came along; a lone file is to be read without one.
                copy.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as error:
        raise StorageError(f"{database}: no snapshot can be made at {target}: {error}") from None
    except OSError as error:
        raise StorageError(f"{target}: cannot be written: {error.strerror}") from None


def _back_up(source: sqlite3.Connection, copy: sqlite3.Connection, database: Path) -> None:
    end = time.monotonic() + _LONGEST_WAIT

    def give_up(status: int, remaining: int, total: int) -> None:
        del remaining, total
        if status in _BUSY and time.monotonic() > end:  # Python itself would try for ever
            raise StorageError(f"{database}: another program has locked the database; let it finish, then try again")

    # All pages in one step: in several, each commit of a writer in another process would start it anew.
    source.backup(copy, pages=-1, progress=give_up)


@contextlib.contextmanager
def _connected(database: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(database, uri=database.startswith("file:"), isolation_level=None, timeout=5)
    try:
        yield connection
    finally:
        connection.close()
