"""Measures of drift that the project's own is compared with, against SciPy, and what is planted."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import ks_2samp

from benchmarks.drift import _train
from benchmarks.drift_markets import CASES, MARKETS, MEASURES, clustered, fat_tails, window_features
from components.synthetic_market import WINDOW_RETURNS

PARTS = np.random.default_rng(0).dirichlet(np.ones(10), size=(5, 3))


def test_jensen_shannon_is_that_of_scipy() -> None:
    found = MEASURES["JS"].distance(PARTS, PARTS[0])
    np.testing.assert_allclose(found, jensenshannon(PARTS, PARTS[:1], base=2, axis=2) ** 2, atol=1e-12)


def test_kolmogorov_smirnov_is_that_of_scipy_where_bins_are_fine() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.normal(size=300), rng.normal(0.4, 1.3, size=400)
    edges = np.sort(np.concatenate([one, other]))[None] + 1e-9
    parts = [MEASURES["KS"].parts(values[None, :, None], edges) for values in (one, other)]
    assert MEASURES["KS"].distance(*parts) == pytest.approx(ks_2samp(one, other).statistic)


def test_psi_and_infinity_norm_are_those_of_their_definitions() -> None:
    one, other = np.array([0.5, 0.5]), np.array([0.2, 0.8])
    assert MEASURES["PSI"].distance(one, other) == pytest.approx(0.3 * np.log(2.5) - 0.3 * np.log(0.625), rel=1e-3)
    assert MEASURES["L-inf"].distance(one, other) == pytest.approx(0.3)


def test_parts_leave_out_what_is_not_finite() -> None:
    values = np.array([[[0.5], [1.5], [np.nan]], [[np.nan], [np.nan], [np.nan]]])
    parts = MEASURES["PSI"].parts(values, np.array([[1.0, 2.0]]))
    np.testing.assert_array_equal(parts, [[[0.5, 0.5, 0]], [[np.nan] * 3]])


@pytest.mark.parametrize("draw", [fat_tails, clustered])
def test_markets_have_returns_of_about_variance_one(draw: object) -> None:
    returns = draw(200, 4000, np.random.default_rng(2))  # type: ignore[operator]
    assert 0.7 < returns.std() < 1.4
    assert np.corrcoef(returns[:, 0], returns[:, 1])[0, 1] > 0.1


def test_features_are_those_of_their_formatter() -> None:
    returns = MARKETS["null"](3, WINDOW_RETURNS + 4, np.random.default_rng(3))
    features = window_features(returns)
    window = returns[2 : 2 + WINDOW_RETURNS, 1]
    volatility = np.sqrt(np.mean(window**2))
    np.testing.assert_allclose(features["returns"][2, 1], window / volatility)
    assert features["log_volatility"][2, 1, 0] == pytest.approx(np.log(volatility))
    assert features["share"][2, :, 0].tolist() == [0, 1, 2]


def test_other_measures_ring_for_a_doubled_volatility_and_not_for_training_itself() -> None:
    rng = np.random.default_rng(4)
    returns = MARKETS["null"](20, 320, rng)
    trained = _train(returns, tuple(MEASURES))
    features = window_features(np.concatenate([returns[-19:], 2 * MARKETS["null"](20, 30, rng)]))
    live = np.concatenate([features["returns"], features["log_volatility"]], axis=2)
    assert {name for name, other in trained.others.items() if other.rings(live)} >= {"PSI", "KS", "AD", "JS"}


def test_cases_have_names_of_their_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
