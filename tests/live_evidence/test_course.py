from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.live_evidence import Claim, Parameters, daily_gains, daily_rank_ics, evaluate
from components.records import from_json, to_json

_NONE = Parameters()


def test_the_headline_is_the_average_of_two_e_values() -> None:
    rng = np.random.default_rng(0)
    daily, gains = 0.2 * rng.standard_normal(200).clip(-3, 3), rng.uniform(-1, 1, 200)
    parameters = Parameters(rank_ic_weight=0.25)
    course = evaluate(daily, gains, parameters)
    expected = 0.25 * np.exp(course.rank_ic) + 0.75 * np.exp(course.log_loss)
    np.testing.assert_allclose(np.exp(course.headline), expected, rtol=1e-12)


def test_a_proof_is_the_first_session_at_the_threshold_and_stays() -> None:
    daily = np.concatenate([np.full(60, 0.3), np.full(60, -0.3)])
    course = evaluate(daily, np.full(120, np.nan), _NONE)
    assert course.proved is not None
    assert course.headline[course.proved] >= math.log(20) > course.headline[course.proved - 1]
    assert course.headline[-1] < math.log(20)


def test_a_day_counts_at_most_its_bound() -> None:
    parameters = Parameters(bound=0.2)
    daily = np.array([0.1, -0.9, 0.15])
    none = np.full(3, np.nan)
    one, other = evaluate(daily, none, parameters), evaluate(daily.clip(-0.2, 0.2), none, parameters)
    np.testing.assert_array_equal(one.headline, other.headline)
    assert one.mean[-1] == pytest.approx((0.1 - 0.2 + 0.15) / 3)


def test_no_day_is_cut_that_was_as_wild_in_the_backtest() -> None:
    daily = np.tile([0.1, -0.1], 300)
    assert _NONE.for_claim(Claim.of_days(daily + 0.01, 1)).bound == pytest.approx(0.4, rel=0.01)
    daily[7] = -0.9
    assert _NONE.for_claim(Claim.of_days(daily + 0.01, 1)).bound == pytest.approx(0.89)
    assert _NONE.for_claim(Claim(0.01, 0.3)).bound == 1


def _noise(shares: int, sessions: int, horizon: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the past, and the returns over the horizon that nobody can know: few shares, ties, fat tails, betas."""
    rng = np.random.default_rng(seed)
    betas = np.linspace(0.2, 2, shares)
    news = betas * rng.standard_t(3, (sessions + horizon, 1)) + rng.standard_t(3, (sessions + horizon, shares))
    level = np.vstack([np.zeros(shares), np.cumsum(news.round(1), axis=0)])
    forward = level[horizon : sessions + horizon] - level[:sessions]
    seen = np.vstack([np.zeros(shares), news])[:sessions]
    return (seen + 2 * betas).round(), forward


@pytest.mark.parametrize(("shares", "horizon"), [(5, 1), (5, 20), (40, 1), (40, 20)])
def test_luck_that_is_looked_at_daily_is_seldom_a_proof(shares: int, horizon: int) -> None:
    proved = 0
    for seed in range(60):
        scores, forward = _noise(shares, 300, horizon, seed)
        session = np.repeat(np.arange(300), shares)
        parameters = Parameters(horizon=horizon).for_claim(Claim(0.05, 0.5 if shares == 5 else 0.2, horizon))
        ups = np.where(forward == 0, np.nan, forward > 0).ravel()
        daily = daily_rank_ics(scores.ravel(), forward.ravel(), session, 300)
        gains = daily_gains(ups, 0.5 + 0.02 * np.tanh(scores.ravel()), session, 300, parameters)
        proved += evaluate(daily, gains, parameters).proved is not None
    assert proved <= 3


def test_a_strict_bound_withstands_rare_great_losses() -> None:
    rng = np.random.default_rng(2)
    daily = np.where(rng.random((200, 400)) < 0.04, -0.96, 0.04)
    parameters = _NONE.for_claim(Claim(0.04, 0.25))
    assert parameters.bound == 1
    none = np.full(400, np.nan)
    assert np.mean([evaluate(record, none, parameters).proved is not None for record in daily]) <= 0.05


def test_a_signal_is_proved_and_its_mean_is_held() -> None:
    rng = np.random.default_rng(3)
    claim = Claim.of_shares(0.0955, 100)
    for _ in range(20):
        daily = 0.0955 + claim.deviation * rng.standard_normal(100)
        course = evaluate(daily, np.full(100, np.nan), _NONE.for_claim(claim))
        assert course.proved is not None
        assert course.low[-1] <= 0.0955 <= course.high[-1]


def test_records_of_different_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="each session"):
        evaluate(np.zeros(3), np.zeros(4), _NONE)


def test_parameters_come_back_from_json_as_they_were() -> None:
    parameters = replace(_NONE, horizon=20, base_rate=0.53).for_claim(Claim(0.0123, 0.0777, 3.3))
    assert from_json(Parameters, to_json(parameters)) == parameters


@pytest.mark.parametrize(
    "changes",
    [
        {"alpha": 0.0},
        {"alpha": 1.0},
        {"horizon": 0},
        {"bound": 0.0},
        {"bound": 1.5},
        {"rank_ic_weight": 1.0},
        {"least_probability": 0.5},
        {"base_rate": 1.0},
        {"base_rate_days": 0.0},
    ],
)
def test_parameters_that_prove_nothing_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="need"):
        Parameters(**changes)  # type: ignore[arg-type]
