"""Decimal signs, thousands, currency signs and blanks: what a file means is decided from all of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing import run, stored

from components.errors import ImportFileError
from components.price_files import Forms, forms_from, import_prices

DAYS = np.busday_offset("2024-01-01", np.arange(30), roll="forward")
CLOSES = [1234.5 + 1.25 * number for number in range(30)]
VOLUMES = [1_234_567 + number for number in range(30)]


def written(value: float, decimal: str, thousands: str, decimals: int = 2) -> str:
    swapped = {",": thousands, ".": decimal}
    return "".join(swapped.get(sign, sign) for sign in f"{value:,.{decimals}f}")


def file(close: Callable[[float], str], volume: Callable[[float], str] | None = None, separator: str = ";") -> str:
    quote = '"' if separator == "," else ""
    lines = [separator.join(["date", "symbol", "close", *(["volume"] if volume else [])])]
    for day, price, count in zip(DAYS, CLOSES, VOLUMES, strict=True):
        cells = [f"{quote}{close(price)}{quote}", *([f"{quote}{volume(count)}{quote}"] if volume else [])]
        lines.append(separator.join([str(day), "A", *cells]))
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    ("decimal", "thousands"),
    [
        *[(".", ","), (".", " "), (".", "'"), (".", "\u2019"), (".", "")],
        *[(",", "."), (",", " "), (",", "\u00a0"), (",", "\u202f"), (",", "'"), (",", "")],
    ],
)
def test_numbers_are_the_same_however_they_are_written(
    tmp_path: Path, separator: str, decimal: str, thousands: str
) -> None:
    text = file(
        lambda price: written(price, decimal, thousands),
        lambda count: written(count, decimal, thousands, 0),
        separator,
    )
    report = run(tmp_path, text)
    assert (report.taken, report.refused) == (30, ())
    assert stored(tmp_path, "close, volume") == list(zip(CLOSES, VOLUMES, strict=True))
    if (decimal, thousands) != (".", ""):
        assert any(note.startswith(f"decimal sign {decimal!r}") for note in report.notes)


def test_groups_of_two_as_in_india(tmp_path: Path) -> None:
    run(tmp_path, 'date,symbol,close,volume\n2024-01-01,A,"1,234.50","12,34,567"\n')
    assert stored(tmp_path, "close, volume") == [(1234.5, 1234567.0)]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_number_with_two_readings_is_refused_with_both_and_the_flag_decides(tmp_path: Path, separator: str) -> None:
    text = file(lambda price: written(int(price), ".", ",", 0), separator=separator)
    with pytest.raises(ImportFileError) as caught:
        run(tmp_path, text)
    message = str(caught.value)
    assert "'1,234' can be 1.234 (--decimal ,) or 1234 (--decimal .)" in message
    assert "\n" not in message
    assert not (tmp_path / "awesome.db").exists()
    run(tmp_path, text, forms=forms_from(decimal="."))
    assert stored(tmp_path, "close")[0] == (1234.0,)
    run(tmp_path, text, forms=forms_from(decimal=","), source="other", replace=True)
    assert stored(tmp_path, "close")[0] == (1.234,)


def test_the_one_cell_that_tells_may_be_the_last(tmp_path: Path) -> None:
    text = "date;symbol;close;volume\n2024-01-01;A;1.234;1\n2024-01-02;A;1.235;1\n"
    with pytest.raises(ImportFileError, match=r"'1\.234' can be 1\.234 \(--decimal \.\) or 1234 \(--decimal ,\)"):
        run(tmp_path, text)
    run(tmp_path, text + "2024-01-03;A;1.236,5;1\n")
    assert [row[0] for row in stored(tmp_path, "close")] == [1234.0, 1235.0, 1236.5]


def test_three_decimals_behind_a_point_are_decimals_where_commas_separate(tmp_path: Path) -> None:
    run(tmp_path, "date,symbol,close\n2024-01-01,A,1.234\n2024-01-02,A,12.345\n")
    assert [row[0] for row in stored(tmp_path, "close")] == [1.234, 12.345]


def test_a_slip_among_many_is_refused_by_row_and_halves_are_refused_whole(tmp_path: Path) -> None:
    slip = file(lambda price: "1,5" if price == CLOSES[3] else f"{price:.2f}")
    report = run(tmp_path, slip)
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(5, "close '1,5' is not a number")]
    halves = file(lambda price: written(price, "," if int(price) % 2 else ".", ""))
    with pytest.raises(ImportFileError, match=r"has a decimal point and '.*' a decimal comma"):
        run(tmp_path, halves)


@pytest.mark.parametrize(
    ("cell", "volume"),
    [
        *[("1.2M", 1.2e6), ("850.3K", 850_300.0), ("1.05B", 1.05e9), ("2T", 2e12), ("3.5k", 3500.0)],
        *[("1.2万", 12_000.0), ("0.5亿", 5e7), ("12", 12.0), ("-", None), ("", None)],
    ],
)
def test_volumes_in_thousands_and_millions(tmp_path: Path, cell: str, volume: float | None) -> None:
    run(tmp_path, f"date,symbol,close,volume,change %\n2024-01-01,A,7.5,{cell},+1.2%\n")
    assert stored(tmp_path, "close, volume") == [(7.5, volume)]


def test_a_price_in_thousands_is_no_price(tmp_path: Path) -> None:
    report = run(tmp_path, "date,symbol,close\n2024-01-01,A,1.2K\n")
    assert [refusal.reason for refusal in report.refused] == ["close '1.2K' is not a number"]


@pytest.mark.parametrize("cell", ["$189.95", "€189.95", "189.95 €", "HK$189.95", "¥189.95", " 189.95", "+189.95"])
def test_signs_of_currencies_are_left_out(tmp_path: Path, cell: str) -> None:
    run(tmp_path, f"date,symbol,close\n2024-01-01,A,{cell}\n")
    assert stored(tmp_path, "close") == [(189.95,)]


@pytest.mark.parametrize(
    "blank", ["", " ", "NA", "NaN", "null", "None", "-", "--", "N/D", "n/a", "#N/A", "<NA>", "\\N", "."]
)
def test_blanks_are_missing_and_no_slips(tmp_path: Path, blank: str) -> None:
    report = run(tmp_path, f"date,symbol,close,volume\n2024-01-01,A,7.5,{blank}\n2024-01-02,A,{blank},3\n")
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(3, "close is missing")]
    assert stored(tmp_path, "close, volume") == [(7.5, None)]


@pytest.mark.parametrize("cell", ["1_000", "0x10", "1.2.3", "12,3,4", "1 23", "ten", "12%", "(12.5)"])
def test_what_is_no_number(tmp_path: Path, cell: str) -> None:
    report = run(tmp_path, f'date;symbol;close\n2024-01-01;A;7.5\n2024-01-02;A;"{cell}"\n2024-01-03;A;7.25\n')
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(3, f"close {cell!r} is not a number")]
    assert report.taken == 2


def test_a_wide_file_with_decimal_commas(tmp_path: Path) -> None:
    rows = [
        f"{day};{written(price, ',', '.')};{written(price / 10, ',', '.')}"
        for day, price in zip(DAYS, CLOSES, strict=True)
    ]
    report = run(tmp_path, "Date;AAA;BBB\n" + "\n".join(rows))
    assert report.taken == 60
    assert [row[0] for row in stored(tmp_path, "close")][:30] == CLOSES
    assert [row[0] for row in stored(tmp_path, "close")][30:] == [round(price / 10, 2) for price in CLOSES]


def test_texts_of_a_parquet_file_are_read_as_those_of_csv(tmp_path: Path) -> None:
    texts = [written(price, ",", ".") for price in CLOSES]
    table = pa.table({"date": DAYS.astype("datetime64[D]").tolist(), "symbol": ["A"] * 30, "close": texts})
    pq.write_table(table, tmp_path / "in.parquet")
    import_prices(tmp_path / "in.parquet", tmp_path / "awesome.db")
    assert [row[0] for row in stored(tmp_path, "close")] == CLOSES


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"decimal": "x"}, "--decimal 'x' is no decimal sign"),
        ({"separator": "ab"}, "--separator 'ab' separates no cells"),
        ({"dates": "sometimes"}, "--date-format sometimes is none"),
        ({"dates": "%d.%m"}, "--date-format '%d.%m' does not tell the year, month and day"),
        ({"dates": "%Y-%m"}, "--date-format '%Y-%m' does not tell the year, month and day"),
        ({"dates": "%-d.%m.%Y"}, "--date-format '%-d.%m.%Y' is no format that dates are read by; say one such as %d"),
        ({"zone": "Mars/Base"}, "--timezone Mars/Base is no time zone"),
        ({"encoding": "klingon"}, "--encoding klingon is no encoding"),
    ],
)
def test_what_a_user_says_is_checked(said: dict[str, str], message: str) -> None:
    with pytest.raises(ImportFileError, match=message):
        forms_from(**said)


def test_words_for_signs() -> None:
    assert forms_from(separator="semicolon", decimal="comma") == Forms(separator=";", decimal=",")
    assert forms_from(dates="day-first") == Forms(dates="dmy")


@pytest.mark.parametrize(
    "dates", ["%d.%m.%y", "%Y-%j", "%G-W%V-%u", "%a, %d %b %Y", "%Y-%m-%dT%H:%M:%S%z", "%I:%M %p %x"]
)
def test_formats_that_tell_a_date(dates: str) -> None:
    assert forms_from(dates=dates) == Forms(dates=dates)


@pytest.mark.parametrize("separator", [",", ";"])
@pytest.mark.parametrize("thousands", [",", "."])
def test_volumes_in_groups_beside_whole_closes_are_whole(tmp_path: Path, separator: str, thousands: str) -> None:
    """No file has three decimals of a share in each volume, so only a close can have two readings."""
    if separator == "," and thousands == ".":
        pytest.skip("a point is a decimal sign there")
    rows = [f'2024-01-{day:02d}{separator}A{separator}{day}{separator}"1{thousands}2{day:02d}"' for day in range(1, 30)]
    run(tmp_path, separator.join(["date", "symbol", "close", "volume"]) + "\n" + "\n".join(rows))
    assert stored(tmp_path, "close, volume") == [(float(day), 1200.0 + day) for day in range(1, 30)]
