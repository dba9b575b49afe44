"""Dates however they are written: the order of day and month is a matter of the whole file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from importing import run, stored

from components.errors import ImportFileError
from components.price_files import forms_from

DAYS: list[dt.date] = np.busday_offset("2024-01-01", np.arange(30), roll="forward").tolist()
EXCEL = dt.date(1899, 12, 30)
EPOCH = dt.date(1970, 1, 1)


def file(date: Callable[[dt.date], str], days: list[dt.date] = DAYS) -> str:
    return "date\tsymbol\tclose\n" + "".join(f"{date(day)}\tA\t{number + 1}.5\n" for number, day in enumerate(days))


def taken(tmp_path: Path, text: str, **said: str) -> list[str]:
    report = run(tmp_path, text, forms=forms_from(**said))
    assert report.refused == ()
    return [row[0] for row in stored(tmp_path, "time")]


@pytest.mark.parametrize(
    "date",
    [
        *["%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%Y%m%d", "%Y年%m月%d日", "%Y%m%d.0", "%d.%m.%Y", "%d/%m/%Y", "%d-%m-%Y"],
        *["%m/%d/%Y", "%m-%d-%Y", "%m.%d.%Y", "%b %d, %Y", "%B %d, %Y", "%d-%b-%Y", "%d %B %Y", "%d%b%Y", "%Y-%b-%d"],
        *["%a, %d %b %Y", "%A, %B %d, %Y", "%d-%b-%y", "%m/%d/%y", "%d/%m/%y", "%y-%m-%d", "%d.%m.%y"],
        *["%Y-%m-%dT00:00:00", "%Y-%m-%d 00:00", "%Y-%m-%dT00:00:00.000Z", "%Y-%m-%d 00:00:00+08"],
        *["%Y-%m-%d 00:00:00+0800", "%Y-%m-%dT00:00:00+08:00", "%Y-%m-%d 00:00:00-05:00", "%Y-%m-%dZ", "%Y%m%d000000"],
        *["%m/%d/%Y 12:00:00 AM", "%d/%m/%Y 16:00:00", "%Y-%m-%d 00:00:00 UTC", "%Y-%m-%d 00:00:00 +0000 UTC"],
    ],
)
def test_all_days_of_a_file_are_the_ones_that_were_written(tmp_path: Path, date: str) -> None:
    assert taken(tmp_path, file(lambda day: day.strftime(date))) == [str(day) for day in DAYS]
    assert taken(tmp_path, file(lambda day: day.strftime(date).upper()).replace("DATE\tSYMBOL", "date\tsymbol")) == [
        str(day) for day in DAYS
    ]


@pytest.mark.parametrize(
    ("date", "note"),
    [
        (lambda day: str((day - EXCEL).days), "dates in days of Excel"),
        (lambda day: str((day - EPOCH).days * 86_400), "dates in s since 1970, UTC"),
        (lambda day: str((day - EPOCH).days * 86_400_000), "dates in ms since 1970, UTC"),
        (lambda day: str((day - EPOCH).days * 86_400 * 10**6), "dates in us since 1970, UTC"),
        (lambda day: str((day - EPOCH).days * 86_400 * 10**9), "dates in ns since 1970, UTC"),
    ],
    ids=["excel", "s", "ms", "us", "ns"],
)
def test_counts_of_days_and_seconds(tmp_path: Path, date: Callable[[dt.date], str], note: str) -> None:
    report = run(tmp_path, file(date))
    assert [row[0] for row in stored(tmp_path, "time")] == [str(day) for day in DAYS]
    assert note in report.notes


def test_days_of_two_counts_are_refused_with_both(tmp_path: Path) -> None:
    text = file(lambda day: str((day - EPOCH).days))
    with pytest.raises(ImportFileError, match=r"19723 can be 1953-12-30 \(--date-format excel\) or 2024-01-01 "):
        run(tmp_path, text)
    assert taken(tmp_path, text, dates="days") == [str(day) for day in DAYS]


FEW = [dt.date(2024, month, day) for month in (1, 2, 3) for day in (4, 5, 8)]


@pytest.mark.parametrize("sign", ["/", "-", "."])
@pytest.mark.parametrize(("first", "order"), [("%d{0}%m{0}%Y", "dmy"), ("%m{0}%d{0}%Y", "mdy")])
def test_days_up_to_12_are_refused_with_both_readings(tmp_path: Path, sign: str, first: str, order: str) -> None:
    text = file(lambda day: day.strftime(first.format(sign)), FEW)
    with pytest.raises(ImportFileError) as caught:
        run(tmp_path, text)
    message = str(caught.value)
    assert "2024-01-04" in message
    assert "2024-04-01" in message
    assert "--date-format dmy" in message
    assert "--date-format mdy" in message
    assert "\n" not in message
    assert not (tmp_path / "awesome.db").exists()
    assert taken(tmp_path, text, dates=order) == [str(day) for day in FEW]
    assert taken(tmp_path, text, dates=first.format(sign)) == [str(day) for day in FEW]


def test_the_last_date_of_a_file_decides_about_the_first(tmp_path: Path) -> None:
    days = [*FEW, dt.date(2024, 3, 13)]
    assert taken(tmp_path, file(lambda day: f"{day:%d/%m/%Y}", days)) == [str(day) for day in days]


def test_equal_day_and_month_have_one_reading(tmp_path: Path) -> None:
    assert taken(tmp_path, file(lambda day: f"{day:%d/%m/%Y}", [dt.date(2024, 2, 2)])) == ["2024-02-02"]


def test_years_of_two_digits_need_enough_days(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"2024-02-01 .* 2024-01-02 .* 2001-02-24"):
        run(tmp_path, file(lambda day: f"{day.month}/{day.day}/{day:%y}", [dt.date(2024, 1, 2)]))


def test_a_spreadsheet_that_turned_half_of_the_dates_is_refused(tmp_path: Path) -> None:
    """It reads 05/01/2024 as the first of May and leaves 15/01/2024 as text."""
    with pytest.raises(ImportFileError, match=r"writes dates in two ways, such as \S+ and \S+;"):
        run(tmp_path, file(lambda day: f"{day:%d/%m/%Y}" if day.day > 12 else f"{day:%Y-%d-%m}"))


def test_a_few_slips_are_refused_by_row(tmp_path: Path) -> None:
    text = file(str) + "03/02/2024\tA\t7\nsoon\tA\t7\n\tA\t7\n"
    report = run(tmp_path, text)
    assert [(refusal.row, refusal.time, refusal.reason) for refusal in report.refused] == [
        (32, "03/02/2024", "the date is unreadable; write it as 2024-01-31"),
        (33, "soon", "the date is unreadable; write it as 2024-01-31"),
        (34, "", "the date is missing"),
    ]
    assert report.taken == 30


def test_contradicting_dates_are_refused(tmp_path: Path) -> None:
    days = [dt.date(2024, 1, 10 + number) for number in range(15)]
    text = file(lambda day: f"{day:%d/%m/%Y}" if day.day % 2 else f"{day:%m/%d/%Y}", days)
    with pytest.raises(ImportFileError, match=r"contradicts itself: \S+ is no date day first, \S+ is no date month"):
        run(tmp_path, text)


def test_the_future_is_refused_by_itself(tmp_path: Path) -> None:
    """It once made all rows after it out of order."""
    text = "date,symbol,close\n2024-01-02,A,1\n2042-01-03,A,2\n2024-01-04,A,3\n2024-01-05,A,4\n"
    report = run(tmp_path, text, today=dt.date(2024, 1, 4))
    assert [(refusal.row, refusal.time, refusal.reason) for refusal in report.refused] == [
        (3, "2042-01-03", "the date is in the future (today is 2024-01-04)")
    ]
    # East of here it may be tomorrow already.
    assert [row[0] for row in stored(tmp_path, "time")] == ["2024-01-02", "2024-01-04", "2024-01-05"]


def test_a_year_before_all_exchanges_is_refused_by_itself(tmp_path: Path) -> None:
    report = run(tmp_path, "date,symbol,close\n0022-01-03,A,1\n1822-01-04,A,2\n2022-01-05,A,3\n")
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [
        (2, "the date is before 1600; correct its year")
    ]
    assert [row[0] for row in stored(tmp_path, "time")] == ["1822-01-04", "2022-01-05"]


@pytest.mark.parametrize("said", ["dmy", "%d.%m.%Y", "excel"])
def test_a_format_that_does_not_fit_takes_nothing_wrong(tmp_path: Path, said: str) -> None:
    try:
        report = run(tmp_path, file(lambda day: f"{day:%b %d, %Y}"), forms=forms_from(dates=said))
    except ImportFileError:
        return
    assert {row[0] for row in stored(tmp_path, "time")} <= {str(day) for day in DAYS}
    assert report.taken in (0, 30)


@pytest.mark.parametrize(
    ("said", "date"),
    [
        ({"dates": "mdy"}, lambda day: day.strftime("%d/%m/%Y")),
        ({}, lambda day: f"{day.day:02d} {'janv mars mai juil oct nov dec'.split()[day.day % 7]} 2024"),
    ],
    ids=["a flag that is wrong", "months of an unknown language"],
)
def test_a_file_is_refused_whole_if_many_dates_cannot_be_read(
    tmp_path: Path, said: dict[str, str], date: Callable[[dt.date], str]
) -> None:
    with pytest.raises(ImportFileError, match="different dates of the column date cannot be read, such as"):
        taken(tmp_path, file(date), **said)
