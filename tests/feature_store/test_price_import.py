"""Importing prices: layouts, what is refused and why, joins to what is stored, files that are no files of prices."""

from __future__ import annotations

import datetime as dt
import gzip
import resource
import sqlite3
import subprocess
import sys
import time as clock
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from components.errors import ImportFileError, StoreError
from components.feature_store import FeatureStore, PriceBars, Refusal, import_prices


def run(tmp_path: Path, content: str | bytes, name: str = "in.csv", **options: object):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_prices(path, tmp_path / "awesome.db", **options)


def stored(tmp_path: Path, columns: str = "share_id, time, close, factor") -> list[tuple]:
    connection = sqlite3.connect(tmp_path / "awesome.db")
    rows = connection.execute(f"SELECT {columns} FROM PRICE ORDER BY share_id, time").fetchall()
    connection.close()
    return rows


def long_csv(count: int, share_id: str = "A", start: str = "2020-01-01", seed: int = 0) -> str:
    close = np.random.default_rng(seed).random(count).round(2) + 10
    lines = [f"{np.datetime64(start) + day},{share_id},{value:.2f}" for day, value in enumerate(close)]
    return "time,share_id,close\n" + "\n".join(lines) + "\n"


# --- layouts


@pytest.mark.parametrize(
    "header", ["time,share_id,close", "Date,Symbol,Close", "DATE, ticker ,CLOSE", '"date","symbol","close"']
)
def test_long_headers_in_any_case(tmp_path: Path, header: str) -> None:
    report = run(tmp_path, header + "\n2020-01-02,A,10.5\n2020-01-03,A,11\n2020-01-02,B,7\n")
    assert (report.taken, report.refused, report.ignored_columns) == (3, (), ())
    assert [(s.share_id, s.new, s.changed, s.unchanged, s.first, s.last) for s in report.shares] == [
        ("A", 2, 0, 0, dt.date(2020, 1, 2), dt.date(2020, 1, 3)),
        ("B", 1, 0, 0, dt.date(2020, 1, 2), dt.date(2020, 1, 2)),
    ]
    assert stored(tmp_path) == [
        *[("A", "2020-01-02", 10.5, 1.0), ("A", "2020-01-03", 11.0, 1.0), ("B", "2020-01-02", 7.0, 1.0)]
    ]


def test_all_columns_in_another_order_with_others_between(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "close,name,Volume,factor,time,low,high,open,share_id\n"
        "10,x,100,2,2020-01-02,9,11,9.5,A\n"
        "11,x,,3,2020-01-03,,,,A\n",
    )
    assert report.ignored_columns == ("name",)
    assert stored(tmp_path, "time, open, high, low, close, volume, factor, source") == [
        ("2020-01-02", 9.5, 11.0, 9.0, 10.0, 100, 1.0, "file"),
        ("2020-01-03", None, None, None, 11.0, None, 1.5, "file"),
    ]


def test_rows_may_be_sorted_by_date_first(tmp_path: Path) -> None:
    report = run(tmp_path, "time,share_id,close\n2020-01-02,B,1\n2020-01-02,A,2\n2020-01-03,B,3\n2020-01-03,A,4\n")
    assert (report.taken, report.refused) == (4, ())
    assert [share.share_id for share in report.shares] == ["B", "A"]
    assert [row[2] for row in stored(tmp_path)] == [2.0, 4.0, 1.0, 3.0]


def test_wide_cells_are_adjusted_closes_and_blanks_outside_a_listing_are_none(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "Date,A,BRK.B,LOW,never\n2020-01-02,10,,30,\n2020-01-03,11,20,,\n2020-01-06,12,21,32,\n2020-01-07,13,,33,\n",
    )
    assert report.refused == (Refusal(3, "LOW", "2020-01-03", "close is missing"),)
    assert report.taken == 9
    assert stored(tmp_path, "share_id, close, factor") == [
        *[("A", float(close), 1.0) for close in (10, 11, 12, 13)],
        *[("BRK.B", 20.0, 1.0), ("BRK.B", 21.0, 1.0)],
        *[("LOW", 30.0, 1.0), ("LOW", 32.0, 1.0), ("LOW", 33.0, 1.0)],
    ]


def test_wide_refusals(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "time,A,B\n2020-01-02,1,x\n2020-01-03,0,2\nnever,3,3\n2020-01-03,4,4\n2020-01-01,5,5\n2020-01-06,6,inf\n",
    )
    assert [(r.row, r.share_id, r.time, r.reason) for r in report.refused] == [
        (2, "B", "2020-01-02", "close 'x' is not a number"),
        (3, "A", "2020-01-03", "close is zero"),
        (4, "", "never", "the date is unreadable; write it as 2024-01-31"),
        (5, "", "2020-01-03", "the date comes twice"),
        (6, "", "2020-01-01", "the date is out of order: it comes after 2020-01-03"),
        (7, "B", "2020-01-06", "close is infinite"),
    ]
    assert [row[:3] for row in stored(tmp_path)] == [
        *[("A", "2020-01-02", 1.0), ("A", "2020-01-06", 6.0), ("B", "2020-01-03", 2.0)]
    ]


@pytest.mark.parametrize(
    "text",
    [
        *["2020-01-02", "2020-1-2", "2020/01/02", "20200102", "2020-01-02T00:00:00.000Z", "2020-01-02 15:30:00+01:00"],
        *[" 2020-01-02 ", "2020-01-02 00:00"],
    ],
)
def test_dates_that_are_read(tmp_path: Path, text: str) -> None:
    run(tmp_path, f"time,share_id,close\n{text},A,1\n")
    assert stored(tmp_path, "time") == [("2020-01-02",)]


@pytest.mark.parametrize(
    "text", ["01/02/2020", "2020-13-01", "2020-02-30", "20-01-02", "2020-01", "1577923200", "2020-01-02x", "0000-01-01"]
)
def test_dates_that_are_not_guessed_at(tmp_path: Path, text: str) -> None:
    report = run(tmp_path, f"time,share_id,close\n{text},A,1\n")
    assert report.refused == (Refusal(2, "A", text, "the date is unreadable; write it as 2024-01-31"),)
    assert report.taken == 0


# --- refusals


def test_each_refused_row_has_its_line_and_reason_and_the_others_are_taken(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "time,share_id,close,low,high,volume,factor\n"
        "2020-01-02,A,10,9,11,5,1\n"  # 2
        "2020-01-03,A,,9,11,5,1\n"
        "2020-01-03,A,0,9,11,5,1\n"
        "2020-01-03,A,-1,9,11,5,1\n"  # 5
        "2020-01-03,A,ten,9,11,5,1\n"
        "2020-01-03,A,inf,9,11,5,1\n"
        "2020-01-03,A,1_0,9,11,5,1\n"
        "2020-01-03,A,nan,9,11,5,1\n"
        "2020-01-03,A,10,9,11,5,0\n"  # 10
        "2020-01-03,A,10,9,11,5,\n"
        "2020-01-03,A,10,9,11,5,x\n"
        "2020-01-03,A,10,11,9,5,1\n"
        "2020-01-03,A,12,9,11,5,1\n"
        "2020-01-03,A,8,9,11,5,1\n"  # 15
        "2020-01-03,A,10,9,11,many,1\n"
        "2020-01-03,A,10,9,11,-5,1\n"
        "2020-01-03, ,10,9,11,5,1\n"
        ",A,10,9,11,5,1\n"
        "\n"  # 20: a blank line is no row
        "2020-01-02,A,10,9,11,5,1\n"
        "2020-01-01,A,10,9,11,5,1\n"
        "2020-01-03,A,10.004,9,10,5,2\n"
        "2020-01-03,A,10,9,11,5,1\n",
    )
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [
        (3, "close is missing"),
        (4, "close is zero"),
        (5, "close is below 0"),
        (6, "close 'ten' is not a number"),
        (7, "close is infinite"),
        (8, "close '1_0' is not a number"),
        (9, "close is missing"),
        (10, "factor is zero"),
        (11, "factor is missing"),
        (12, "factor 'x' is not a number"),
        (13, "low 11 is above high 9"),
        (14, "close 12 is outside [low 9, high 11]"),
        (15, "close 8 is outside [low 9, high 11]"),
        (16, "volume 'many' is not a number"),
        (17, "volume is below 0"),
        (18, "share_id is empty"),
        (19, "the date is missing"),
        (21, "the date comes twice"),
        (22, "the date is out of order: it comes after 2020-01-02"),
        (24, "the date comes twice"),
    ]
    assert stored(tmp_path) == [("A", "2020-01-02", 10.0, 1.0), ("A", "2020-01-03", 10.004, 2.0)]


def test_row_numbers_hold_across_chunks_and_line_breaks_in_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.feature_store.files._CHUNK_CELLS", 8)
    lines = [f"{np.datetime64('2020-01-01') + day},A,{1 + day},x" for day in range(11)]
    lines[1] = '2020-01-02,A,2,"two\nlines\r\nand three"'
    lines[3] = "2020-01-04,A,bad,x"
    lines[10] = "2020-01-11,A,,x"
    report = run(tmp_path, "time,share_id,close,note\n" + "\n".join(lines))
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [
        (7, "close 'bad' is not a number"),
        (14, "close is missing"),
    ]
    assert report.taken == 9


def test_an_adjusted_close_out_of_range_is_refused(tmp_path: Path) -> None:
    report = run(tmp_path, "time,share_id,close,factor\n2020-01-02,A,1,1e-200\n2020-01-03,A,1e200,1e200\n")
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(3, "the adjusted close is out of range")]
    assert report.taken == 1


# --- numbers


def test_numbers_are_read_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random(500) * 10.0 ** np.random.default_rng(1).integers(-5, 6, 500)
    lines = [f"{np.datetime64('2020-01-01') + day},A,{value!r}" for day, value in enumerate(values.tolist())]
    run(tmp_path, "time,share_id,close\n" + "\n".join(lines))
    assert [row[0] for row in stored(tmp_path, "close")] == values.tolist()


def test_features_from_adjusted_closes_have_no_rounding_noise(tmp_path: Path) -> None:
    close = [20.0] * 15 + [19.5] * 15  # a dividend of 0.50 on the 16th day, and no other news
    adjusted = [round(value * (0.97510 if day < 15 else 1.0), 2) for day, value in enumerate(close)]
    lines = [f"{np.datetime64('2020-01-01') + day},A,{close[day]},{adjusted[day]}" for day in range(30)]
    run(tmp_path, "date,symbol,close,Adj Close\n" + "\n".join(lines))
    factor = [row[3] for row in stored(tmp_path)]
    assert factor[:15] == [1.0] * 15
    assert factor[15:] == [pytest.approx(20 / 19.5, rel=3e-4)] * 15
    assert len(set(factor)) == 2


# --- again and further


def test_a_second_import_changes_no_byte(tmp_path: Path) -> None:
    text = long_csv(50)
    assert run(tmp_path, text).shares[0].new == 50
    before = (tmp_path / "awesome.db").read_bytes()
    report = run(tmp_path, text)
    assert (report.shares[0].new, report.shares[0].changed, report.shares[0].unchanged) == (0, 0, 50)
    assert report.taken == 50
    assert (tmp_path / "awesome.db").read_bytes() == before


def adjusted_csv(first: int, last: int, dividend_day: int = 60) -> str:
    random = np.random.default_rng(5)
    close = (20 + random.random(100)).round(2)
    ratio = np.where(np.arange(100) < dividend_day, 0.98, 1.0)
    ratio = ratio / ratio[last - 1]  # a source anchors at its last day
    rows = range(first, last)
    lines = [f"{np.datetime64('2020-01-01') + day},A,{close[day]:.2f},{close[day] * ratio[day]:.2f}" for day in rows]
    return "time,share_id,close,adj_close\n" + "\n".join(lines)


def test_a_longer_file_adds_days_and_rewrites_none_though_its_anchor_moved(tmp_path: Path) -> None:
    run(tmp_path, adjusted_csv(0, 50))
    before = stored(tmp_path)
    report = run(tmp_path, adjusted_csv(0, 100))
    assert (report.shares[0].new, report.shares[0].changed, report.shares[0].unchanged) == (50, 0, 50)
    after = stored(tmp_path)
    assert after[:50] == before
    assert after[60][3] / after[59][3] == pytest.approx(1 / 0.98, rel=5e-4)
    assert len({row[3] for row in after}) == 2


def test_a_file_of_the_last_days_is_joined_where_both_have_a_day(tmp_path: Path) -> None:
    run(tmp_path, adjusted_csv(0, 70))
    report = run(tmp_path, adjusted_csv(65, 100))
    assert (report.shares[0].new, report.shares[0].changed, report.shares[0].unchanged) == (30, 0, 5)
    assert len({row[3] for row in stored(tmp_path)}) == 2


def test_adjusted_prices_without_a_day_in_common_are_refused_not_guessed(tmp_path: Path) -> None:
    run(tmp_path, adjusted_csv(0, 50))
    before = stored(tmp_path)
    report = run(tmp_path, adjusted_csv(55, 100))
    assert report.taken == 0
    assert [(refusal.row, refusal.share_id, refusal.time) for refusal in report.refused] == [(2, "A", "2020-02-25")]
    assert "cannot be joined" in report.refused[0].reason
    assert stored(tmp_path) == before


def test_unadjusted_prices_are_appended_without_a_day_in_common(tmp_path: Path) -> None:
    run(tmp_path, long_csv(30))
    assert run(tmp_path, long_csv(5, start="2020-03-01")).shares[0].new == 5
    assert len(stored(tmp_path)) == 35


def test_another_source_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    run(tmp_path, long_csv(30, "B"), source="tiingo")
    before = stored(tmp_path)
    text = long_csv(30, "A") + long_csv(30, "B", seed=1).split("\n", 1)[1]
    with pytest.raises(StoreError, match="B come from the source 'tiingo', not 'file'"):
        run(tmp_path, text)
    assert stored(tmp_path) == before
    assert run(tmp_path, text, replace=True).taken == 60
    assert {row[0] for row in stored(tmp_path, "source")} == {"file"}


def test_a_failure_midway_keeps_the_shares_before_it_and_says_how_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = FeatureStore.upsert

    def fail_at_c(self: FeatureStore, share_id: str, *arguments: object, **keywords: object):
        if share_id == "C":
            raise StoreError("the disk is full")
        return original(self, share_id, *arguments, **keywords)

    monkeypatch.setattr(FeatureStore, "upsert", fail_at_c)
    text = "time,share_id,close\n" + "".join(f"2020-01-02,{share_id},1\n" for share_id in "ABCD")
    with pytest.raises(StoreError, match=r"the disk is full \(2 of 4 shares are in\)"):
        run(tmp_path, text)
    assert [row[0] for row in stored(tmp_path)] == ["A", "B"]


def test_progress_is_told_after_each_share(tmp_path: Path) -> None:
    calls: list[tuple[int, int, str]] = []
    run(tmp_path, long_csv(3, "A") + long_csv(3, "B").split("\n", 1)[1], progress=lambda *call: calls.append(call))
    assert calls == [(1, 2, "A"), (2, 2, "B")]


def test_an_open_store_may_be_given(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text(long_csv(25))
    with FeatureStore.create(tmp_path / "awesome.db") as store:
        import_prices(tmp_path / "in.csv", store, source="mine")
        assert [(share.rows, share.source) for share in store.shares()] == [(5, "mine")]
    with FeatureStore.open(tmp_path / "awesome.db") as store, pytest.raises(StoreError, match="for reading only"):
        import_prices(tmp_path / "in.csv", store, source="mine")


# --- files that cannot be read


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("time,share_id,close\n", "has a header but no prices"),
        ("time,A\n\n\n", "has a header but no prices"),
        ("a,b,c\n1,2,3\n", "line 1: there is no column time or date; the columns are 'a', 'b', 'c'; known layouts"),
        ("time;share_id;close\n2020-01-02;A;1\n", "the columns are 'time;share_id;close'"),
        ("time,close\n2020-01-02,1\n", "no column share_id, symbol or ticker"),
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
        ("time,share_id,close\n".encode("utf-16"), "line 1: the text is UTF-16"),
        (b"PK\x03\x04 a workbook", "neither CSV nor Parquet"),
        (b"SQLite format 3\0", "neither CSV nor Parquet"),
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


# --- size


@pytest.mark.slow
def test_a_million_windows_are_built_within_40_seconds_and_a_gibibyte(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from components.feature_store import FeatureStore, PriceBars\n"
        "time = np.datetime64('1985-01-01') + np.arange(10_020)\n"
        "with FeatureStore.create(sys.argv[1]) as store:\n"
        "    for share in range(100):\n"
        "        close = np.random.default_rng(share).random(10_020) + 1\n"
        "        store.upsert(f'S{share:03}', PriceBars(time, close, np.ones(10_020)), 'file')\n"
        "    print(sum(share.rows for share in store.shares()))\n"
    )
    seconds, mebibytes = _seconds_and_mebibytes(code, tmp_path / "awesome.db", "1000000\n")
    assert seconds < 40
    assert mebibytes < 1024


@pytest.mark.slow
def test_a_million_lines_are_imported_within_a_minute_and_a_gibibyte(tmp_path: Path) -> None:
    close = np.random.default_rng(0).random(10_000).round(2) + 10
    time = (np.datetime64("1985-01-01") + np.arange(10_000)).astype(str)
    rows = [f",{value:.2f},{value + 1:.2f},{value - 1:.2f},{value:.2f},1000,{value / 2:.2f}" for value in close]
    with (tmp_path / "in.csv").open("w") as stream:
        stream.write("time,share_id,open,high,low,close,volume,adj_close\n")
        for share in range(100):
            stream.write("".join([f"{day},S{share}{row}\n" for day, row in zip(time, rows, strict=True)]))
    code = (
        "import sys\n"
        "from components.feature_store import import_prices\n"
        "report = import_prices(sys.argv[1].replace('awesome.db', 'in.csv'), sys.argv[1])\n"
        "print(report.taken, len(report.refused))\n"
    )
    seconds, mebibytes = _seconds_and_mebibytes(code, tmp_path / "awesome.db", "1000000 0\n")
    assert seconds < 60
    assert mebibytes < 1024


def _seconds_and_mebibytes(code: str, path: Path, output: str) -> tuple[float, float]:
    """Runs code in a process of its own, which is how its peak memory can be told from ours."""
    # Not ru_maxrss, which a new process takes over from the one that started it, however large that is.
    code += "import re\nprint(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1])\n"
    begin, used = clock.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = done.stdout.splitlines(keepends=True)
    assert "".join(lines[:-1]) == output
    # The processor's time, for other programs may share the machine; a wait for the disk would show in the wall's.
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    print(f"{cpu:.1f} s of processor time, {clock.monotonic() - begin:.1f} s, {int(lines[-1]) / 1024:.0f} MiB")
    return cpu, int(lines[-1]) / 1024


def test_bars_reach_the_store_as_the_importer_read_them(tmp_path: Path) -> None:
    run(tmp_path, "time,share_id,close,volume\n2020-01-02,A,10,5\n2020-01-03,A,11,6\n")
    with FeatureStore.open(tmp_path / "awesome.db") as store:
        bars = store.bars("A")
    assert isinstance(bars, PriceBars)
    assert bars.volume.tolist() == [5.0, 6.0]
    assert bars.close.tolist() == [10.0, 11.0]
