"""The last window of each share, read by itself, is the last row that a look at all windows gives."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from components.errors import StoreError
from components.feature_store import CLOSE_COLUMNS, FeatureStore
from components.synthetic_market import generate, write_market


@pytest.fixture
def market(tmp_path: Path) -> Path:
    write_market(generate("null", shares=5, sessions=40), tmp_path / "m.db")
    return tmp_path / "m.db"


def test_they_are_the_last_rows_of_all_windows_in_the_order_asked_for(market: Path) -> None:
    with FeatureStore.open(market) as store:
        shares = store.listings.share_ids()
        assert shares == [one.share_id for one in store.shares()]
        windows = store.listings.last_windows(shares[::-1])
        every = store.read_features(shares).to_pandas().groupby("share_id").tail(1).set_index("share_id")
    assert windows.shares == tuple(shares[::-1])
    assert windows.time == tuple(every.loc[shares[::-1], "time"])
    np.testing.assert_array_equal(windows.closes, every.loc[shares[::-1], list(CLOSE_COLUMNS)].to_numpy())


def test_shares_of_a_table_without_a_key_are_found_too(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "other.db") as connection:
        connection.execute(f"CREATE TABLE FEATURE (time, share_id, {', '.join(CLOSE_COLUMNS)})")
        for share in ("B", "A", "B"):
            connection.execute(f"INSERT INTO FEATURE VALUES ('2024-01-02', '{share}'{', 1.5' * 21})")
    connection.close()
    with FeatureStore.open(tmp_path / "other.db") as store:
        assert store.listings.share_ids() == ["A", "B"]
        assert store.listings.last_windows(["B"]).closes.tolist() == [[1.5] * 21]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("DELETE FROM FEATURE WHERE share_id = 'S002'", r"FEATURE has no share S002; a share needs 21 sessions"),
        (
            "UPDATE FEATURE SET close3 = -1 WHERE share_id = 'S002'",
            r"S002, .*: close3 is -1\.0, not a price above",
        ),
        (
            "UPDATE FEATURE SET close3 = 'x' WHERE share_id = 'S002'",
            r"S002, .*: close3 is 'x', not a price above",
        ),
        ("UPDATE FEATURE SET time = 'z' || time WHERE share_id = 'S002'", r"the time 'z.*' is not a date such as"),
    ],
)
def test_what_is_no_price_is_named(market: Path, change: str, why: str) -> None:
    with sqlite3.connect(market) as connection:
        connection.execute(change)
    connection.close()
    with FeatureStore.open(market) as store, pytest.raises(StoreError, match=why):
        store.listings.last_windows(["S001", "S002"])
