"""The sessions of an exchange: which are closed by now, which a share should have, and when the next one opens.

Sessions come from exchange_calendars, or are what it said before (calendar_cache.py). Some of its calendars end, as an
exchange announces its holidays year by year; past that end every weekday on which the exchange is open as a rule counts
as a session, and the run says so. Of the others, none knows what an exchange decides later than the calendar was
written: a typhoon, an election, a holiday made a month before. A session that no share of the exchange has may be such
a day: see `components.feature_store.weekdays.may_be_closed`.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import metadata
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from components.errors import ExchangeError, install_extras
from components.extractor.calendar_cache import Timetable, keep, read_kept
from components.feature_store.arrays import Days
from components.feature_store.weekdays import regular_weekdays

# Sessions that a calendar loses without a word where pandas is too new for it, seen with 4.13.2 under pandas 3.1.
_LOST = {"XBOM": "2024-01-20", "XKRX": "1998-12-05", "XMOS": "2018-12-29"}
_FIRST_DAY = "1980-01-01"
_LAST_YEAR = 2200  # pandas counts to 2262


@dataclass(frozen=True)
class ExchangeCalendar:
    """The sessions of one exchange.

    Attributes:
        code: as exchange_calendars names the exchange, such as XSHG.
    """

    code: str
    _table: Timetable = field(repr=False)

    @classmethod
    def of(cls, code: str, now: dt.datetime) -> ExchangeCalendar:
        """The calendar of an exchange, up to a year past `now`, which has a zone.

        Raises:
            ExchangeError: there is no such exchange, its calendar cannot be built, or begins after `now`.
        """
        return _load(code, now.year)

    @property
    def begin(self) -> dt.date:
        """The first day for which its holidays are known, or 1980."""
        return self._table.begin

    @property
    def end(self) -> dt.date:
        """The last day for which its holidays are known."""
        return self._table.end

    @property
    def zone(self) -> str:
        """The exchange's time zone, such as Asia/Shanghai."""
        return self._table.zone

    def sessions(self, first: dt.date, last: dt.date) -> Days:
        """The sessions from `first` to `last`, both included; datetime64[D], ascending."""
        known, _ = self.closes(first, last)
        if last <= self.end:
            return known
        begin = max(first, self.end + dt.timedelta(days=1))
        later = np.arange(begin, last + dt.timedelta(days=1), dtype="datetime64[D]")
        return np.concatenate([known, later[np.is_busday(later, weekmask=self._weekmask)]])

    def closes(self, first: dt.date, last: dt.date) -> tuple[Days, Days]:
        """The sessions from `first` to `last` whose closes are known, and these in UTC; datetime64[D] and [s]."""
        begin, end = np.searchsorted(self._table.sessions, [np.datetime64(first, "D"), np.datetime64(last, "D") + 1])
        return self._table.sessions[begin:end], self._table.closes[begin:end]

    def opening(self, session: dt.date) -> dt.datetime | None:
        """When a session opens, in UTC; None for a day off, and for a day whose holidays are not known."""
        at = int(np.searchsorted(self._table.sessions, np.datetime64(session, "D")))
        if at == len(self._table.sessions) or self._table.sessions[at] != np.datetime64(session, "D"):
            return None
        return _in_utc(self._table.opens[at])

    def next_opening(self, day: dt.date) -> dt.datetime:
        """When the first session after a day opens, in UTC.

        Past the days whose holidays are known, the next regular weekday counts, at the usual hour: a holiday that is
        not known yet makes the real one later, not earlier.

        Raises:
            ExchangeError: the day lies before the calendar begins.
        """
        if day < self.begin:
            raise ExchangeError(f"{self.code}: its calendar begins on {self.begin}, and {day} lies before that")
        at = int(np.searchsorted(self._table.sessions, np.datetime64(day, "D"), side="right"))
        if at < len(self._table.sessions):
            return _in_utc(self._table.opens[at])
        begin = max(day, self.end) + dt.timedelta(days=1)
        session: dt.date = self.sessions(begin, begin + dt.timedelta(days=7))[0].item()
        opening = dt.datetime.combine(session + dt.timedelta(days=self._table.open_offset), self._table.usual_open)
        return opening.replace(tzinfo=ZoneInfo(self.zone)).astimezone(dt.UTC)

    def last_closed(self, now: dt.datetime, settle: dt.timedelta) -> dt.date:
        """The last session whose bar is final `now` (with a zone), `settle` after the close.

        Raises:
            ExchangeError: the calendar knows of none before `now`.
        """
        moment = now.astimezone(dt.UTC)
        day = moment.astimezone(ZoneInfo(self.zone)).date()
        if day > self.end:
            begin = max(self.end + dt.timedelta(days=1), day - dt.timedelta(days=10))
            for session in reversed(self.sessions(begin, day).tolist()):
                close = dt.datetime.combine(session, self._table.usual_close, ZoneInfo(self.zone))
                if close.astimezone(dt.UTC) + settle <= moment:
                    return session
        limit = np.datetime64((moment - settle).replace(tzinfo=None), "s")
        count = int(np.searchsorted(self._table.closes, limit, side="right"))
        if count == 0:
            raise ExchangeError(f"{self.code}: {_early(self._table.sessions[0].item(), day.year)}")
        return self._table.sessions[count - 1].item()

    @property
    def _weekmask(self) -> list[bool]:
        """Monday to Sunday, whether the exchange is open as a rule, by the last year that is known."""
        return regular_weekdays(self._table.sessions[-250:])


@lru_cache(maxsize=32)
def _load(code: str, year: int) -> ExchangeCalendar:
    if year > _LAST_YEAR:
        raise ExchangeError(f"{code}: the clock says {year}: set the clock")
    last = f"{year + 1}-12-31"
    found = read_kept(code, _FIRST_DAY, last)
    if found is None:
        found = _timetable(code, last)
        keep(code, _FIRST_DAY, last, found)
    return ExchangeCalendar(code, found)


def _timetable(code: str, last: str) -> Timetable:
    try:
        import exchange_calendars  # it imports pandas: two seconds that only who needs other sessions should pay
    except ImportError:
        raise ExchangeError(f"{code}: its sessions need the extra `extract`: {install_extras('extract')}") from None
    try:
        calendar, begin, end = _build(exchange_calendars.get_calendar(code), last)
    except exchange_calendars.errors.InvalidCalendarName:
        raise ExchangeError(f"{code}: is no exchange that exchange_calendars knows, such as XSHG or XNYS") from None
    except _WrongClockError as error:
        raise ExchangeError(f"{code}: {error}") from None
    except Exception as error:  # whatever it is: a calendar runs pandas, and fails in pandas' ways
        reason = (str(error).splitlines() or [""])[0]
        reason = reason if len(reason) <= 100 else f"{reason[:97]}..."
        raise ExchangeError(
            f"{code}: its calendar cannot be built ({type(error).__name__}: {reason}); {_cure()}"
        ) from None
    sessions = calendar.sessions.values.astype("datetime64[D]")
    lost = np.datetime64(_LOST.get(code, "NaT"), "D")
    if begin <= lost <= end and lost not in sessions:  # comparisons with NaT are False
        raise ExchangeError(f"{code}: its calendar lacks sessions, such as {lost}; {_cure()}")
    return Timetable(
        begin=begin.item(),
        end=end.item(),
        sessions=sessions,
        opens=_instants(calendar.opens),
        closes=_instants(calendar.closes),
        zone=str(calendar.tz),
        usual_open=calendar.open_times[-1][1],
        open_offset=calendar.open_offset,
        usual_close=calendar.close_times[-1][1],
    )


def _instants(series: Any) -> Days:
    """Instants of pandas as datetime64[s] in UTC."""
    return series.dt.tz_convert(None).to_numpy().astype("datetime64[s]")


def _in_utc(moment: np.datetime64) -> dt.datetime:
    instant: dt.datetime = moment.item()
    return instant.replace(tzinfo=dt.UTC)


class _WrongClockError(Exception):
    """No calendar is of the year that is asked for."""


def _build(default: Any, last: str) -> tuple[Any, np.datetime64, np.datetime64]:
    """The calendar from 1980, or where it begins, to the last day, or where it ends; and both days."""
    earliest, latest = default.bound_min(), default.bound_max()
    begin, end = np.datetime64(_FIRST_DAY, "D"), np.datetime64(last, "D")
    if earliest is not None:
        begin = max(begin, earliest.to_datetime64().astype("datetime64[D]"))
    if latest is not None:
        end = min(end, latest.to_datetime64().astype("datetime64[D]"))
    if begin >= end:
        raise _WrongClockError(_early(begin.item(), int(last[:4]) - 1))
    return type(default)(start=str(begin), end=str(end)), begin, end


def _early(begin: dt.date, year: int) -> str:
    return f"its calendar begins on {begin}, and the clock says {year}: set the clock"


def _cure() -> str:
    """What to do about a calendar that fails."""
    calendars, pandas = metadata.version("exchange-calendars"), metadata.version("pandas")
    here = f"exchange-calendars is {calendars} and pandas {pandas} here"
    if tuple(map(int, pandas.split(".")[:2])) >= (3, 1):
        return f"{here}: install pandas below 3.1 (pip install 'pandas<3.1')"
    return f"{here}: upgrade exchange-calendars, or name another exchange"
