"""Folders of Parquet files as DuckDB, Spark and Arrow leave them become a panel; a share's name stays a text."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from databases import put
from panels import write

from components.errors import PanelError
from components.feature_store import FeatureStore, PriceBars
from components.price_panel import tables
from components.price_panel.store import PanelStore
from components.price_panel.tables import is_table, write_table
from components.price_panel.writing import Written

SHARES = ("000001", "1", "600000")


def prices(sessions: int = 40, first: str = "2020-01-01") -> pd.DataFrame:
    days = pd.date_range(first, periods=sessions)
    at = np.arange(sessions)
    parts = [
        pd.DataFrame({"share_id": share, "time": days.date, "close": 10.0 * n + at % 5, "factor": 1.0 + (at > 20)})
        for n, share in enumerate(SHARES, 1)
    ]
    return pd.concat(parts, ignore_index=True)


def cut(folder: Path, frame: pd.DataFrame, by: list[str]) -> Path:
    """Folders such as share_id=000001, as Spark's partitionBy and DuckDB's PARTITION_BY write them."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    ds.write_dataset(table, folder, format="parquet", partitioning=by, partitioning_flavor="hive")
    (folder / "_SUCCESS").touch()
    (folder / "._SUCCESS.crc").touch()
    return folder


def taken(tmp_path: Path, table: Path) -> Written:
    return write_table(tmp_path / "panel", table, "spark")


@pytest.mark.parametrize("by", [["share_id"], ["time"], ["time", "share_id"], []])
def test_it_is_the_panel_of_a_database_with_the_same_prices(tmp_path: Path, by: list[str]) -> None:
    frame = prices().sample(frac=1, random_state=0)  # rows may stand in any order
    assert taken(tmp_path, cut(tmp_path / "table", frame, by)).new == len(frame)
    for share, part in prices().groupby("share_id"):
        bars = PriceBars(part["time"].to_numpy("datetime64[D]"), part["close"].to_numpy(), part["factor"].to_numpy())
        put(tmp_path / "prices.db", str(share), bars, "spark")
    with FeatureStore.open(tmp_path / "prices.db") as database, PanelStore.open(tmp_path / "panel") as panel:
        assert panel.listings.share_ids() == sorted(SHARES)
        assert panel.digest() == database.digest()
        assert write(tmp_path / "panel", tmp_path / "prices.db").files == ()


def test_a_name_with_signs_that_folders_cannot_have(tmp_path: Path) -> None:
    table = cut(tmp_path / "table", prices(), ["share_id"])
    (table / "share_id=1").rename(table / "share_id=BRK%2FB%3Ax y%25")  # as Spark and DuckDB escape it
    taken(tmp_path, table)
    with PanelStore.open(tmp_path / "panel") as panel:
        assert "BRK/B:x y%" in panel.listings.share_ids()


def test_a_name_that_became_two_folders_is_refused(tmp_path: Path) -> None:
    table = cut(tmp_path / "table", prices(), ["share_id"])
    (table / "share_id=BRK").mkdir()
    (table / "share_id=1").rename(table / "share_id=BRK" / "B")  # as a writer that escapes nothing leaves BRK/B
    with pytest.raises(PanelError, match=r"share_id=BRK/B/.*: the folder B says of no column what it holds"):
        taken(tmp_path, table)


def test_it_is_dealt_into_piles_where_it_is_large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    table = cut(tmp_path / "table", prices().sample(frac=1, random_state=0), ["time"])
    taken(tmp_path, table)
    monkeypatch.setattr(tables, "_PILE_ROWS", 50)
    assert write_table(tmp_path / "panel", table, "spark").unchanged == 120


def test_a_later_day_of_spark_adds_a_file(tmp_path: Path) -> None:
    taken(tmp_path, cut(tmp_path / "table", prices(), ["share_id"]))
    tomorrow = prices(1, "2020-02-10")
    [added] = taken(tmp_path, cut(tmp_path / "tomorrow", tomorrow, ["time"])).files
    assert (added.rows, added.first, added.replaces) == (3, "2020-02-10", 0)


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("us", "UTC"), pa.string(), pa.date64()])
def test_days_of_any_type(tmp_path: Path, kind: pa.DataType) -> None:
    table = pa.Table.from_pandas(prices(), preserve_index=False)
    days = table["time"].cast(pa.string()) if pa.types.is_string(kind) else table["time"].cast(kind)
    (tmp_path / "table").mkdir()
    pq.write_table(table.set_column(1, "date", days), tmp_path / "table" / "a.parquet")
    taken(tmp_path, tmp_path / "table")
    with PanelStore.open(tmp_path / "panel") as panel:
        assert panel.stored_range("000001") == (dt.date(2020, 1, 1), dt.date(2020, 2, 9))


@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_days_with_a_zone_are_those_of_the_zone(tmp_path: Path, zone: str) -> None:
    (tmp_path / "table").mkdir()
    frame = prices().assign(time=lambda rows: pd.to_datetime(rows["time"]).dt.tz_localize(zone))
    frame.to_parquet(tmp_path / "table" / "a.parquet", index=False)
    taken(tmp_path, tmp_path / "table")
    with PanelStore.open(tmp_path / "panel") as panel:
        assert panel.stored_range("000001") == (dt.date(2020, 1, 1), dt.date(2020, 2, 9))


@pytest.mark.parametrize("kind", [pa.timestamp("ns"), pa.timestamp("us", "UTC")], ids=str)
def test_instants_in_utc_are_refused_as_nobody_says_whose_days_they_are(tmp_path: Path, kind: pa.DataType) -> None:
    (tmp_path / "table").mkdir()
    shanghai = prices().assign(time=lambda rows: pd.to_datetime(rows["time"]).dt.tz_localize("Asia/Shanghai"))
    table = pa.Table.from_pandas(shanghai, preserve_index=False)
    instants = table["time"].cast(pa.timestamp("us", "UTC")).cast(kind)
    place = table.schema.get_field_index("time")
    pq.write_table(table.set_column(place, "time", instants), tmp_path / "table" / "a.parquet")
    with pytest.raises(PanelError, match=r"time holds instants such as 2019-12-31 16:00 UTC, .* CAST\(.* AS DATE\)"):
        taken(tmp_path, tmp_path / "table")


def test_adjusted_closes_become_factors(tmp_path: Path) -> None:
    frame = prices().assign(adj_close=lambda rows: rows["close"] * rows["factor"] * 0.25).drop(columns="factor")
    taken(tmp_path, cut(tmp_path / "table", frame, ["share_id"]))
    with PanelStore.open(tmp_path / "panel") as panel:
        np.testing.assert_allclose(panel.bars("1").factor, prices()["factor"][:40], rtol=1e-15)
    tomorrow = cut(tmp_path / "tomorrow", frame.query("time >= @dt.date(2020, 2, 1)"), [])
    with pytest.raises(PanelError, match="share 000001: adjusted closes from 2020-02-01 on do not say how they go on"):
        taken(tmp_path, tomorrow)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda f: f.drop(columns="share_id"), "has no column of shares: name it share_id or share or ticker"),
        (lambda f: f.drop(columns="time"), "has no column of days"),
        (lambda f: f.drop(columns="close"), "has no column close"),
        (lambda f: f.drop(columns="factor"), "has neither factor nor adj_close"),
        (lambda f: f.assign(share_id=1), "the column share_id holds int64, and a share's name is a text"),
        (lambda f: f.assign(close="high"), "the column close holds string, and prices are numbers"),
        (lambda f: f.assign(time=20200501), "the column time holds int64 that are no days such as 2024-01-31"),
        (lambda f: f.assign(time="1 May 2020"), "holds string that are no days such as 2024-01-31"),
        (lambda f: f.assign(close=-1.0), "share 000001: close on 2020-01-01 is not a finite number above 0"),
        (lambda f: pd.concat([f, f]), "share 000001: time on 2020-01-01 does not come after the day before it"),
        (lambda f: f.assign(share_id=None).astype({"share_id": "string"}), "a row has no share_id"),
    ],
)
def test_what_cannot_be_prices_is_refused(tmp_path: Path, change: object, why: str) -> None:
    (tmp_path / "table").mkdir()
    change(prices()).to_parquet(tmp_path / "table" / "a.parquet", index=False)
    with pytest.raises(PanelError) as caught:
        taken(tmp_path, tmp_path / "table")
    assert why in str(caught.value)
    assert not (tmp_path / "panel" / "panel.json").exists()


def test_a_folder_without_parquet_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "_temporary").mkdir()
    (tmp_path / "_temporary" / "part.parquet").touch()
    assert not is_table(tmp_path)
    with pytest.raises(PanelError, match="holds no Parquet file"):
        taken(tmp_path, tmp_path)


def test_a_file_that_is_damaged_is_one_line(tmp_path: Path) -> None:
    table = cut(tmp_path / "table", prices(), ["time"])
    broken = next(table.rglob("*.parquet"))
    broken.write_bytes(broken.read_bytes()[:-20])
    with pytest.raises(PanelError, match="cannot be read") as caught:
        taken(tmp_path, table)
    assert "\n" not in str(caught.value)
