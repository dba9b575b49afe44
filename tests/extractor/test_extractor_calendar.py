from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pytest

from components.errors import ExchangeError
from components.extractor import ExtractionPlan, extract
from components.extractor.calendar import ExchangeCalendar, _load
from components.feature_store import FeatureStore

SHANGHAI, NEW_YORK = ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York")
HALF_HOUR = dt.timedelta(minutes=30)
NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


@pytest.fixture(autouse=True, scope="module")
def _built_here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What these tests look at was built by this code, and not kept by an earlier one."""
    with pytest.MonkeyPatch.context() as patches:
        patches.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        _load.cache_clear()
        yield
    _load.cache_clear()


def shanghai() -> ExchangeCalendar:
    return ExchangeCalendar.of("XSHG", NOW)


def new_york() -> ExchangeCalendar:
    return ExchangeCalendar.of("XNYS", NOW)


def at(zone: dt.tzinfo, text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-09-22 09:29", "2026-09-21"),
        ("2026-09-22 09:30", "2026-09-21"),
        ("2026-09-22 12:00", "2026-09-21"),  # the lunch break is no close
        ("2026-09-22 15:00", "2026-09-21"),
        ("2026-09-22 15:29:59", "2026-09-21"),
        ("2026-09-22 15:30", "2026-09-22"),
        ("2026-09-22 23:59", "2026-09-22"),
        ("2026-09-23 00:00", "2026-09-22"),
        ("2026-09-26 12:00", "2026-09-24"),  # Saturday, after the Mid-Autumn Festival of Friday
        ("2026-09-30 15:30", "2026-09-30"),
        ("2026-10-01 15:30", "2026-09-30"),  # golden week
        ("2026-10-07 23:00", "2026-09-30"),
        ("2026-10-08 15:29", "2026-09-30"),
        ("2026-10-08 15:30", "2026-10-08"),
        ("2026-02-22 12:00", "2026-02-13"),  # Spring Festival
    ],
)
def test_last_closed_in_shanghai(now: str, last: str) -> None:
    assert shanghai().last_closed(at(SHANGHAI, now), HALF_HOUR) == day(last)


@pytest.mark.parametrize(
    ("now", "last"),
    [
        ("2026-11-25 16:29", "2026-11-24"),
        ("2026-11-25 16:30", "2026-11-25"),
        ("2026-11-26 20:00", "2026-11-25"),  # Thanksgiving
        ("2026-11-27 13:29", "2026-11-25"),  # the day after it closes at 13:00
        ("2026-11-27 13:30", "2026-11-27"),
        ("2026-11-29 20:00", "2026-11-27"),  # Sunday
        # Clocks go forward on 8 March and back on 1 November: the close is at 21:00, 20:00 and 21:00 UTC.
        ("2026-03-06 16:29", "2026-03-05"),
        ("2026-03-06 16:30", "2026-03-06"),
        ("2026-03-09 16:29", "2026-03-06"),
        ("2026-03-09 16:30", "2026-03-09"),
        ("2026-11-02 16:29", "2026-10-30"),
        ("2026-11-02 16:30", "2026-11-02"),
    ],
)
def test_last_closed_in_new_york(now: str, last: str) -> None:
    assert new_york().last_closed(at(NEW_YORK, now), HALF_HOUR) == day(last)


def test_the_zone_of_now_does_not_matter() -> None:
    moment = at(NEW_YORK, "2026-09-22 16:30")
    for zone in (SHANGHAI, dt.UTC, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("Pacific/Pago_Pago")):
        assert new_york().last_closed(moment.astimezone(zone), HALF_HOUR) == day("2026-09-22")


def test_a_bar_becomes_final_when_it_has_settled() -> None:
    now = at(NEW_YORK, "2026-09-22 17:29")
    assert new_york().last_closed(now, dt.timedelta(minutes=89)) == day("2026-09-22")
    assert new_york().last_closed(now, dt.timedelta(minutes=90)) == day("2026-09-21")
    assert new_york().last_closed(now, dt.timedelta()) == day("2026-09-22")


@pytest.mark.parametrize("code", ["XSHG", "XHKG", "XNYS", "XTKS"])
def test_sessions_and_closes_are_those_of_the_exchange(code: str) -> None:
    calendar = ExchangeCalendar.of(code, NOW)
    theirs = exchange_calendars.get_calendar(code, start="2024-01-01", end="2026-11-20")
    sessions = calendar.sessions(day("2024-01-01"), day("2026-11-20"))
    assert sessions.dtype == np.dtype("datetime64[D]")
    assert np.array_equal(sessions, theirs.sessions.values.astype("datetime64[D]"))
    for session, close in list(theirs.closes.items())[-300:]:
        final = close.to_pydatetime() + HALF_HOUR
        assert calendar.last_closed(final, HALF_HOUR) == session.date()
        assert calendar.last_closed(final - dt.timedelta(seconds=1), HALF_HOUR) < session.date()


def test_both_ends_of_a_range_belong_to_it() -> None:
    calendar = new_york()
    week = [day(f"2026-09-{number}") for number in range(21, 26)]
    assert calendar.sessions(week[0], week[-1]).tolist() == week
    assert calendar.sessions(week[2], week[2]).tolist() == [week[2]]
    assert calendar.sessions(day("2026-09-26"), day("2026-09-27")).tolist() == []
    assert calendar.sessions(week[1], week[0]).tolist() == []


def test_long_histories_are_known() -> None:
    assert new_york().sessions(day("1987-10-19"), day("1987-10-19")).tolist() == [day("1987-10-19")]
    assert shanghai().sessions(day("1980-01-01"), day("1990-12-31"))[0] >= np.datetime64("1990-12-03")


# --- past the end of what is known


def _limited() -> ExchangeCalendar:
    """A calendar whose holidays end, looked at from three years after that."""
    end = exchange_calendars.get_calendar("XSHG").bound_max().date()
    return ExchangeCalendar.of("XSHG", dt.datetime(end.year + 3, 6, 1, tzinfo=SHANGHAI))


def test_a_calendar_ends_where_its_holidays_do() -> None:
    assert _limited().end == exchange_calendars.get_calendar("XSHG").bound_max().date()
    assert new_york().end == day("2027-12-31")


def test_past_the_end_every_weekday_counts() -> None:
    calendar = _limited()
    first, last = calendar.end - dt.timedelta(days=20), calendar.end + dt.timedelta(days=40)
    after = [
        one for one in (calendar.end + dt.timedelta(days=number) for number in range(1, 41)) if one.isoweekday() < 6
    ]
    known = calendar.sessions(first, calendar.end).tolist()
    assert calendar.sessions(first, last).tolist() == known + after
    assert calendar.sessions(after[3], after[7]).tolist() == after[3:8]
    assert 10 < len(known) < 16


@pytest.mark.parametrize("years", [0, 2])
def test_past_the_end_the_usual_close_counts(years: int) -> None:
    calendar = _limited()
    monday = calendar.end + dt.timedelta(days=10 + 365 * years)
    monday += dt.timedelta(days=-monday.weekday() % 7)
    for now, last in [
        (dt.time(15, 29), monday - dt.timedelta(days=3)),
        (dt.time(15, 30), monday),
        (dt.time(23, 59), monday),
    ]:
        assert calendar.last_closed(dt.datetime.combine(monday, now, SHANGHAI), HALF_HOUR) == last
    sunday = dt.datetime.combine(monday - dt.timedelta(days=1), dt.time(12), SHANGHAI)
    assert calendar.last_closed(sunday, HALF_HOUR) == monday - dt.timedelta(days=3)


def test_on_the_first_days_past_the_end_the_last_known_session_counts() -> None:
    calendar = _limited()
    known = calendar.sessions(calendar.end - dt.timedelta(days=20), calendar.end)[-1].item()
    morning = dt.datetime.combine(calendar.end + dt.timedelta(days=1), dt.time(0, 1), SHANGHAI)
    assert calendar.last_closed(morning, HALF_HOUR) == known
    # It is not final until it has settled, even past the end.
    before = calendar.sessions(calendar.end - dt.timedelta(days=20), calendar.end)[-2].item()
    close = dt.datetime.combine(known, dt.time(15), SHANGHAI)
    assert calendar.last_closed(morning, morning - close + dt.timedelta(minutes=1)) == before


@pytest.mark.parametrize(
    ("code", "after", "opens"),
    [
        ("XNYS", "2026-11-25", "2026-11-27 14:30"),  # Thanksgiving
        ("XNYS", "2026-03-06", "2026-03-09 13:30"),  # summer time begins
        ("XNYS", "2026-03-07", "2026-03-09 13:30"),  # a day off
        ("XSHG", "2026-09-30", "2026-10-08 01:30"),  # golden week
        ("XLON", "2026-11-20", "2026-11-23 08:00"),
        ("24/5", "2026-11-20", "2026-11-23 00:00"),
    ],
)
def test_the_next_session_opens(code: str, after: str, opens: str) -> None:
    assert ExchangeCalendar.of(code, NOW).next_opening(day(after)) == at(dt.UTC, opens)


def test_the_next_session_opens_as_exchange_calendars_says() -> None:
    theirs = exchange_calendars.get_calendar("XNYS", start="2019-01-02", end="2026-11-20")
    ours = new_york()
    for session, opening in zip(theirs.sessions[:-1], theirs.opens.iloc[1:], strict=True):
        assert ours.next_opening(session.date()) == opening.to_pydatetime()
        assert ours.opening(session.date()) == theirs.opens[session].to_pydatetime()
    assert ours.opening(day("2026-11-26")) is None


def test_past_the_end_the_next_weekday_opens_at_the_usual_hour() -> None:
    calendar = _limited()
    assert calendar.opening(calendar.end + dt.timedelta(days=40)) is None
    for days in (0, 1, 5, 300):
        now = calendar.end + dt.timedelta(days=days)
        following = now + dt.timedelta(days=1)
        following += dt.timedelta(days=-following.weekday() % 7 if following.weekday() > 4 else 0)
        assert calendar.next_opening(now) == dt.datetime.combine(following, dt.time(9, 30), SHANGHAI)
    with pytest.raises(ExchangeError, match="XSHG: its calendar begins on"):
        calendar.next_opening(day("1970-01-01"))


# --- calendars that fail, and clocks that no calendar is of


@pytest.mark.parametrize(
    ("code", "day_open"),
    [("XBOM", "2024-01-20"), ("XBOM", "2025-02-01"), ("XMOS", "2018-12-29"), ("XKRX", "1998-12-05")],
)
def test_special_sessions_are_there(code: str, day_open: str) -> None:
    one = day(day_open)
    assert ExchangeCalendar.of(code, NOW).sessions(one, one).tolist() == [one]


@pytest.mark.parametrize("code", ["XTAE", "ASEX", "XBEL", "XBSE", "XCYS"])
def test_calendars_that_fail_under_newer_pandas_are_whole(code: str) -> None:
    year = ExchangeCalendar.of(code, NOW).sessions(day("2024-01-01"), day("2024-12-31"))
    assert 235 < len(year) < 260


def test_an_unknown_exchange_is_one_line() -> None:
    with pytest.raises(ExchangeError, match=r"^XXXX: is no exchange that exchange_calendars knows, such as XSHG"):
        ExchangeCalendar.of("XXXX", NOW)


@pytest.mark.parametrize("error", [ValueError("Special dates\nmany"), NotImplementedError("x" * 300), KeyError("day")])
def test_whatever_a_calendar_raises_is_one_line(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    kind = type(exchange_calendars.get_calendar("XLIS"))
    monkeypatch.setattr(kind, "__init__", fail)
    with pytest.raises(ExchangeError) as refusal:
        ExchangeCalendar.of("XLIS", NOW.replace(year=2023))  # no calendar that another test has built
    line = str(refusal.value)
    assert line.startswith(f"XLIS: its calendar cannot be built ({type(error).__name__}: ")
    assert "\n" not in line
    assert "pandas" in line
    assert len(line) < 300


def test_a_calendar_that_loses_sessions_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = type(exchange_calendars.get_calendar("XBOM"))
    whole = kind.sessions.fget

    def fewer(self: object) -> object:
        found = whole(self)
        return found[found != np.datetime64("2024-01-20")]

    monkeypatch.setattr(kind, "sessions", property(fewer))
    with pytest.raises(ExchangeError, match=r"^XBOM: its calendar lacks sessions, such as 2024-01-20; "):
        ExchangeCalendar.of("XBOM", NOW.replace(year=2024))


@pytest.mark.parametrize(
    ("code", "clock"),
    [
        ("XSHG", "1970-01-01"),
        ("XSHG", "1990-12-02"),
        ("XNYS", "1970-01-01"),
        ("XSAU", "2020-06-01"),
        ("XNYS", "2290-01-01"),
    ],
)
def test_a_clock_that_no_calendar_is_of_ends_in_one_line(code: str, clock: str) -> None:
    now = at(dt.UTC, clock)
    with pytest.raises(ExchangeError, match=rf"^{code}: .*the clock says {clock[:4]}: set the clock$"):
        ExchangeCalendar.of(code, now).last_closed(now, HALF_HOUR)


def test_past_the_end_the_exchanges_own_week_counts() -> None:
    riyadh = ExchangeCalendar.of("XSAU", NOW)
    begin = riyadh.end + dt.timedelta(days=1)
    later = riyadh.sessions(begin, begin + dt.timedelta(days=27))
    assert len(later) == 20
    assert {one.isoweekday() for one in later.tolist()} == {7, 1, 2, 3, 4}


def test_an_extraction_with_such_a_clock_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ExchangeError, match=r"^XSHG: its calendar begins on 1990-12-\d\d, and the clock says 1970"):
        extract(ExtractionPlan("tencent", ("sh600519",)), tmp_path / "a.db", now=at(dt.UTC, "1970-01-01"))
    with FeatureStore.open(tmp_path / "a.db") as store:
        assert store.shares() == []
