"""Volume shocks, ranges and gaps: their values beside pandas', what is made of days without them, and of splits."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from test_day_prices import DAYS, SHARES, as_table, closes, look_up, ranks

from components.day_wide.reading import MarketError, fingerprint_with, read_last, read_rows
from components.feature_store import FeatureStore, PriceBars
from models.day_wide.columns import ACTIVITY, bars_of
from models.day_wide.prices import DayPrices, Floats, ShareCloses
from models.day_wide.rows import DayRows, Values

NAMES = [column.name for column in ACTIVITY]


def table(shares: list[ShareCloses], name: str) -> pd.DataFrame:
    return pd.DataFrame({one.share_id: pd.Series(one.bars[name], one.days) for one in shares})


def beside(values: pd.DataFrame) -> Floats:
    """Of the last day, less the market's mean."""
    last = values.iloc[-1]
    return np.asarray(last - last.mean())


def relative_returns(shares: list[ShareCloses]) -> pd.DataFrame:
    returns = np.log(as_table(shares)).diff()
    return returns.sub(returns.mean(axis=1), axis=0)


@pytest.mark.parametrize("steps", [20, 60])
def test_volume_shocks_are_pandas(steps: int) -> None:
    shares = closes()
    logs = np.log(table(shares, "volume"))
    shock = logs - logs.rolling(steps).mean().shift(1)

    found = look_up(shares)
    np.testing.assert_allclose(found[f"volume_shock_{steps}"], beside(shock), rtol=0, atol=1e-6)
    if steps == 20:
        np.testing.assert_allclose(found["day_rank_volume_20"], ranks(shock), rtol=0, atol=1e-7)
    else:
        moved = relative_returns(shares)
        deviations = moved.iloc[-1] / np.sqrt((moved**2).rolling(60).mean().iloc[-1])
        np.testing.assert_allclose(found["return_at_volume"], deviations * beside(shock), rtol=0, atol=1e-5)


def test_ranges_are_pandas() -> None:
    shares = closes()
    wide = np.log(table(shares, "high") / table(shares, "low"))
    parkinson = np.log((wide**2).rolling(21).mean() / (4 * np.log(2))) / 2
    shock = np.log(wide / wide.rolling(20).mean().shift(1))

    found = look_up(shares)
    np.testing.assert_allclose(found["log_parkinson"], beside(parkinson), rtol=0, atol=1e-6)
    np.testing.assert_allclose(found["day_rank_parkinson"], ranks(parkinson), rtol=0, atol=1e-7)
    np.testing.assert_allclose(found["range_shock_20"], beside(shock), rtol=0, atol=1e-6)


def test_gap_and_rest_of_the_day_are_pandas() -> None:
    shares = closes()
    gap = np.log(table(shares, "open") / as_table(shares).shift(1))
    size = np.sqrt((relative_returns(shares) ** 2).rolling(20).mean().iloc[-1])

    found = look_up(shares)
    np.testing.assert_allclose(found["gap"], beside(gap) / size, rtol=0, atol=1e-5)
    whole = relative_returns(shares).iloc[-1] / size
    np.testing.assert_allclose(found["gap"] + found["intraday"], whole, rtol=0, atol=1e-5)


def test_the_gap_of_a_share_that_was_away_is_beside_all_that_the_market_did_meanwhile() -> None:
    shares = closes()
    gone = np.arange(len(DAYS) - 4, len(DAYS) - 1)
    away = shares[3]
    bars = {name: np.delete(values, gone) for name, values in away.bars.items()}
    shares[3] = replace(away, days=np.delete(away.days, gone), close=np.delete(away.close, gone), bars=bars)

    found = look_up(shares)

    logs, opened = np.log(as_table(shares)), np.log(table(shares, "open"))
    gaps = opened.iloc[-1] - logs.iloc[-2]  # the share that was away has none from its market's day before
    gaps["S03"] = opened["S03"].iloc[-1] - logs["S03"].iloc[-5]
    meanwhile = logs.drop(columns="S03").diff().mean(axis=1).iloc[-4:-1].sum()
    moved = gaps["S03"] - gaps.mean() - meanwhile
    whole = found["market_relative_returns"][3, -1]
    assert found["gap"][3] / (found["gap"][3] + found["intraday"][3]) == pytest.approx(moved / whole, rel=1e-4)


@pytest.mark.parametrize("empty", [np.nan, 0.0])
def test_a_day_without_a_volume_is_as_the_markets_and_counts_in_no_mean(empty: float) -> None:
    shares = closes()
    today, before = shares[2].bars["volume"].copy(), shares[4].bars["volume"].copy()
    today[-1] = before[-6] = empty
    shares[2] = replace(shares[2], bars=dict(shares[2].bars) | {"volume": today})
    shares[4] = replace(shares[4], bars=dict(shares[4].bars) | {"volume": before})

    found = look_up(shares)

    volume = table(shares, "volume")
    logs = np.log(volume.where(volume > 0))
    shock = logs - logs.rolling(20, min_periods=10).mean().shift(1)
    np.testing.assert_allclose(found["volume_shock_20"], np.nan_to_num(beside(shock)), rtol=0, atol=1e-6)
    assert found["volume_shock_20"][2] == found["day_rank_volume_20"][2] == found["return_at_volume"][2] == 0
    assert abs(found["volume_shock_20"][4]) > 0.01


def test_too_few_known_days_before_are_as_none() -> None:
    shares = closes()
    volume = shares[2].bars["volume"].copy()
    volume[-21:-11] = np.nan  # of the 20 sessions before, 10 are known
    enough = [*shares[:2], replace(shares[2], bars=dict(shares[2].bars) | {"volume": volume.copy()}), *shares[3:]]
    volume[-11] = np.nan
    few = [*shares[:2], replace(shares[2], bars=dict(shares[2].bars) | {"volume": volume}), *shares[3:]]

    assert look_up(enough)["volume_shock_20"][2] != 0
    assert look_up(few)["volume_shock_20"][2] == 0


def test_a_day_without_any_move_is_no_outlier() -> None:
    shares = closes()
    high = shares[1].bars["high"].copy()
    high[-1] = shares[1].bars["low"][-1]
    shares[1] = replace(shares[1], bars=dict(shares[1].bars) | {"high": high})

    assert look_up(shares)["range_shock_20"][1] == pytest.approx(np.log(0.1), abs=0.5)


def stored(path: Path, split: bool, volumes: bool = True) -> FeatureStore:
    """Twelve shares; of one, prices halve and volumes double in the middle, and its factor says so."""
    store = FeatureStore.create(path)
    for one in closes():
        factor = np.ones(len(DAYS))
        if split and one.share_id == "S05":
            factor[-9:] = 2.0
        bars = [one.bars[name] / factor for name in ("open", "high", "low")]
        volume = one.bars["volume"] * factor if volumes else None
        store.upsert(one.share_id, PriceBars(DAYS, one.close / factor, factor, *bars, volume), source="made")
    return store


def columns_of(path: Path, split: bool) -> tuple[Values, Values]:
    with stored(path, split) as store:
        rows = read_rows(store, SHARES, NAMES)
        assert rows is not None
        days = np.full(len(SHARES), DAYS[-1])
        return rows.look_up(SHARES, days), read_last(store, SHARES, SHARES, [str(day) for day in days], NAMES)


def test_a_split_changes_nothing(tmp_path: Path) -> None:
    plain, _ = columns_of(tmp_path / "plain.db", split=False)
    whole, last = columns_of(tmp_path / "split.db", split=True)

    for name, values in plain.items():
        assert np.count_nonzero(values) == 12, name
        np.testing.assert_array_equal(whole[name], values, err_msg=name)
        np.testing.assert_array_equal(last[name], values, err_msg=name)


def test_a_store_without_volumes_is_refused_for_a_run_and_for_a_prediction(tmp_path: Path) -> None:
    said = r"0% of the sessions of these shares have a volume above 0, and volume_shock_20 need it.*--formatter"
    with stored(tmp_path / "prices.db", split=False, volumes=False) as store:
        with pytest.raises(MarketError, match=said):
            read_rows(store, SHARES, ["volume_shock_20"])
        with pytest.raises(MarketError, match=said):
            read_last(store, SHARES, SHARES, [str(DAYS[-1])] * len(SHARES), ["volume_shock_20"])
        assert read_rows(store, SHARES, ["gap", "log_parkinson"]) is not None


def test_volumes_are_part_of_the_fingerprint_of_who_reads_them(tmp_path: Path) -> None:
    found = []
    for volumes in (True, False):
        with stored(tmp_path / f"{volumes}.db", split=False, volumes=volumes) as store:
            prices = store.digest(SHARES)
            found.append(
                [fingerprint_with(store, SHARES, [name], prices) for name in ("day_rank_1", "gap", *NAMES[:1])]
            )
            assert found[-1][0] == prices
            until = fingerprint_with(store, SHARES, NAMES, prices, str(DAYS[-2]))
            assert until != fingerprint_with(store, SHARES, NAMES, prices)

    assert [one == other for one, other in zip(*found, strict=True)] == [True, True, False]


def test_nothing_but_a_bar_is_read_for_closes() -> None:
    assert bars_of(["day_rank_5", "closes"]) == ()
    assert bars_of(NAMES) == ("high", "low", "open", "volume")
    rows = DayRows.of(DayPrices([ShareCloses(o.share_id, o.days, o.close) for o in closes()], SHARES), NAMES)
    assert not rows.look_up(SHARES, np.full(len(SHARES), DAYS[-1]))["gap"].any()
