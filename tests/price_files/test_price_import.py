"""Importing prices: layouts, what is refused and why, joins to what is stored."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from importing import long_csv, run, stored

from components.errors import StoreError
from components.feature_store import FeatureStore
from components.price_files import Refusal, import_prices

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


TWICE = "the date comes twice and its rows differ: close 2 in row 3; close 4 in row 5; keep the right one"


def test_wide_refusals(tmp_path: Path) -> None:
    report = run(
        tmp_path,
        "time,A,B\n2020-01-02,1,x\n2020-01-03,0,2\nnever,3,3\n2020-01-03,4,4\n2020-01-01,5,5\n2020-01-06,6,inf\n",
    )
    assert [(r.row, r.share_id, r.time, r.reason) for r in report.refused] == [
        (2, "B", "2020-01-02", "close 'x' is not a number"),
        (3, "A", "2020-01-03", "close is zero"),
        (3, "B", "2020-01-03", TWICE),
        (4, "", "never", "the date is unreadable; write it as 2024-01-31"),
        (5, "B", "2020-01-03", TWICE),
        (7, "B", "2020-01-06", "close is infinite"),
    ]
    assert [row[:3] for row in stored(tmp_path)] == [
        *[("A", "2020-01-01", 5.0), ("A", "2020-01-02", 1.0), ("A", "2020-01-03", 4.0), ("A", "2020-01-06", 6.0)],
        ("B", "2020-01-01", 5.0),
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
    "text", ["2020-13-01", "2020-02-30", "2020-01", "2020", "2020-01-02x", "0000-01-01", "31.02.2020", "soon"]
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
    differ = (
        "the date comes twice and its rows differ: high 10, close 10.004, factor 2 in row 23; "
        "high 11, close 10, factor 1 in row 24; keep the right one"
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
        (23, differ),
        (24, differ),
    ]
    assert stored(tmp_path) == [("A", "2020-01-01", 10.0, 1.0), ("A", "2020-01-02", 10.0, 1.0)]


def test_row_numbers_hold_across_chunks_and_line_breaks_in_quotes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.price_files.files._CHUNK_CELLS", 8)
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
