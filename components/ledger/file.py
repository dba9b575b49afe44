"""A ledger's file: opened, made, read row by row, and written to in whole batches.

It keeps no write-ahead log, so that the file alone, when nobody writes, is the whole ledger: a copy lacks nothing. A
batch is one transaction, on the disk before it counts; what a killed writer began is taken back by whoever opens the
file next. Writers wait for one another.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import secrets
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.feature_store.connection import reading_uri, translated
from components.feature_store.schema import transaction
from components.ledger.chain import GENESIS, Head, row_hash
from components.ledger.errors import LedgerError
from components.ledger.instants import Clock, present, stamp
from components.ledger.schema import CREATED, FORMAT, LAST_SEQ, LEDGER, TABLES
from components.whole_files import whole_file

SUFFIX = ".ledger"
"""Of a ledger's name, after the database's."""

_CACHE = "PRAGMA cache_size = -65536"
"""64 MiB at most: a share's rows lie apart, and SQLite's own 2 MiB hold those of a few evenings."""

_VERIFY = "see `awesome ledger verify`"


def ledger_path(database: str | Path) -> Path:
    """The ledger of the predictions on a database's prices; of a link to one, that beside the database itself.

    >>> ledger_path("data/awesome.db").name
    'awesome.db.ledger'
    """
    path = Path(database)
    return Path(f"{path.resolve() if path.is_symlink() else path}{SUFFIX}")


@dataclass(frozen=True)
class Row:
    """One row as the file holds it.

    Attributes:
        table: its name.
        seq: its number.
        values: the table's own columns and `written`.
        previous: hash of the row before.
        hash: its own.
    """

    table: str
    seq: int
    values: tuple[Any, ...]
    previous: str
    hash: str

    def __getitem__(self, column: str) -> Any:
        """The value of one of the table's own columns, or of `written`."""
        return self.values[TABLES[self.table].places[column]]

    @property
    def right_hash(self) -> str:
        """The hash that its content and `previous` give."""
        return row_hash(self.table, self.seq, self.previous, self.values)


class Batch:
    """Rows that are written together; `Ledger.writing` makes it.

    Attributes:
        written: when all of its rows are written, UTC.
    """

    def __init__(self, connection: sqlite3.Connection, seq: int, last: str, written: str) -> None:
        """Goes on behind the row `seq`, whose hash is `last`."""
        self._connection = connection
        self._seq = seq
        self._last = last
        self.written = written

    def add(self, table: str, values: Sequence[Any]) -> int:
        """Adds a row by the table's own columns, and returns its number."""
        seq, content = self._seq + 1, (*values, self.written)
        own = row_hash(table, seq, self._last, content)
        self._connection.execute(TABLES[table].insert, (seq, *content, self._last, own))
        self._seq, self._last = seq, own
        return seq

    def take(self, row: Row) -> None:
        """Adds a row as it was written elsewhere, with its own time.

        Raises:
            LedgerError: it does not follow, or is not as it was written.
        """
        if (row.seq, row.previous) != (self._seq + 1, self._last) or row.right_hash != row.hash:
            raise LedgerError(f"row {row.seq} does not follow row {self._seq}, or is not as it was written")
        self._connection.execute(TABLES[row.table].insert, (row.seq, *row.values, row.previous, row.hash))
        self._seq, self._last = row.seq, row.hash


class Ledger:
    """One SQLite file. Make one with `Ledger.open` (to read) or `Ledger.create` (to read and write)."""

    def __init__(self, path: Path, connection: sqlite3.Connection, clock: Clock) -> None:
        """Wraps an open connection; use `open` or `create` instead."""
        self._path = path
        self._connection = connection
        self.clock = clock

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> Ledger:
        """Opens a ledger to read it; what a killed writer began is taken back, nothing else is changed.

        Raises:
            LedgerError: there is none.
            StoreError: SQLite cannot read it.
        """
        file = Path(path)
        if not file.is_file():
            what = "is a folder, not a ledger" if file.is_dir() else "does not exist"
            raise LedgerError(f"{file} {what}; a ledger begins with the first prediction that is written down")
        journal = file.with_name(f"{file.name}-journal")
        if journal.exists() and not os.access(file.parent, os.W_OK):
            raise LedgerError(f"{file}: a writer was stopped in the middle; read it once where it can be written")
        with translated(file), contextlib.ExitStack() as opened:
            connection = sqlite3.connect(reading_uri(file), uri=True, isolation_level=None, timeout=30)
            opened.callback(connection.close)
            connection.execute("PRAGMA query_only = ON")
            connection.execute(_CACHE)
            # What another tool has written as text and is none is named by its row, and does not end the reading.
            connection.text_factory = lambda content: content.decode("utf-8", "surrogateescape")
            _check_kind(connection, file)
            opened.pop_all()
        return cls(file, connection, present)

    @classmethod
    def create(cls, path: str | os.PathLike[str], clock: Clock = present) -> Ledger:
        """Opens a ledger to write to it, and makes it where it is not there.

        Args:
            path: the file; its folder must exist.
            clock: tells when rows are written.

        Raises:
            LedgerError: it is no ledger, of a newer version, or its tables are not as they were made.
            StoreError: SQLite cannot write it.
        """
        file = Path(path)
        if file.is_dir() or not file.parent.is_dir():
            raise LedgerError(f"{file}: no ledger can be made there; name a file in a folder that exists")
        with translated(file), contextlib.ExitStack() as opened:
            connection = sqlite3.connect(file, isolation_level=None, timeout=30)
            opened.callback(connection.close)
            if not _is_empty(connection):
                _check_kind(connection, file)  # before anything of a file of somebody else's is changed
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = EXTRA")
            connection.execute(_CACHE)
            with transaction(connection):
                if _is_empty(connection):
                    _make_tables(connection)
                    Batch(connection, 0, GENESIS, stamp(clock())).add(LEDGER.name, (FORMAT, secrets.token_hex(8)))
                if complaints := _not_as_made(connection):
                    raise LedgerError(f"{file}: {complaints[0]}, so nothing is written to it; {_VERIFY}")
            opened.pop_all()
        return cls(file, connection, clock)

    @classmethod
    def restore(cls, path: Path, rows: Iterable[Row]) -> None:
        """Makes a ledger of rows that were written elsewhere, whole or not at all.

        Raises:
            LedgerError: a row does not follow the one before, or is not as it was written.
            OSError: the file cannot be written.
        """
        with whole_file(path, sync=True) as partial, translated(path):
            with contextlib.closing(sqlite3.connect(partial, isolation_level=None)) as connection:
                with transaction(connection):
                    _make_tables(connection)
                    batch = Batch(connection, 0, GENESIS, "")
                    for row in rows:
                        batch.take(row)

    @property
    def path(self) -> Path:
        """The file."""
        return self._path

    @property
    def head(self) -> Head:
        """The last row; its time is when it was written."""
        row = self._last_row()
        return Head(self.identity, row.seq, row.hash, row["written"])

    @property
    def identity(self) -> str:
        """The name that no other ledger has."""
        [(name,)] = self.select("SELECT identity FROM LEDGER WHERE seq = 1")
        return str(name)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def __enter__(self) -> Ledger:
        """Returns the ledger itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the file."""
        self.close()

    def damage(self, pages: bool = True) -> list[str]:
        """What was changed of the tables and triggers, and what SQLite finds damaged of all pages, in words."""
        if not pages:
            return _not_as_made(self._connection)
        answers = [str(answer) for (answer,) in self.select("PRAGMA integrity_check(1)")]
        wrong = [f"SQLite finds it damaged ({' '.join(one.split())})" for one in answers if one != "ok"]
        return _not_as_made(self._connection) + wrong

    def select(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Returns what a query finds."""
        with translated(self._path):
            return self._connection.execute(query, values).fetchall()

    def stream(self, query: str, *values: object) -> Iterator[tuple[Any, ...]]:
        """Yields what a query finds, row by row."""
        with translated(self._path):
            yield from self._connection.execute(query, values)

    def hashes(self, numbers: Sequence[int]) -> dict[int, str]:
        """The hashes of rows, by their numbers; those that are not there are left out."""
        condition = "WHERE seq IN (SELECT value FROM json_each(?))"
        query = " UNION ALL ".join(f"SELECT seq, hash FROM {table} {condition}" for table in TABLES)
        return dict(self.select(query, *[json.dumps(list(numbers))] * len(TABLES)))

    def rows(self, after: int | None = None) -> Iterator[Row]:
        """Yields the rows in the order in which they were written, of all tables as of one moment.

        Args:
            after: only those behind this number; None for all.
        """
        with self._at_one_moment():
            parts = [self._rows_of(table, "" if after is None else f" WHERE seq > {after}") for table in TABLES]
            yield from heapq.merge(*parts, key=lambda row: row.seq)

    def row(self, seq: int) -> Row | None:
        """The row of a number; None where there is none."""
        return next((row for table in TABLES for row in self._rows_of(table, f" WHERE seq = {int(seq)}")), None)

    @contextlib.contextmanager
    def writing(self) -> Iterator[Batch]:
        """Rows that the block adds are all there afterwards, or none of them; others wait meanwhile.

        Raises:
            LedgerError: the clock is behind the last row, or that row is not as it was written.
            StoreError: SQLite cannot write the file.
        """
        with translated(self._path), transaction(self._connection):
            last = self._last_row()
            if last.hash != last.right_hash:
                raise LedgerError(f"{self._path}: row {last.seq} is not as it was written; {_VERIFY}")
            now = stamp(self.clock())
            if now < last["written"]:
                raise LedgerError(
                    f"{self._path}: its last row was written at {last['written']}, and the clock says {now}: set the "
                    "clock"
                )
            yield Batch(self._connection, last.seq, last.hash, now)

    @contextlib.contextmanager
    def _at_one_moment(self) -> Iterator[None]:
        """Nobody writes between two queries of the block."""
        if self._connection.in_transaction:
            yield
            return
        self.select("BEGIN")
        try:
            yield
        finally:
            self.select("COMMIT")

    def _last_row(self) -> Row:
        [(seq,)] = self.select(LAST_SEQ)
        if seq is None:
            raise LedgerError(f"{self._path}: it holds no row, not even the first; {_VERIFY}")
        found = self.row(seq)
        assert found is not None  # it was there in the same breath
        return found

    def _rows_of(self, table: str, condition: str = "") -> Iterator[Row]:
        for seq, *values, previous, own in self.stream(f"{TABLES[table].select}{condition} ORDER BY seq"):
            yield Row(table, seq, tuple(values), previous, own)


def _is_empty(connection: sqlite3.Connection) -> bool:
    return connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None


def _make_tables(connection: sqlite3.Connection) -> None:
    for statement in CREATED.values():
        connection.execute(statement)


def _not_as_made(connection: sqlite3.Connection) -> list[str]:
    """What was changed of a ledger's tables and triggers, in words; views of somebody's own are no change."""
    objects = connection.execute("SELECT name, type, tbl_name, sql FROM sqlite_master").fetchall()
    found = {name: sql for name, _, _, sql in objects}
    said = [
        f"{name} is {'not as it was made' if name in found else 'missing'}"
        for name in CREATED
        if found.get(name) != CREATED[name]
    ]
    said += [
        f"the trigger {name} was added to {table}"
        for name, kind, table, _ in objects
        if kind == "trigger" and table in TABLES and name not in CREATED
    ]
    return said


def _check_kind(connection: sqlite3.Connection, file: Path) -> None:
    names = {str(name) for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if missing := TABLES.keys() - names:
        raise LedgerError(f"{file} is no ledger: it has no table {', '.join(sorted(missing))}; name another file")
    [(version,)] = connection.execute("SELECT MAX(format) FROM LEDGER").fetchall()
    if isinstance(version, int) and version > FORMAT:
        raise LedgerError(f"{file}: its format {version} is not one that this version reads; update awesome")
