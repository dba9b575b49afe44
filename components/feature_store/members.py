"""Which shares belong to the universe from when to when, and what the last of a delisted one was worth.

Kept in the database as a person has given it, in the place of all that was there before; it outlives shares' prices.
"""

from __future__ import annotations

import datetime as dt
import math
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from components.errors import StoreError


@dataclass(frozen=True)
class Spell:
    """A stretch of days on which a share belongs to the universe.

    Attributes:
        share_id: The share.
        first: First day.
        last: Last day, which belongs to it; None where it has not ended.
        delisting_return: The simple return of the session after `last`, from -1 on, where the share was delisted and
            `last` is the day of its last price; None where it was not, or where nobody knows it.

    Raises:
        ValueError: The days are in the wrong order, or the return is none or has no last day.
    """

    share_id: str
    first: dt.date
    last: dt.date | None = None
    delisting_return: float | None = None

    def __post_init__(self) -> None:
        """Checks the fields."""
        if self.last is not None and self.last < self.first:
            raise ValueError(f"it would end on {self.last}, before it begins on {self.first}")
        value = self.delisting_return
        if value is not None and not (math.isfinite(value) and value >= -1):
            raise ValueError(f"a delisting return of {value:g} is none: write -0.3 for a loss of 30 %")
        if value is not None and self.last is None:
            raise ValueError("a delisting return needs the last session of the share, and the spell has no end")

    def includes(self, day: dt.date) -> bool:
        """Whether a day is one of it."""
        return self.first <= day and (self.last is None or day <= self.last)


def write_members(connection: sqlite3.Connection, spells: Iterable[Spell]) -> None:
    """Puts spells in the place of all that are there; the connection is in a transaction."""
    connection.execute("DELETE FROM MEMBER")
    connection.executemany(
        "INSERT INTO MEMBER (share_id, first, last, delisting_return) VALUES (?, ?, ?, ?)",
        [
            (one.share_id, one.first.isoformat(), one.last and one.last.isoformat(), one.delisting_return)
            for one in spells
        ],
    )


def stored_members(connection: sqlite3.Connection, name: str) -> tuple[Spell, ...]:
    """Returns the spells of a database, sorted by share and day.

    Raises:
        StoreError: MEMBER holds what this program does not write.
    """
    rows = connection.execute("SELECT share_id, first, last, delisting_return FROM MEMBER ORDER BY share_id, first")
    try:
        return tuple(
            Spell(
                str(share),
                dt.date.fromisoformat(first),
                None if last is None else dt.date.fromisoformat(last),
                None if value is None else float(value),
            )
            for share, first, last, value in rows
        )
    except (TypeError, ValueError) as error:
        raise StoreError(f"{name}: MEMBER was changed by another tool: {error}") from error
