"""The store: what an upsert writes and what it leaves alone, schema, sources, digests, and what opening refuses."""

from __future__ import annotations

import datetime as dt
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from components.errors import StoreError
from components.feature_store import CLOSE_COLUMNS, WINDOW, FeatureStore, PriceBars, Upserted


def days(count: int, start: str = "2020-01-01") -> np.ndarray:
    return np.datetime64(start, "D") + np.arange(count)


def bars(count: int, start: str = "2020-01-01", seed: int = 0, **fields: np.ndarray) -> PriceBars:
    close = np.round(50 + np.random.default_rng(seed).random(count) * 10, 2)
    return PriceBars(**{"time": days(count, start), "close": close, "factor": np.ones(count), **fields})


def rows(path: Path, sql: str) -> list[tuple]:
    connection = sqlite3.connect(path)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def naive_features(path: Path) -> list[tuple]:
    """FEATURE as its definition says, by plain loops over PRICE."""
    prices: dict[str, list[tuple[str, float]]] = {}
    for share_id, time, close, factor in rows(path, "SELECT share_id, time, close, factor FROM PRICE ORDER BY 1, 2"):
        prices.setdefault(share_id, []).append((time, close * factor))
    expected = []
    for share_id, series in prices.items():
        for last in range(20, len(series)):
            window = [series[last - lag][1] for lag in range(21)]
            expected.append((series[last][0], share_id, *window))
    return expected


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "awesome.db"


def test_features_are_windows_of_adjusted_closes_latest_first(path: Path) -> None:
    close = np.arange(1.0, 24.0)
    factor = np.where(np.arange(23) < 10, 1.0, 2.0)
    with FeatureStore.create(path) as store:
        assert store.upsert("A", PriceBars(days(23), close, factor), "file") == Upserted(23, 0, 0)
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
    assert rows(path, "PRAGMA user_version") == [(2,)]
    assert rows(path, "PRAGMA journal_mode") == [("wal",)]
    assert CLOSE_COLUMNS[0] == "close0"
    assert CLOSE_COLUMNS[-1] == f"close{WINDOW - 1}" == "close20"


@pytest.mark.parametrize("count", [1, 20, 21])
def test_a_share_has_features_from_its_21st_session_on(path: Path, count: int) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(count), "file")
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
    with FeatureStore.create(path) as store:
        store.upsert("A", given, "file")
    before = path.read_bytes()
    with FeatureStore.create(path) as store:
        assert store.upsert("A", given, "file") == Upserted(0, 0, 40)
    assert path.read_bytes() == before


def written(path: Path, share_id: str, given: PriceBars) -> tuple[Upserted, set[tuple[str, str]]]:
    """Upserts, and returns which rows (table, time) were written, as triggers saw them."""
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE WRITTEN (name TEXT, time TEXT)")
    for name in ("PRICE", "FEATURE"):
        connection.execute(
            f"CREATE TRIGGER seen_{name} AFTER INSERT ON {name} "
            f"BEGIN INSERT INTO WRITTEN VALUES ('{name}', new.time); END"
        )
    connection.commit()
    connection.close()
    with FeatureStore.create(path) as store:
        counts = store.upsert(share_id, given, "file")
    return counts, set(rows(path, "SELECT name, time FROM WRITTEN"))


def test_appended_sessions_write_only_new_rows(path: Path) -> None:
    whole = bars(45)
    with FeatureStore.create(path) as store:
        store.upsert("A", PriceBars(whole.time[:40], whole.close[:40], whole.factor[:40]), "file")
    counts, seen = written(path, "A", whole)
    assert counts == Upserted(5, 0, 40)
    assert seen == {(name, str(time)) for name in ("PRICE", "FEATURE") for time in whole.time[40:]}
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


@pytest.mark.parametrize("field", ["close", "factor"])
def test_a_changed_past_value_rewrites_the_21_windows_it_belongs_to(path: Path, field: str) -> None:
    whole = bars(60)
    with FeatureStore.create(path) as store:
        store.upsert("A", whole, "file")
    values = getattr(whole, field).copy()
    values[30] *= 1.5
    other = {"close": whole.close, "factor": whole.factor, field: values}
    counts, seen = written(path, "A", PriceBars(whole.time, **other))
    assert counts == Upserted(0, 1, 59)
    assert seen == {("PRICE", "2020-01-31")} | {("FEATURE", str(time)) for time in whole.time[30:51]}
    assert rows(path, "SELECT * FROM FEATURE") == naive_features(path)


def test_a_changed_volume_rewrites_no_window(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30, volume=np.full(30, 5.0)), "file")
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
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "file")
    connection = sqlite3.connect(path)
    connection.execute(
        "CREATE TRIGGER stop AFTER INSERT ON FEATURE WHEN new.time = '2020-02-03' "
        "BEGIN SELECT RAISE(ABORT, 'disk'); END"
    )
    connection.commit()
    connection.close()
    with FeatureStore.create(path) as store, pytest.raises(StoreError, match="disk"):
        store.upsert("A", bars(40), "file")
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
    connection = sqlite3.connect(plain)
    connection.execute("PRAGMA page_size = 1024")
    connection.execute(f"ATTACH '{path}' AS original")
    connection.execute("CREATE TABLE FEATURE AS SELECT * FROM original.FEATURE ORDER BY time DESC, share_id DESC")
    connection.commit()
    connection.close()
    with FeatureStore.open(plain) as store:
        assert store.digest() == digest


@pytest.mark.parametrize("column", ["close0", "close13", "close20"])
def test_digest_changes_with_any_value(path: Path, column: str) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "file")
        before = store.digest()
    rows_changed(path, f"UPDATE FEATURE SET {column} = {column} * 1.0000000000000002 WHERE time = '2020-01-25'")
    with FeatureStore.open(path) as store:
        smallest = store.digest()
        assert smallest != before
    rows_changed(path, f"UPDATE FEATURE SET {column} = 'x' WHERE time = '2020-01-25'")
    with FeatureStore.open(path) as store:
        assert store.digest() not in (before, smallest)


def rows_changed(path: Path, sql: str) -> None:
    connection = sqlite3.connect(path)
    connection.execute(sql)
    connection.commit()
    connection.close()


# --- opening


def original_database(path: Path, closes: int = 21, types: str = "REAL") -> None:
    """A database as other tools write it: the table FEATURE alone, without a key or a version."""
    columns = ", ".join(f"close{lag} {types}" for lag in range(closes))
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE FEATURE (time TEXT, share_id TEXT, {columns})")
    for share_id in ("B", "A"):
        for day in ("2020-01-03", "2020-01-02"):
            cells = [float(10 + lag) for lag in range(closes)]
            connection.execute(f"INSERT INTO FEATURE VALUES ({', '.join('?' * (closes + 2))})", (day, share_id, *cells))
    connection.commit()
    connection.close()


def test_a_database_with_features_alone_is_readable_and_stays_as_it_is(path: Path) -> None:
    original_database(path)
    before = path.read_bytes()
    with FeatureStore.open(path) as store:
        assert [(share.share_id, share.rows, share.source) for share in store.shares()] == [
            ("A", 2, None),
            ("B", 2, None),
        ]
        assert store.sessions().astype(str).tolist() == ["2020-01-02", "2020-01-03"]
        assert store.read_features(["B"]).to_pydict()["time"] == ["2020-01-02", "2020-01-03"]
        with pytest.raises(StoreError, match="reading only"):
            store.upsert("C", bars(3), "file")
    assert path.read_bytes() == before


def test_create_takes_over_a_database_with_features_alone(path: Path) -> None:
    original_database(path)
    with FeatureStore.open(path) as store:
        before = store.digest()
    with FeatureStore.create(path) as store:
        assert store.digest() == before
        store.upsert("C", bars(22), "file")
        with pytest.raises(StoreError, match="'unknown'"):
            store.upsert("A", bars(22), "file")
        store.upsert("A", bars(22), "file", replace=True)
        assert [(share.share_id, share.rows, share.source) for share in store.shares()] == [
            *[("A", 2, "file"), ("B", 2, None), ("C", 2, "file")]
        ]
    assert rows(path, "SELECT name FROM sqlite_master ORDER BY name") == [("EXTRACTION",), ("FEATURE",), ("PRICE",)]


def test_create_refuses_features_with_a_day_twice_and_changes_nothing(path: Path) -> None:
    original_database(path)
    rows_changed(path, "INSERT INTO FEATURE SELECT * FROM FEATURE LIMIT 1")
    before = path.read_bytes()
    with pytest.raises(StoreError, match="twice"):
        FeatureStore.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("CREATE TABLE BOOKMARKS (id)", "neither FEATURE nor PRICE"),
        ("CREATE TABLE FEATURE (time, share_id, close0)", "FEATURE has no column close1, close2"),
        ("CREATE TABLE PRICE (share_id, time, close)", "PRICE has no column open"),
    ],
)
def test_open_says_what_the_database_lacks(path: Path, sql: str, message: str) -> None:
    rows_changed(path, sql)
    with pytest.raises(StoreError, match=message) as caught:
        FeatureStore.open(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_open_names_the_one_missing_close(path: Path) -> None:
    original_database(path, closes=20)
    with pytest.raises(StoreError, match="FEATURE has no column close20;"):
        FeatureStore.open(path)


def test_open_refuses_what_is_no_database_and_makes_nothing(path: Path, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not exist"):
        FeatureStore.open(path)
    assert not path.exists()
    with pytest.raises(StoreError, match="is a folder"):
        FeatureStore.open(tmp_path)
    path.write_bytes(b"")
    with pytest.raises(StoreError, match="is empty"):
        FeatureStore.open(path)
    path.write_bytes(b"time,share_id\n" * 100)
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(StoreError, match="not an SQLite database"):
            opened(path)
    assert path.read_bytes() == b"time,share_id\n" * 100


def test_a_damaged_database_gives_one_line(path: Path) -> None:
    with FeatureStore.create(path) as store:
        for share_id in ("A", "B", "C", "D"):
            store.upsert(share_id, bars(200), "file")
    content = bytearray(path.read_bytes())
    content[8192:-8192] = b"\xff" * (len(content) - 16384)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="cannot be used") as caught, FeatureStore.open(path) as store:
        store.digest()
    assert "\n" not in str(caught.value)


def test_create_refuses_foreign_and_newer_databases_and_changes_nothing(path: Path, tmp_path: Path) -> None:
    rows_changed(path, "CREATE TABLE BOOKMARKS (id)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"belongs to something else \(tables BOOKMARKS\)"):
        FeatureStore.create(path)
    assert path.read_bytes() == before
    newer = tmp_path / "newer.db"
    rows_changed(newer, "PRAGMA user_version = 7")
    with pytest.raises(StoreError, match="schema version 7, this program knows 2"):
        FeatureStore.create(newer)
    with pytest.raises(StoreError, match=r"the folder .* does not exist"):
        FeatureStore.create(tmp_path / "nowhere" / "awesome.db")
    with pytest.raises(StoreError, match="is a folder"):
        FeatureStore.create(tmp_path)


def test_odd_file_names_are_opened_as_they_are(tmp_path: Path) -> None:
    path = tmp_path / "a?mode=memory&x=%41 #1.db"
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(21), "file")
    with FeatureStore.open(path) as store:
        assert store.read_features(["A"]).num_rows == 1
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_database_in_a_folder_that_cannot_be_written_is_readable(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(21), "file")
    assert not path.with_name("awesome.db-wal").exists()
    monkeypatch.setattr("os.access", lambda *_: False)
    with FeatureStore.open(path) as store:
        assert store.read_features(["A"]).num_rows == 1
        # Opened as immutable: nothing appears beside the database.
        assert [file.name for file in path.parent.iterdir()] == ["awesome.db"]


def test_a_reader_sees_a_consistent_store_while_another_writes(path: Path) -> None:
    with FeatureStore.create(path) as writer:
        writer.upsert("A", bars(30), "file")
        with FeatureStore.open(path) as reader:
            before = reader.digest()
            writer._connection.execute("BEGIN IMMEDIATE")
            writer._connection.execute("DELETE FROM FEATURE")
            assert reader.digest() == before
            writer._connection.execute("ROLLBACK")


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


# --- bars


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"close": [1.0, 2.0, 0.0]}, "close on 2020-01-03 is not a finite number above 0: 0.0"),
        ({"close": [1.0, np.nan, 3.0]}, "close on 2020-01-02"),
        ({"factor": [1.0, np.inf, 1.0]}, "factor on 2020-01-02"),
        ({"factor": [1.0, -1.0, 1.0]}, "factor on 2020-01-02"),
        ({"close": [1.0, 2.0]}, "close has shape"),
        ({"time": ["2020-01-02", "2020-01-01", "2020-01-03"]}, "time on 2020-01-01 does not come after"),
        ({"time": ["2020-01-01", "2020-01-01", "2020-01-03"]}, "does not come after"),
        ({"time": ["2020-01-01", "NaT", "2020-01-03"]}, "is not a date"),
        ({"time": ["2020-01-01", "2020-01-02", "10000-01-03"]}, "is not a date"),
        ({"low": [1.0, 9.0, 1.0], "high": [9.0, 1.0, 9.0]}, "low on 2020-01-02 is above high"),
        ({"high": [9.0, 1.9, 9.0]}, "close on 2020-01-02 is outside"),
        ({"open": [0.0, 1.0, 1.0]}, "open on 2020-01-01"),
        ({"volume": [0.0, -1.0, 1.0]}, "volume on 2020-01-02"),
        ({"close": [1.0, 1e300, 1.0], "factor": [1.0, 1e300, 1.0]}, "out of range"),
    ],
)
def test_bars_that_break_a_rule_are_not_made(fields: dict[str, list], message: str) -> None:
    good = {"time": days(3), "close": [1.0, 2.0, 3.0], "factor": [1.0, 1.0, 1.0]}
    given = {**good, **fields}
    with pytest.raises(ValueError, match=message):
        PriceBars(**{name: np.array(values) for name, values in given.items()})


def test_bars_without_a_session_are_not_made() -> None:
    with pytest.raises(ValueError, match="not empty"):
        PriceBars(days(0), np.empty(0), np.empty(0))


def test_a_close_within_rounding_of_its_range_is_accepted() -> None:
    one = np.ones(1)
    assert len(PriceBars(days(1), one * 10.004, one, high=one * 10.0, low=one * 9.0)) == 1
