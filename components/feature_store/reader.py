"""FEATURE as an Arrow table, read column by column through the ADBC driver for SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute

from components.errors import StoreError, install_extras
from components.feature_store.dates import is_iso_day
from components.feature_store.rules import impossible
from components.feature_store.schema import CLOSE_COLUMNS, quote_text, where_shares
from models.features import WINDOW

_SCHEMA = pa.schema(
    [("time", pa.string()), ("share_id", pa.string()), *((column, pa.float64()) for column in CLOSE_COLUMNS)]
)


def read_feature_table(
    connection: sqlite3.Connection, path: Path, uri: str, shares: Sequence[str], since: str = ""
) -> pa.Table:
    """Reads the windows of some shares and checks every value; see `FeatureStore.read_features`.

    The driver opens the database by its URI; `connection`, to the same one, finds the row at fault.
    """
    if not shares:
        return _SCHEMA.empty_table()
    condition = where_shares(shares) + (f" AND time >= {quote_text(since)}" if since else "")
    try:
        table = _fetch(uri, condition)
    except _DriverRefused as refusal:
        # The driver takes a column's type from its first rows and fails on a text that comes later.
        name_fault(connection, path, condition)
        raise StoreError(f"{path}: FEATURE cannot be read: {refusal}") from refusal
    closes = [_as_float(table.column(column)) for column in CLOSE_COLUMNS]
    table = table if any(close is None for close in closes) else _assemble(table, closes)
    times = pa.compute.unique(table.column("time")).to_pylist()
    if table.schema != _SCHEMA or not all(is_iso_day(time) for time in times) or not _closes_hold(table):
        name_fault(connection, path, condition)
        raise StoreError(f"{path}: FEATURE holds values that are not prices; import the prices again")
    _check_rows(table, path, shares)
    # A database of another tool may keep numbers as share_id, which do not sort like their texts.
    order = pa.compute.unique(table.column("share_id")).to_pylist()
    return table if order == sorted(order) else table.sort_by([("share_id", "ascending"), ("time", "ascending")])


class _DriverRefused(Exception):
    """The ADBC driver could not read the query's result."""


def _fetch(uri: str, condition: str) -> pa.Table:
    try:
        from adbc_driver_sqlite import dbapi
    except ImportError as error:
        raise StoreError(f"reading features needs the extra `pipeline`: {install_extras('pipeline')}") from error
    query = (
        f"SELECT CAST(time AS TEXT) AS time, CAST(share_id AS TEXT) AS share_id, {', '.join(CLOSE_COLUMNS)} "
        # By the columns, not by the results of the casts, so that the primary key gives the order.
        f"FROM FEATURE{condition} ORDER BY FEATURE.share_id, FEATURE.time"
    )
    # The driver's SQLite is another copy than Python's, and locks of one process do not keep the two apart: if it could
    # write, it would take a log away, on closing, that a store of this process still writes to, and rows would be lost.
    # What it leaves, the store's own connection takes away.
    uri = uri.replace("?mode=rw", "?mode=ro")
    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetch_arrow_table()
    except (dbapi.Error, pa.ArrowInvalid, OSError) as error:  # the latter when the stream breaks off
        raise _DriverRefused(str(error)) from error


def _as_float(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Returns a column of numbers as float64; None if it holds anything else."""
    if pa.types.is_float64(column.type):
        return column
    return column.cast(pa.float64()) if pa.types.is_integer(column.type) else None


def _assemble(table: pa.Table, closes: list[pa.ChunkedArray]) -> pa.Table:
    if table.num_rows == 0:
        return _SCHEMA.empty_table()
    return pa.table([table.column("time"), table.column("share_id"), *closes], names=_SCHEMA.names)


def _closes_hold(table: pa.Table) -> bool:
    for column in CLOSE_COLUMNS:
        values = table.column(column)
        if values.null_count or any(impossible("close", chunk.to_numpy()).any() for chunk in values.chunks):
            return False
    return True


def name_fault(connection: sqlite3.Connection, path: Path, condition: str) -> None:
    """Raises the StoreError that names the first row at fault; returns if it finds none."""
    wrong = " OR ".join(
        f"typeof({column}) NOT IN ('real', 'integer') OR {column} <= 0 OR {column} > 1.7976931348623157e308"
        for column in CLOSE_COLUMNS
    )
    cells = ", ".join(CLOSE_COLUMNS)
    query = f"SELECT CAST(share_id AS TEXT), time, {cells} FROM FEATURE{condition} AND ({wrong}) LIMIT 1"
    row = connection.execute(query).fetchone()
    if row is not None:
        for column, value in zip(CLOSE_COLUMNS, row[2:], strict=True):
            number = isinstance(value, (int, float))
            if not number or not 0 < value < np.inf:
                what = "is empty" if value is None else f"is {value!r}, not a price above 0"
                raise StoreError(
                    f"{path}: FEATURE, share {row[0]}, {row[1]}: {column} {what}; import the share's prices again"
                )
    for share_id, time in connection.execute(f"SELECT share_id, time FROM FEATURE{condition}"):
        if not is_iso_day(time):
            raise StoreError(f"{path}: FEATURE, share {share_id}: the time {time!r} is not a date such as 2024-01-31")


def no_share(path: Path, missing: Sequence[str]) -> StoreError:
    """The error of shares that FEATURE does not hold."""
    return StoreError(
        f"{path}: FEATURE has no share {', '.join(missing)}; a share needs {WINDOW} sessions, "
        "import prices with `awesome prices import FILE`"
    )


def _check_rows(table: pa.Table, path: Path, shares: Sequence[str]) -> None:
    share_ids = table.column("share_id").combine_chunks().dictionary_encode()
    if isinstance(share_ids, pa.ChunkedArray):  # pyarrow keeps it chunked when it is empty or too large
        share_ids = share_ids.combine_chunks()
    found = set(share_ids.dictionary.to_pylist()) if table.num_rows else set()
    missing = [share for share in shares if share not in found]
    if missing:
        raise no_share(path, missing)
    code = share_ids.indices.to_numpy()
    days = table.column("time").to_numpy()
    twice = np.flatnonzero((code[1:] == code[:-1]) & (days[1:] == days[:-1]))
    if len(twice):
        row = int(twice[0])
        share_id = table["share_id"][row].as_py()
        raise StoreError(f"{path}: FEATURE, share {share_id}: {days[row]} is there twice; remove one of the rows")
