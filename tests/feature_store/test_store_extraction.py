"""What the store does for the extractor: the first day asked for, replacing a history, finding a source's shares."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from databases import execute, put
from triggers import no_writes, triggers

from components.errors import StoreError
from components.feature_store import CLOSE_COLUMNS, FeatureStore, LookBack, PriceBars, Upserted

TABLES = ("PRICE", "FEATURE", "EXTRACTION")
SINCE = dt.date(2019, 12, 30)
UNUSUAL_NAMES = (
    *("^GSPC", "BRK.B", "brk.b", "A B", "O'Neil", '"quoted"', "100%", "_", "sh600519", "沪深300", "Ä", "\U0001f4c8"),
)


def bars(count: int, start: str = "2020-01-01", seed: int = 0) -> PriceBars:
    close = np.round(50 + np.random.default_rng(seed).random(count) * 10, 2)
    factor = np.where(np.arange(count) < count // 2, 1.0, 1.25)
    return PriceBars(np.datetime64(start, "D") + np.arange(count), close, factor, volume=np.arange(count) * 100.0)


def without(given: PriceBars, *positions: int) -> PriceBars:
    kept = np.ones(len(given), dtype=bool)
    kept[list(positions)] = False
    return PriceBars(given.time[kept], given.close[kept], given.factor[kept], volume=given.volume[kept])


def contents(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables; none for a table that is not there."""
    with closing(sqlite3.connect(path)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        return {
            name: connection.execute(f"SELECT * FROM {name} ORDER BY share_id, 2").fetchall() if name in there else []
            for name in TABLES
        }


# --- the first day that was asked for


def test_the_first_day_is_kept_for_each_share(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tencent", since=SINCE)
        store.upsert("B", bars(30), "tencent", since=dt.date(2010, 1, 1))
        store.upsert("C", bars(30), "file")
        assert store.extracted_since("A") == SINCE
    with FeatureStore.open(path) as store:
        days = {share: store.extracted_since(share) for share in ("A", "B", "C", "D")}
    assert days == {"A": SINCE, "B": dt.date(2010, 1, 1), "C": None, "D": None}


def test_without_a_first_day_that_of_before_stays(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tencent", since=SINCE)
        assert store.upsert("A", bars(5, "2020-02-01"), "tencent") == Upserted(5, 0, 0)
        assert store.extracted_since("A") == SINCE


def test_the_same_bars_and_the_same_first_day_write_nothing(path: Path) -> None:
    put(path, "A", bars(30), "tencent", since=SINCE)
    with triggers(*no_writes(*TABLES)), FeatureStore.create(path) as store:
        assert store.upsert("A", bars(30), "tencent", since=SINCE) == Upserted(0, 0, 30)
        assert store.upsert("A", bars(30), "tencent") == Upserted(0, 0, 30)
        with pytest.raises(StoreError, match="a row is written"):
            store.upsert("A", bars(30), "tencent", since=dt.date(2019, 1, 1))
        assert store.extracted_since("A") == SINCE


def test_another_first_day_alone_writes_no_price(path: Path) -> None:
    put(path, "A", bars(30), "tencent", since=SINCE)
    with triggers(*no_writes("PRICE", "FEATURE")), FeatureStore.create(path) as store:
        assert store.upsert("A", bars(30), "tencent", since=dt.date(2019, 1, 1)) == Upserted(0, 0, 30)
        assert store.extracted_since("A") == dt.date(2019, 1, 1)
    assert contents(path)["EXTRACTION"] == [("A", "2019-01-01")]


def test_the_first_day_goes_with_the_bars_or_not_at_all(path: Path) -> None:
    put(path, "A", bars(30), "tencent", since=SINCE)
    before = contents(path)
    with triggers(*no_writes("EXTRACTION")), pytest.raises(StoreError, match="a row is written"):
        put(path, "A", bars(60), "tencent", since=dt.date(2019, 1, 1))
    assert contents(path) == before


def test_a_share_of_another_source_forgets_its_first_day(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tencent", since=SINCE)
        store.upsert("A", bars(25, "2021-01-01"), "file", replace=True)
        assert store.extracted_since("A") is None
    assert contents(path)["EXTRACTION"] == []


def test_a_first_day_that_is_none_is_named(path: Path) -> None:
    put(path, "A", bars(30), "tencent", since=SINCE)
    execute(path, "UPDATE EXTRACTION SET since = 'long ago'")
    with FeatureStore.open(path) as store, pytest.raises(StoreError, match=r"EXTRACTION, share A.*'long ago'"):
        store.extracted_since("A")


# --- replacing a history


@pytest.mark.parametrize("source", ["tencent", "sina"])
def test_replace_leaves_what_a_new_database_would_hold(path: Path, tmp_path: Path, source: str) -> None:
    new = without(bars(60, "2020-01-05", seed=1), 0, 30, 59)
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(70), "tencent", since=SINCE)
        store.upsert("B", bars(40, seed=2), "tencent", since=SINCE)
        store.replace("A", new, source, since=dt.date(2020, 1, 5))
    with FeatureStore.create(tmp_path / "new.db") as store:
        store.upsert("A", new, source, since=dt.date(2020, 1, 5))
        store.upsert("B", bars(40, seed=2), "tencent", since=SINCE)
    assert contents(path) == contents(tmp_path / "new.db")
    assert len(contents(path)["PRICE"]) == 57 + 40


def test_replace_by_too_few_bars_for_a_window_leaves_no_window(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(40), "tencent")
        store.replace("A", bars(20), "tencent")
        assert store.shares() == []
        assert store.source_of("A") == "tencent"
    assert contents(path)["FEATURE"] == []


def test_a_replacement_without_a_first_day_forgets_that_of_before(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tencent", since=SINCE)
        store.replace("A", bars(25), "tencent")
        assert store.extracted_since("A") is None


def test_a_replacement_brings_its_own_look_back(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tencent", look_back=LookBack(SINCE, SINCE, 12.5))
        store.replace("A", bars(25), "tencent", look_back=LookBack(level=13.0))
        assert store.look_back("A") == LookBack(level=13.0)
        store.replace("A", bars(25), "tencent")
        assert store.look_back("A") == LookBack()


def test_replace_makes_a_share_that_was_not_there(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.replace("A", bars(25), "tencent", since=SINCE)
        assert store.extracted_since("A") == SINCE
    assert len(contents(path)["FEATURE"]) == 5


@pytest.mark.parametrize("table", TABLES)
def test_a_replacement_that_fails_leaves_the_old(path: Path, table: str) -> None:
    put(path, "A", bars(40), "tencent", since=SINCE)
    before = contents(path)
    full = f"CREATE TEMP TRIGGER full BEFORE INSERT ON main.{table} BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
    with triggers(full), FeatureStore.create(path) as store:
        with pytest.raises(StoreError, match=r"awesome\.db.*disk is full"):
            store.replace("A", without(bars(40, seed=1), 7), "sina", since=dt.date(2019, 1, 1))
        assert len(store.bars("A")) == 40
    assert contents(path) == before


def test_replace_refuses_what_upsert_refuses(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.upsert("A", bars(30), "tencent", since=SINCE)
        for share, source in (("", "tencent"), (" A", "tencent"), ("A", ""), ("A", "ten\ncent")):
            with pytest.raises(StoreError, match="cannot be the name"):
                store.replace(share, bars(30), source)
    before = contents(path)
    with FeatureStore.open(path) as store, pytest.raises(StoreError, match="reading only"):
        store.replace("A", bars(20), "tencent")
    assert contents(path) == before


# --- the shares of a source


def test_shares_of_a_source_are_what_a_scan_finds(path: Path) -> None:
    names = [*UNUSUAL_NAMES, *(f"S{number:04d}" for number in range(700))]
    sources = {name: ("tencent", "tiingo", 'it\'s "quoted" 100%')[at % 3] for at, name in enumerate(names)}
    FeatureStore.create(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO PRICE (share_id, time, close, factor, source) VALUES (?, ?, 1, 1, ?)",
            [(name, f"2020-01-{day:02d}", source) for name, source in sources.items() for day in range(1, 4)],
        )
        connection.commit()
        found = {
            source: [
                name
                for (name,) in connection.execute(
                    "SELECT DISTINCT share_id FROM PRICE WHERE source = ? ORDER BY share_id", (source,)
                )
            ]
            for source in (*sources.values(), "sina")
        }
    assert sum(len(shares) for shares in found.values()) == len(names)
    with FeatureStore.open(path) as store:
        assert {source: store.shares_of(source) for source in found} == found
        assert store.shares_of("Tencent") == []


@pytest.mark.parametrize("name", UNUSUAL_NAMES)
def test_the_only_share_is_found_whatever_its_name(path: Path, name: str) -> None:
    with FeatureStore.create(path) as store:
        assert store.shares_of("tencent") == []
        store.upsert(name, bars(2), "tencent")
        assert store.shares_of("tencent") == [name]
        assert store.shares_of("sina") == []


def test_shares_are_found_without_a_look_at_every_price(path: Path) -> None:
    FeatureStore.create(path).close()
    with closing(sqlite3.connect(path)) as connection:
        connection.executemany(
            "INSERT INTO PRICE (share_id, time, close, factor, source) VALUES (?, ?, 1, 1, 'tencent')",
            [(f"S{share}", f"{day:010d}") for share in range(20) for day in range(2000)],
        )
        connection.commit()
    steps = 0

    def count() -> None:
        nonlocal steps
        steps += 1

    with FeatureStore.open(path) as store:
        # SQLite calls it for each ten of its steps; a scan takes several steps a row.
        store._connection.set_progress_handler(count, 10)
        assert len(store.shares_of("tencent")) == 20
    assert 0 < steps < 400


# --- databases of before


def version_one(path: Path) -> None:
    """A database as the first version made it, with two shares; one of them too short for a window."""
    closes = ", ".join(f"{column} REAL NOT NULL" for column in CLOSE_COLUMNS)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "CREATE TABLE PRICE (share_id TEXT NOT NULL CHECK (share_id <> ''), time TEXT NOT NULL, open REAL, "
            "high REAL, low REAL, close REAL NOT NULL CHECK (close > 0), volume NUMERIC, "
            "factor REAL NOT NULL CHECK (factor > 0), source TEXT NOT NULL, PRIMARY KEY (share_id, time)) WITHOUT ROWID"
        )
        connection.execute(
            f"CREATE TABLE FEATURE (time TEXT NOT NULL, share_id TEXT NOT NULL, {closes}, "
            "PRIMARY KEY (share_id, time)) WITHOUT ROWID"
        )
        days = [f"2020-01-{day:02d}" for day in range(1, 31)]
        prices = [float(100 + at) for at in range(30)]
        connection.executemany(
            "INSERT INTO PRICE VALUES (?, ?, NULL, NULL, NULL, ?, 7, 1, 'file')",
            [("A", day, close) for day, close in zip(days, prices, strict=True)] + [("B", days[0], 5.0)],
        )
        places = ", ".join("?" * (2 + len(CLOSE_COLUMNS)))
        connection.executemany(
            f"INSERT INTO FEATURE VALUES ({places})",
            [(days[last], "A", *prices[last - 20 : last + 1][::-1]) for last in range(20, 30)],
        )
        connection.execute("PRAGMA user_version = 1")
        connection.commit()


def test_a_database_of_version_one_is_brought_up_to_date_and_loses_nothing(path: Path) -> None:
    version_one(path)
    before = contents(path)
    assert (len(before["PRICE"]), len(before["FEATURE"])) == (31, 10)
    with FeatureStore.create(path) as store:
        assert store.extracted_since("A") is None
        assert store.shares_of("file") == ["A", "B"]
    assert contents(path) == before
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (4,)
        columns = [(row[1], row[3], row[5]) for row in connection.execute("PRAGMA table_info(EXTRACTION)")]
    assert columns == [("share_id", 1, 1), ("since", 1, 0)]
    with FeatureStore.create(path) as store:
        stored = store.bars("A")
        assert store.upsert("A", stored, "file", since=SINCE) == Upserted(0, 0, 30)
        assert store.extracted_since("A") == SINCE
    assert contents(path) == {**before, "EXTRACTION": [("A", str(SINCE))]}


def test_a_database_of_version_one_is_read_as_it_is(path: Path) -> None:
    version_one(path)
    before = path.read_bytes()
    with FeatureStore.open(path) as store:
        assert store.extracted_since("A") is None
        assert store.shares_of("file") == ["A", "B"]
        assert [share.rows for share in store.shares()] == [10]
    assert path.read_bytes() == before


def test_a_foreign_table_of_that_name_stops_the_update_and_nothing_is_changed(path: Path) -> None:
    version_one(path)
    execute(path, "CREATE TABLE EXTRACTION (tooth TEXT)")
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"awesome\.db: the table EXTRACTION was made by another tool; name a new"):
        FeatureStore.create(path)
    assert path.read_bytes() == before


def test_features_alone_can_be_asked_for_what_they_do_not_say(path: Path) -> None:
    execute(
        path,
        f"CREATE TABLE FEATURE (time, share_id, {', '.join(CLOSE_COLUMNS)})",
        f"INSERT INTO FEATURE VALUES ('2020-01-31', 'A', {', '.join('1' * len(CLOSE_COLUMNS))})",
    )
    with FeatureStore.open(path) as store:
        assert store.extracted_since("A") is None
        assert store.shares_of("tencent") == store.shares_of("unknown") == []
        assert store.source_of("A") is None
        assert store.conflicting_source("A", "tencent") == "unknown"
        assert store.bars("A") is None


def test_prices_alone_can_be_asked(path: Path) -> None:
    version_one(path)
    execute(path, "DROP TABLE FEATURE")
    with FeatureStore.open(path) as store:
        assert store.extracted_since("A") is None
        assert store.shares_of("file") == ["A", "B"]
        assert len(store.bars("A")) == 30
        assert store.shares() == []
        assert store.sessions().tolist() == []


def test_the_stored_range_is_the_first_and_the_last_session(tmp_path: Path) -> None:
    with FeatureStore.create(tmp_path / "awesome.db") as store:
        assert store.stored_range("A") is None
        store.upsert("A", PriceBars(np.array(["2024-03-04", "2024-03-01"][::-1], "datetime64[D]"), [1, 2], [1, 1]), "x")
        assert store.stored_range("A") == (dt.date(2024, 3, 1), dt.date(2024, 3, 4))
        assert store.stored_range("B") is None
