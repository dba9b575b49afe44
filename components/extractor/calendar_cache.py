"""The sessions of an exchange, kept in the user's cache folder: exchange_calendars takes seconds to make them.

    ~/.cache/awesome/calendars/XSHG-2027.npz     or under $XDG_CACHE_HOME

A file counts only where it says that it was made of what would make it anew: the same versions of exchange_calendars
and pandas, the same range of days, the same rules of the time zone. Any other, and one that is damaged, is passed over
and replaced. Where nothing can be written nothing is kept, and nothing else is lost.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import io
import json
import os
import zoneinfo
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from components.feature_store.arrays import Days
from components.whole_files import whole_file

_FORMAT = 1
"""Of the files; another one wherever `calendar.py` makes something else of the same calendar."""

_MADE_BY = ("exchange-calendars", "pandas")
_ARRAYS = {"sessions": "<M8[D]", "opens": "<M8[s]", "closes": "<M8[s]"}
_LONGEST_SESSION = np.timedelta64(3, "D")
"""Between the day of a session and its open or close, in either direction."""


@dataclass(frozen=True, eq=False)
class Timetable:
    """The sessions of one exchange as exchange_calendars has them, n of them.

    Attributes:
        begin: the first day for which its holidays are known, or that was asked for.
        end: the last one.
        sessions: ascending, datetime64[D], [n].
        opens: when they open, UTC, datetime64[s], [n].
        closes: when they close, likewise.
        zone: the exchange's time zone, such as Asia/Shanghai.
        usual_open: the hour of most sessions, in the zone.
        open_offset: days from a session to the one on which it opens.
        usual_close: like `usual_open`.
    """

    begin: dt.date
    end: dt.date
    sessions: Days
    opens: Days
    closes: Days
    zone: str
    usual_open: dt.time
    open_offset: int
    usual_close: dt.time


def read_kept(code: str, first: str, last: str) -> Timetable | None:
    """Reads what was kept of an exchange; None where nothing is that would be made of the same things today.

    Args:
        code: of the exchange, as exchange_calendars names it.
        first: the first day that is asked for, ISO.
        last: the last one.
    """
    try:
        with np.load(io.BytesIO(_file(code, last).read_bytes()), allow_pickle=False) as held:
            about = json.loads(str(held["about"]))
            arrays = {name: held[name] for name in _ARRAYS}
        zone = about["zone"]
        if about["made_of"] != _made_of(code, first, last, zone):
            return None
        found = Timetable(
            begin=dt.date.fromisoformat(about["begin"]),
            end=dt.date.fromisoformat(about["end"]),
            zone=zone,
            usual_open=dt.time.fromisoformat(about["usual_open"]),
            open_offset=int(about["open_offset"]),
            usual_close=dt.time.fromisoformat(about["usual_close"]),
            **arrays,
        )
    except Exception:  # what is damaged fails in many ways: those of zip, of NumPy, of JSON, of what it says
        return None
    return found if _is_possible(found) else None


def keep(code: str, first: str, last: str, found: Timetable) -> None:
    """Keeps a timetable for later processes, where that can be written.

    Args:
        code: as in `read_kept`.
        first: as in `read_kept`.
        last: as in `read_kept`.
        found: what exchange_calendars says.
    """
    try:
        made_of = _made_of(code, first, last, found.zone)
    except metadata.PackageNotFoundError:  # it can be imported, and does not say of which version it is
        return
    about = {
        "made_of": made_of,
        "begin": found.begin.isoformat(),
        "end": found.end.isoformat(),
        "zone": found.zone,
        "usual_open": found.usual_open.isoformat(),
        "open_offset": found.open_offset,
        "usual_close": found.usual_close.isoformat(),
    }
    arrays: dict[str, Any] = {name: getattr(found, name).astype(kind) for name, kind in _ARRAYS.items()}
    with contextlib.suppress(OSError, ValueError):
        path = _file(code, last)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with whole_file(path) as partial:
            np.savez(partial, about=np.array(json.dumps(about)), **arrays)


def _file(code: str, last: str) -> Path:
    """The file of an exchange and a year, whatever signs its name has.

    Raises:
        OSError: the user has no folder.
    """
    folder = os.environ.get("XDG_CACHE_HOME", "")
    try:
        base = Path(folder) if os.path.isabs(folder) else Path.home() / ".cache"
    except RuntimeError as error:
        raise OSError(str(error)) from None
    return base / "awesome" / "calendars" / f"{quote(code, safe='')}-{last[:4]}.npz"


def _made_of(code: str, first: str, last: str, zone: str) -> dict[str, Any]:
    """All that decides what a timetable says.

    Raises:
        PackageNotFoundError: exchange_calendars is not installed.
    """
    versions = {name: _version(name) for name in _MADE_BY}
    return {"format": _FORMAT, "code": code, "days": [first, last], "zone": _rules_of(zone)} | versions


@cache
def _version(package: str) -> str:
    return metadata.version(package)


@cache
def _rules_of(zone: str) -> str:
    """A digest of a time zone's rules, which the system changes without any package of ours: opens are kept in UTC."""
    for folder in zoneinfo.TZPATH:
        with contextlib.suppress(OSError, ValueError):
            return hashlib.sha256(Path(folder, zone).read_bytes()).hexdigest()
    with contextlib.suppress(metadata.PackageNotFoundError):
        return f"tzdata {metadata.version('tzdata')}"  # which the standard library takes where the system has none
    return "none"


def _is_possible(found: Timetable) -> bool:
    """Whether a timetable is one: what its file says of itself is no proof that nobody wrote another into it."""
    sessions, opens, closes = found.sessions, found.opens, found.closes
    kinds = [(array.dtype, array.shape) for array in (sessions, opens, closes)]
    if kinds != [(np.dtype(kind), (len(sessions),)) for kind in _ARRAYS.values()] or not len(sessions):
        return False
    near = all((np.abs(moments - sessions) <= _LONGEST_SESSION).all() for moments in (opens, closes))
    inside = np.datetime64(found.begin) <= sessions[0] and sessions[-1] <= np.datetime64(found.end)
    ascending = all((array[1:] > array[:-1]).all() for array in (sessions, opens, closes))
    return bool(near and inside and ascending and (opens < closes).all())
