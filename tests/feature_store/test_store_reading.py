"""Reading features as an Arrow table: the same numbers as SQLite's, and a clear line for every bad value."""

from __future__ import annotations

import builtins
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from databases import execute, rows
from needed import needed

from components.errors import StoreError
from components.feature_store import CLOSE_COLUMNS, FeatureStore, PriceBars

needed("adbc_driver_sqlite")

ROWS = 6000


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reading") / "awesome.db"
    random = np.random.default_rng(0)
    with FeatureStore.create(path) as store:
        for share_id, count in (("B", ROWS + 20), ("A'x", 40), ("C", 21)):
            time = np.datetime64("1990-01-01") + np.arange(count)
            store.upsert(share_id, PriceBars(time, random.random(count) + 1, np.ones(count)), "file")
    return path


@pytest.fixture
def path(template: Path, tmp_path: Path) -> Path:
    target = tmp_path / "awesome.db"
    target.write_bytes(template.read_bytes())
    return target


def loosen(path: Path) -> None:
    """Makes FEATURE a table that takes any value, as another tool may have made it."""
    columns = ", ".join(f"{column} REAL" for column in CLOSE_COLUMNS)
    execute(
        path,
        "ALTER TABLE FEATURE RENAME TO OLD",
        f"CREATE TABLE FEATURE (time TEXT, share_id TEXT, {columns})",
        "INSERT INTO FEATURE SELECT * FROM OLD ORDER BY random()",
        "DROP TABLE OLD",
    )


def expected(path: Path, shares: tuple[str, ...]) -> list[tuple]:
    names = ", ".join("'" + share.replace("'", "''") + "'" for share in shares)
    return rows(path, f"SELECT * FROM FEATURE WHERE share_id IN ({names}) ORDER BY share_id, time")


@pytest.mark.parametrize("shares", [("B",), ("C", "A'x"), ("B", "A'x", "C", "C")])
@pytest.mark.parametrize("loose", [False, True])
def test_the_table_holds_what_sqlite_holds_sorted(path: Path, shares: tuple[str, ...], loose: bool) -> None:
    if loose:
        loosen(path)
    with FeatureStore.open(path) as store:
        table = store.read_features(list(shares))
    fields = [("time", pa.string()), ("share_id", pa.string()), *((name, pa.float64()) for name in CLOSE_COLUMNS)]
    assert table.schema == pa.schema(fields)
    assert list(zip(*(column.to_pylist() for column in table.columns), strict=True)) == expected(path, shares)


def test_no_shares_give_an_empty_table_of_the_same_columns(path: Path) -> None:
    with FeatureStore.open(path) as store:
        empty = store.read_features([])
        assert empty.num_rows == 0
        assert empty.schema == store.read_features(["C"]).schema


def test_whole_numbers_without_a_column_type_are_closes_too(path: Path) -> None:
    closes = {day: ", ".join(["7" if day < 3 else "7.5"] * len(CLOSE_COLUMNS)) for day in range(1, 5)}
    execute(
        path,
        "DROP TABLE FEATURE",
        f"CREATE TABLE FEATURE (time, share_id INTEGER, {', '.join(CLOSE_COLUMNS)})",
        *(
            f"INSERT INTO FEATURE VALUES ('2020-01-{day:02}', {share}, {closes[day]})"
            for share in (9, 10)
            for day in closes
        ),
    )
    with FeatureStore.open(path) as store:
        table = store.read_features(["10", "9"])
    assert table.column("share_id").to_pylist() == ["10"] * 4 + ["9"] * 4
    assert table.column("close20").to_pylist() == [7.0, 7.0, 7.5, 7.5] * 2


def test_what_a_store_of_the_same_process_writes_after_a_reading_is_not_lost(path: Path) -> None:
    with FeatureStore.create(path) as writer:
        bars, source = writer.bars("B"), writer.source_of("B")
        assert bars is not None
        assert source is not None
        writer.replace("D", bars, source)
        for share in ("E", "F"):
            with FeatureStore.open(path) as reader:
                before = reader.read_features(["B"]).column("close0")
            writer.replace(share, bars, source)
            with FeatureStore.open(path) as reader:
                assert reader.read_features([share]).column("close0").equals(before)
    assert sorted(file.name for file in path.parent.iterdir()) == ["awesome.db"]
    assert len(rows(path, "SELECT DISTINCT share_id FROM FEATURE")) == 6


def test_a_share_that_is_not_there_is_named(path: Path) -> None:
    with (
        FeatureStore.open(path) as store,
        pytest.raises(StoreError, match="FEATURE has no share X, Y; a share needs 21"),
    ):
        store.read_features(["B", "X", "Y"])


@pytest.mark.parametrize("value", ["'abc'", "'12.5x'", "NULL", "0", "-3.5", "9e999", "x'00'"])
@pytest.mark.parametrize("position", [0, ROWS - 1])
@pytest.mark.parametrize("column", ["close0", "close20"])
def test_a_bad_close_is_named_wherever_it_stands(path: Path, value: str, position: int, column: str) -> None:
    time = str(np.datetime64("1990-01-21") + position)
    loosen(path)
    execute(path, f"UPDATE FEATURE SET {column} = {value} WHERE share_id = 'B' AND time = '{time}'")
    with FeatureStore.open(path) as store:
        with pytest.raises(StoreError, match=rf"share B, {time}: {column} is ") as caught:
            store.read_features(["A'x", "B"])
        assert "\n" not in str(caught.value)
        assert store.read_features(["A'x"]).num_rows == 20


@pytest.mark.parametrize("value", ["'2020-13-01'", "'2020-1-1'", "'20200101'", "'yesterday'", "NULL", "17", "''"])
@pytest.mark.parametrize("position", [0, ROWS - 1])
def test_a_time_that_is_no_day_is_named(path: Path, value: str, position: int) -> None:
    loosen(path)
    execute(
        path,
        f"UPDATE FEATURE SET time = {value} WHERE share_id = 'B' AND time = '{np.datetime64('1990-01-21') + position}'",
    )
    shown = {"NULL": "None", "17": "'17'"}.get(value, value)
    with FeatureStore.open(path) as store, pytest.raises(StoreError, match=f"share B: the time {shown} is not a date"):
        store.read_features(["B"])


def test_a_day_that_is_there_twice_is_named(path: Path) -> None:
    loosen(path)
    execute(path, "INSERT INTO FEATURE SELECT * FROM FEATURE WHERE time = '1990-02-01' AND share_id = 'A''x'")
    with FeatureStore.open(path) as store, pytest.raises(StoreError, match="share A'x: 1990-02-01 is there twice"):
        store.read_features(["A'x"])


def test_a_bad_time_is_named_by_shares_and_sessions_too(path: Path) -> None:
    loosen(path)
    execute(path, "UPDATE FEATURE SET time = 'zzz' WHERE share_id = 'C'")
    with FeatureStore.open(path) as store:
        with pytest.raises(StoreError, match="share C: the time 'zzz' is not a date"):
            store.shares()
        with pytest.raises(StoreError, match="the time 'zzz' is not a date"):
            store.sessions()


def test_a_missing_driver_names_the_extra(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without_driver(name: str, *arguments: object, **keywords: object) -> object:
        if name.startswith("adbc_driver_sqlite"):
            raise ImportError(name)
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without_driver)
    with FeatureStore.open(path) as store, pytest.raises(StoreError, match="extra `pipeline`"):
        store.read_features(["B"])
