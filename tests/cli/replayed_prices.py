"""What a replay server sells to `awesome extract` in these tests, and what a database must hold of it.

The commands look at the clock, so the market reaches up to today, and what is expected is counted from its sessions.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import sqlite3
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from components.extractor.replay import Listing, make_listing, sessions
from components.trials.record import SUFFIX

Awesome = Callable[..., Any]
SHARES = ("sh600000", "sh600519", "sz000001", "sz000002", "sz000333", "sh601318", "sh600036", "sz300750")
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYS = 500
TABLES = ("PRICE", "FEATURE", "EXTRACTION")


@functools.cache
def today() -> dt.date:
    return dt.datetime.now(SHANGHAI).date()


def first() -> dt.date:
    return today() - dt.timedelta(days=DAYS)


@functools.cache
def days() -> list[dt.date]:
    """The sessions of the market, the last of which may still be open."""
    return sessions("XSHG", first(), today()).tolist()


def until() -> dt.date:
    """A session long closed."""
    return days()[-16]


def last_closed() -> dt.date:
    now = dt.datetime.now(SHANGHAI)
    # Shanghai closes at 15:00, and a bar is final half an hour later.
    closes = [dt.datetime.combine(day, dt.time(15, 30), SHANGHAI) for day in days()]
    return [day for day, close in zip(days(), closes, strict=True) if close <= now][-1]


def listing(share: str, **events: Any) -> Listing:
    return make_listing(share, "XSHG", first(), today(), **events)


class Gate:
    """Holds answers back, so that a process is known to be at work when something happens to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hold_after(0)
        self.open()

    def hold_after(self, answers: int) -> None:
        """Lets so many answers pass; the others wait for `open`."""
        self._left, self._opened = answers, threading.Event()

    def open(self) -> None:
        self._left = sys.maxsize
        self._opened.set()

    def __call__(self, line: str) -> None:
        """What a replay server calls before it answers."""
        with self._lock:
            self._left -= 1
            held = self._left < 0
        if held:
            self._opened.wait()


def command(*shares: str, db: str | None = None, last: dt.date | None = None) -> tuple[str, ...]:
    """The arguments of an extraction of some shares; all of them if none is named."""
    arguments = ["extract", "--source", "tencent", "--shares", ",".join(shares or SHARES), "--since", str(first())]
    return (*arguments, *(("--db", db) if db else ()), *(("--until", str(last)) if last else ()))


def rows(db: str | Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


def contents(db: str | Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(db, f"SELECT * FROM {name} ORDER BY share_id, 2") for name in TABLES}


def stored_days(db: str | Path = "awesome.db") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for share, day in rows(db, "SELECT share_id, time FROM PRICE ORDER BY 1, 2"):
        found.setdefault(share, []).append(day)
    return found


def all_days(last: dt.date) -> list[str]:
    return [str(day) for day in days() if day <= last]


def table(text: str) -> list[list[str]]:
    """The cells of the printed table, row by row, without its head."""
    lines = text.splitlines()
    [head] = [at for at, line in enumerate(lines) if line.startswith("share ")]
    body = [re.split(r"  +", line.strip()) for line in lines[head + 1 :]]
    return [row for row in body if row[0] in SHARES]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def files() -> list[str]:
    """Names of all files but the record of tries, which every database has from its beginning on."""
    return sorted(path.name for path in Path().iterdir() if not path.name.endswith(SUFFIX))
