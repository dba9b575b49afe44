from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
import pytest
import ville
from numpy.typing import NDArray

from components.live_evidence import Stakes
from components.live_evidence.betting import log_capital


def _drawn(sessions: int, seed: int = 0, mean: float = 0.03) -> NDArray[np.float64]:
    return np.clip(mean + 0.1 * np.random.default_rng(seed).standard_normal(sessions), -1, 1)


def test_capital_is_that_of_ville_s_betting_test() -> None:
    outcomes = _drawn(150)
    stakes = Stakes((0.4, 0.2, 0.05), (0.5, 0.3, 0.2))
    # Its own bets are larger than these for so many days, and so it bets what it is cut to.
    tests = [ville.BettingTest(0.0, (-1, 1), "greater", c=size).update(outcomes) for size in stakes.sizes]
    expected = ville.evalues.combine([test.e_values_ for test in tests], weights=stakes.weights, axis=0)
    np.testing.assert_allclose(np.exp(log_capital(outcomes, stakes, 1)), expected, rtol=1e-12)


def _accounts(outcomes: NDArray[np.float64], size: float, horizon: int) -> list[float]:
    """The average of accounts that take turns, kept day by day."""
    capital = [1.0] * horizon
    averages = []
    for close in range(horizon, len(outcomes) + horizon):
        settled = close - horizon
        capital[settled % horizon] *= 1 + size * outcomes[settled]
        opened = {session % horizon for session in range(settled + 1, close)}
        averages.append(np.mean([one * (1 - size if i in opened else 1) for i, one in enumerate(capital)]))
    return averages


@pytest.mark.parametrize("horizon", [1, 2, 5, 20])
@pytest.mark.parametrize("sessions", [1, 4, 61])
def test_accounts_take_turns(horizon: int, sessions: int) -> None:
    outcomes = _drawn(sessions)
    found = log_capital(outcomes, Stakes((0.5, 0.1), (0.25, 0.75)), horizon)
    expected = 0.25 * np.array(_accounts(outcomes, 0.5, horizon)) + 0.75 * np.array(_accounts(outcomes, 0.1, horizon))
    np.testing.assert_allclose(np.exp(found), expected, rtol=1e-12)


def _best_stop(worth: Callable[[NDArray[np.float64]], float], sessions: int, horizon: int) -> float:
    """What whoever stops at the best possible moment expects, over fair coins of which each outcome is a mean.

    After each coin the outcomes that are due are known, and parts of those that are not: the Snell envelope.
    """
    values: dict[tuple[int, ...], float] = {}
    for length in range(sessions + horizon - 1, horizon - 1, -1):
        for coins in itertools.product((-1, 1), repeat=length):
            due = np.array([np.mean(coins[i : i + horizon]) for i in range(length - horizon + 1)])
            later = [values[(*coins, coin)] for coin in (-1, 1) if (*coins, coin) in values]
            values[coins] = max(worth(due), float(np.mean(later)) if later else -math.inf)
    return float(np.mean([value for coins, value in values.items() if len(coins) == horizon]))


@pytest.mark.parametrize(("horizon", "sessions"), [(1, 10), (2, 10), (3, 9)])
def test_nobody_gains_by_choosing_when_to_stop(horizon: int, sessions: int) -> None:
    stakes = Stakes((0.5, 0.2), (0.5, 0.5))

    def worth(due: NDArray[np.float64]) -> float:
        return float(np.exp(log_capital(due, stakes, horizon)[-1]))

    assert _best_stop(worth, sessions, horizon) <= 1 + 1e-12


def test_without_open_bets_counted_as_lost_stopping_would_gain() -> None:
    def worth(due: NDArray[np.float64]) -> float:
        return float(np.mean([np.prod(1 + 0.5 * due[account::2]) for account in range(2)]))

    assert _best_stop(worth, 10, 2) > 1.01


def test_a_session_without_a_bet_leaves_the_capital_alone() -> None:
    outcomes = np.array([0.2, np.nan, -0.1, np.nan])
    capital = log_capital(outcomes, Stakes(), 1)
    assert capital[1] == capital[0]
    assert capital[3] == capital[2]
    assert np.allclose(log_capital(np.full(9, np.nan), Stakes(), 1), 0)


@pytest.mark.parametrize("horizon", [1, 7])
def test_the_future_changes_no_evidence(horizon: int) -> None:
    outcomes = _drawn(100)
    whole = log_capital(outcomes, Stakes(), horizon)
    for sessions in (1, 6, 7, 50, 99):
        np.testing.assert_allclose(log_capital(outcomes[:sessions], Stakes(), horizon), whole[:sessions], rtol=1e-12)


@pytest.mark.parametrize("horizon", [1, 4])
def test_many_records_are_judged_at_once(horizon: int) -> None:
    records = np.stack([_drawn(30, seed) for seed in range(6)]).reshape(2, 3, 30)
    found = log_capital(records, Stakes(), horizon)
    assert found.shape == records.shape
    np.testing.assert_allclose(found[1, 2], log_capital(records[1, 2], Stakes(), horizon), rtol=1e-12)


@pytest.mark.parametrize("horizon", [1, 2, 20])
def test_endless_luck_is_a_number(horizon: int) -> None:
    assert np.all(np.isfinite(log_capital(np.ones(5000), Stakes(), horizon)))
    assert np.all(log_capital(-np.ones(5000), Stakes(), horizon) < 0)


def test_outcomes_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"within \[-1, 1\]"):
        log_capital(np.array([0.1, 1.1]), Stakes(), 1)


@pytest.mark.parametrize(
    ("sizes", "weights"),
    [((), ()), ((0.5,), (0.5, 0.5)), ((1.0,), (1.0,)), ((0.5, 0.1), (1.0, 0.0)), ((0.5, 0.1), (0.5, 0.6))],
)
def test_stakes_that_prove_nothing_are_refused(sizes: tuple[float, ...], weights: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="weight"):
        Stakes(sizes, weights)
