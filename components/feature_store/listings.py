"""What the database knows of its shares, such as days, exchanges and membership, without reading all their prices."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from components.errors import StoreError
from components.feature_store.arrays import Days
from components.feature_store.connection import translated
from components.feature_store.dates import parse_days
from components.feature_store.last_windows import LastWindows, read_last_windows, read_share_ids
from components.feature_store.members import Spell, stored_members, write_members
from components.feature_store.schema import columns_of, transaction, where_shares

_SHARES_AT_ONCE = 500


class Listings:
    """The names, days, exchanges, membership and last windows of shares; `FeatureStore.listings` makes it."""

    def __init__(self, connection: sqlite3.Connection, path: Path, writable: bool) -> None:
        """Wraps an open connection."""
        self._connection = connection
        self._path = path
        self._writable = writable

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """Lets all that is read within be the database at one moment, whoever writes meanwhile; nothing is written."""
        with translated(self._path):
            self._connection.execute("BEGIN")
        try:
            yield
        finally:
            if self._connection.in_transaction:  # SQLite has rolled back itself where the disk fails
                self._connection.execute("ROLLBACK")

    def days(self, shares: Sequence[str]) -> Iterator[tuple[str, Days]]:
        """Yields shares with the days of their prices, ascending; datetime64[D], shape (n,).

        Of shares that PRICE does not hold (another tool wrote FEATURE alone), these are the days of their windows.

        Raises:
            StoreError: A time is no ISO date.
        """
        with translated(self._path):
            yield from _read_days(self._connection, str(self._path), shares)

    def ends(self, shares: Sequence[str], first: int, last: int) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yields shares with the texts of their first and last days, both ascending, as `days` has them.

        Args:
            shares: The shares.
            first: How many of the first days.
            last: How many of the last.
        """
        with translated(self._path):
            tables = [table for table in ("PRICE", "FEATURE") if columns_of(self._connection, table)]
            for share in shares:
                found: list[list[str]] = [[], []]
                for table in tables:
                    query = f"SELECT time FROM {table} WHERE share_id = ? ORDER BY time"
                    found = [
                        [row[0] for row in self._connection.execute(f"{query}{order} LIMIT ?", (share, count))]
                        for order, count in (("", first), (" DESC", last))
                    ]
                    if found[1]:
                        break
                yield share, found[0], found[1][::-1]

    def share_ids(self) -> list[str]:
        """Returns the shares of FEATURE, sorted, without a look at each of their windows."""
        with translated(self._path):
            return read_share_ids(self._connection) if columns_of(self._connection, "FEATURE") else []

    def priced(self) -> list[str]:
        """Returns the shares of PRICE, sorted, those that have no window yet too."""
        with translated(self._path):
            return read_share_ids(self._connection, "PRICE") if columns_of(self._connection, "PRICE") else []

    def last_windows(self, shares: Sequence[str]) -> LastWindows:
        """Reads the last window of each of some shares, in their order.

        Raises:
            StoreError: A share is not there, or its last window holds what is no price or no date.
        """
        with translated(self._path):
            return read_last_windows(self._connection, self._path, shares)

    def exchanges(self) -> dict[str, str]:
        """Returns the exchange of each share of which `put` was told."""
        with translated(self._path):
            if not columns_of(self._connection, "LISTING"):
                return {}
            rows = self._connection.execute("SELECT share_id, exchange FROM LISTING")
            return {str(share): str(exchange) for share, exchange in rows}

    def put(self, shares: Sequence[str], exchange: str) -> None:
        """Keeps the exchange of shares, as exchange_calendars names it; deleting their prices leaves it.

        Raises:
            StoreError: The store was opened for reading, or the database cannot be written.
        """
        with self._writing():
            self._connection.executemany(
                "INSERT OR REPLACE INTO LISTING (share_id, exchange) VALUES (?, ?)",
                [(share, exchange) for share in shares],
            )

    def members(self) -> tuple[Spell, ...]:
        """Returns the spells of the universe, sorted by share and day; none where all shares belong to it always.

        Raises:
            StoreError: Another tool changed them.
        """
        with translated(self._path):
            if not columns_of(self._connection, "MEMBER"):
                return ()
            return stored_members(self._connection, str(self._path))

    def put_members(self, spells: Sequence[Spell]) -> None:
        """Puts spells in the place of all that are there; raises as `put`."""
        with self._writing():
            write_members(self._connection, spells)

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        if not self._writable:
            raise StoreError(f"{self._path} was opened for reading only")
        with translated(self._path), transaction(self._connection):
            yield


def _read_days(connection: sqlite3.Connection, name: str, shares: Sequence[str]) -> Iterator[tuple[str, Days]]:
    left = sorted(set(shares))
    for table in ("PRICE", "FEATURE"):
        found = set()
        for begin in range(0, len(left) if columns_of(connection, table) else 0, _SHARES_AT_ONCE):
            # One text a share: a Python object for each of millions of days would cost more than all the rest.
            rows = connection.execute(
                f"SELECT CAST(share_id AS TEXT), group_concat(time) FROM {table}"
                f"{where_shares(left[begin : begin + _SHARES_AT_ONCE])} GROUP BY share_id"
            )
            for share, text in rows:
                found.add(share)
                yield share, _days(text or "", f"{name}: {table}, share {share}")
        left = [share for share in left if share not in found]


def _days(text: str, where: str) -> Days:
    parts = text.split(",")
    try:
        days = np.array(parts, dtype="datetime64[D]")
    except ValueError:
        days = np.empty(0, dtype="datetime64[D]")
    # NumPy reads 2024-01 and NaT as well: texts of ten signs are neither.
    whole = text[10::11] == "," * (len(parts) - 1) and len(text) == 11 * len(parts) - 1
    if len(days) != len(parts) or not whole:
        days = parse_days(parts, where)  # which names the text that is none
    return days if (days[1:] > days[:-1]).all() else np.unique(days)
