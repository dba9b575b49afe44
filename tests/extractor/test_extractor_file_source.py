from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from replayed_market import contents

from components.errors import ExtractionError, ImportFileError
from components.extractor import ExtractionPlan, ExtractionReport, ShareOutcome, Status, extract
from components.extractor.progress import ExtractionListener
from components.feature_store import FeatureStore, PriceBars

HEADER = "time,share_id,open,high,low,close,volume,factor\n"
DAYS = np.busday_offset("2026-01-05", np.arange(30), roll="forward").astype("datetime64[D]")


def rows(share: str, count: int, start: float = 10.0) -> str:
    bars = ((day, start + number / 10) for number, day in enumerate(DAYS[:count]))
    return "".join(f"{day},{share},{c:.2f},{c + 0.5:.2f},{c - 0.5:.2f},{c:.2f},100,1\n" for day, c in bars)


@pytest.fixture
def prices(tmp_path: Path) -> Path:
    file = tmp_path / "prices.csv"
    file.write_text(HEADER + rows("AAA", 25) + rows("BBB", 30, 50.0))
    return file


class Listener(ExtractionListener):
    def __init__(self) -> None:
        self.shares: list[tuple[str, int, int]] = []
        self.ends = 0

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        self.shares.append((outcome.share_id, done, shares))

    def ended(self, report: ExtractionReport) -> None:
        self.ends += 1


def plan(file: Path, *shares: str) -> ExtractionPlan:
    return ExtractionPlan(f"file:{file}", shares)


def statuses(report: ExtractionReport) -> dict[str, Status]:
    return {outcome.share_id: outcome.status for outcome in report.shares}


def test_all_shares_of_a_file(prices: Path, database: Path) -> None:
    listener = Listener()
    report = extract(plan(prices), database, listener=listener)
    assert statuses(report) == {"AAA": Status.NEW, "BBB": Status.NEW}
    first, second = report.shares
    assert (first.new, first.changed, first.first, first.last) == (25, 0, str(DAYS[0]), str(DAYS[24]))
    assert (second.new, second.last, second.reason) == (30, str(DAYS[29]), "")
    assert report.exit_code == 0
    assert listener.shares == [("AAA", 1, 2), ("BBB", 2, 2)]
    assert listener.ends == 1
    with FeatureStore.open(database) as store:
        bars = store.bars("AAA")
        assert np.array_equal(bars.time, DAYS[:25])
        assert bars.close.tolist() == [10 + number / 10 for number in range(25)]
        assert store.source_of("AAA") == "file"


def test_a_second_time_changes_nothing(prices: Path, database: Path) -> None:
    extract(plan(prices), database)
    before = contents(database)
    report = extract(plan(prices), database)
    assert statuses(report) == {"AAA": Status.UNCHANGED, "BBB": Status.UNCHANGED}
    assert report.exit_code == 0
    assert contents(database) == before


def test_new_and_corrected_sessions(prices: Path, database: Path) -> None:
    extract(plan(prices, "AAA"), database)
    text = HEADER + rows("AAA", 28)
    prices.write_text(
        text.replace(f"{DAYS[20]},AAA,12.00,12.50,11.50,12.00", f"{DAYS[20]},AAA,12.00,12.50,11.50,12.10")
    )
    (outcome,) = extract(plan(prices, "AAA"), database).shares
    assert (outcome.status, outcome.new, outcome.changed) == (Status.NEW, 3, 1)


def test_only_the_shares_that_were_asked_for_in_their_order(prices: Path, database: Path) -> None:
    report = extract(plan(prices, "BBB", "CCC"), database)
    assert statuses(report) == {"BBB": Status.NEW, "CCC": Status.FAILED}
    assert report.shares[1].reason == f"{prices}: it holds no such share"
    assert report.exit_code == 3
    with FeatureStore.open(database) as store:
        assert store.bars("AAA") is None
        assert store.bars("CCC") is None
    assert [one.share_id for one in extract(plan(prices, "BBB", "AAA", "BBB"), database).shares] == ["BBB", "AAA"]


def test_none_of_the_shares_is_there(prices: Path, database: Path) -> None:
    report = extract(plan(prices, "CCC"), database)
    assert report.exit_code == 4


def test_refused_rows_leave_a_share_behind(prices: Path, database: Path) -> None:
    lines = (HEADER + rows("AAA", 25) + rows("BBB", 30, 50.0)).splitlines(keepends=True)
    lines[3] = lines[3].replace("10.20", "-10.20")
    lines[5] = "yesterday" + lines[5][10:]
    prices.write_text("".join(lines))
    report = extract(plan(prices), database)
    assert statuses(report) == {"AAA": Status.BEHIND, "BBB": Status.NEW}
    outcome = report.shares[0]
    assert outcome.new == 23
    assert outcome.reason.startswith(f"2 rows refused, the first is row 4 of {prices}: ")
    assert report.exit_code == 3


def test_a_share_of_which_no_row_is_good_has_failed(prices: Path, database: Path) -> None:
    prices.write_text(HEADER + rows("AAA", 25) + f"{DAYS[0]},BAD,1,1,1,0,1,1\n{DAYS[1]},BAD,1,1,1,0,1,1\n")
    report = extract(plan(prices), database)
    assert statuses(report) == {"AAA": Status.NEW, "BAD": Status.FAILED}
    assert report.shares[1].reason.startswith(f"{prices}: ")
    assert "close" in report.shares[1].reason


def test_another_source_is_replaced(prices: Path, database: Path) -> None:
    old = np.arange("2020-01-01", "2020-02-15", dtype="datetime64[D]")
    with FeatureStore.create(database) as store:
        store.upsert("AAA", PriceBars(old, np.full(45, 3.0), np.ones(45)), source="tencent")
        store.upsert("ZZZ", PriceBars(old, np.full(45, 4.0), np.ones(45)), source="tencent")
    report = extract(plan(prices, "AAA"), database)
    assert statuses(report) == {"AAA": Status.NEW}
    with FeatureStore.open(database) as store:
        bars, other = store.bars("AAA"), store.bars("ZZZ")
        assert np.array_equal(bars.time, DAYS[:25])
        assert store.source_of("AAA") == "file"
        assert other is not None
        assert store.source_of("ZZZ") == "tencent"


@pytest.mark.parametrize("what", ["missing", "layout", "folder"])
def test_a_file_that_cannot_be_used_leaves_the_database_alone(prices: Path, database: Path, what: str) -> None:
    extract(plan(prices), database)
    before = contents(database)
    bad = prices.with_name("bad.csv")
    if what == "layout":
        bad.write_text("a,b\n1,2\n")
    elif what == "folder":
        bad.mkdir()
    with pytest.raises(ImportFileError, match=r"bad\.csv") as raised:
        extract(plan(bad), database)
    assert "\n" not in str(raised.value)
    assert contents(database) == before
    assert sorted(path.name for path in database.parent.iterdir() if path != bad) == ["awesome.db", "prices.csv"]


@pytest.mark.parametrize("source", ["file", "file:"])
def test_a_file_has_to_be_named(database: Path, source: str) -> None:
    with pytest.raises(ExtractionError, match="needs the file's path"):
        extract(ExtractionPlan(source), database)


def test_days_of_the_plan_mean_nothing(prices: Path, database: Path) -> None:
    asked = ExtractionPlan(f"file:{prices}", ("AAA",), dt.date(2026, 1, 20), dt.date(2026, 1, 21))
    assert extract(asked, database).shares[0].new == 25


def test_a_folder_of_files(tmp_path: Path, database: Path) -> None:
    folder = tmp_path / "prices [1]"
    folder.mkdir()
    (folder / "long.csv").write_text(HEADER + rows("AAA", 25))
    bars = "".join(f"{day},{10 + number}\n" for number, day in enumerate(DAYS))
    (folder / "BBB.csv").write_text("Date,Close\n" + bars)
    (folder / "CCC.csv").write_text("Date,Open\n" + bars)
    report = extract(plan(folder), database)
    assert statuses(report) == {"AAA": Status.NEW, "BBB": Status.NEW, "CCC": Status.FAILED}
    assert "CCC.csv, line 1: there is no column of closes" in report.shares[-1].reason
    assert report.exit_code == 3
    assert statuses(extract(plan(folder, "BBB"), database)) == {"BBB": Status.UNCHANGED, "CCC": Status.FAILED}


def test_a_folder_without_prices_is_refused_before_anything_is_made(tmp_path: Path, database: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportFileError, match="holds no file of prices"):
        extract(plan(tmp_path / "empty"), database)
    assert not database.exists()
