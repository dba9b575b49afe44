from __future__ import annotations

import dataclasses
import datetime as dt
import importlib.metadata
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import exchange_calendars
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.extractor import calendar, calendar_cache
from components.extractor.calendar import ExchangeCalendar
from components.extractor.calendar_cache import Timetable, keep, read_kept

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
DAYS = ("1980-01-01", "2027-12-31")


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the calendars, empty, and no calendar in memory."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    calendar._load.cache_clear()
    yield tmp_path / "awesome" / "calendars"
    calendar._load.cache_clear()


def anew(code: str = "XSHG", now: dt.datetime = NOW) -> ExchangeCalendar:
    """A calendar as another process finds it."""
    calendar._load.cache_clear()
    return ExchangeCalendar.of(code, now)


def fields(found: ExchangeCalendar) -> dict[str, Any]:
    """All that a calendar knows, its arrays with their types."""
    table = {one.name: getattr(found._table, one.name) for one in dataclasses.fields(found._table)}
    return {
        name: (value.dtype.str, value.tolist()) if isinstance(value, np.ndarray) else value
        for name, value in table.items()
    }


def built(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The calendars that exchange_calendars makes from now on, by name."""
    made: list[str] = []
    ask = exchange_calendars.get_calendar

    def get(code: str, *rest: Any, **named: Any) -> Any:
        made.append(code)
        return ask(code, *rest, **named)

    monkeypatch.setattr(exchange_calendars, "get_calendar", get)
    return made


@pytest.mark.parametrize("code", ["XSHG", "XNYS", "24/7", "CMES"])  # a slash, and sessions that open the day before
def test_what_is_kept_is_what_was_built(code: str, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fields(anew(code))
    made = built(monkeypatch)
    second = fields(anew(code))
    assert made == []
    assert second == first
    assert [path.suffix for path in kept.iterdir()] == [".npz"]


def test_a_kept_calendar_needs_neither_pandas_nor_exchange_calendars(kept: Path) -> None:
    anew()
    code = (
        "import sys, datetime as dt; from components.extractor.calendar import ExchangeCalendar as C;"
        "print(C.of('XSHG', dt.datetime(2026, 11, 20)).next_opening(dt.date(2026, 9, 30)),"
        " [name for name in ('pandas', 'exchange_calendars') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said == "2026-10-08 01:30:00+00:00 []\n"


@pytest.mark.parametrize("package", ["exchange-calendars", "pandas"])
def test_other_versions_make_it_anew(package: str, kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = fields(anew())
    ask = importlib.metadata.version
    monkeypatch.setattr(calendar_cache, "_version", lambda name: "0.1" if name == package else ask(name))
    made = built(monkeypatch)
    assert fields(anew()) == first
    assert made == ["XSHG"]
    anew()
    assert made == ["XSHG"]  # which is kept in the place of the other


def test_other_rules_of_the_time_zone_make_it_anew(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    anew()
    monkeypatch.setattr(calendar_cache, "_rules_of", lambda zone: "other rules")
    made = built(monkeypatch)
    anew()
    assert made == ["XSHG"]


def test_each_year_has_its_own(kept: Path) -> None:
    ends = [anew("XNYS", NOW.replace(year=year)).end.year for year in (2026, 2024, 2026)]
    assert ends == [2027, 2025, 2027]
    assert sorted(path.name for path in kept.iterdir()) == ["XNYS-2025.npz", "XNYS-2027.npz"]


def test_of_another_exchange_it_is_not_taken(kept: Path) -> None:
    anew("XNYS")
    shanghai = fields(anew())
    os.replace(kept / "XNYS-2027.npz", kept / "XSHG-2027.npz")
    assert fields(anew()) == shanghai


@given(data=st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_one_is_passed_over(data: st.DataObject, kept: Path) -> None:
    if not hasattr(test_a_damaged_one_is_passed_over, "whole"):
        anew()
        path = kept / "XSHG-2027.npz"
        test_a_damaged_one_is_passed_over.whole = path.read_bytes(), fields(ExchangeCalendar.of("XSHG", NOW))
    whole, right = test_a_damaged_one_is_passed_over.whole
    kept.mkdir(parents=True, exist_ok=True)
    begin = data.draw(st.integers(0, len(whole) - 1), "begin")
    how = data.draw(st.sampled_from(["cut", "flipped", "overwritten"]), "how")
    if how == "cut":
        content = whole[:begin]
    elif how == "flipped":
        content = whole[:begin] + bytes([whole[begin] ^ 1 << data.draw(st.integers(0, 7), "bit")]) + whole[begin + 1 :]
    else:
        content = whole[:begin] + data.draw(st.binary(min_size=1, max_size=4000), "by") + whole[begin:]
    (kept / "XSHG-2027.npz").write_bytes(content)
    found = read_kept("XSHG", *DAYS)
    # A bit of what zip does not check, such as a time, harms nothing.
    assert found is None or fields(ExchangeCalendar("XSHG", found)) == right


@pytest.mark.parametrize(
    "change",
    [
        lambda table: {"sessions": table.sessions[::-1]},
        lambda table: {"closes": table.opens},
        lambda table: {"opens": table.opens[:-1]},
        lambda table: {"opens": table.opens - np.timedelta64(400, "D"), "closes": table.closes},
        lambda table: {"end": dt.date(2000, 1, 1)},
        lambda table: {name: getattr(table, name)[:0] for name in ("sessions", "opens", "closes")},
    ],
)
def test_what_cannot_be_a_timetable_is_passed_over(change: Any, kept: Path) -> None:
    table = anew()._table
    keep("XSHG", *DAYS, dataclasses.replace(table, **change(table)))
    assert read_kept("XSHG", *DAYS) is None


def test_a_pickle_is_never_loaded(kept: Path, tmp_path: Path) -> None:
    anew()

    class Planted:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(tmp_path / "was here"),)

    with np.load(kept / "XSHG-2027.npz") as held:
        arrays = dict(held)
    np.savez(kept / "XSHG-2027.npz", **(arrays | {"sessions": np.array([Planted()], object)}))
    assert read_kept("XSHG", *DAYS) is None
    assert not (tmp_path / "was here").exists()


def test_where_nothing_can_be_kept_nothing_is_lost(kept: Path) -> None:
    expected = fields(anew())
    for path in kept.iterdir():
        path.unlink()
    kept.rmdir()
    kept.write_text("a file where the folder should be")
    assert fields(anew()) == expected
    assert kept.read_text() == "a file where the folder should be"


def test_what_fails_is_not_kept(kept: Path) -> None:
    with pytest.raises(Exception, match="is no exchange"):
        anew("XXXX/../..")
    assert not kept.exists()


def test_the_users_folder_is_taken_where_none_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for named in (None, "relative"):  # the specification says that a relative one is passed over
        if named is None:
            monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        else:
            monkeypatch.setenv("XDG_CACHE_HOME", named)
        monkeypatch.setenv("HOME", str(tmp_path))
        day = np.array(["2024-01-02"], "datetime64[D]")
        hour = day.astype("datetime64[s]")
        one = dt.date(2024, 1, 1), dt.date(2024, 12, 31)
        table = Timetable(*one, day, hour, hour + 1, "UTC", dt.time(9), 0, dt.time(10))
        keep("XSHG", "2024-01-01", "2024-12-31", table)
        path = tmp_path / ".cache" / "awesome" / "calendars" / "XSHG-2024.npz"
        assert json.loads(str(np.load(path)["about"]))["zone"] == "UTC"
        path.unlink()


def test_a_system_without_rules_of_time_zones_keeps_calendars_all_the_same(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    rules = calendar_cache._rules_of.__wrapped__
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    assert rules("Asia/Shanghai").startswith("tzdata ")
    monkeypatch.setattr(importlib.metadata, "version", nothing)
    assert rules("Asia/Shanghai") == "none"


def test_packages_that_say_no_version_keep_nothing(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr(calendar_cache, "_version", nothing)
    assert len(anew().sessions(dt.date(2024, 1, 1), dt.date(2024, 1, 31))) > 15
    assert not kept.exists()
