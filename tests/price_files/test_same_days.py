"""Rows of one share and day, rows in any order, and files that hold several bars a day."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from importing import run, stored

from components.errors import ImportFileError

DAYS = np.busday_offset("2024-01-01", np.arange(60), roll="forward")


def lines(share: str, start: float) -> list[str]:
    return [f"{day},{share},{start + number / 4}" for number, day in enumerate(DAYS)]


@pytest.mark.parametrize("order", ["newest first", "shuffled", "interleaved", "one share newest first"])
def test_order_says_nothing(tmp_path: Path, order: str) -> None:
    a, b = lines("A", 10), lines("B", 50)
    rows = {
        "newest first": [*reversed(a), *reversed(b)],
        "shuffled": random.Random(0).sample(a + b, len(a + b)),
        "interleaved": [row for pair in zip(a, reversed(b), strict=True) for row in pair],
        "one share newest first": [*a, *reversed(b)],
    }[order]
    report = run(tmp_path, "date,symbol,close\n" + "\n".join(rows))
    assert (report.taken, report.refused) == (120, ())
    run(tmp_path, "date,symbol,close\n" + "\n".join(a + b), name="sorted.csv")
    assert stored(tmp_path, "share_id, time, close") == [
        *[("A", str(day), 10 + number / 4) for number, day in enumerate(DAYS)],
        *[("B", str(day), 50 + number / 4) for number, day in enumerate(DAYS)],
    ]


def test_a_wide_file_newest_first(tmp_path: Path) -> None:
    rows = [f"{day},{10 + number},{50 + number}" for number, day in enumerate(DAYS)]
    report = run(tmp_path, "date,A,B\n" + "\n".join(reversed(rows)))
    assert (report.taken, report.refused) == (120, ())
    assert [row[0] for row in stored(tmp_path, "close")][:60] == [10.0 + number for number in range(60)]


def test_an_adjusted_close_newest_first_gives_the_same_factors(tmp_path: Path) -> None:
    rows = [f"{day},A,{20 if number < 30 else 10},{10}" for number, day in enumerate(DAYS)]
    run(tmp_path, "date,symbol,close,adj_close\n" + "\n".join(reversed(rows)))
    assert [row[0] for row in stored(tmp_path, "factor")] == [1.0] * 30 + [2.0] * 30


def test_two_rows_that_differ_prove_neither(tmp_path: Path) -> None:
    rows = [*lines("A", 10), *lines("B", 50), f"{DAYS[5]},A,90.5"]
    report = run(tmp_path, "date,symbol,close\n" + "\n".join(rows))
    reason = "the date comes twice and its rows differ: close 11.25 in row 7; close 90.5 in row 122; keep the right one"
    assert [(refusal.row, refusal.share_id, refusal.time, refusal.reason) for refusal in report.refused] == [
        (7, "A", str(DAYS[5]), reason),
        (122, "A", str(DAYS[5]), reason),
    ]
    assert report.taken == 119
    assert ("A", str(DAYS[5])) not in [row[:2] for row in stored(tmp_path)]
    assert ("B", str(DAYS[5])) in [row[:2] for row in stored(tmp_path)]


def test_rows_that_are_equal_are_one(tmp_path: Path) -> None:
    rows = [*lines("A", 10), *lines("A", 10)[20:40], lines("A", 10)[3].replace(".75", ".750")]
    report = run(tmp_path, "date,symbol,close\n" + "\n".join(rows))
    assert (report.taken, report.refused) == (60, ())


def test_rows_that_differ_in_a_column_that_means_nothing_are_one(tmp_path: Path) -> None:
    report = run(tmp_path, "date,symbol,close,source\n2024-01-02,A,5,x\n2024-01-02,A,5,y\n")
    assert (report.taken, report.refused) == (1, ())


def test_the_fields_that_differ_are_shown(tmp_path: Path) -> None:
    report = run(
        tmp_path, "date,symbol,close,volume,high\n2024-01-02,A,5,100,6\n2024-01-02,A,5,,6\n2024-01-03,A,5,1,6\n"
    )
    assert [refusal.reason for refusal in report.refused] == [
        "the date comes twice and its rows differ: volume 100 in row 2; volume nan in row 3; keep the right one"
    ] * 2
    assert report.taken == 1


def test_the_same_day_in_two_forms_is_the_same_day(tmp_path: Path) -> None:
    report = run(tmp_path, "date,symbol,close\n2024-01-02,A,5\n20240102,A,6\n2024-01-03,A,7\n")
    assert [refusal.row for refusal in report.refused] == [2, 3]


def test_two_days_of_a_wide_file_differ_share_by_share(tmp_path: Path) -> None:
    report = run(tmp_path, "date,A,B,C\n2024-01-02,1,2,\n2024-01-03,1,2,3\n2024-01-02,1,9,3\n")
    assert [(refusal.row, refusal.share_id) for refusal in report.refused] == [(2, "B"), (4, "B")]
    assert stored(tmp_path, "share_id, time, close") == [
        *[("A", "2024-01-02", 1.0), ("A", "2024-01-03", 1.0)],
        *[("B", "2024-01-03", 2.0), ("C", "2024-01-02", 3.0), ("C", "2024-01-03", 3.0)],
    ]


def intraday(form: str, shares: str = "A", header: str = "date,symbol,close") -> str:
    rows = [
        form.format(day=day, hour=hour, share=share, close=10 + number + hour / 100)
        for number, day in enumerate(DAYS)
        for share in shares
        for hour in range(10, 16)
    ]
    return header + "\n" + "\n".join(rows)


@pytest.mark.parametrize(
    "text",
    [
        intraday("{day} {hour}:30:00,{share},{close:.2f}"),
        intraday("{day}T{hour}:30:00Z,{share},{close:.2f}", "AB"),
        intraday("{day} {hour}:30:00-05:00,{share},{close:.2f}"),
        intraday("{day},{hour}:30:00,{share},{close:.2f}", header="date,clock,symbol,close"),
        intraday("{day} {hour}:30:00,{close:.2f},{close:.3f}", header="date,A,B"),
        intraday("{day} {hour}:30,{share},7"),
    ],
    ids=["times", "instants", "own zone", "another column", "wide", "always the same price"],
)
def test_several_bars_a_day_are_no_daily_prices(tmp_path: Path, text: str) -> None:
    with pytest.raises(ImportFileError) as caught:
        run(tmp_path, text)
    message = str(caught.value)
    assert "intraday prices" in message
    assert "6 rows of 2024-01-01" in message
    assert "such as rows 2, 3, 4" in message
    assert "\n" not in message
    assert not (tmp_path / "awesome.db").exists()


def test_the_minutes_of_one_day_are_no_instants_of_days(tmp_path: Path) -> None:
    rows = [f"2024-01-02 {9 + minute // 60:02d}:{minute % 60:02d},A,{10 + minute / 100}" for minute in range(200)]
    with pytest.raises(ImportFileError, match=r"intraday prices: 200 rows of 2024-01-02 \(09:00, 09:01, 09:02"):
        run(tmp_path, "date,symbol,close\n" + "\n".join(rows))


def test_two_exchanges_that_close_at_different_times_are_not_intraday(tmp_path: Path) -> None:
    rows = [f"{day} {hour}:00:00,{share},5" for day in DAYS for share, hour in (("A", 15), ("B", 16), ("C", 17))]
    assert run(tmp_path, "date,symbol,close\n" + "\n".join(rows)).taken == 180
