"""The last window of each share, read by itself: a look at today needs none of the others."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.errors import StoreError
from components.feature_store.arrays import Floats
from components.feature_store.dates import is_iso_day
from components.feature_store.rules import impossible
from components.feature_store.schema import CLOSE_COLUMNS, where_shares

_NAMES = """
WITH RECURSIVE share(name) AS (
  SELECT MIN(share_id) FROM {table}
  UNION ALL SELECT (SELECT MIN(share_id) FROM {table} WHERE share_id > name) FROM share WHERE name IS NOT NULL
) SELECT name FROM share WHERE name IS NOT NULL
"""


@dataclass(frozen=True)
class LastWindows:
    """The last windows of some shares.

    Attributes:
        shares: [n].
        time: the session of each, ISO, [n].
        closes: close0, that session's, to close20, float64 [n, 21].
    """

    shares: tuple[str, ...]
    time: tuple[str, ...]
    closes: Floats


def read_share_ids(connection: sqlite3.Connection, table: str = "FEATURE") -> list[str]:
    """The shares of FEATURE, or of PRICE, sorted."""
    keyed = any(
        next(iter(connection.execute(f'PRAGMA index_info("{index[1]}")')), (0, 0, ""))[2] == "share_id"
        for index in connection.execute(f"PRAGMA index_list({table})")
    )
    # A step from share to share along the key; a table of another tool may have none.
    names = _NAMES if keyed else "SELECT DISTINCT share_id FROM {table} WHERE share_id IS NOT NULL"
    rows = connection.execute(names.format(table=table))
    return sorted(str(row[0]) for row in rows)


def read_last_windows(connection: sqlite3.Connection, path: Path, shares: Sequence[str]) -> LastWindows:
    """Reads the last windows of some shares; see `Listings.last_windows`."""
    query = f"SELECT time, {', '.join(CLOSE_COLUMNS)} FROM FEATURE WHERE share_id = ? ORDER BY time DESC LIMIT 1"
    times, closes = [], np.empty((len(shares), len(CLOSE_COLUMNS)))
    for at, share in enumerate(shares):
        row = connection.execute(query, (share,)).fetchone()
        if row is None or not is_iso_day(row[0]) or not all(type(value) in (float, int) for value in row[1:]):
            raise _fault(connection, path, share, row is not None)
        times.append(row[0])
        closes[at] = row[1:]
    wrong = impossible("close", closes).any(axis=1)
    if wrong.any():
        raise _fault(connection, path, shares[int(np.argmax(wrong))], there=True)
    return LastWindows(tuple(shares), tuple(times), closes)


def _fault(connection: sqlite3.Connection, path: Path, share: str, there: bool) -> StoreError:
    """What is wrong with a share, in the words of who reads all of its windows."""
    from components.feature_store.reader import name_fault, no_share

    if not there:
        return no_share(path, [share])
    name_fault(connection, path, where_shares([share]))
    return StoreError(f"{path}: FEATURE, share {share}: its last window holds no prices; import its prices again")
