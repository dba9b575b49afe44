"""The exchange of a share, and the days of its prices, as the database keeps them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from databases import as_version_2, bars, execute, put

from components.errors import StoreError
from components.feature_store import FeatureStore


def test_an_exchange_is_kept_whatever_becomes_of_the_prices(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    put(path, "AAA", bars(30), "file")
    with FeatureStore.create(path) as store:
        assert store.listings.exchanges() == {}
        store.listings.put(["AAA", "BBB"], "XSHG")
        store.listings.put(["BBB"], "XHKG")
        store.replace("AAA", bars(40), "tencent")
    with FeatureStore.open(path) as store:
        assert store.listings.exchanges() == {"AAA": "XSHG", "BBB": "XHKG"}
        with pytest.raises(StoreError, match="for reading only"):
            store.listings.put(["AAA"], "XNYS")


def test_a_database_of_before_knows_no_exchange(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    put(path, "AAA", bars(30), "file")
    as_version_2(path)
    with FeatureStore.open(path) as store:
        assert store.listings.exchanges() == {}
    with FeatureStore.create(path) as store:
        store.listings.put(["AAA"], "XNYS")
        assert store.listings.exchanges() == {"AAA": "XNYS"}


def test_days_are_those_of_prices_or_else_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made = {"AAA": bars(30), "B'B": bars(45), "CCC": bars(25)}
    for share, one in made.items():
        put(path, share, one, "file")
    execute(path, "DELETE FROM PRICE WHERE share_id = 'CCC'")
    with FeatureStore.open(path) as store:
        found = dict(store.listings.days(["CCC", "AAA", "B'B", "DDD"]))
    assert set(found) == set(made)
    assert np.array_equal(found["AAA"], made["AAA"].time)
    assert np.array_equal(found["B'B"], made["B'B"].time)
    assert np.array_equal(found["CCC"], made["CCC"].time[20:])
    assert found["AAA"].dtype == np.dtype("datetime64[D]")


@pytest.mark.parametrize("wrong", ["2024-1-5", "yesterday", "2024", ""])
def test_a_day_that_is_none_is_named(tmp_path: Path, wrong: str) -> None:
    path = tmp_path / "a.db"
    put(path, "AAA", bars(30), "file")
    execute(path, f"UPDATE PRICE SET time = '{wrong}' WHERE time = (SELECT MIN(time) FROM PRICE)")
    with FeatureStore.open(path) as store, pytest.raises(StoreError, match="PRICE, share AAA: the time"):
        dict(store.listings.days(["AAA"]))
