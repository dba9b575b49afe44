"""Figures of scores beside pandas' own ranks, quantiles and correlations."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from components.evidence.correlation import rank_ic
from components.tear_sheet.signal import GROUPS, read_signals

LAGS = (0, 1, 3, 20)


def made(days: int = 150, shares: int = 23, missing: float = 0.1, seed: int = 5) -> pd.DataFrame:
    """Scores that last for some days and know a part of the return, with rows missing at random."""
    rng = np.random.default_rng(seed)
    lasting = rng.normal(size=(days, shares))
    for day in range(1, days):
        lasting[day] = 0.8 * lasting[day - 1] + 0.6 * lasting[day]
    returns = 0.01 * (0.2 * lasting + rng.normal(size=(days, shares)))
    frame = pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2020-01-01", periods=days).to_numpy(), shares),
            "share_id": np.tile([f"S{share:02d}" for share in range(shares)], days),
            "forward_return": returns.ravel(),
            "model": 1 / (1 + np.exp(-lasting.ravel())),
        }
    )
    return frame[rng.uniform(size=len(frame)) >= missing].sample(frac=1, random_state=seed)


def wide(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.pivot(index="time", columns="share_id", values=column)


def test_decay_and_persistence_are_those_of_shifted_tables() -> None:
    frame = made()
    seen = read_signals(frame, ["model"], 1, lags=LAGS)["model"]
    found = seen.figures
    scores, returns = wide(frame, "model"), wide(frame, "forward_return")
    for lag, decay, persistence in zip(LAGS, found.decay, found.persistence, strict=True):
        for other, one in ((returns, decay), (scores, persistence)):
            daily = [
                scores.iloc[day].corr(other.iloc[day + lag], method="spearman") for day in range(len(scores) - lag)
            ]
            assert one.value == pytest.approx(np.mean(daily))
            assert (one.low < one.value < one.high) == (one is not found.persistence[0])
    assert found.persistence[0].value == pytest.approx(1)
    assert found.decay[0].value > found.decay[2].value > 0.02, "what lasts for days is forgotten in weeks"
    assert found.decay[3].low < 0 < found.decay[3].high
    known = frame.sort_values("time")
    same = rank_ic(known["model"].to_numpy(), known["forward_return"].to_numpy(), known["time"].to_numpy())
    assert found.decay[0].low == pytest.approx(same.low)
    assert found.decay[0].high == pytest.approx(same.high)
    assert np.nanmean(seen.daily) == pytest.approx(found.decay[0].value)


def test_groups_are_pandas_quantiles_of_each_day() -> None:
    frame = made(shares=40)
    found = read_signals(frame, ["model"], 1, lags=LAGS)["model"].figures
    # qcut's edges part a day's places as places do: both are of the rank alone.
    rank = frame.groupby("time")["model"].rank()
    place = (rank - 0.5) / frame.groupby("time")["model"].transform("size")
    frame = frame.assign(
        group=pd.cut(place, np.linspace(0, 1, GROUPS + 1), labels=False, right=False),
        ahead=frame["forward_return"] - frame.groupby("time")["forward_return"].transform("mean"),
    )
    daily = frame.groupby(["time", "group"])["ahead"].mean().unstack()
    for one, expected in zip(found.groups, daily.mean(), strict=True):
        assert one.value == pytest.approx(expected)
    assert found.spread.value == pytest.approx((daily[GROUPS - 1] - daily[0]).mean())
    assert found.groups[0].value < 0 < found.groups[-1].value
    assert found.spread.low > 0


def test_scores_without_knowledge_have_intervals_that_hold_nothing() -> None:
    frame = made()
    frame = frame.assign(model=np.random.default_rng(1).uniform(size=len(frame)))
    found = read_signals(frame, ["model"], 1, lags=LAGS)["model"].figures
    for one in (found.spread, *found.decay, *found.persistence[1:]):
        assert one.low < 0 < one.high


def test_of_many_rows_some_days_are_looked_at_and_it_is_said() -> None:
    frame = made(missing=0)
    found = read_signals(frame, ["model"], 1, lags=LAGS, most_rows=len(frame) // 2)["model"].figures
    assert found.every == 2
    scores, returns = wide(frame, "model"), wide(frame, "forward_return")
    daily = [scores.iloc[day].corr(returns.iloc[day + 3], method="spearman") for day in range(0, len(scores) - 3, 2)]
    assert found.decay[2].value == pytest.approx(np.mean(daily))


@pytest.mark.parametrize("shares", [1, 2, 4])
def test_few_shares_have_no_quantiles_and_no_error(shares: int) -> None:
    found = read_signals(made(shares=shares, missing=0), ["model"], 20, lags=LAGS)["model"].figures
    assert all(math.isnan(one.value) for one in found.groups)
    assert math.isnan(found.decay[0].value) == (shares < 3)


def test_few_days_have_figures_without_ends() -> None:
    found = read_signals(made(days=5, missing=0), ["model"], 20, lags=LAGS)["model"].figures
    assert found.lags == (0, 1, 3)
    assert math.isfinite(found.decay[0].value)
    assert found.decay[0].low != found.decay[0].low
