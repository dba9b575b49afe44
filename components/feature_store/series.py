"""The adjusted closes of shares one after the other: what a look through all prices needs, without their windows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from components.errors import StoreError
from components.feature_store.arrays import Days, Floats
from components.feature_store.dates import is_iso_day, parse_days
from components.feature_store.rules import impossible
from components.feature_store.schema import BAR_COLUMNS, CLOSE_COLUMNS, columns_of
from components.feature_store.windows import PriceBars

_EPOCH = np.datetime64(0, "D")


@dataclass(frozen=True)
class PriceSeries:
    """The prices of a share.

    Attributes:
        share_id: The share.
        time: Sessions, ascending, datetime64[D], shape (n,).
        close: Raw closes, above 0, shape (n,).
        factor: What adjusts them, above 0, shape (n,).
        ranges: Logs of high over low, shape (n,), NaN where unknown; None where nobody asked.
        bars: Raw values of the other columns of a bar that were asked for, by name, shape (n,), NaN where unknown.
    """

    share_id: str
    time: Days
    close: Floats
    factor: Floats
    ranges: Floats | None = None
    bars: Mapping[str, Floats] = field(default_factory=dict)

    def __len__(self) -> int:
        """Returns the number of sessions."""
        return len(self.time)

    @property
    def level(self) -> Floats:
        """Logs of the adjusted closes, shape (n,)."""
        return np.log(self.close) + np.log(self.factor)


def read_series(
    connection: sqlite3.Connection, name: str, shares: Sequence[str], since: str = "", columns: Sequence[str] = ()
) -> Iterator[PriceSeries]:
    """Yields the prices of each share that has any, from PRICE, or from FEATURE where another tool wrote only that.

    Sessions before `since`, an ISO date, are left out. `columns` are others of a bar that are wanted too: of FEATURE
    alone nothing is known of them.

    Raises:
        StoreError: A time is no ISO date, a close or factor no number above 0, or what was asked for beside is what no
            bar can hold.
    """
    priced, derived = (bool(columns_of(connection, table)) for table in ("PRICE", "FEATURE"))
    numbers: dict[object, int] = {}  # shares have most of their days in common

    def days(texts: Sequence[object], share: str) -> Days:
        for text in texts:
            if text not in numbers:
                if not is_iso_day(text):
                    raise StoreError(f"{name}: share {share}: the time {text!r} is not a date such as 2024-01-31")
                numbers[text] = int((np.datetime64(str(text), "D") - _EPOCH).astype(np.int64))
        return np.array([numbers[text] for text in texts], dtype="datetime64[D]")

    for share in shares:
        rows: list[tuple[Any, ...]] = []
        if priced:
            rows = connection.execute(
                f"SELECT {', '.join(('time', 'close', 'factor', *columns))} FROM PRICE "
                "WHERE share_id = ? AND time >= ? ORDER BY time",
                (share, since),
            ).fetchall()
        if not rows and derived:
            rows = connection.execute(
                f"SELECT {', '.join(('time', CLOSE_COLUMNS[0], '1.0', *('NULL' for _ in columns)))} FROM FEATURE "
                "WHERE share_id = ? AND time >= ? ORDER BY time",
                (share, since),
            ).fetchall()
        if rows:
            time, close, factor, *others = zip(*rows, strict=True)
            bars = {column: _known(column, of, name, share) for column, of in zip(columns, others, strict=True)}
            prices = _numbers(close, name, share), _numbers(factor, name, share)
            yield PriceSeries(share, days(time, share), prices[0], prices[1], bars=bars)


def bars_of(rows: list[tuple[Any, ...]], where: str) -> PriceBars | None:
    """What rows of PRICE hold, each a time and the columns of a bar; None if there is no row.

    Raises:
        StoreError: They are not what this program writes; the message begins with `where`.
    """
    if not rows:
        return None
    time, *numbers = zip(*rows, strict=True)
    try:
        columns = (np.array(column, dtype=np.float64) for column in numbers)  # None becomes NaN
        return PriceBars(parse_days(time), **dict(zip(BAR_COLUMNS, columns, strict=True)))
    except ValueError as error:
        raise StoreError(f"{where} was changed by another tool: {error}") from error


def read_ranges(connection: sqlite3.Connection, name: str, share: str, since: str = "") -> Floats | None:
    """Returns the logs of high over low of a share's sessions, NaN where unknown; None where none is known.

    Raises:
        StoreError: A high or a low is no number.
    """
    if not columns_of(connection, "PRICE"):
        return None
    query = "SELECT high, low FROM PRICE WHERE share_id = ? AND time >= ? ORDER BY time"
    rows = connection.execute(query, (share, since)).fetchall()
    known = [high is not None and low is not None for high, low in rows]
    if not any(known):
        return None
    try:
        high, low = np.array(rows, dtype=np.float64).T
    except (TypeError, ValueError):
        raise StoreError(f"{name}: share {share}: a high or low is not a number; import its prices again") from None
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.log(high / low)


def _numbers(column: tuple[object, ...], name: str, share: str) -> Floats:
    try:
        values = np.array(column, dtype=np.float64)
    except (TypeError, ValueError):
        values = np.array([np.nan])
    if impossible("close", values).any():
        raise StoreError(f"{name}: share {share}: a close or factor is not a number above 0; import its prices again")
    return values


def _known(column: str, cells: tuple[object, ...], name: str, share: str) -> Floats:
    try:
        values = np.array(cells, dtype=np.float64)  # None becomes NaN
    except (TypeError, ValueError):
        values = np.array([np.inf])
    if impossible(column, values).any():
        raise StoreError(f"{name}: share {share}: {column} is not what a bar can hold; import its prices again")
    return values
