"""Instants where days were expected: read in the right zone, or refused with the question which it is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing import run, stored

from components.errors import ImportFileError
from components.price_files import ImportReport, forms_from, import_prices

YEAR: list[dt.date] = np.busday_offset("2023-01-02", np.arange(250), roll="forward").tolist()
ZONES = ["Asia/Shanghai", "Asia/Kolkata", "Europe/London", "Australia/Sydney"]
WEST = ["America/New_York", "America/Sao_Paulo"]


def midnights(zone: str, days: list[dt.date] = YEAR, hour: int = 0) -> list[dt.datetime]:
    """The instants, in UTC, at which the days begin in a zone; or `hour` hours later."""
    local = (dt.datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(zone)) for day in days)
    return [moment.astimezone(dt.UTC) for moment in local]


def columns(times: list[dt.datetime]) -> dict[str, Callable[[Path], Path]]:
    """Writers of the same instants, as Spark (INT96), DuckDB (UTC), Polars and texts have them."""
    naive = [time.replace(tzinfo=None) for time in times]
    in_utc = pa.array(naive, pa.timestamp("us")).cast(pa.timestamp("us", "UTC"))

    def parquet(column: pa.Array, **options: bool) -> Callable[[Path], Path]:
        def write(folder: Path) -> Path:
            table = pa.table({"date": column, "symbol": ["A"] * len(times), "close": CLOSES[: len(times)]})
            pq.write_table(table, folder / "in.parquet", **options)
            return folder / "in.parquet"

        return write

    def text(form: str) -> Callable[[Path], Path]:
        def write(folder: Path) -> Path:
            rows = [f"{time.strftime(form)},A,{close}" for time, close in zip(times, CLOSES, strict=False)]
            (folder / "in.csv").write_text("date,symbol,close\n" + "\n".join(rows))
            return folder / "in.csv"

        return write

    return {
        "int96": parquet(pa.array(naive, pa.timestamp("ns")), use_deprecated_int96_timestamps=True),
        "utc": parquet(in_utc),
        "naive": parquet(pa.array(naive, pa.timestamp("ms"))),
        "epoch": parquet(pa.array([int(time.timestamp()) for time in times])),
        "text": text("%Y-%m-%dT%H:%M:%S.000Z"),
        "naive text": text("%Y-%m-%d %H:%M:%S"),
    }


CLOSES = [10 + number / 4 for number in range(250)]
FORMS = list(columns(midnights("UTC")))


def import_into(tmp_path: Path, write: Callable[[Path], Path], **said: str) -> ImportReport:
    return import_prices(write(tmp_path), tmp_path / "awesome.db", forms=forms_from(**said))


def days(tmp_path: Path) -> list[str]:
    return [row[0] for row in stored(tmp_path, "time")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zone", ZONES)
def test_midnight_in_the_east_is_asked_for_and_never_a_day_early(tmp_path: Path, zone: str, form: str) -> None:
    write = columns(midnights(zone))[form]
    with pytest.raises(ImportFileError) as caught:
        import_into(tmp_path, write)
    message = str(caught.value)
    assert "the column date holds instants, not days" in message
    assert "--timezone" in message
    assert "\n" not in message
    assert not (tmp_path / "awesome.db").exists()
    report = import_into(tmp_path, write, zone=zone)
    assert report.refused == ()
    assert days(tmp_path) == [str(day) for day in YEAR]
    assert any(zone in note for note in report.notes)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("zone", WEST)
def test_midnight_in_the_west_is_the_same_day(tmp_path: Path, zone: str, form: str) -> None:
    write = columns(midnights(zone))[form]
    report = import_into(tmp_path, write)
    assert (report.taken, report.refused) == (250, ())
    assert days(tmp_path) == [str(day) for day in YEAR]
    assert any("UTC" in note or "times of day" in note for note in report.notes)
    import_into(tmp_path, write, zone=zone)
    assert days(tmp_path) == [str(day) for day in YEAR]


@pytest.mark.parametrize("form", FORMS)
def test_closing_times_are_the_same_day(tmp_path: Path, form: str) -> None:
    import_into(tmp_path, columns(midnights("America/New_York", hour=16))[form])
    assert days(tmp_path) == [str(day) for day in YEAR]


@pytest.mark.parametrize("form", FORMS)
def test_midnight_in_utc_is_a_date(tmp_path: Path, form: str) -> None:
    import_into(tmp_path, columns(midnights("UTC"))[form])
    assert days(tmp_path) == [str(day) for day in YEAR]


def test_a_zone_that_makes_weekends_is_refused(tmp_path: Path) -> None:
    write = columns(midnights("Asia/Shanghai"))["utc"]
    with pytest.raises(ImportFileError, match=r"with --timezone America/New_York, 50 of 250 dates are on a weekend"):
        import_into(tmp_path, write, zone="America/New_York")
    assert not (tmp_path / "awesome.db").exists()


def test_weeks_from_sunday_to_thursday_are_believed_when_said(tmp_path: Path) -> None:
    week = [dt.date(2023, 1, 1) + dt.timedelta(number) for number in range(100)]
    sessions = [day for day in week if day.weekday() not in (4, 5)]
    write = columns(midnights("Asia/Riyadh", sessions))["utc"]
    with pytest.raises(ImportFileError, match="holds instants"):
        import_into(tmp_path, write)
    import_into(tmp_path, write, zone="Asia/Riyadh")
    assert days(tmp_path) == [str(day) for day in sessions]


def test_a_market_of_seven_days_is_no_wrong_zone(tmp_path: Path) -> None:
    every = [dt.date(2023, 1, 1) + dt.timedelta(number) for number in range(100)]
    import_into(tmp_path, columns(midnights("Asia/Seoul", every))["utc"], zone="Asia/Seoul")
    assert days(tmp_path) == [str(day) for day in every]


def test_few_days_do_not_tell(tmp_path: Path) -> None:
    write = columns(midnights("Asia/Shanghai", YEAR[2:5]))["int96"]
    with pytest.raises(ImportFileError, match=r"at midnight they would be in Asia/Shanghai"):
        import_into(tmp_path, write)
    import_into(tmp_path, write, zone="local")
    assert days(tmp_path) == [str(day - dt.timedelta(1)) for day in YEAR[2:5]]


@pytest.mark.parametrize("share", ["sh600519", "SZ000001", "600519.SS", "300750.SZ", "0700.HK", "hk00700"])
def test_the_exchange_of_the_shares_is_taken_where_their_names_tell(tmp_path: Path, share: str) -> None:
    rows = [f"{time:%Y-%m-%dT%H:%M:%SZ},{share},5" for time in midnights("Asia/Shanghai", YEAR[:40])]
    report = run(tmp_path, "date,symbol,close\n" + "\n".join(rows))
    assert days(tmp_path) == [str(day) for day in YEAR[:40]]
    assert any("the exchange of the shares" in note for note in report.notes)


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "+08:00", "America/New_York"])
def test_a_parquet_column_in_its_own_zone(tmp_path: Path, zone: str) -> None:
    east = dt.timedelta(hours=8) if zone == "+08:00" else None
    times = [dt.datetime(day.year, day.month, day.day) for day in YEAR]
    local = [
        time - east if east else time.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC).replace(tzinfo=None)
        for time in times
    ]
    column = pa.array(local, pa.timestamp("us")).cast(pa.timestamp("us", zone))
    pq.write_table(pa.table({"date": column, "symbol": ["A"] * 250, "close": CLOSES}), tmp_path / "in.parquet")
    assert import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db").refused == ()
    assert days(tmp_path) == [str(day) for day in YEAR]


def test_shanghai_written_in_the_zone_of_new_york_is_asked_for(tmp_path: Path) -> None:
    naive = [time.replace(tzinfo=None) for time in midnights("Asia/Shanghai")]
    column = pa.array(naive, pa.timestamp("us")).cast(pa.timestamp("us", "America/New_York"))
    pq.write_table(pa.table({"date": column, "symbol": ["A"] * 250, "close": CLOSES}), tmp_path / "in.parquet")
    with pytest.raises(ImportFileError, match="holds instants, not days"):
        import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")


def test_an_unknown_zone_of_a_column_is_named(tmp_path: Path) -> None:
    column = pa.array([dt.datetime(2024, 1, 2)], pa.timestamp("us")).cast(pa.timestamp("us", "Mars/Base"))
    pq.write_table(pa.table({"date": column, "symbol": ["A"], "close": [1.0]}), tmp_path / "in.parquet")
    with pytest.raises(ImportFileError, match="the column date is in the time zone Mars/Base, which is not known"):
        import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")


def test_a_last_row_of_today_with_its_time_is_that_day(tmp_path: Path) -> None:
    rows = [f"{day} 00:00:00,A,5" for day in YEAR[:20]]
    run(tmp_path, "date,symbol,close\n" + "\n".join([*rows, f"{YEAR[20]} 15:59:58,A,6"]))
    assert days(tmp_path) == [str(day) for day in YEAR[:21]]


def test_times_in_their_own_zone_are_the_day_that_is_written(tmp_path: Path) -> None:
    run(tmp_path, "date,symbol,close\n2020-01-02 15:30:00+01:00,A,5\n")
    assert days(tmp_path) == ["2020-01-02"]
