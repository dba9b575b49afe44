"""Where a synthetic share is listed, and when that exchange trades."""

from __future__ import annotations

import datetime as dt
import functools
import re
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np

from components.errors import UserError
from components.extractor.sources.yahoo import EXCHANGES, INDICES
from components.feature_store.arrays import Days

_A_DAY = np.timedelta64(1, "D")


class ReplayError(UserError):
    """A market, a fault or a fixture that the replay server cannot show."""


def exchange_of(share: str) -> str:
    """The exchange of a share, by its name: sh600519, hk00700, AAPL, 0700.HK.

    Raises:
        ReplayError: no source writes a name like this.
    """
    if re.fullmatch(r"(sh|sz)\d{6}", share):
        return "XSHG"
    if re.fullmatch(r"hk\d{5}", share):
        return "XHKG"
    if share in INDICES:
        return INDICES[share]
    if re.fullmatch(r"[A-Z0-9^][A-Z0-9.&-]*", share):
        _, dot, suffix = share.rpartition(".")
        return EXCHANGES.get(dot + suffix, "XNYS") if dot else "XNYS"
    raise ReplayError(f"{share!r} is not a share's name: write it like sh600519, hk00700, AAPL or 0700.HK")


def sessions(exchange: str, first: dt.date, last: dt.date) -> Days:
    """The sessions of an exchange, datetime64[D], ascending; weekdays where its calendar does not reach.

    Raises:
        ReplayError: the exchange is not known, or there is no session.
    """
    days = _sessions(exchange, first, last)
    if len(days) == 0:
        raise ReplayError(f"{exchange} has no session from {first} to {last}: choose a longer range")
    return days


def opening(exchange: str) -> tuple[ZoneInfo, dt.time]:
    """Where an exchange is, and when it opens there."""
    calendar = _calendar(exchange)
    return ZoneInfo(str(calendar.tz)), calendar.open_times[-1][1]


def _calendar(exchange: str) -> Any:
    try:
        return exchange_calendars.get_calendar(exchange)
    except exchange_calendars.errors.InvalidCalendarName:
        raise ReplayError(f"there is no exchange {exchange!r}: choose XSHG, XHKG or XNYS") from None


@functools.lru_cache(maxsize=64)
def _sessions(exchange: str, first: dt.date, last: dt.date) -> Days:
    calendar = _calendar(exchange)
    start, end = np.datetime64(first, "D"), np.datetime64(last, "D")
    known_from, known_to = _bounds(calendar, start, end)
    parts = [_weekdays(start, min(known_from - _A_DAY, end)), _weekdays(max(known_to + _A_DAY, start), end)]
    low, high = max(start, known_from), min(end, known_to)
    inner = parts[0][:0]
    if low <= high:
        if low < _day(calendar.first_session) or high > _day(calendar.last_session):
            calendar = exchange_calendars.get_calendar(exchange, start=str(low), end=str(high))
        days = calendar.sessions.to_numpy().astype("datetime64[D]")
        inner = days[(days >= low) & (days <= high)]
    days = np.concatenate([parts[0], inner, parts[1]])
    days.setflags(write=False)
    return days


def _bounds(calendar: Any, start: np.datetime64, end: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
    """The days between which a calendar knows the sessions; it has no opinion where it gives no bound."""
    least, most = calendar.bound_min(), calendar.bound_max()
    return (start if least is None else _day(least)), (end if most is None else _day(most))


def _day(timestamp: Any) -> np.datetime64:
    return np.datetime64(timestamp.date(), "D")


def _weekdays(first: np.datetime64, last: np.datetime64) -> Days:
    days = np.arange(first, last + _A_DAY) if first <= last else np.empty(0, "datetime64[D]")
    return days[np.is_busday(days)]
