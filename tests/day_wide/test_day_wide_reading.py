"""Day-wide columns from a store: what a prediction reads of the last sessions is what a run read of all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from components.day_wide.reading import MarketError, read_last, read_rows
from components.feature_store import FeatureStore, PriceBars
from components.synthetic_market import generate
from components.universe.universe import Universe
from models.day_wide.columns import COLUMNS
from models.day_wide.rows import DayRows

MARKET = generate("market_factor", shares=9, sessions=900)
WITHOUT = "S008"
"""A share that the run was not made of."""

STOPPED, SUSPENDED = "S001", "S002"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One share has stopped long ago, another one was suspended for months, and others lack days."""
    path = tmp_path_factory.mktemp("day_wide") / "prices.db"
    rng = np.random.default_rng(3)
    with FeatureStore.create(path) as store:
        for at, share in enumerate(MARKET.share_ids):
            there = rng.random(len(MARKET.time)) > 0.01 * at
            if share == STOPPED:
                there[640:] = False
            if share == SUSPENDED:
                there[500:700] = False
            close = np.ascontiguousarray(MARKET.close[there, at])
            bars, factor = MARKET.bars, np.full(len(close), 1.5)
            others = [values[there, at] for values in (bars.open, bars.high, bars.low, bars.volume)]
            others[-1][rng.random(len(close)) < 0.1] = np.nan
            store.upsert(share, PriceBars(MARKET.time[there], close, factor, *others), source="made")
    return path


def test_the_last_rows_have_the_bits_of_a_run(database: Path) -> None:
    market = [share for share in MARKET.share_ids if share != WITHOUT]
    with FeatureStore.open(database) as store:
        whole = read_rows(store, market, list(COLUMNS))
        last = store.listings.last_windows(market)
        found = read_last(store, market, last.shares, last.time, list(COLUMNS))

    assert whole is not None
    expected = whole.look_up(last.shares, np.array(last.time, "datetime64[D]"))
    assert len(set(last.time)) > 1
    for name, values in expected.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
        assert not np.isnan(values[[0, 3, 4]]).any(), name


def test_who_is_no_member_of_the_day_is_no_part_of_its_market(database: Path) -> None:
    """The columns of the others are those of a market that never held it, of its own past they are its own."""
    market = [share for share in MARKET.share_ids if share != WITHOUT]
    always = np.array([[MARKET.time[0], np.datetime64("9999-12-31")]])
    gone, day = market[-1], MARKET.time[700]
    universe = Universe(True, dict.fromkeys(market, always) | {gone: np.array([[MARKET.time[0], day]])})
    with FeatureStore.open(database) as store:
        whole = read_rows(store, market, list(COLUMNS), universe=universe)
        everybody = read_rows(store, market, ["day_rank_1"])
        others = read_rows(store, market[:-1], ["day_rank_1"])
        last = store.listings.last_windows(market)
        found = read_last(store, market, last.shares, last.time, list(COLUMNS), universe)
    assert whole is not None
    assert everybody is not None
    assert others is not None
    for name, values in whole.look_up(last.shares, np.array(last.time, "datetime64[D]")).items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)

    def ranks(rows: DayRows, at: slice) -> np.ndarray:
        days = MARKET.time[at]
        return rows.look_up([market[0]] * len(days), days)["day_rank_1"]

    np.testing.assert_array_equal(ranks(whole, slice(600, 701)), ranks(everybody, slice(600, 701)))
    np.testing.assert_array_equal(ranks(whole, slice(701, 900)), ranks(others, slice(701, 900)))
    assert not np.array_equal(ranks(others, slice(600, 701)), ranks(everybody, slice(600, 701)), equal_nan=True)


def test_a_share_that_the_run_did_not_know_has_values_of_its_own(database: Path) -> None:
    market = [share for share in MARKET.share_ids if share != WITHOUT]
    with FeatureStore.open(database) as store:
        last = store.listings.last_windows([WITHOUT])
        found = read_last(store, market, last.shares, last.time, ["day_rank_1"])

    assert not np.isnan(found["day_rank_1"]).any()


def test_a_share_alone_is_refused_as_it_is_its_own_market(database: Path) -> None:
    with FeatureStore.open(database) as store:
        share = store.shares()[0].share_id
        with pytest.raises(MarketError, match=rf"share {share} is alone.*market_relative_returns.*take more shares"):
            read_rows(store, [share], ["market_relative_returns"])
        assert read_rows(store, [share], []) is None


def test_nothing_is_read_for_no_columns_and_no_rows(database: Path) -> None:
    with FeatureStore.open(database) as store:
        assert read_rows(store, MARKET.share_ids, ()) is None
        found = read_last(store, MARKET.share_ids, (), (), ["market_relative_returns"])
    assert found["market_relative_returns"].shape == (0, 20)


def test_nothing_is_known_where_no_share_of_the_market_is_there(database: Path) -> None:
    with FeatureStore.open(database) as store:
        last = store.listings.last_windows(["S000", "S003"])
        found = read_last(store, ["GONE", "LOST"], last.shares, last.time, list(COLUMNS))
    for name, values in found.items():
        assert values.shape == ((2, COLUMNS[name].width) if COLUMNS[name].width > 1 else (2,)), name
        assert np.isnan(values).all(), name
