from __future__ import annotations

import numpy as np
import pytest
import ville
from numpy.typing import NDArray

from components.live_evidence.sequence import mean_so_far


def _drawn(shape: tuple[int, ...], seed: int, mean: float = 0.0, deviation: float = 0.1) -> NDArray[np.float64]:
    return np.clip(mean + deviation * np.random.default_rng(seed).standard_normal(shape), -1, 1)


def _martingale(values: NDArray[np.float64], mean: float, stake: float) -> float:
    """The product over days of (1 + l (x - p)) exp(-l (m - p))."""
    expected = np.array([np.clip(np.sum(values[:i]) / (i + 1), -0.25, 0.25) for i in range(len(values))])
    return float(np.prod((1 + stake * (values - expected)) * np.exp(-stake * (mean - expected))))


@pytest.mark.parametrize("sessions", [3, 40, 700])
def test_at_the_ends_the_mixture_of_martingales_is_forty(sessions: int) -> None:
    values = _drawn((sessions,), 1, 0.02, 0.3)
    found = mean_so_far(values, 1, 0.05)
    for end, sign in ((found.low[-1], 1), (found.high[-1], -1)):
        if abs(end) < 1:
            mixed = np.mean([_martingale(sign * values, sign * end, 0.75 / 2**i) for i in range(4)])
            assert mixed == pytest.approx(40, rel=1e-9)


@pytest.mark.parametrize(("sessions", "deviation"), [(250, 0.1), (2500, 0.1), (2500, 0.5)])
def test_it_is_nearly_as_narrow_as_ville_s(sessions: int, deviation: float) -> None:
    values = _drawn((sessions,), 2, 0.01, deviation)
    found = mean_so_far(values, 1, 0.05)
    for other in (ville.EmpiricalBernsteinCS((-1, 1)), ville.BettingCS((-1, 1), grid=2001, intersect=False)):
        other.fit(values)
        width = other.upper_[-1] - other.lower_[-1]
        assert found.high[-1] - found.low[-1] < 1.1 * width
        assert found.low[-1] < other.upper_[-1]
        assert found.high[-1] > other.lower_[-1]


@pytest.mark.parametrize(("horizon", "sessions"), [(1, 600), (5, 600), (20, 1200)])
def test_it_holds_the_mean_at_all_times(horizon: int, sessions: int) -> None:
    news = _drawn((300, sessions + horizon), 3, 0, 0.6)
    # The outcome of a session is known in parts before it is due, and its mean there changes with what came before.
    shares = sum(news[:, i : i + sessions] for i in range(horizon)) / horizon
    means = 0.05 * np.sign(np.cumsum(news, axis=1)[:, :sessions] - news[:, :sessions])
    values = np.clip(means + 0.9 * shares, -1, 1)
    found = mean_so_far(values, horizon, 0.05)
    truth = np.cumsum(means, axis=1) / np.arange(1, sessions + 1)
    outside = np.any((truth < found.low) | (truth > found.high), axis=1)
    assert outside.mean() <= 0.05


def test_a_predictable_skewed_market_is_no_exception() -> None:
    rng = np.random.default_rng(4)
    rare = rng.random((400, 500)) < 0.04
    values = np.where(rare, -0.96, 0.04)  # small gains, rare great losses: the mean is 0
    found = mean_so_far(values, 1, 0.05)
    assert np.any((found.low > 0) | (found.high < 0), axis=1).mean() <= 0.05


@pytest.mark.parametrize("horizon", [1, 6])
def test_the_future_changes_no_interval(horizon: int) -> None:
    values = _drawn((80,), 5)
    values[[3, 17, 18]] = np.nan
    whole = mean_so_far(values, horizon, 0.05, bound=1.0)
    for sessions in (1, 5, 6, 18, 79):
        for part, full in zip(mean_so_far(values[:sessions], horizon, 0.05), whole, strict=True):
            np.testing.assert_allclose(part, full[:sessions], rtol=1e-12)


def test_a_bound_is_a_change_of_unit() -> None:
    values = _drawn((300,), 6, 0.01, 0.05)
    wide, narrow = mean_so_far(values, 1, 0.05), mean_so_far(values / 4, 1, 0.05, bound=0.25)
    for one, other in zip(wide, narrow, strict=True):
        np.testing.assert_allclose(other, one / 4, rtol=1e-12)


def test_sessions_without_a_number_are_no_days() -> None:
    values = np.array([np.nan, 0.2, np.nan, -0.1])
    found = mean_so_far(values, 1, 0.05)
    assert np.isnan([found.mean[0], found.low[0], found.high[0]]).all()
    np.testing.assert_allclose(found.mean[1:], [0.2, 0.2, 0.05])
    assert found.low[-1] == -1
    assert found.high[-1] == 1


def test_numbers_out_of_their_bound_are_refused() -> None:
    with pytest.raises(ValueError, match="bound"):
        mean_so_far(np.array([0.3]), 1, 0.05, bound=0.25)
