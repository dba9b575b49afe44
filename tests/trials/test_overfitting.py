"""Figures of the best of many tries: those of ffn and arch, and what they say of made tries."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from components.trials.overfitting import (
    deflated_sharpe,
    expected_best,
    overfitting,
    overfitting_of,
    overfitting_probability,
    sharpe_ratios,
    superior_ability,
)
from components.trials.record import Series, Trial, TriedModel


def made_returns(days: int, tries: int, seed: int, mean: float = 0.0) -> NDArray[np.float64]:
    """Fat-tailed, skewed returns that share a part, as those of similar models do."""
    rng = np.random.default_rng(seed)
    common = rng.standard_t(4, (days, 1)) * 0.005
    own = rng.standard_t(4, (days, tries)) * 0.01 + rng.exponential(0.002, (days, tries)) - 0.002
    return common + own + mean * (np.arange(tries) == tries - 1)


def names(tries: int) -> tuple[str, ...]:
    return tuple(f"try {number}" for number in range(tries))


@pytest.mark.parametrize(("days", "tries", "seed"), [(64, 2, 1), (250, 7, 2), (511, 40, 3)])
def test_the_deflated_sharpe_ratio_is_that_of_ffn(days: int, tries: int, seed: int) -> None:
    import ffn

    returns = made_returns(days, tries, seed, 0.001)
    sharpes = sharpe_ratios(returns)
    index = pd.date_range("2020-01-01", periods=days, freq="B")
    theirs = ffn.core.calc_deflated_sharpe_ratio(
        pd.Series(returns[:, -1], index), sharpes, nperiods=252, annualized_trials=False
    )
    assert deflated_sharpe(returns[:, -1], sharpes) == pytest.approx(theirs, abs=1e-9)


def test_the_best_sharpe_ratio_of_chance_is_that_of_ffn() -> None:
    import ffn

    for tries in (1, 2, 10, 1000):
        assert expected_best(tries, 0.07) == pytest.approx(ffn.core.calc_expected_max_sharpe(tries, 0.07), abs=1e-12)


@pytest.mark.parametrize(("days", "tries", "blocks"), [(64, 2, 4), (250, 9, 8), (163, 5, 10)])
def test_the_probability_of_overfitting_is_that_of_ffn(days: int, tries: int, blocks: int) -> None:
    import ffn

    returns = made_returns(days, tries, blocks)
    theirs = ffn.core.calc_prob_backtest_overfitting(pd.DataFrame(returns), n_blocks=blocks)
    assert overfitting_probability(returns, blocks) == pytest.approx(theirs, abs=1e-9)


def test_equal_tries_share_their_rank_as_in_ffn() -> None:
    import ffn

    returns = np.repeat(made_returns(80, 3, 5), 2, axis=1)
    theirs = ffn.core.calc_prob_backtest_overfitting(pd.DataFrame(returns), n_blocks=8)
    assert overfitting_probability(returns, 8) == pytest.approx(theirs, abs=1e-9)


def test_the_test_of_hansen_is_that_of_arch_whatever_the_sign_of_a_loss() -> None:
    from arch.bootstrap import SPA

    returns = made_returns(200, 6, 7, 0.001)
    # The same question asked with another benchmark loss: only differences may count.
    shift = np.random.default_rng(1).normal(0, 0.01, len(returns))
    test = SPA(shift, shift[:, None] - returns, block_size=5, reps=1000, seed=3)
    test.compute()
    assert superior_ability(returns, 5, 3) == pytest.approx(test.pvalues["consistent"], abs=1e-9)


def test_a_try_that_earns_is_told_from_the_best_of_coins() -> None:
    coins = overfitting(names(50), made_returns(500, 50, 11), 5, 1)
    skilled = overfitting(names(50), made_returns(500, 50, 11, 0.004), 5, 1)
    assert coins is not None
    assert skilled is not None
    assert coins.deflated < 0.9
    assert coins.spa > 0.05
    assert skilled.best == "try 49"
    assert skilled.deflated > 0.99
    assert skilled.spa < 0.01
    assert skilled.probability < 0.05 < coins.probability


def test_a_try_that_never_trades_is_left_out() -> None:
    returns = made_returns(100, 3, 13)
    returns[:, 1] = 0.0
    found = overfitting(names(3), returns, 5, 1)
    assert found is not None
    assert found.tries == 2
    assert math.isfinite(found.deflated)
    assert math.isfinite(found.spa)


@pytest.mark.parametrize(("days", "tries"), [(63, 5), (500, 1)])
def test_too_few_days_or_tries_give_no_figures(days: int, tries: int) -> None:
    assert overfitting(names(tries), made_returns(days, tries, 1), 5, 1) is None


@pytest.mark.parametrize(("days", "tries", "blocks"), [(100, 3, 5), (100, 3, 0), (10, 3, 8), (100, 1, 4)])
def test_what_cannot_be_cut_is_refused(days: int, tries: int, blocks: int) -> None:
    with pytest.raises(ValueError, match="blocks"):
        overfitting_probability(made_returns(days, tries, 1), blocks)


def tried(number: int, days: tuple[int, ...], returns: NDArray[np.float64], answers: str = "") -> Trial:
    model = TriedModel("linear", 0.5, 0.01, False, math.nan, answers or str(number), returns=Series.of(returns))
    return Trial(str(number), f"2026-01-0{number}T00:00:00Z", "run", {}, 1, "rows", days, (model,))


def test_the_models_of_a_stretch_are_compared_on_the_days_that_all_have() -> None:
    returns, days = made_returns(120, 4, 17), tuple(range(20200101, 20200221 + 70))[:120]
    trials = [
        tried(1, days, returns[:, 0]),
        tried(2, days[20:], returns[20:, 1]),
        tried(3, days, returns[:, 0], answers="1"),  # the same answers again
        tried(4, days[:40], returns[:40, 2]),  # too few of the days
        tried(5, days, np.array([])),  # of an older version
    ]
    found = overfitting_of(trials, days)
    assert found is not None
    assert (found.tries, found.days) == (2, 100)
    single = np.float32(returns[20:, :2]).astype(np.float64)
    best = int(np.argmax(sharpe_ratios(single)))
    assert found.best == f"linear of 2026-01-0{best + 1}T00:00:00Z"
    assert found.sharpe == pytest.approx(np.max(sharpe_ratios(single)))
    assert found.deflated == pytest.approx(deflated_sharpe(single[:, best], sharpe_ratios(single)))


def test_a_stretch_that_nobody_traded_has_no_best() -> None:
    assert overfitting_of([], range(100)) is None
