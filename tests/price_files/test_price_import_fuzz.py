"""Whatever a file holds: a report or one clear line, and PRICE and FEATURE that agree."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from databases import naive_features, rows
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.errors import UserError
from components.feature_store import FeatureStore, PriceBars
from components.price_files import ImportReport, import_prices

BEFORE = 30
TIMES = np.datetime64("2020-01-01") + np.arange(BEFORE)
CLOSES = np.arange(10.0, 10 + BEFORE)
QUICK = settings(max_examples=30, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
THOROUGH = settings(QUICK, max_examples=150)


def content(path: Path) -> tuple[list[tuple], list[tuple]]:
    price, feature = (rows(path, f"SELECT * FROM {table} ORDER BY share_id, time") for table in ("PRICE", "FEATURE"))
    return price, feature


def attempt(path: Path, database: Path) -> tuple[ImportReport | None, str]:
    """Imports a file; any exception but a UserError fails the test."""
    try:
        return import_prices(path, database), ""
    except UserError as error:
        return None, str(error)


def check(data: bytes) -> None:
    """Imports a file into a store that holds the shares A and kept, and checks what must hold for any file."""
    with tempfile.TemporaryDirectory() as folder:
        path, database = Path(folder, "in.csv"), Path(folder, "awesome.db")
        path.write_bytes(data)
        with FeatureStore.create(database) as store:
            for share_id in ("A", "kept"):
                store.upsert(share_id, PriceBars(TIMES, CLOSES, np.ones(BEFORE)), "file")
        before = content(database)
        report, message = attempt(path, database)
        if report is None:
            assert "\n" not in message
            assert content(database) == before
            return
        price, feature = content(database)
        assert feature == naive_features(database)
        touched = {share.share_id for share in report.shares}
        for old, new in zip(before, (price, feature), strict=True):
            assert [row for row in old if not touched & set(row[:2])] == [
                row for row in new if not touched & set(row[:2])
            ]
        assert all(0 < row[5] < np.inf and 0 < row[7] < np.inf for row in price)
        stored = {row[:2] for row in before[0]}
        assert {row[:2] for row in price} >= stored
        assert len(price) - len(stored) == sum(share.new for share in report.shares)
        assert report.taken == sum(share.new + share.changed + share.unchanged for share in report.shares)
        # Taken again the same file changes nothing, whatever it holds.
        again = import_prices(path, database)
        assert content(database) == (price, feature)
        assert again.taken == report.taken


LONG = b"time,share_id,close\n2020-01-30,A,39\n2020-01-31,A,41\n2020-02-01,B,3\n"


NUMBERS = st.one_of(
    st.floats(0.01, 1000).map(lambda value: f"{value:.2f}"),
    st.floats().map(repr),
    st.sampled_from(["", "0", "-1", "nan", "inf", "abc", "1e400", "1e-320", "1_0", "٣", " 7 ", "0x10", "1,5"]),
)
DATES = st.one_of(
    st.dates().map(str),
    st.integers(0, 60).map(lambda day: str(np.datetime64("2020-01-01") + day)),
    st.sampled_from(["", "2020-02-30", "20200105", "2020-01-05T00:00:00Z", "5/1/2020", "soon", "9999-12-31"]),
)
SHARES = st.one_of(st.sampled_from(["A", "B", "", " A", "NA"]), st.text(max_size=3))


def csv_bytes(rows: list[list[str]]) -> bytes:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@st.composite
def long_tables(draw: st.DrawFn) -> bytes:
    fields = draw(st.lists(st.sampled_from(["open", "high", "low", "volume", "note"]), unique=True, max_size=3))
    fields += draw(st.sampled_from([[], ["factor"], ["adj_close"]]))
    header = ["time", "share_id", "close", *fields]
    row = st.tuples(DATES, SHARES, NUMBERS, *[NUMBERS for _ in fields]).map(list)
    return csv_bytes([header, *draw(st.lists(row, max_size=12))])


@st.composite
def listed_tables(draw: st.DrawFn) -> bytes:
    """Tables that are mostly good: one share or two, ascending days, so that windows and joins come about."""
    count = draw(st.integers(1, 45))
    start = draw(st.integers(-30, 40))
    kind = draw(st.sampled_from([[], ["factor"], ["adj_close"]]))
    rows = [["time", "share_id", "close", *kind]]
    for share_id in draw(st.sampled_from([["A"], ["A", "B"], ["B"]])):
        for day in range(count):
            value = draw(st.one_of(st.sampled_from(["10", "10.01", "20"]), NUMBERS))
            extra = [draw(st.sampled_from(["1", "5.01", "2", "10"])) for _ in kind]
            rows.append([str(np.datetime64("2020-01-01") + start + day), share_id, value, *extra])
    return csv_bytes(rows)


@st.composite
def wide_tables(draw: st.DrawFn) -> bytes:
    names = draw(st.lists(SHARES, max_size=3, unique=True))
    row = st.tuples(DATES, *[NUMBERS for _ in names]).map(list)
    return csv_bytes([["date", *names], *draw(st.lists(row, max_size=12))])


@st.composite
def any_tables(draw: st.DrawFn) -> bytes:
    cell = st.one_of(
        NUMBERS, DATES, SHARES, st.sampled_from(["time", "date", "close", "share_id", "symbol", "factor", "adj_close"])
    )
    return csv_bytes(draw(st.lists(st.lists(cell, max_size=5), max_size=8)))


def any_bytes() -> st.SearchStrategy[bytes]:
    return st.binary(max_size=300)


def broken_files() -> st.SearchStrategy[bytes]:
    """A good file with a piece of it replaced."""
    pieces = st.tuples(st.integers(0, len(LONG)), st.integers(0, 12), st.binary(max_size=8))
    return pieces.map(lambda piece: LONG[: piece[0]] + piece[2] + LONG[piece[0] + piece[1] :])


EVERYTHING = pytest.mark.parametrize(
    "files", [any_bytes, broken_files, any_tables, long_tables, listed_tables, wide_tables]
)


@EVERYTHING
def test_any_file_gives_a_report_or_one_line(files: Callable[[], st.SearchStrategy[bytes]]) -> None:
    QUICK(given(files())(check))()


@pytest.mark.slow
@EVERYTHING
def test_any_file_of_very_many(files: Callable[[], st.SearchStrategy[bytes]]) -> None:
    THOROUGH(given(files())(check))()


def test_the_file_that_is_broken_is_good_when_whole(tmp_path: Path) -> None:
    check(LONG)
    (tmp_path / "in.csv").write_bytes(LONG)
    assert import_prices(tmp_path / "in.csv", tmp_path / "awesome.db").taken == 3
