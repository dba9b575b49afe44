"""The feature store: one SQLite file with the prices of shares and the windows derived from them."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from components.errors import StoreError
from components.feature_store.arrays import Days, Floats
from components.feature_store.connection import connect_to_read, connect_to_write, reading_uri, translated
from components.feature_store.dates import parse_days
from components.feature_store.decisions import (
    Decision,
    Decisions,
    delete_decisions,
    stored_decisions,
    write_decisions,
)
from components.feature_store.listings import Listings
from components.feature_store.look_back import LookBack, look_back_of, write_look_back
from components.feature_store.rules import is_usable_name
from components.feature_store.schema import BAR_COLUMNS, columns_of, transaction, where_shares
from components.feature_store.series import PriceSeries, bars_of, read_ranges, read_series
from components.feature_store.summaries import ShareSummary, digest_features
from components.feature_store.windows import PriceBars
from components.feature_store.writing import Upserted, write_bars
from models.features import WINDOW

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_ONCE = 8192


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
            StoreError: The file is missing, is no SQLite database, was made by a newer version, or holds neither
                FEATURE with all its columns nor PRICE.
        """
        file = Path(path)
        return FeatureStore(file, connect_to_read(file), writable=False)

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
        return FeatureStore(file, connect_to_write(file), writable=True)

    @property
    def path(self) -> Path:
        """The database file."""
        return self._path

    @property
    def listings(self) -> Listings:
        """On which days the shares have prices, where they are listed, and which belong to the universe when."""
        return Listings(self._connection, self._path, self._writable)

    def close(self) -> None:
        """Closes the database; the last connection folds the write-ahead log into the file."""
        self._connection.close()

    def __enter__(self) -> FeatureStore:
        """Returns the store itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the store."""
        self.close()

    # --- writing

    def upsert(
        self,
        share_id: str,
        bars: PriceBars,
        source: str,
        replace: bool = False,
        since: dt.date | None = None,
        look_back: LookBack | None = None,
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
            look_back: Kept for `look_back`; None leaves it as it is.

        Returns:
            How many sessions were new, changed and unchanged.

        Raises:
            StoreError: The share has another source and `replace` is off, the share has no usable name, the store was
                opened for reading, or the database cannot be written.
        """
        self._check_names(share_id, source)
        with translated(self._path), transaction(self._connection):
            if self.conflicting_source(share_id, source) is not None:
                if not replace:
                    raise StoreError(self.conflict_message(share_id, source))
                self._delete(share_id)
            return self._write(share_id, bars, source, since, look_back)

    def replace(
        self,
        share_id: str,
        bars: PriceBars,
        source: str,
        since: dt.date | None = None,
        look_back: LookBack | None = None,
    ) -> None:
        """Puts bars in the place of all that is stored of a share, whatever its source, in one transaction.

        Arguments and errors are those of `upsert`; None for `since` or `look_back` forgets that of before.
        """
        self._check_names(share_id, source)
        with translated(self._path), transaction(self._connection):
            self._delete(share_id)
            self._write(share_id, bars, source, since, look_back)

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Keeps decisions beside those of before; deleting or replacing a share's prices leaves them.

        Raises:
            StoreError: The store was opened for reading, or the database cannot be written.
        """
        self._check_writable()
        with translated(self._path), transaction(self._connection):
            write_decisions(self._connection, decisions)

    def forget(self, decisions: Iterable[Decision]) -> int:
        """Takes decisions away again and returns how many were there; raises as `decide`."""
        self._check_writable()
        with translated(self._path), transaction(self._connection):
            return delete_decisions(self._connection, decisions)

    def _check_writable(self) -> None:
        if not self._writable:
            raise StoreError(f"{self._path} was opened for reading only")

    def _check_names(self, share_id: str, source: str) -> None:
        self._check_writable()
        for what, name in (("share", share_id), ("source", source)):
            if not is_usable_name(name):
                raise StoreError(f"{name!r} cannot be the name of a {what}: it is empty or holds unusable characters")

    def _delete(self, share_id: str) -> None:
        for table in ("PRICE", "FEATURE", "EXTRACTION", "LOOK_BACK"):
            self._connection.execute(f"DELETE FROM {table} WHERE share_id = ?", (share_id,))

    def _write(
        self, share_id: str, bars: PriceBars, source: str, since: dt.date | None, look_back: LookBack | None
    ) -> Upserted:
        # Sessions before the first given one stay as they are, and so do their windows.
        stored = self._bars_around(share_id, str(bars.time[0]))
        counts = write_bars(self._connection, share_id, stored, bars, source)
        if since is not None and since != self.extracted_since(share_id):
            self._connection.execute(
                "INSERT OR REPLACE INTO EXTRACTION (share_id, since) VALUES (?, ?)", (share_id, since.isoformat())
            )
        if look_back is not None:
            write_look_back(self._connection, share_id, look_back)
        return counts

    # --- what is stored of a share

    def extracted_since(self, share_id: str) -> dt.date | None:
        """Returns the first day that a share's source was asked for; None if the extractor did not bring it."""
        rows = self._select("EXTRACTION", "SELECT since FROM EXTRACTION WHERE share_id = ?", share_id)
        if not rows:
            return None
        [day] = parse_days(rows[0], f"{self._path}: EXTRACTION, share {share_id}").tolist()
        return cast("dt.date", day)

    def look_back(self, share_id: str) -> LookBack:
        """Returns where the extractor has looked back at a share's past."""
        rows = self._select("LOOK_BACK", "SELECT begins, day, level FROM LOOK_BACK WHERE share_id = ?", share_id)
        return look_back_of(rows, f"{self._path}: LOOK_BACK, share {share_id}")

    def stored_range(self, share_id: str) -> tuple[dt.date, dt.date] | None:
        """Returns the first and the last session that PRICE holds of a share; None if it holds none."""
        rows = self._select("PRICE", "SELECT MIN(time), MAX(time) FROM PRICE WHERE share_id = ?", share_id)
        if not rows or rows[0][0] is None:
            return None
        first, last = parse_days(rows[0], f"{self._path}: PRICE, share {share_id}").tolist()
        return first, last

    def decisions(self) -> Decisions:
        """Returns what was decided of the shares, those without prices too; raises as `decision_list`."""
        return Decisions.of(self.decision_list())

    def decision_list(self) -> tuple[Decision, ...]:
        """Returns each decision, sorted by share and day; a StoreError says that another tool changed them."""
        if not self._has("DECISION"):
            return ()
        with translated(self._path):
            return stored_decisions(self._connection, str(self._path))

    def shares_of(self, source: str) -> list[str]:
        """Returns the shares whose prices came from a source, sorted."""
        # A step from share to share along the key: a scan of all prices would take seconds.
        rows = self._select(
            "PRICE",
            "WITH RECURSIVE share(name) AS (SELECT MIN(share_id) FROM PRICE UNION ALL SELECT (SELECT MIN(share_id) "
            "FROM PRICE WHERE share_id > name) FROM share WHERE name IS NOT NULL) SELECT name FROM share "
            "WHERE (SELECT source FROM PRICE WHERE share_id = name LIMIT 1) = ?",
            source,
        )
        return [str(row[0]) for row in rows]

    def source_of(self, share_id: str) -> str | None:
        """Returns where a share's prices came from; None if the database does not say."""
        # One row answers for all: upsert never mixes sources in a share.
        rows = self._select("PRICE", "SELECT source FROM PRICE WHERE share_id = ? LIMIT 1", share_id)
        return str(rows[0][0]) if rows else None

    def conflicting_source(self, share_id: str, source: str) -> str | None:
        """Returns the source that keeps a share from being extended from `source`; None if nothing does.

        Rows that another tool wrote into FEATURE alone have the source "unknown", which fits no other.
        """
        stored = self.source_of(share_id)
        if stored is None and self._select("FEATURE", "SELECT 1 FROM FEATURE WHERE share_id = ? LIMIT 1", share_id):
            stored = "unknown"
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
        [(begin,)] = self._select(
            "PRICE",
            "SELECT MIN(time) FROM (SELECT time FROM PRICE WHERE share_id = ? AND time < ? "
            f"ORDER BY time DESC LIMIT {WINDOW - 1})",
            share_id,
            first,
        )
        return self._bars_from(share_id, begin or "")

    def _bars_from(self, share_id: str, begin: str) -> PriceBars | None:
        rows = self._select(
            "PRICE",
            f"SELECT time, {', '.join(BAR_COLUMNS)} FROM PRICE WHERE share_id = ? AND time >= ? ORDER BY time",
            share_id,
            begin,
        )
        return bars_of(rows, f"{self._path}: PRICE of {share_id}")

    # --- reading

    def shares(self) -> list[ShareSummary]:
        """Returns what FEATURE holds of each share, sorted by share_id.

        Raises:
            StoreError: FEATURE holds a date or a share name that is none.
        """
        ends = "SELECT share_id, COUNT(*), MIN(time), MAX(time) FROM FEATURE GROUP BY share_id ORDER BY share_id"
        rows = self._select("FEATURE", ends)
        summaries = []
        for share_id, count, first, last in rows:
            if share_id is None:
                raise StoreError(f"{self._path}: FEATURE holds {count} rows without a share_id")
            begin, end = parse_days([first, last], f"{self._path}: FEATURE, share {share_id}").tolist()
            summaries.append(ShareSummary(str(share_id), count, begin, end, self.source_of(str(share_id))))
        return summaries

    def sessions(self, shares: Sequence[str] | None = None) -> Days:
        """Returns the sorted union of the dates in FEATURE of some shares, None for all; datetime64[D], shape (n,).

        Raises:
            StoreError: FEATURE holds a time that is no ISO date.
        """
        rows = self._select("FEATURE", f"SELECT DISTINCT time FROM FEATURE{where_shares(shares)}")
        return np.sort(parse_days([row[0] for row in rows], f"{self._path}: FEATURE"))

    def digest(self, shares: Sequence[str] | None = None, until: str = "") -> str:
        """Returns a fingerprint of what FEATURE holds of some shares, None for all: a SHA-256 in hexadecimal.

        It depends on the rows (up to the ISO date `until`) alone: not on their order, the file's layout or time stamps.
        """
        with translated(self._path):
            return digest_features(self._connection, shares, until)

    def read_features(self, shares: Sequence[str], since: str = "") -> pa.Table:
        """Reads the windows of some shares, column by column; from an ISO date on, which each share has to reach.

        Returns:
            Columns time (YYYY-MM-DD), share_id (both strings), close0 ... close20 (float64), by share_id and time.

        Raises:
            StoreError: A share is not there; a close is text, empty, zero, negative or infinite; a time is no ISO
                date; or the driver (extra `pipeline`) is not installed.
        """
        from components.feature_store.reader import read_feature_table  # Arrow takes a while to be imported

        if not self._has("FEATURE"):
            raise StoreError(
                f"{self._path}: there is no table FEATURE; import prices with `awesome prices import FILE`"
            )
        with translated(self._path):
            return read_feature_table(self._connection, self._path, reading_uri(self._path), shares, since)

    def price_series(self, shares: Sequence[str], since: str = "", bars: Sequence[str] = ()) -> Iterator[PriceSeries]:
        """Yields the prices of each share that has any, in the order given, with `bars` beside; from an ISO date on.

        Raises:
            StoreError: Another tool has written what is no price.
        """
        with translated(self._path):
            yield from read_series(self._connection, str(self._path), shares, since, bars)

    def day_ranges(self, share_id: str, since: str = "") -> Floats | None:
        """Returns log(high / low) of sessions, NaN where unknown, None where none is; raises as `price_series`."""
        with translated(self._path):
            return read_ranges(self._connection, str(self._path), share_id, since)

    def feature_columns(self) -> tuple[str, ...]:
        """Returns the names of FEATURE's columns in the table's order."""
        with translated(self._path):
            return columns_of(self._connection, "FEATURE")

    def feature_rows(self) -> Iterator[tuple[tuple[str | None, ...], ...]]:
        """Yields the rows of FEATURE in chunks, in the table's order, each cell as the text that SQLite prints."""
        with translated(self._path):
            columns = columns_of(self._connection, "FEATURE")
            if not columns:
                return
            # The cast leaves the formatting of numbers to SQLite, which is what the sqlite3 program does too.
            cells = ", ".join(f'CAST("{column}" AS TEXT)' for column in columns)
            cursor = self._connection.execute(f"SELECT {cells} FROM FEATURE")
            while rows := cursor.fetchmany(_ROWS_AT_ONCE):
                yield tuple(rows)

    def _has(self, table: str) -> bool:
        with translated(self._path):
            return bool(columns_of(self._connection, table))

    def _select(self, table: str, query: str, *values: str) -> list[tuple[Any, ...]]:
        """Returns the rows that a query finds; none if there is no such table."""
        if not self._has(table):
            return []
        with translated(self._path):
            return self._connection.execute(query, values).fetchall()
