"""The feature store: one SQLite file with the prices of shares and the windows derived from them."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import re
import sqlite3
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from typing import cast
from urllib.parse import quote

import numpy as np
import pyarrow as pa

from components.errors import StoreError
from components.feature_store.arrays import Booleans, Days, Floats, Integers
from components.feature_store.dates import parse_days
from components.feature_store.reader import read_feature_table
from components.feature_store.schema import (
    CLOSE_COLUMNS,
    FEATURE_COLUMNS,
    PRICE_COLUMNS,
    check_readable,
    columns_of,
    migrate,
    quote_text,
)
from components.feature_store.windows import PriceBars, close_windows
from models.features import WINDOW

_SQLITE_HEADER = b"SQLite format 3\0"
_DIGEST_ROWS = 8192
_MOST_VALUES = 999  # that SQLite before 3.32 binds in one statement
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Upserted:
    """What an upsert did to a share's prices.

    Attributes:
        new: Sessions that were not there before.
        changed: Sessions whose bar was there and differs.
        unchanged: Sessions whose bar was there already; they are not rewritten.
    """

    new: int
    changed: int
    unchanged: int


@dataclass(frozen=True)
class ShareSummary:
    """What FEATURE holds of a share.

    Attributes:
        share_id: The share.
        rows: Windows, one a session from the 21st on.
        first: Session of the first window.
        last: Session of the last window.
        source: Where the prices came from; None if the database does not say.
    """

    share_id: str
    rows: int
    first: dt.date
    last: dt.date
    source: str | None


class FeatureStore:
    """One SQLite file. Make one with `FeatureStore.open` (to read) or `FeatureStore.create` (to read and write).

    A store may be used by one thread at a time; several processes may read while one writes (write-ahead log).

    Example:
        >>> with FeatureStore.create("awesome.db") as store:  # doctest: +SKIP
        ...     store.upsert("IBM", bars, source="file")
        ...     table = store.read_features(["IBM"])
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, writable: bool) -> None:
        """Wraps an open connection; use `open` or `create` instead."""
        self._path = path
        self._connection = connection
        self._writable = writable

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> FeatureStore:
        """Opens a database for reading; it is never changed.

        Args:
            path: A database made by `create`, or one of another tool that has the table FEATURE.

        Raises:
            StoreError: The file is missing, is no SQLite database, or holds neither FEATURE with all its columns nor
                PRICE.
        """
        file = Path(path)
        if not file.is_file():
            what = "is a folder, not a database" if file.is_dir() else "does not exist"
            raise StoreError(f"{file} {what}; import prices into it with `awesome prices import FILE`")
        _check_header(file, may_be_empty=False)
        with _translated(file):
            connection = sqlite3.connect(reading_uri(file), uri=True, isolation_level=None, timeout=30)
            try:
                connection.execute("PRAGMA query_only = ON")
                check_readable(connection, str(file))
            except BaseException:
                connection.close()
                raise
        return cls(file, connection, writable=False)

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> FeatureStore:
        """Opens a database for reading and writing, makes it if it is missing, and brings its schema up to date.

        Args:
            path: The file; its folder must exist.

        Raises:
            StoreError: The file cannot be written, is no SQLite database, belongs to something else, or was made by
                a newer version.
        """
        file = Path(path)
        if file.is_dir():
            raise StoreError(f"{file} is a folder; name a database file in it, such as {file / 'awesome.db'}")
        if not file.parent.is_dir():
            raise StoreError(f"{file}: the folder {file.parent} does not exist; make it or name another database")
        if file.exists():
            _check_header(file, may_be_empty=True)
        with _translated(file):
            connection = sqlite3.connect(file, isolation_level=None, timeout=30)
            try:
                connection.execute("PRAGMA page_size = 8192")  # only a new file takes it: rows of 200 bytes pack better
                migrate(connection, str(file))
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = NORMAL")
                connection.execute("PRAGMA cache_size = -32768")
            except BaseException:
                connection.close()
                raise
        return cls(file, connection, writable=True)

    @property
    def path(self) -> Path:
        """The database file."""
        return self._path

    def close(self) -> None:
        """Closes the database; the last connection folds the write-ahead log into the file."""
        self._connection.close()

    def __enter__(self) -> FeatureStore:
        """Returns the store itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Closes the store."""
        self.close()

    # --- writing

    def upsert(
        self, share_id: str, bars: PriceBars, source: str, replace: bool = False, since: dt.date | None = None
    ) -> Upserted:
        """Adds or changes bars of one share, and the windows they belong to, in one transaction.

        Bars that are stored already are left alone; sessions that `bars` does not name stay as they are. Only windows
        whose closes differ are written.

        Args:
            share_id: The share, such as "IBM".
            bars: Its bars.
            source: Where they come from, such as "file".
            replace: Whether a share of another source is deleted first. Two sources are never mixed in one share.
            since: The first day that the source was asked for, kept for `extracted_since`; None leaves it as it is.

        Returns:
            How many sessions were new, changed and unchanged.

        Raises:
            StoreError: The share has another source and `replace` is off, the share has no usable name, the store was
                opened for reading, or the database cannot be written.
        """
        self._check_names(share_id, source)
        with self._transaction():
            if self.conflicting_source(share_id, source) is not None:
                if not replace:
                    raise StoreError(self.conflict_message(share_id, source))
                self._delete(share_id)
            counts = self._write(share_id, bars, source)
            self._remember(share_id, since)
            return counts

    def replace(self, share_id: str, bars: PriceBars, source: str, since: dt.date | None = None) -> None:
        """Puts bars in the place of all that is stored of a share, whatever its source, in one transaction.

        Args:
            share_id: The share.
            bars: Its bars.
            source: Where they come from.
            since: The first day that the source was asked for; None forgets that of before.

        Raises:
            StoreError: As in `upsert`.
        """
        self._check_names(share_id, source)
        with self._transaction():
            self._delete(share_id)
            self._write(share_id, bars, source)
            self._remember(share_id, since)

    def _delete(self, share_id: str) -> None:
        for table in ("PRICE", "FEATURE", "EXTRACTION"):
            self._connection.execute(f"DELETE FROM {table} WHERE share_id = ?", (share_id,))

    def _remember(self, share_id: str, since: dt.date | None) -> None:
        if since is not None and since != self.extracted_since(share_id):
            self._connection.execute(
                "INSERT OR REPLACE INTO EXTRACTION (share_id, since) VALUES (?, ?)", (share_id, since.isoformat())
            )

    def extracted_since(self, share_id: str) -> dt.date | None:
        """Returns the first day that a share's source was asked for; None if the extractor did not bring it."""
        if not self._has("EXTRACTION"):
            return None
        with _translated(self._path):
            row = self._connection.execute("SELECT since FROM EXTRACTION WHERE share_id = ?", (share_id,)).fetchone()
        if row is None:
            return None
        [day] = parse_days([row[0]], f"{self._path}: EXTRACTION, share {share_id}").tolist()
        return cast("dt.date", day)

    def stored_range(self, share_id: str) -> tuple[dt.date, dt.date] | None:
        """Returns the first and the last session that PRICE holds of a share; None if it holds none."""
        if not self._has("PRICE"):
            return None
        with _translated(self._path):
            ends = self._connection.execute(
                "SELECT MIN(time), MAX(time) FROM PRICE WHERE share_id = ?", (share_id,)
            ).fetchone()
        if ends[0] is None:
            return None
        first, last = parse_days(ends, f"{self._path}: PRICE, share {share_id}").tolist()
        return first, last

    def shares_of(self, source: str) -> list[str]:
        """Returns the shares whose prices came from a source, sorted."""
        if not self._has("PRICE"):
            return []
        with _translated(self._path):
            # A step from share to share along the key: a scan of all prices would take seconds.
            rows = self._connection.execute(
                "WITH RECURSIVE share(name) AS (SELECT MIN(share_id) FROM PRICE UNION ALL SELECT (SELECT MIN(share_id) "
                "FROM PRICE WHERE share_id > name) FROM share WHERE name IS NOT NULL) SELECT name FROM share "
                "WHERE (SELECT source FROM PRICE WHERE share_id = name LIMIT 1) = ?",
                (source,),
            ).fetchall()
        return [str(row[0]) for row in rows]

    def source_of(self, share_id: str) -> str | None:
        """Returns where a share's prices came from; None if the database does not say."""
        if not self._has("PRICE"):
            return None
        with _translated(self._path):
            # One row answers for all: upsert never mixes sources in a share.
            row = self._connection.execute(
                "SELECT source FROM PRICE WHERE share_id = ? LIMIT 1", (share_id,)
            ).fetchone()
        return None if row is None else str(row[0])

    def conflicting_source(self, share_id: str, source: str) -> str | None:
        """Returns the source that keeps a share from being extended from `source`; None if nothing does.

        Rows that another tool wrote into FEATURE alone have the source "unknown", which fits no other.
        """
        stored = self.source_of(share_id)
        if stored is None and self._has("FEATURE"):
            with _translated(self._path):
                row = self._connection.execute(
                    "SELECT 1 FROM FEATURE WHERE share_id = ? LIMIT 1", (share_id,)
                ).fetchone()
            stored = None if row is None else "unknown"
        return None if stored == source else stored

    def conflict_message(self, share_id: str, source: str) -> str:
        """Returns the line that tells a user why a share cannot be extended from `source`."""
        stored = self.conflicting_source(share_id, source)
        return (
            f"{self._path}: the prices of {share_id} come from the source {stored!r}, not {source!r}; "
            "two sources are never mixed in one share: replace it (--replace) or leave it out"
        )

    def bars(self, share_id: str) -> PriceBars | None:
        """Returns the stored bars of a share; None if there are none.

        Raises:
            StoreError: The stored bars are not what this program writes.
        """
        return self._bars_from(share_id, "")

    def _bars_around(self, share_id: str, first: str) -> PriceBars | None:
        """Returns the stored bars that share a window with a day or a later one; None if nothing is stored."""
        with _translated(self._path):
            begin = self._connection.execute(
                "SELECT MIN(time) FROM (SELECT time FROM PRICE WHERE share_id = ? AND time < ? "
                f"ORDER BY time DESC LIMIT {WINDOW - 1})",
                (share_id, first),
            ).fetchone()[0]
        return self._bars_from(share_id, begin or "")

    def _bars_from(self, share_id: str, begin: str) -> PriceBars | None:
        with _translated(self._path):
            if not self._has("PRICE"):
                return None
            rows = self._connection.execute(
                "SELECT time, open, high, low, close, volume, factor FROM PRICE WHERE share_id = ? AND time >= ? "
                "ORDER BY time",
                (share_id, begin),
            ).fetchall()
        if not rows:
            return None
        time, *numbers = zip(*rows, strict=True)
        try:
            columns = [np.array(column, dtype=np.float64) for column in numbers]  # None becomes NaN
            opens, high, low, close, volume, factor = columns
            return PriceBars(parse_days(time), close, factor, opens, high, low, volume)
        except ValueError as error:
            raise StoreError(f"{self._path}: PRICE of {share_id} was changed by another tool: {error}") from error

    def _check_names(self, share_id: str, source: str) -> None:
        if not self._writable:
            raise StoreError(f"{self._path} was opened for reading only")
        for what, name in (("share", share_id), ("source", source)):
            if not is_usable_name(name):
                raise StoreError(f"{name!r} cannot be the name of a {what}: it is empty or holds odd characters")

    def _write(self, share_id: str, bars: PriceBars, source: str) -> Upserted:
        # Sessions before the first given one stay as they are, and so do their windows.
        stored = self._bars_around(share_id, str(bars.time[0]))
        merged = bars if stored is None else _merge(stored, bars)
        if stored is None:
            differs = np.ones(len(bars), dtype=bool)
            found = 0
        else:
            at, exists = _locate(stored.time, bars.time)
            differs = ~exists
            differs[exists] = ~_same(bars, np.flatnonzero(exists), stored, at[exists])
            found = int(exists.sum())
        changed = int(differs.sum()) - (len(bars) - found)
        if differs.any():
            self._write_prices(share_id, bars, np.flatnonzero(differs), source)
            self._write_windows(share_id, stored, merged)
        return Upserted(new=len(bars) - found, changed=changed, unchanged=found - changed)

    def _write_prices(self, share_id: str, bars: PriceBars, rows: Integers, source: str) -> None:
        columns: list[Sequence[float | None]] = []
        for name in ("open", "high", "low", "close", "volume", "factor"):
            values = getattr(bars, name)
            if values is None:
                columns.append([None] * len(rows))
            else:
                columns.append([None if value != value else value for value in values[rows].tolist()])
        time = bars.time[rows].astype(str).tolist()
        self._insert("PRICE", PRICE_COLUMNS, list(zip(repeat(share_id), time, *columns, repeat(source))))

    def _write_windows(self, share_id: str, stored: PriceBars | None, merged: PriceBars) -> None:
        """Writes the windows of `merged` that differ from those of `stored`; a session is never taken away."""
        adjusted = merged.adjusted_close
        windows = close_windows(adjusted)
        if len(windows) == 0:
            return
        time = merged.time[WINDOW - 1 :]
        differs = np.ones(len(windows), dtype=bool)
        if stored is not None and len(stored) >= WINDOW:
            before = close_windows(stored.adjusted_close)
            at, exists = _locate(stored.time[WINDOW - 1 :], time)
            differs[exists] = (windows[exists] != before[at[exists]]).any(axis=1)
        rows = np.flatnonzero(differs)
        if len(rows) == 0:
            return
        if rows[-1] - rows[0] + 1 == len(rows):
            # The common case, a contiguous range: every close becomes one Python float, shared by its 21 windows.
            closes = adjusted[rows[0] : rows[-1] + WINDOW].tolist()
            columns = [closes[WINDOW - 1 - lag : len(closes) - lag] for lag in range(WINDOW)]
        else:
            columns = [windows[rows, lag].tolist() for lag in range(WINDOW)]
        days = time[rows].astype(str).tolist()
        self._insert("FEATURE", FEATURE_COLUMNS, list(zip(days, repeat(share_id), *columns)))

    def _insert(self, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
        """Writes rows, as many in a statement as SQLite allows: each statement costs, and lets other threads in."""
        head = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES "
        places = f"({', '.join('?' * len(columns))})"
        many = _MOST_VALUES // len(columns)
        rest = len(rows) - len(rows) % many
        packed = (tuple(chain.from_iterable(rows[at : at + many])) for at in range(0, rest, many))
        self._connection.executemany(head + ", ".join([places] * many), packed)
        self._connection.executemany(head + places, rows[rest:])

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        with _translated(self._path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    # --- reading

    def shares(self) -> list[ShareSummary]:
        """Returns what FEATURE holds of each share, sorted by share_id.

        Raises:
            StoreError: FEATURE holds a date or a share name that is none.
        """
        with _translated(self._path):
            if not self._has("FEATURE"):
                return []
            rows = self._connection.execute(
                "SELECT share_id, COUNT(*), MIN(time), MAX(time) FROM FEATURE GROUP BY share_id ORDER BY share_id"
            ).fetchall()
        summaries = []
        for share_id, count, first, last in rows:
            if share_id is None:
                raise StoreError(f"{self._path}: FEATURE holds {count} rows without a share_id")
            ends = parse_days([first, last], f"{self._path}: FEATURE, share {share_id}").tolist()
            summaries.append(ShareSummary(str(share_id), count, ends[0], ends[1], self.source_of(str(share_id))))
        return summaries

    def sessions(self, shares: Sequence[str] | None = None) -> Days:
        """Returns the sessions of some shares.

        Args:
            shares: The shares; None for all.

        Returns:
            The sorted union of the dates in FEATURE, datetime64[D], shape (n,).

        Raises:
            StoreError: FEATURE holds a time that is no ISO date.
        """
        if not self._has("FEATURE"):
            return np.empty(0, dtype="datetime64[D]")
        with _translated(self._path):
            rows = self._connection.execute(f"SELECT DISTINCT time FROM FEATURE{where_shares(shares)}").fetchall()
        return np.sort(parse_days([row[0] for row in rows], f"{self._path}: FEATURE"))

    def digest(self, shares: Sequence[str] | None = None) -> str:
        """Returns a fingerprint of what FEATURE holds of some shares.

        It depends on the rows alone: not on their order, the layout of the file or its time stamps.

        Args:
            shares: The shares; None for all.

        Returns:
            A SHA-256 in hexadecimal.
        """
        result = hashlib.sha256(",".join(FEATURE_COLUMNS).encode())
        if self._has("FEATURE"):
            with _translated(self._path):
                cursor = self._connection.execute(
                    f"SELECT share_id, time, {', '.join(CLOSE_COLUMNS)} FROM FEATURE{where_shares(shares)} "
                    "ORDER BY share_id, time, close0"
                )
                while rows := cursor.fetchmany(_DIGEST_ROWS):
                    for column in zip(*rows, strict=True):
                        result.update(_bytes_of(column))
        return result.hexdigest()

    def read_features(self, shares: Sequence[str]) -> pa.Table:
        """Reads the windows of some shares, column by column.

        Args:
            shares: The shares.

        Returns:
            Columns time (string, YYYY-MM-DD), share_id (string), close0 ... close20 (float64), sorted by share_id and
            time.

        Raises:
            StoreError: A share is not there; a close is text, empty, zero, negative or infinite; a time is no ISO
                date; or the driver (extra `pipeline`) is not installed.
        """
        if not self._has("FEATURE"):
            raise StoreError(
                f"{self._path}: there is no table FEATURE; import prices with `awesome prices import FILE`"
            )
        with _translated(self._path):
            return read_feature_table(self._connection, self._path, reading_uri(self._path), shares)

    def feature_columns(self) -> tuple[str, ...]:
        """Returns the names of FEATURE's columns in the table's order."""
        with _translated(self._path):
            return columns_of(self._connection, "FEATURE")

    def feature_rows(self) -> Iterator[tuple[tuple[str | None, ...], ...]]:
        """Yields the rows of FEATURE in chunks, in the table's order, each cell as the text that SQLite prints."""
        with _translated(self._path):
            columns = columns_of(self._connection, "FEATURE")
            if not columns:
                return
            # The cast leaves the formatting of numbers to SQLite, which is what the sqlite3 program does too.
            cells = ", ".join(f'CAST("{column}" AS TEXT)' for column in columns)
            cursor = self._connection.execute(f"SELECT {cells} FROM FEATURE")
            while rows := cursor.fetchmany(_DIGEST_ROWS):
                yield tuple(rows)

    def _has(self, table: str) -> bool:
        with _translated(self._path):
            return bool(columns_of(self._connection, table))


def is_usable_name(name: str) -> bool:
    """Tells whether a text can name a share or a source: not empty, no blanks around it, no control characters."""
    return bool(name) and name == name.strip() and not _CONTROL.search(name)


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


def where_shares(shares: Sequence[str] | None) -> str:
    """Returns the SQL condition for some shares, with a leading blank; empty for None."""
    if shares is None:
        return ""
    return f" WHERE share_id IN ({', '.join(quote_text(share) for share in sorted(set(shares)))})"


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


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Turns what SQLite complains of into one line that names the file."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise  # a defect of ours, such as the use of a closed store
    except sqlite3.Error as error:
        raise StoreError(f"{path}: the database cannot be used: {error}") from error


def _locate(stored: Days, wanted: Days) -> tuple[Integers, Booleans]:
    """Finds dates among ascending ones.

    Returns:
        The positions (only meaningful where found) and whether each was found, both of the shape of `wanted`.
    """
    at = np.minimum(np.searchsorted(stored, wanted), len(stored) - 1)
    return at, stored[at] == wanted


def _same(given: PriceBars, rows: Integers, stored: PriceBars, at: Integers) -> Booleans:
    """Tells which of the given rows equal the stored ones; a missing value equals a missing one."""
    same = np.ones(len(rows), dtype=bool)
    for name in ("open", "high", "low", "close", "volume", "factor"):
        values = _column(given, name)[rows]
        before = _column(stored, name)[at]
        same &= (values == before) | (np.isnan(values) & np.isnan(before))
    return same


def _column(bars: PriceBars, name: str) -> Floats:
    values = getattr(bars, name)
    return np.full(len(bars), np.nan) if values is None else np.asarray(values)


def _merge(stored: PriceBars, given: PriceBars) -> PriceBars:
    """Returns the closes and factors of both, those of `given` where both have the session."""
    time = np.concatenate([given.time, stored.time])
    # np.unique returns the first occurrence, which is the given one.
    time, first = np.unique(time, return_index=True)
    close = np.concatenate([given.close, stored.close])[first]
    factor = np.concatenate([given.factor, stored.factor])[first]
    return PriceBars(time, close, factor)


def _bytes_of(column: tuple[object, ...]) -> bytes:
    """Returns a column's values as bytes, numbers as little-endian float64 with a mark, anything else as its text."""
    try:
        # array takes numbers alone; numpy would quietly read the text "5" as one.
        return b"d" + np.asarray(array("d", cast("tuple[float, ...]", column))).astype("<f8").tobytes()
    except TypeError:
        return b"t" + repr(column).encode("utf-8", "surrogatepass")
