"""What a person has decided of prices that look wrong; kept in the database, whatever happens to the share.

accept SHARE:DAY   the return of that day is right, however it looks
accept SHARE       the source gives this share without adjustments, and that is right
exclude SHARE      the share is left out of training, prediction and backtest
"""

from __future__ import annotations

import datetime as dt
import re
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from components.errors import StoreError
from components.feature_store.dates import is_iso_day
from components.feature_store.rules import is_usable_name


class Choice(Enum):
    """What is decided: the values stand in the database and on the command line."""

    ACCEPT = "accept"
    EXCLUDE = "exclude"


@dataclass(frozen=True)
class Decision:
    """One decision.

    Attributes:
        share_id: The share.
        choice: What was decided.
        day: The session whose return is accepted; None for a decision of the whole share.
    """

    share_id: str
    choice: Choice
    day: dt.date | None = None

    def __str__(self) -> str:
        """As it was asked for, such as `accept AAPL:2020-08-31`."""
        return f"{self.choice.value} {self.share_id}" + (f":{self.day}" if self.day else "")


@dataclass(frozen=True)
class Decisions:
    """All decisions of a database.

    Attributes:
        accepted: Shares and the days whose return is right.
        unadjusted: Shares that need no adjustments.
        excluded: Shares that are left out.
    """

    accepted: frozenset[tuple[str, dt.date]] = frozenset()
    unadjusted: frozenset[str] = frozenset()
    excluded: frozenset[str] = frozenset()

    @classmethod
    def of(cls, decisions: Iterable[Decision]) -> Decisions:
        """Sorts decisions by what they are of."""
        accepted, whole = set(), {choice: set[str]() for choice in Choice}
        for one in decisions:
            if one.day is not None:
                accepted.add((one.share_id, one.day))
            else:
                whole[one.choice].add(one.share_id)
        return cls(frozenset(accepted), frozenset(whole[Choice.ACCEPT]), frozenset(whole[Choice.EXCLUDE]))


def read_decisions(accept: Sequence[str] = (), exclude: Sequence[str] = ()) -> tuple[Decision, ...]:
    """Reads decisions as they are written on a command line.

    A share's name may hold colons: only a date behind the last one is a day.

    Args:
        accept: SHARE:DAY, or SHARE.
        exclude: SHARE; a share is left out as a whole.

    Raises:
        StoreError: A text names no share, or a day that is none, or a day of a share that is to be left out.

    >>> [one.day for one in read_decisions(["HK:0700:2020-08-31", "HK:0700"])]
    [datetime.date(2020, 8, 31), None]
    """
    decisions = []
    for text in accept:
        share, colon, day = text.rpartition(":")
        if not colon or not _LIKE_A_DAY.fullmatch(day):
            decisions.append(Decision(_share(text, Choice.ACCEPT), Choice.ACCEPT))
        elif not is_iso_day(day):
            raise StoreError(f"--accept {text}: {day} is no date; write the day as in {share or 'SHARE'}:2020-08-31")
        else:
            decisions.append(Decision(_share(share, Choice.ACCEPT), Choice.ACCEPT, dt.date.fromisoformat(day)))
    for text in exclude:
        share, colon, day = text.rpartition(":")
        if colon and _LIKE_A_DAY.fullmatch(day):
            raise StoreError(
                f"--exclude {text}: a share is left out as a whole; write {share or 'SHARE'} without the day, or "
                f"accept the return of that day: --accept {text}"
            )
        decisions.append(Decision(_share(text, Choice.EXCLUDE), Choice.EXCLUDE))
    return tuple(dict.fromkeys(decisions))


def write_decisions(connection: sqlite3.Connection, decisions: Iterable[Decision]) -> None:
    """Writes decisions beside those that are there; the connection is in a transaction."""
    connection.executemany(
        "INSERT OR IGNORE INTO DECISION (share_id, day, choice) VALUES (?, ?, ?)", map(_row, decisions)
    )


def delete_decisions(connection: sqlite3.Connection, decisions: Iterable[Decision]) -> int:
    """Deletes decisions and returns how many were there; the connection is in a transaction."""
    query = "DELETE FROM DECISION WHERE share_id = ? AND day = ? AND choice = ?"
    return connection.executemany(query, map(_row, decisions)).rowcount


def stored_decisions(connection: sqlite3.Connection, name: str) -> tuple[Decision, ...]:
    """Returns the decisions of a database, sorted by share and day.

    Raises:
        StoreError: DECISION holds what this program does not write.
    """
    rows = connection.execute("SELECT share_id, day, choice FROM DECISION ORDER BY share_id, day, choice")
    try:
        return tuple(
            Decision(str(share), Choice(choice), dt.date.fromisoformat(day) if day else None)
            for share, day, choice in rows
        )
    except (TypeError, ValueError) as error:
        raise StoreError(f"{name}: DECISION was changed by another tool: {error}") from error


def _row(one: Decision) -> tuple[str, str, str]:
    return one.share_id, "" if one.day is None else one.day.isoformat(), one.choice.value


# Two separators, or the eight digits of a day of our times: nobody's share is called so.
_LIKE_A_DAY = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}|(19|20)\d{6}")


def _share(name: str, option: Choice) -> str:
    if not is_usable_name(name):
        day = " or, for one day, SHARE:2020-08-31" if option is Choice.ACCEPT else ""
        raise StoreError(f"--{option.value} {name!r}: names no share; write SHARE{day}")
    return name
