"""The sessions of an exchange: which are closed by now, and which a share should have.

Sessions come from exchange_calendars. Some of its calendars end, as an exchange announces its holidays year by year;
past that end every weekday counts as a session, and the run says so.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from components.feature_store.arrays import Days


@dataclass(frozen=True)
class ExchangeCalendar:
    """The sessions of one exchange.

    Attributes:
        code: as exchange_calendars names the exchange, such as XSHG.
        begin: the first day for which its holidays are known, or 1980.
        end: the last day for which its holidays are known.
    """

    code: str
    begin: dt.date
    end: dt.date
    _sessions: Days = field(repr=False)
    _closes: Days = field(repr=False)  # UTC, datetime64[s]
    _zone: str = field(repr=False)
    _usual_close: dt.time = field(repr=False)

    @classmethod
    def of(cls, code: str, now: dt.datetime) -> ExchangeCalendar:
        """The calendar of an exchange, up to a year past `now`, which has a zone."""
        return _load(code, now.year)

    def sessions(self, first: dt.date, last: dt.date) -> Days:
        """The sessions from `first` to `last`, both included; datetime64[D], ascending."""
        known, _ = self.closes(first, last)
        if last <= self.end:
            return known
        begin = max(first, self.end + dt.timedelta(days=1))
        later = np.arange(begin, last + dt.timedelta(days=1), dtype="datetime64[D]")
        return np.concatenate([known, later[np.is_busday(later)]])

    def closes(self, first: dt.date, last: dt.date) -> tuple[Days, Days]:
        """The sessions from `first` to `last` whose closes are known, and these in UTC; datetime64[D] and [s]."""
        inside = (self._sessions >= np.datetime64(first, "D")) & (self._sessions <= np.datetime64(last, "D"))
        return self._sessions[inside], self._closes[inside]

    def last_closed(self, now: dt.datetime, settle: dt.timedelta) -> dt.date:
        """The last session whose bar is final `now` (with a zone), `settle` after the close."""
        moment = now.astimezone(dt.timezone.utc)
        day = moment.astimezone(ZoneInfo(self._zone)).date()
        if day > self.end:
            begin = max(self.end + dt.timedelta(days=1), day - dt.timedelta(days=10))
            for session in reversed(self.sessions(begin, day).tolist()):
                close = dt.datetime.combine(session, self._usual_close, ZoneInfo(self._zone))
                if close.astimezone(dt.timezone.utc) + settle <= moment:
                    return session
        limit = np.datetime64((moment - settle).replace(tzinfo=None), "s")
        count = int(np.searchsorted(self._closes, limit, side="right"))
        return self._sessions[count - 1].item()


@lru_cache(maxsize=32)
def _load(code: str, year: int) -> ExchangeCalendar:
    import exchange_calendars  # it imports pandas: a second that only an extraction should pay

    default = exchange_calendars.get_calendar(code)
    earliest, latest = default.bound_min(), default.bound_max()
    begin, end = np.datetime64("1980-01-01", "D"), np.datetime64(f"{year + 1}-12-31", "D")
    if earliest is not None:
        begin = max(begin, earliest.to_datetime64().astype("datetime64[D]"))
    if latest is not None:
        end = min(end, latest.to_datetime64().astype("datetime64[D]"))
    calendar: Any = type(default)(start=str(begin), end=str(end))
    return ExchangeCalendar(
        code=code,
        begin=begin.item(),
        end=end.item(),
        _sessions=calendar.sessions.values.astype("datetime64[D]"),
        _closes=calendar.closes.dt.tz_convert(None).to_numpy().astype("datetime64[s]"),
        _zone=str(calendar.tz),
        _usual_close=calendar.close_times[-1][1],
    )
