"""Where a synthetic share is listed, and when that exchange trades."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np

from components.errors import UserError
from components.extractor.calendar import ExchangeCalendar
from components.extractor.sources.yahoo import EXCHANGES, INDICES
from components.feature_store.arrays import Days


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


def is_index(share: str) -> bool:
    """Whether a name is that of an index, which has no events."""
    return share in INDICES or re.fullmatch(r"(sh000|sz399)\d{3}", share) is not None


def sessions(exchange: str, first: dt.date, last: dt.date) -> Days:
    """The sessions of an exchange, datetime64[D], ascending; weekdays where its calendar does not reach.

    Raises:
        ReplayError: the exchange is not known, or there is no session.
    """
    _calendar(exchange)
    calendar = ExchangeCalendar.of(exchange, dt.datetime(last.year, 1, 1, tzinfo=dt.UTC))
    before = np.arange(first, max(first, min(calendar.begin, last + dt.timedelta(days=1))), dtype="datetime64[D]")
    known = calendar.sessions(max(first, calendar.begin), last)
    days = np.concatenate([before[np.is_busday(before)], known])
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
