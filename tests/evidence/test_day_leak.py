"""What knowing the day gives: against the closed form, simulated markets and made panels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from components.evidence.auc import auc
from components.evidence.day_leak import day_leak_auc, day_leak_auc_of_rows, mean_correlation
from components.synthetic_market import get_scenario


def test_the_closed_form_gives_the_figure_of_the_scenario() -> None:
    assert day_leak_auc(0.52) == pytest.approx(0.8406, abs=5e-5)
    assert day_leak_auc(0.0) == 0.5
    assert day_leak_auc(1.0) == 1.0
    assert day_leak_auc(-0.1) == 0.5
    assert math.isnan(day_leak_auc(math.nan))


def test_the_measured_correlation_is_the_markets() -> None:
    returns = get_scenario("market_factor").simulate(20, 2000, np.random.default_rng(0))
    days, shares = np.repeat(np.arange(2000), 20), np.tile(np.arange(20), 2000)
    assert mean_correlation(returns.ravel(), days, shares) == pytest.approx(0.52, abs=0.03)


def test_the_order_of_rows_does_not_matter_and_numpy_agrees() -> None:
    rng = np.random.default_rng(1)
    returns = rng.normal(size=(300, 3)) + rng.normal(size=(300, 1))
    days, shares = np.repeat(np.arange(300), 3), np.tile(["a", "b", "c"], 300)
    order = rng.permutation(900)
    expected = np.corrcoef(returns.T)[np.triu_indices(3, 1)].mean()
    assert mean_correlation(returns.ravel()[order], days[order], shares[order]) == pytest.approx(expected)


def test_a_share_of_few_days_does_not_weigh_as_much_as_one_of_many() -> None:
    rng = np.random.default_rng(2)
    market = rng.normal(size=2000)
    together = [market + 0.5 * rng.normal(size=2000) for _ in range(2)]
    apart = rng.normal(size=100)  # listed for the last 100 days, and moving by itself
    returns = np.concatenate([*together, apart])
    days = np.concatenate([np.arange(2000), np.arange(2000), np.arange(1900, 2000)])
    shares = np.repeat(["a", "b", "late"], [2000, 2000, 100])
    # The two long shares' correlation is 0.8; a plain mean over the three pairs would be about 0.27.
    assert mean_correlation(returns, days, shares) == pytest.approx(0.8 * 2000 / 2200, abs=0.04)


def test_pairs_without_enough_common_days_are_left_out() -> None:
    values = np.random.default_rng(0).normal(size=20)
    assert math.isnan(mean_correlation(values, np.tile(np.arange(10), 2), np.repeat(["a", "b"], 10)))
    with pytest.raises(ValueError, match="20 returns, 1 days"):
        mean_correlation(values, np.arange(1), np.arange(20))


def test_the_more_rows_of_a_day_are_known_the_closer_to_the_limit() -> None:
    areas = [day_leak_auc_of_rows(0.52, np.full(5, known)) for known in (0, 1, 3, 30, 400)]
    assert areas[0] == 0.5
    assert areas == sorted(areas)
    assert areas[-1] == pytest.approx(day_leak_auc(0.52), abs=0.002)
    # One other share is right as often as two Gaussian returns agree: 1/2 + asin(rho) / pi, and so is the AUC.
    assert areas[1] == pytest.approx(0.5 + math.asin(0.52) / math.pi, abs=1e-6)
    assert math.isnan(day_leak_auc_of_rows(0.52, np.array([], dtype=int)))


@pytest.mark.parametrize("known", [1, 2, 7])
def test_a_simulated_day_leaks_as_much_as_predicted(known: int) -> None:
    returns = get_scenario("market_factor").simulate(known + 1, 60_000, np.random.default_rng(known))
    up = (returns > 0).astype(int)
    measured = auc(up[:, 0], up[:, 1:].mean(axis=1))
    assert measured == pytest.approx(day_leak_auc_of_rows(0.52, np.full(3, known)), abs=0.006)
