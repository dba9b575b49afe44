"""Writes bars of one share into PRICE, and the windows that they change into FEATURE."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, repeat

import numpy as np

from components.feature_store.arrays import Booleans, Days, Integers
from components.feature_store.schema import BAR_COLUMNS, FEATURE_COLUMNS, PRICE_COLUMNS
from components.feature_store.windows import PriceBars, close_windows
from models.features import WINDOW

_MOST_VALUES = 999  # that SQLite before 3.32 binds in one statement


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


def write_bars(
    connection: sqlite3.Connection, share_id: str, stored: PriceBars | None, bars: PriceBars, source: str
) -> Upserted:
    """Writes the bars and the windows that differ from what is stored; a session is never taken away.

    `stored` are the share's bars that share a window with the first of `bars` or come later; the connection is in a
    transaction.
    """
    if stored is None:
        differs, found = np.ones(len(bars), dtype=bool), 0
    else:
        at, exists = _locate(stored.time, bars.time)
        differs, found = ~exists, int(exists.sum())
        differs[exists] = ~_same(bars, np.flatnonzero(exists), stored, at[exists])
    changed = int(differs.sum()) - (len(bars) - found)
    if differs.any():
        _write_prices(connection, share_id, bars, np.flatnonzero(differs), source)
        _write_windows(connection, share_id, stored, bars if stored is None else _merge(stored, bars))
    return Upserted(new=len(bars) - found, changed=changed, unchanged=found - changed)


def _write_prices(connection: sqlite3.Connection, share_id: str, bars: PriceBars, rows: Integers, source: str) -> None:
    columns: list[Sequence[float | None]] = []
    for name in BAR_COLUMNS:
        values = getattr(bars, name)
        if values is None:
            columns.append([None] * len(rows))
        else:
            columns.append([None if value != value else value for value in values[rows].tolist()])
    time = bars.time[rows].astype(str).tolist()
    _insert(connection, "PRICE", PRICE_COLUMNS, list(zip(repeat(share_id), time, *columns, repeat(source))))


def _write_windows(connection: sqlite3.Connection, share_id: str, stored: PriceBars | None, merged: PriceBars) -> None:
    adjusted = merged.adjusted_close
    windows = close_windows(adjusted)
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
    _insert(connection, "FEATURE", FEATURE_COLUMNS, list(zip(days, repeat(share_id), *columns)))


def _insert(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]
) -> None:
    """Writes rows, as many in a statement as SQLite allows: each statement costs, and lets other threads in."""
    head = f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES "
    places = f"({', '.join('?' * len(columns))})"
    many = _MOST_VALUES // len(columns)
    rest = len(rows) - len(rows) % many
    packed = (tuple(chain.from_iterable(rows[at : at + many])) for at in range(0, rest, many))
    connection.executemany(head + ", ".join([places] * many), packed)
    connection.executemany(head + places, rows[rest:])


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
    for name in BAR_COLUMNS:
        values = given.column(name)[rows]
        before = stored.column(name)[at]
        same &= (values == before) | (np.isnan(values) & np.isnan(before))
    return same


def _merge(stored: PriceBars, given: PriceBars) -> PriceBars:
    """Returns the closes and factors of both, those of `given` where both have the session."""
    time = np.concatenate([given.time, stored.time])
    # np.unique returns the first occurrence, which is the given one.
    time, first = np.unique(time, return_index=True)
    close = np.concatenate([given.close, stored.close])[first]
    factor = np.concatenate([given.factor, stored.factor])[first]
    return PriceBars(time, close, factor)
