"""What FEATURE holds of each share, and its fingerprint; without Arrow."""

from __future__ import annotations

import datetime as dt
import hashlib
import sqlite3
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np

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
    result = hashlib.sha256(",".join(FEATURE_COLUMNS).encode())
    if columns_of(connection, "FEATURE"):
        cursor = connection.execute(
            f"SELECT share_id, time, {', '.join(CLOSE_COLUMNS)} FROM FEATURE{condition} ORDER BY share_id, time, close0"
        )
        while rows := cursor.fetchmany(_DIGEST_ROWS):
            for column in zip(*rows, strict=True):
                result.update(_bytes_of(column))
    return result.hexdigest()


def _bytes_of(column: tuple[object, ...]) -> bytes:
    """Returns a column's values as bytes, numbers as little-endian float64 with a mark, anything else as its text."""
    try:
        # array takes numbers alone; numpy would quietly read the text "5" as one.
        return b"d" + np.asarray(array("d", cast("tuple[float, ...]", column))).astype("<f8").tobytes()
    except TypeError:
        return b"t" + repr(column).encode("utf-8", "surrogatepass")
