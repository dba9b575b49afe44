"""Files that cannot be read, gzip, and the types of Parquet."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from importing import long_csv, run, stored

from components.errors import ImportFileError
from components.price_files import import_prices

# --- files that cannot be read


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("time,share_id,close\n", "has a header but no prices"),
        ("time,A\n\n\n", "has a header but no prices"),
        ("a,b,c\n1,2,3\n", "line 1: there is no column time or date; the columns are 'a', 'b', 'c'; known layouts"),
        ("time,share_id,open\n2020-01-02,A,1\n", "there is no column close"),
        ("time,open,high\n2020-01-02,A,1\n", "there is no column of closes"),
        ("time\n2020-01-02\n", "there is no column of closes"),
        ("time,date,A\n", "the columns time and date mean the same"),
        ("time,share_id,ticker,close\n", "the columns share_id and ticker mean the same"),
        ("time,share_id,close,Close\n", "the columns close and Close mean the same"),
        ("time,share_id,close,factor,adj_close\n", "both factor and adj_close"),
        ("time,A,A\n2020-01-02,1,1\n", "the column A is there twice"),
        ("time,A,\n2020-01-02,1,1\n", "column 3 has no usable name"),
        ("time,share_id,close\n2020-01-02,A,1\n2020-01-03,A\n", "line 3: 2 cells, the header has 3"),
        ("time,share_id,close\n2020-01-02,A,1\n\n2020-01-03,A,1,2\n", "line 4: 4 cells, the header has 3"),
        ('time,share_id,close\n2020-01-02,"A,1\n', "line 2: not a CSV line"),
        (b"time,share_id,close\n2020-01-02,A,1\n2020-01-03,\xff,1\n", "line 3: the text is not UTF-8"),
        ("time,share_id,close\n".encode("utf-16"), "has a header but no prices"),
        (b"PK\x03\x04 a workbook", "neither CSV nor Parquet"),
        (b"SQLite format 3\0", "neither CSV nor Parquet"),
        (b"ARROW1\0\0 Feather", "neither CSV nor Parquet"),
        (b"<!DOCTYPE html><html></html>", "neither CSV nor Parquet"),
        (b'\xef\xbb\xbf[{"time": "2024-01-02"}]', "neither CSV nor Parquet"),
        (b'{"time":"2024-01-02"}\n', "neither CSV nor Parquet"),
        (b"PAR1 and nothing else", "the Parquet file cannot be read"),
        (b"\x1f\x8b and nothing else", "damaged"),
        (gzip.compress(long_csv(500).encode())[:-300], "damaged"),
    ],
)
def test_files_that_are_no_files_of_prices(tmp_path: Path, content: str | bytes, message: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        run(tmp_path, content)
    assert message in str(caught.value)
    assert str(tmp_path / "in.csv") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "awesome.db").exists()


def test_a_bad_byte_far_into_the_file_is_named_by_its_line(tmp_path: Path) -> None:
    lines = long_csv(20000).encode().splitlines()
    lines[15000] = b"2100-01-01,\xe9,1"
    for content in (b"\n".join(lines), gzip.compress(b"\n".join(lines))):
        with pytest.raises(ImportFileError, match="line 15001: the text is not UTF-8"):
            run(tmp_path, content)


def test_missing_files_and_folders(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="does not exist"):
        import_prices(tmp_path / "none.csv", tmp_path / "awesome.db")
    with pytest.raises(ImportFileError, match="cannot be read"):
        import_prices(tmp_path, tmp_path / "awesome.db")
    assert list(tmp_path.iterdir()) == []


def test_gzip_and_a_byte_order_mark_are_read_whatever_the_name(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + long_csv(25).replace("\n", "\r\n").encode()
    assert run(tmp_path, gzip.compress(text), name="prices.dat").taken == 25
    assert run(tmp_path, text).shares[0].unchanged == 25


# --- Parquet


def parquet(tmp_path: Path, **columns: pa.Array) -> Path:
    path = tmp_path / "in.parquet"
    pq.write_table(pa.table(columns), path)
    return path


DATES = [dt.date(2020, 1, 2), dt.date(2020, 1, 3), dt.date(2020, 1, 6)]
TIMES = [dt.datetime(2020, 1, 2), dt.datetime(2020, 1, 3), dt.datetime(2020, 1, 6)]


@pytest.mark.parametrize(
    "time",
    [
        pa.array(DATES),
        pa.array(DATES).cast(pa.date64()),
        pa.array(TIMES).cast(pa.timestamp("s")),
        pa.array(TIMES).cast(pa.timestamp("ns")),
        pa.array([20200102, 20200103, 20200106]),
        pa.array([str(day) for day in DATES]),
        pa.array([str(day) for day in DATES], pa.large_string()).cast(pa.string()).dictionary_encode(),
        # Midnight in Shanghai is the day before in UTC.
        pa.array([time - dt.timedelta(hours=8) for time in TIMES]).cast(pa.timestamp("us", "Asia/Shanghai")),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_types_of_dates(tmp_path: Path, time: pa.Array) -> None:
    path = parquet(tmp_path, date=time, symbol=pa.array(["A"] * 3), close=pa.array([1, 2, 3]))
    assert import_prices(path, tmp_path / "awesome.db").refused == ()
    assert stored(tmp_path, "time") == [("2020-01-02",), ("2020-01-03",), ("2020-01-06",)]


@pytest.mark.parametrize(
    "close",
    [
        pa.array([38.23, 0.1, 7.0]),
        pa.array([38.23, 0.1, 7.0], pa.float32()),
        pa.array([38.23, 0.1, 7.0]).cast(pa.string()),
        pa.array([38.23, 0.1, 7.0]).cast(pa.decimal128(10, 2)),
        pa.array([38.23, 0.1, 7.0]).dictionary_encode(),
    ],
    ids=lambda column: str(column.type),
)
def test_parquet_types_of_numbers(tmp_path: Path, close: pa.Array) -> None:
    path = parquet(tmp_path, time=pa.array(DATES), share_id=pa.array(["A"] * 3).dictionary_encode(), close=close)
    import_prices(path, tmp_path / "awesome.db")
    assert [row[0] for row in stored(tmp_path, "close")] == [38.23, 0.1, 7.0]


def test_parquet_rows_are_numbered_from_1(tmp_path: Path) -> None:
    path = parquet(
        tmp_path,
        time=pa.array([DATES[0], None, DATES[1], DATES[2]]),
        share_id=pa.array([600519, 600519, None, 600519]),
        close=pa.array([1.0, 2.0, 3.0, None]),
    )
    report = import_prices(path, tmp_path / "awesome.db")
    assert [(refusal.row, refusal.share_id, refusal.reason) for refusal in report.refused] == [
        (2, "600519", "the date is missing"),
        (3, "", "share_id is empty"),
        (4, "600519", "close is missing"),
    ]
    assert stored(tmp_path, "share_id, close") == [("600519", 1.0)]


def test_wide_parquet(tmp_path: Path) -> None:
    path = parquet(
        tmp_path, time=pa.array(DATES), **{"BRK.B": pa.array([None, 2.0, 3.0]), "BRK": pa.array([1.0, None, 3.0])}
    )
    report = import_prices(path, tmp_path / "awesome.db")
    assert [(refusal.row, refusal.share_id) for refusal in report.refused] == [(2, "BRK")]
    assert stored(tmp_path, "share_id, close") == [("BRK", 1.0), ("BRK", 3.0), ("BRK.B", 2.0), ("BRK.B", 3.0)]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("time", pa.array([1.5]), "the column time holds double, not dates"),
        ("time", pa.array([True]), "not dates"),
        ("share_id", pa.array([[1]]), "not names"),
        ("close", pa.array([[1.0]]), "the column close holds list"),
        ("close", pa.array([True]), "the column close holds bool, not numbers"),
    ],
)
def test_parquet_types_that_make_no_sense(tmp_path: Path, column: str, values: pa.Array, message: str) -> None:
    good = {"time": pa.array(DATES[:1]), "share_id": pa.array(["A"]), "close": pa.array([1.0])}
    path = parquet(tmp_path, **{**good, column: values})
    with pytest.raises(ImportFileError) as caught:
        import_prices(path, tmp_path / "awesome.db")
    assert message in str(caught.value)


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    path = parquet(tmp_path, time=pa.array([], pa.date32()), A=pa.array([], pa.float64()))
    with pytest.raises(ImportFileError, match="has a header but no prices"):
        import_prices(path, tmp_path / "awesome.db")
