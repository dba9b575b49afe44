"""What FEATURE holds of each share, and its fingerprint; without Arrow."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np

from components.feature_store.arrays import Floats
from components.feature_store.schema import CLOSE_COLUMNS, FEATURE_COLUMNS, columns_of, quote_text, where_shares

_DIGEST_ROWS = 8192


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


def digest_features(connection: sqlite3.Connection, shares: Sequence[str] | None, until: str = "") -> str:
    """Returns a SHA-256 in hexadecimal of the rows of some shares, whatever their order in the file; None for all."""
    condition = where_shares(shares)
    if until:
        condition += f"{' AND' if condition else ' WHERE'} time <= {quote_text(until)}"
    result = _begun()
    if columns_of(connection, "FEATURE"):
        cursor = connection.execute(
            f"SELECT share_id, time, {', '.join(CLOSE_COLUMNS)} FROM FEATURE{condition} ORDER BY share_id, time, close0"
        )
        while rows := cursor.fetchmany(_DIGEST_ROWS):
            for column in zip(*rows, strict=True):
                result.update(_bytes_of(column))
    return result.hexdigest()


Columns: TypeAlias = "tuple[Any, Any, Sequence[Floats]]"
"""Rows as columns: shares and days (ISO) as Arrow arrays of texts, [rows], and the closes of each lag, [rows]."""


def digest_of(parts: Iterable[Columns]) -> str:
    """Returns what `digest_features` gives for the same rows, which come sorted by share and day, some at a time."""
    result = _begun()
    left: list[Columns] = []
    count = 0
    for shares, days, closes in parts:
        left.append((shares.to_pylist(), days.to_pylist(), closes))
        count += len(closes[0])
        while count >= _DIGEST_ROWS:
            left = _update(result, left, _DIGEST_ROWS)
            count -= _DIGEST_ROWS
    if count:
        _update(result, left, count)
    return result.hexdigest()


def _update(result: hashlib._Hash, parts: list[Columns], count: int) -> list[Columns]:
    """Takes the first rows of some parts, and gives those that are left."""
    texts: tuple[list[str], list[str]] = ([], [])
    numbers: list[list[Floats]] = [[] for _ in CLOSE_COLUMNS]
    wanted = count
    for at, (shares, days, closes) in enumerate(parts):
        take = min(wanted, len(shares))
        texts[0].extend(shares[:take])
        texts[1].extend(days[:take])
        for column, values in zip(numbers, closes, strict=True):
            column.append(values[:take])
        wanted -= take
        if not wanted:
            rest = [(shares[take:], days[take:], [values[take:] for values in closes]), *parts[at + 1 :]]
            break
    for column in texts:
        result.update(_bytes_of(tuple(column)))
    for values in numbers:
        result.update(b"d" + np.concatenate(values).astype("<f8").tobytes())
    return rest if len(rest[0][0]) else rest[1:]


def _begun() -> hashlib._Hash:
    return hashlib.sha256(",".join(FEATURE_COLUMNS).encode())


def _bytes_of(column: tuple[object, ...]) -> bytes:
    """Returns a column's values as bytes, numbers as little-endian float64 with a mark, anything else as its text."""
    try:
        # array takes numbers alone; numpy would quietly read the text "5" as one.
        return b"d" + np.asarray(array("d", cast("tuple[float, ...]", column))).astype("<f8").tobytes()
    except TypeError:
        return b"t" + repr(column).encode("utf-8", "surrogatepass")
