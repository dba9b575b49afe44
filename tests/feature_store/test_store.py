"""The store: what an upsert writes and what it leaves alone, sources, digests."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from databases import bars, days, execute, naive_features, put, rows
from triggers import triggers

from components.errors import StoreError
from components.feature_store import CLOSE_COLUMNS, WINDOW, FeatureStore, PriceBars, Upserted


def test_features_are_windows_of_adjusted_closes_latest_first(path: Path) -> None:
    close = np.arange(1.0, 24.0)
    factor = np.where(np.arange(23) < 10, 1.0, 2.0)
    assert put(path, "A", PriceBars(days(23), close, factor), "file") == Upserted(23, 0, 0)
    first = rows(path, "SELECT * FROM FEATURE")[0]
    adjusted = [*range(1, 11), *range(22, 48, 2)]  # 1 ... 10 as they are, 11 ... 23 doubled
    assert first == ("2020-01-21", "A", *(float(value) for value in adjusted[20::-1]))
    assert rows(path, "SELECT count(*), max(time), max(close0) FROM FEATURE") == [(3, "2020-01-23", 46.0)]


def test_tables_have_the_columns_that_readers_of_the_file_expect(path: Path) -> None:
    FeatureStore.create(path).close()
    assert [row[1] for row in rows(path, "PRAGMA table_info(FEATURE)")] == ["time", "share_id", *CLOSE_COLUMNS]
    assert [row[1] for row in rows(path, "PRAGMA table_info(PRICE)")] == [
        *("share_id", "time", "open", "high", "low", "close", "volume", "factor", "source")
    ]
    assert rows(path, "PRAGMA user_version") == [(4,)]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    assert CLOSE_COLUMNS[0] == "close0"
    assert CLOSE_COLUMNS[-1] == f"close{WINDOW - 1}" == "close20"


@pytest.mark.parametrize("count", [1, 20, 21])
def test_a_share_has_features_from_its_21st_session_on(path: Path, count: int) -> None:
    put(path, "A", bars(count), "file")
    assert rows(path, "SELECT count(*) FROM FEATURE") == [(max(0, count - 20),)]


def test_prices_keep_what_was_given_and_null_where_nothing_was(path: Path) -> None:
    given = PriceBars(
        days(2), np.array([10.0, 11.0]), np.ones(2), low=np.array([9.5, np.nan]), volume=np.array([1200.0, 0.0])
    )
    with FeatureStore.create(path) as store:
        store.upsert("A", given, "tiingo")
        stored = store.bars("A")
    assert rows(path, "SELECT * FROM PRICE") == [
        ("A", "2020-01-01", None, None, 9.5, 10.0, 1200, 1.0, "tiingo"),
        ("A", "2020-01-02", None, None, None, 11.0, 0, 1.0, "tiingo"),
    ]
    np.testing.assert_array_equal(stored.low, [9.5, np.nan])
    np.testing.assert_array_equal(stored.time, given.time)


def test_a_second_identical_upsert_changes_nothing(path: Path) -> None:
    given = bars(40, open=np.full(40, np.nan), volume=np.arange(40.0))
    put(path, "A", given, "file")
    before = path.read_bytes()
    assert put(path, "A", given, "file") == Upserted(0, 0, 40)
    assert path.read_bytes() == before


def written(path: Path, share_id: str, given: PriceBars) -> tuple[Upserted, set[tuple[str, str]]]:
    """Upserts, and returns which rows (table, time) were written, as triggers saw them."""
    seen = (
        f"CREATE TEMP TRIGGER seen_{name} AFTER INSERT ON main.{name} "
        f"BEGIN INSERT INTO WRITTEN VALUES ('{name}', new.time); END"
        for name in ("PRICE", "FEATURE")
    )
    with triggers("CREATE TEMP TABLE WRITTEN (name TEXT, time TEXT)", *seen) as opened:
        with FeatureStore.create(path) as store:
            counts = store.upsert(share_id, given, "file")
            return counts, set(opened[0].execute("SELECT name, time FROM WRITTEN"))


def test_appended_sessions_write_only_new_rows(path: Path) -> None:
    whole = bars(45)
    put(path, "A", PriceBars(whole.time[:40], whole.close[:40], whole.factor[:40]), "file")
    counts, seen = written(path, "A", whole)
    assert counts == Upserted(5, 0, 40)
    assert seen == {(name, str(time)) for name in ("PRICE", "FEATURE") for time in whole.time[40:]}
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


@pytest.mark.parametrize("field", ["close", "factor"])
def test_a_changed_past_value_rewrites_the_21_windows_it_belongs_to(path: Path, field: str) -> None:
    whole = bars(60)
    put(path, "A", whole, "file")
    values = getattr(whole, field).copy()
    values[30] *= 1.5
    other = {"close": whole.close, "factor": whole.factor, field: values}
    counts, seen = written(path, "A", PriceBars(whole.time, **other))
    assert counts == Upserted(0, 1, 59)
    assert seen == {("PRICE", "2020-01-31")} | {("FEATURE", str(time)) for time in whole.time[30:51]}
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


def test_a_changed_volume_rewrites_no_window(path: Path) -> None:
    put(path, "A", bars(30, volume=np.full(30, 5.0)), "file")
    volume = np.full(30, 5.0)
    volume[3] = 6
    counts, seen = written(path, "A", bars(30, volume=volume))
    assert (counts, seen) == (Upserted(0, 1, 29), {("PRICE", "2020-01-04")})


def test_sessions_inserted_before_and_between_shift_the_windows_behind_them(path: Path) -> None:
    whole = bars(60)
    kept = np.ones(60, dtype=bool)
    kept[[0, 25, 40]] = False
    with FeatureStore.create(path) as store:
        store.upsert("A", PriceBars(whole.time[kept], whole.close[kept], whole.factor[kept]), "file")
        counts = store.upsert("A", PriceBars(whole.time[~kept], whole.close[~kept], whole.factor[~kept]), "file")
        assert counts == Upserted(3, 0, 0)
        at_once = FeatureStore.create(path.with_name("other.db"))
        at_once.upsert("A", whole, "file")
        assert store.digest() == at_once.digest()
        at_once.close()
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


def test_two_sources_are_never_mixed_in_a_share(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tiingo")
        store.upsert("B", bars(30), "file")
        before = store.digest()
        with pytest.raises(StoreError, match=r"A come from the source 'tiingo', not 'file'.*--replace"):
            store.upsert("A", bars(5, "2021-01-01"), "file")
        assert store.digest() == before
        assert store.upsert("A", bars(25, "2021-01-01", seed=1), "file", replace=True) == Upserted(25, 0, 0)
        assert [(share.share_id, share.rows, share.source) for share in store.shares()] == [
            *[("A", 5, "file"), ("B", 10, "file")]
        ]
    assert rows(path, "SELECT DISTINCT source FROM PRICE WHERE share_id = 'A'") == [("file",)]
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


def test_replace_of_the_same_source_is_an_ordinary_upsert(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "file")
        assert store.upsert("A", bars(30), "file", replace=True) == Upserted(0, 0, 30)


def test_a_failure_between_the_two_tables_leaves_the_share_as_it_was(path: Path) -> None:
    put(path, "A", bars(30), "file")
    stop = "SELECT RAISE(ABORT, 'disk')"
    when = "AFTER INSERT ON main.FEATURE WHEN new.time = '2020-02-03'"
    with triggers(f"CREATE TEMP TRIGGER stop {when} BEGIN {stop}; END"), pytest.raises(StoreError, match="disk"):
        put(path, "A", bars(40), "file")
    assert rows(path, "SELECT count(*) FROM PRICE") == [(30,)]
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


def test_a_killed_writer_leaves_the_last_whole_share(path: Path) -> None:
    code = (
        "import os, sys, numpy as np\n"
        "from components.feature_store import FeatureStore, PriceBars, writing\n"
        "time = np.datetime64('2020-01-01') + np.arange(30)\n"
        "bars = PriceBars(time, np.arange(1.0, 31.0), np.ones(30))\n"
        "store = FeatureStore.create(sys.argv[1])\n"
        "store.upsert('A', bars, 'file')\n"
        "writing._write_windows = lambda *_: os._exit(9)\n"
        "store.upsert('B', bars, 'file')\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], cwd=Path(__file__).parents[2], check=False)
    assert done.returncode == 9
    with FeatureStore.create(path) as store:
        assert [share.share_id for share in store.shares()] == ["A"]
        assert store.bars("B") is None
        store.upsert("B", bars(30), "file")


def test_shares_and_sessions_describe_features(path: Path) -> None:
    with FeatureStore.create(path) as store:
        assert store.shares() == []
        assert store.sessions().tolist() == []
        store.upsert("B", bars(22), "file")
        store.upsert("A'1", bars(21, "2020-01-05"), "x y")
        store.upsert("short", bars(5), "file")
        summaries = store.shares()
        assert [(share.share_id, share.rows, share.first, share.last, share.source) for share in summaries] == [
            ("A'1", 1, dt.date(2020, 1, 25), dt.date(2020, 1, 25), "x y"),
            ("B", 2, dt.date(2020, 1, 21), dt.date(2020, 1, 22), "file"),
        ]
        assert store.sessions().astype(str).tolist() == ["2020-01-21", "2020-01-22", "2020-01-25"]
        assert store.sessions(["A'1"]).dtype == np.dtype("datetime64[D]")
        assert store.sessions(["A'1"]).astype(str).tolist() == ["2020-01-25"]


def test_digest_depends_on_the_rows_alone(path: Path, tmp_path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "file")
        store.upsert("B", bars(30, seed=1), "file")
        digest, of_a = store.digest(), store.digest(["A"])
        assert digest == store.digest(["B", "A"])
        assert len({digest, of_a, store.digest(["B"]), store.digest([])}) == 4
    other = tmp_path / "other.db"
    with FeatureStore.create(other) as store:
        store.upsert("B", bars(30, seed=1), "elsewhere")
        store.upsert("C", bars(30), "file")
        store.upsert("A", bars(25), "file")
        store.upsert("A", bars(30), "file")
        assert store.digest(["A", "B"]) == digest
        assert store.digest() != digest
    # The same rows in a table without a key, backwards and in small pages, as another tool may write them.
    plain = tmp_path / "plain.db"
    execute(
        plain,
        "PRAGMA page_size = 1024",
        f"ATTACH '{path}' AS original",
        "CREATE TABLE FEATURE AS SELECT * FROM original.FEATURE ORDER BY time DESC, share_id DESC",
    )
    with FeatureStore.open(plain) as store:
        assert store.digest() == digest


@pytest.mark.parametrize("column", ["close0", "close13", "close20"])
def test_digest_changes_with_any_value(path: Path, column: str) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "file")
        before = store.digest()
    execute(path, f"UPDATE FEATURE SET {column} = {column} * 1.0000000000000002 WHERE time = '2020-01-25'")
    with FeatureStore.open(path) as store:
        smallest = store.digest()
        assert smallest != before
    execute(path, f"UPDATE FEATURE SET {column} = 'x' WHERE time = '2020-01-25'")
    with FeatureStore.open(path) as store:
        assert store.digest() not in (before, smallest)


@pytest.mark.parametrize("name", ["", " ", " A", "A\n", "A\0B", "\ud800"])
def test_names_that_would_not_survive_a_csv_are_refused(path: Path, name: str) -> None:
    with FeatureStore.create(path) as store:
        with pytest.raises(StoreError, match="cannot be the name of a share"):
            store.upsert(name, bars(21), "file")
        with pytest.raises(StoreError, match="cannot be the name of a source"):
            store.upsert("A", bars(21), name)
        assert store.bars("A") is None


def test_a_store_copied_after_closing_is_whole(path: Path, tmp_path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(100), "file")
        digest = store.digest()
    shutil.copy(path, tmp_path / "copy.db")
    with FeatureStore.open(tmp_path / "copy.db") as store:
        assert store.digest() == digest
