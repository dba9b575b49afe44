"""When a run begins that is to follow every trading day of an exchange: a cron expression in UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from awesome_kubeflow.errors import ApiError
from components.errors import ExchangeError
from components.extractor.calendar import ExchangeCalendar
from components.feature_store.weekdays import regular_weekdays

_YEAR = dt.timedelta(days=366)
_DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


@dataclass(frozen=True)
class DailyTrigger:
    """A moment of the day, on some days of the week.

    Attributes:
        hour: of the day, UTC.
        minute: of the hour.
        weekdays: 0 for Sunday to 6, as cron counts them; ascending.
        latest_close: of the exchange within the year that was looked at, UTC.
    """

    hour: int
    minute: int
    weekdays: tuple[int, ...]
    latest_close: dt.time

    @property
    def cron(self) -> str:
        """As Kubeflow Pipelines reads it: seconds come first, and the days of the month are open."""
        return f"0 {self.minute} {self.hour} ? * {','.join(str(day) for day in self.weekdays)}"

    def __str__(self) -> str:
        """For people, such as `11:00 UTC, Monday to Friday`."""
        first, last = self.weekdays[0], self.weekdays[-1]
        if len(self.weekdays) > 2 and self.weekdays == tuple(range(first, last + 1)):
            days = f"{_DAYS[first]} to {_DAYS[last]}"
        else:
            days = ", ".join(_DAYS[day] for day in self.weekdays)
        return f"{self.hour:02d}:{self.minute:02d} UTC, {days}"


def after_close(exchange: str, delay: dt.timedelta, now: dt.datetime) -> DailyTrigger:
    """The moment after every close of an exchange, whatever the season.

    It is the latest close in UTC of a year that ends a year from now, or where the exchange's holidays are not known
    any further. A close long after midnight UTC, or a delay past it, moves the days of the week as well.

    Args:
        exchange: its code in exchange_calendars, such as XSHG.
        delay: how long after the close, in whole minutes.
        now: the present, with a zone.

    Raises:
        ApiError: there is no such exchange, its calendar fails, or it has no sessions.
    """
    try:
        calendar = ExchangeCalendar.of(exchange, now)
    except ExchangeError as error:
        raise ApiError(f"--exchange {error}") from None
    last = min(calendar.end, (now + _YEAR).date())
    sessions, closes = calendar.closes(last - _YEAR, last)
    if not len(sessions):
        raise ApiError(f"--exchange {exchange}: has no sessions from {last - _YEAR} to {last}")
    # From midnight UTC of the session's date: a close may fall on the day before or after it.
    after_midnight = (closes - sessions.astype("datetime64[s]")).max().item()
    days, rest = divmod(after_midnight + delay, dt.timedelta(days=1))
    hour, minute = divmod(rest // dt.timedelta(minutes=1), 60)
    # Monday is 1 for cron.
    weekdays = {(1 + day + days) % 7 for day, regular in enumerate(regular_weekdays(sessions)) if regular}
    return DailyTrigger(
        hour=hour,
        minute=minute,
        weekdays=tuple(sorted(weekdays)),
        latest_close=(dt.datetime.min + after_midnight % dt.timedelta(days=1)).time(),
    )
