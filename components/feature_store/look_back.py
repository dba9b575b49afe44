"""Where an extraction has looked back at a share's past, so that the next one looks at the next place."""

from __future__ import annotations

import datetime as dt
import sqlite3
from dataclasses import dataclass

from components.feature_store.dates import parse_days


@dataclass(frozen=True)
class LookBack:
    """Where a share's source was asked about the past.

    Attributes:
        begins: The first day that was asked for, once the source has said a second time that it has nothing from there
            to the first stored session; None before.
        day: First day of the window that was looked at last, so that the next one ends there; None if none was.
        level: What the source gave as the adjusted close of the last stored session, where it adjusts by adding; None
            elsewhere. No factor is told from it, but an event of the past that is another one now moves it.
    """

    begins: dt.date | None = None
    day: dt.date | None = None
    level: float | None = None


def look_back_of(rows: list[tuple[str, str, float | None]], where: str) -> LookBack:
    """What the row of a share says, or no row.

    Raises:
        StoreError: A text is no date; the message begins with `where`.
    """
    if not rows:
        return LookBack()
    begins, day, level = rows[0]
    dates = [parse_days([text], where)[0].item() if text else None for text in (begins, day)]
    return LookBack(dates[0], dates[1], level)


def write_look_back(connection: sqlite3.Connection, share_id: str, look_back: LookBack) -> None:
    """Puts it in the place of what was there of the share; the connection is in a transaction."""
    if look_back == LookBack():
        connection.execute("DELETE FROM LOOK_BACK WHERE share_id = ?", (share_id,))
        return
    days = ("" if day is None else day.isoformat() for day in (look_back.begins, look_back.day))
    connection.execute(
        "INSERT OR REPLACE INTO LOOK_BACK (share_id, begins, day, level) VALUES (?, ?, ?, ?)",
        (share_id, *days, look_back.level),
    )
