"""What the Bayes classifier orders the next returns of a market by, session by session."""

from __future__ import annotations

import numpy as np
import pytest

from components.evidence.auc import auc
from components.synthetic_market import SCENARIOS, get_scenario

SHARES, SESSIONS = 400, 700
REACH = {"momentum": 20, "momentum_year": 252, "xor": 2, "xor_far": 5, "sizes": 2, "larger": 2} | dict.fromkeys(
    ("regime", "turbulence"), 20
)
"""Returns that the classifier looks at, where they are more than the latest."""


def scored(name: str) -> tuple[np.ndarray, np.ndarray]:
    scenario = get_scenario(name)
    returns, activity = scenario.traded(SHARES, SESSIONS, np.random.default_rng(5))
    return returns, scenario.bayes_score(returns, activity)


@pytest.mark.parametrize("name", [name for name in SCENARIOS if name != "momentum_year"])
def test_it_reaches_the_best_possible_auc(name: str) -> None:
    returns, score = scored(name)
    known = ~np.isnan(score[:-1])
    reached = auc(returns[1:][known] > 0, score[:-1][known])
    # Where shares move together, a day tells little more than a single row.
    rows = np.count_nonzero(known) / (1 + (SHARES - 1) * 0.5 * (name == "residual_reversal"))
    # With many rows a day whose score is the same for all, nothing is known at all: exactly 1/2.
    error = 0.0 if get_scenario(name).best_auc(1) == 0.5 else 4 * 0.577 / np.sqrt(rows)
    assert reached == pytest.approx(get_scenario(name).best_auc(1), abs=error)


@pytest.mark.parametrize("name", SCENARIOS)
def test_it_is_known_from_the_first_session_on_that_has_all_returns_it_looks_at(name: str) -> None:
    _, score = scored(name)
    first = REACH.get(name, 1) - 1
    assert np.isnan(score[:first]).all()
    assert not np.isnan(score[first:]).any()


def test_that_of_momentum_is_the_mean_of_the_year_less_its_last_month() -> None:
    returns, score = scored("momentum_year")
    expected = [0.8 * returns[now - 251 : now - 20].mean(axis=0) for now in range(251, SESSIONS)]
    np.testing.assert_allclose(score[251:], expected, rtol=0, atol=1e-12)


def test_it_looks_at_nothing_behind_its_session() -> None:
    for name in SCENARIOS:
        scenario = get_scenario(name)
        returns, activity = scenario.traded(4, 300, np.random.default_rng(6))
        whole, part = scenario.bayes_score(returns, activity), scenario.bayes_score(returns[:290], activity[:290])
        # Sums of other lengths may be added up in another order.
        np.testing.assert_allclose(part, whole[:290], rtol=0, atol=1e-12, err_msg=name)


def test_a_market_shorter_than_a_window_has_no_score() -> None:
    for name in ("regime", "momentum_year", "xor_far"):
        returns = np.zeros((3, 2))
        assert np.isnan(get_scenario(name).bayes_score(returns, returns)).all()
