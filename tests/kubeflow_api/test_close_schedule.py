"""When a run begins that follows the close of an exchange."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import exchange_calendars
import numpy as np
import pytest

from awesome_kubeflow.errors import ApiError
from awesome_kubeflow.server.trigger import after_close
from components.extractor.calendar import ExchangeCalendar
from components.feature_store.arrays import Days

NOW = dt.datetime(2025, 7, 1, 12, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("exchange", "minutes", "cron", "text"),
    [
        ("XSHG", 240, "0 0 11 ? * 1,2,3,4,5", "11:00 UTC, Monday to Friday"),
        ("XSHG", 0, "0 0 7 ? * 1,2,3,4,5", "07:00 UTC, Monday to Friday"),
        # Winter's close, an hour after summer's.
        ("XNYS", 0, "0 0 21 ? * 1,2,3,4,5", "21:00 UTC, Monday to Friday"),
        ("XLON", 15, "0 45 16 ? * 1,2,3,4,5", "16:45 UTC, Monday to Friday"),
        # Past midnight it is the next day.
        ("XNYS", 240, "0 0 1 ? * 2,3,4,5,6", "01:00 UTC, Tuesday to Saturday"),
        ("XNYS", 179, "0 59 23 ? * 1,2,3,4,5", "23:59 UTC, Monday to Friday"),
        # Open from Sunday to Thursday.
        ("XSAU", 0, "0 0 12 ? * 0,1,2,3,4", "12:00 UTC, Sunday to Thursday"),
        ("XSAU", 13 * 60, "0 0 1 ? * 1,2,3,4,5", "01:00 UTC, Monday to Friday"),
    ],
)
def test_the_moment_after_every_close(exchange: str, minutes: int, cron: str, text: str) -> None:
    trigger = after_close(exchange, dt.timedelta(minutes=minutes), NOW)
    assert (trigger.cron, str(trigger)) == (cron, text)


@dataclass(frozen=True)
class SpecialSaturdays:
    """An exchange that is open from Monday to Friday, and on three Saturdays of the year."""

    end: dt.date = dt.date(2027, 1, 1)

    def closes(self, first: dt.date, last: dt.date) -> tuple[Days, Days]:
        days = np.arange(first, last, dtype="datetime64[D]")
        saturdays = days[np.is_busday(days, "0000010")][::18]
        sessions = np.sort(np.concatenate([days[np.is_busday(days)], saturdays]))
        return sessions, sessions.astype("datetime64[s]") + np.timedelta64(10, "h")


def test_a_special_saturday_does_not_make_saturday_a_day_of_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ExchangeCalendar, "of", lambda code, now: SpecialSaturdays())
    trigger = after_close("XBOM", dt.timedelta(0), NOW)
    assert (trigger.weekdays, trigger.hour) == ((1, 2, 3, 4, 5), 10)


@pytest.mark.parametrize("exchange", ["XSHG", "XHKG", "XNYS", "XASX", "XNZE", "CMES"])
def test_it_comes_after_the_close_of_every_session(exchange: str) -> None:
    """Each session of the coming year is followed by the moment within a day of its close, if it closes as usual."""
    delay = dt.timedelta(minutes=30)
    trigger = after_close(exchange, delay, NOW)
    calendar = exchange_calendars.get_calendar(exchange)
    last = min(calendar.last_session, NOW.replace(tzinfo=None) + dt.timedelta(days=366))
    waits = []
    for session in calendar.sessions_in_range(NOW.date(), last.date()):
        close = calendar.session_close(session).to_pydatetime()
        begin = (close + delay).replace(hour=trigger.hour, minute=trigger.minute)
        if begin < close + delay:
            begin += dt.timedelta(days=1)
        waits.append(begin - close)
        assert begin.isoweekday() % 7 in trigger.weekdays, session
    assert min(waits) == delay
    assert max(waits) < dt.timedelta(hours=9)  # an early close


def test_a_calendar_that_fails_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """As XTAE's does under pandas 3.1."""

    def fail(*_: object, **__: object) -> None:
        raise ValueError("Special dates [Timestamp('2006-12-03 13:40:00+0000')]\nare not sessions")

    monkeypatch.setattr(type(exchange_calendars.get_calendar("XTAE")), "__init__", fail)
    with pytest.raises(ApiError) as refusal:
        after_close("XTAE", dt.timedelta(), NOW.replace(year=2019))  # no calendar that another test has built
    assert str(refusal.value).startswith("--exchange XTAE: its calendar cannot be built (ValueError: Special dates ")
    assert "\n" not in str(refusal.value)
