from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from components.evidence.correlation import daily_ic, daily_rank_ic, rank_ic


def test_rank_ic_is_the_mean_of_scipy_s_daily_correlations() -> None:
    rng = np.random.default_rng(0)
    days = rng.permutation(np.repeat(np.arange(60), rng.integers(3, 20, 60)))
    scores = rng.integers(0, 6, len(days)) / 6  # ties
    forward = 0.3 * scores + rng.standard_normal(len(days)).round(1)
    daily = [stats.spearmanr(scores[days == day], forward[days == day])[0] for day in range(60)]
    found = rank_ic(scores, forward, days)
    assert found.value == pytest.approx(np.mean(daily), abs=1e-12)
    assert found.standard_error == pytest.approx(np.std(daily) / math.sqrt(60), rel=0.3)
    assert found.low < found.value < found.high


def test_days_without_a_correlation_are_left_out() -> None:
    days = np.array([1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4])
    scores = np.array([1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 1.0, 2.0, 1.0, 2.0, 3.0])
    forward = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2, 0.1, 0.7, 0.7, 0.7])
    # Day 2 has equal scores, day 3 two shares, day 4 equal returns.
    assert rank_ic(scores, forward, days).value == pytest.approx(1)
    none = rank_ic(scores[3:], forward[3:], days[3:])
    assert math.isnan(none.value)
    assert math.isnan(none.low)
    assert math.isnan(rank_ic(np.array([]), np.array([]), np.array([])).value)


def test_rank_ic_works_with_few_shares_and_sees_a_perfect_order() -> None:
    rng = np.random.default_rng(1)
    forward = rng.standard_normal(500)
    days = np.repeat(np.arange(100), 5)
    perfect = rank_ic(np.exp(forward), forward, days)
    assert perfect.value == pytest.approx(1)
    assert perfect.low == pytest.approx(1)
    assert rank_ic(-forward, forward, days).value == pytest.approx(-1)


def test_rank_ic_refuses_lengths_that_differ() -> None:
    with pytest.raises(ValueError, match="3 scores but 2"):
        rank_ic(np.arange(3.0), np.arange(2.0), np.arange(3))


@pytest.mark.parametrize("infinite", [False, True])
def test_daily_correlations_are_those_of_pandas(infinite: bool) -> None:
    rng = np.random.default_rng(2)
    days = np.sort(np.repeat(np.arange(80), rng.integers(1, 9, 80)))[::-1]
    both = pd.DataFrame({"score": rng.integers(0, 4, len(days)) / 3, "forward": rng.integers(-3, 4, len(days)) / 7})
    both.iloc[:3] *= 1e-9
    if infinite:
        both.iloc[5] = np.inf
    for found, columns in ((daily_ic, both), (daily_rank_ic, both.groupby(days).rank())):
        if infinite and found is daily_ic:
            continue
        expected = [
            one["score"].corr(one["forward"]) if len(one) > 2 and (one.max() > one.min()).all() else np.nan
            for _, one in columns.groupby(days)
        ]
        unique, values = found(both["score"].to_numpy(), both["forward"].to_numpy(), days)
        assert np.array_equal(unique, np.arange(80))
        np.testing.assert_allclose(values, expected, rtol=0, atol=1e-12)
    assert np.isnan(daily_ic(np.array([1.0, np.inf, 3.0]), np.arange(3.0), np.zeros(3))[1]).all()


def test_a_day_s_correlation_follows_from_its_own_rows_to_the_last_bit() -> None:
    rng = np.random.default_rng(3)
    days = rng.permutation(np.repeat(np.arange(40), 9))
    scores, forward = rng.standard_normal((2, len(days))).round(1)
    for found in (daily_ic, daily_rank_ic):
        _, whole = found(scores, forward, days)
        for day in range(40):
            own = days == day
            assert found(scores[own], forward[own], days[own])[1][0] == whole[day]
