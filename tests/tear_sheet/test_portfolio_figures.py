"""A portfolio's days beside ffn, empyrical and closed forms."""

from __future__ import annotations

import math

import empyrical
import ffn
import numpy as np
import pandas as pd
import pytest

from components.backtest import sharpe_ratio
from components.evidence.resampling import DayBlocks
from components.tear_sheet.portfolio import market_exposure, monthly_returns, rolling_sharpe, worst_drawdowns

DAYS = pd.bdate_range("2020-01-01", periods=700).to_numpy()


def returns(seed: int = 0, mean: float = 0.0004) -> np.ndarray:
    return np.random.default_rng(seed).normal(mean, 0.01, len(DAYS))


@pytest.mark.parametrize(("seed", "mean"), [(0, 0.0004), (1, -0.001), (2, 0.002)])
def test_drawdowns_are_those_of_ffn(seed: int, mean: float) -> None:
    made = returns(seed, mean)
    found = worst_drawdowns(DAYS, made, most=4)
    values = pd.Series(np.concatenate([[1.0], np.cumprod(1 + made)]))
    expected = ffn.core.drawdown_details(ffn.core.to_drawdown_series(values), index_type=pd.RangeIndex)
    expected = expected.astype({"drawdown": float}).sort_values("drawdown").head(4)
    assert [one.depth for one in found] == pytest.approx(list(expected["drawdown"]))
    assert found[0].depth == pytest.approx(empyrical.max_drawdown(made))
    for one, start in zip(found, expected["Start"], strict=True):
        # ffn names the first value below the height.
        assert one.peak == str(DAYS[max(int(start) - 2, 0)])[:10]
        assert one.peak <= one.trough
        assert one.recovered == "" or one.trough < one.recovered


def test_a_loss_that_is_made_good_says_when() -> None:
    found = worst_drawdowns(DAYS[:6], np.array([0.1, -0.5, 0.5, 1.0, -0.1, 0.05]))
    deep, open_still = found
    assert (deep.peak, deep.trough, deep.recovered, deep.days) == ("2020-01-01", "2020-01-02", "2020-01-06", 3)
    assert deep.depth == pytest.approx(-0.5)
    assert (open_still.recovered, open_still.days) == ("", 2)
    assert worst_drawdowns(DAYS[:2], np.array([0.1, 0.1])) == []


def test_months_compound() -> None:
    made = returns()
    found = monthly_returns(DAYS, made)
    for (year, month), part in pd.Series(made, DAYS).groupby(
        [pd.DatetimeIndex(DAYS).year, pd.DatetimeIndex(DAYS).month]
    ):
        assert found[year][month] == pytest.approx(np.prod(1 + part) - 1)
    whole = math.prod(1 + value for months in found.values() for value in months.values())
    assert whole == pytest.approx(np.prod(1 + made))


def test_a_rolling_sharpe_ratio_is_that_of_its_window() -> None:
    made = returns()
    days, found = rolling_sharpe(DAYS, made, window=250)
    assert days[-1] == DAYS[-1]
    assert len(found) == len(days) <= 120
    for end in (0, len(days) - 1):
        last = int(np.flatnonzero(days[end] == DAYS)[0]) + 1
        whole = sharpe_ratio(made[last - 250 : last], DayBlocks(np.arange(250)))
        for name in ("value", "low", "high"):
            assert getattr(found[end], name) == pytest.approx(getattr(whole, name), rel=1e-9)
    assert rolling_sharpe(DAYS[:100], made[:100], window=250)[1] == []
    flat = rolling_sharpe(DAYS[:300], np.zeros(300), window=250)[1]
    assert all(math.isnan(one.value) for one in flat)


def test_exposure_is_the_line_of_least_squares() -> None:
    market = returns(3)
    own = 0.0002 + 0.6 * market + np.random.default_rng(4).normal(0, 0.004, len(market))
    found = market_exposure(own, market)
    slope, height = np.polyfit(market, own, 1)
    assert found.beta.value == pytest.approx(slope) == pytest.approx(empyrical.beta(own, market))
    assert found.alpha.value == pytest.approx(252 * height)
    assert found.correlation.value == pytest.approx(np.corrcoef(own, market)[0, 1])
    assert found.beta.low < 0.6 < found.beta.high
    assert math.isnan(market_exposure(own[:10], market[:10]).beta.low), "ten days have no interval"
    assert math.isnan(market_exposure(np.zeros(30), market[:30]).beta.value)


def test_the_interval_of_beta_is_the_textbook_s_where_days_are_independent() -> None:
    ratios = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        market = rng.normal(0, 0.01, 700)
        own = 0.6 * market + rng.normal(0, 0.004, 700)
        slope, height = np.polyfit(market, own, 1)
        error = np.std(own - slope * market - height) / (np.std(market) * math.sqrt(700))
        ratios.append(market_exposure(own, market).beta.standard_error / error)
    assert np.mean(ratios) == pytest.approx(1, abs=0.08)
