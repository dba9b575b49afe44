from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy.stats import spearmanr

from components.errors import UserError
from components.evidence.auc import auc
from components.evidence.day_leak import day_leak_auc
from components.synthetic_market import (
    SCENARIOS,
    Autoregression,
    HiddenState,
    Lean,
    MarketFactor,
    ResidualReversal,
    Scenario,
    ShareDrift,
    SizeAgreement,
    get_scenario,
)

# The table of limits that the project's reference gives: scenario, horizon, AUC.
TABLE = [
    ("null", 1, 0.5),
    ("null", 20, 0.5),
    ("reversal", 1, 0.5451),
    ("reversal", 20, 0.5101),
    ("reversal_easy", 1, 0.6361),
    ("reversal_easy", 20, 0.5312),
    ("momentum", 1, 0.5696),
    ("momentum", 20, 0.6748),
    ("xor", 1, 0.5603),
    ("market_factor", 1, 0.5),
    ("market_factor", 20, 0.5),
    ("share_drift", 1, 0.5225),
    ("share_drift", 20, 0.5986),
]
TOGETHER = ("market_factor", "residual_reversal")
"""Markets whose shares move together."""

# Those that the reference does not have: Phi(k / sqrt(1 - k^2)) for a lean of k = 0.15, the others by simulation.
LATER = [
    ("xor_far", 1, 0.5603),
    ("sizes", 1, 0.5603),
    ("larger", 1, 0.5603),
    ("threshold", 1, 0.5485),
    ("weekday", 1, 0.5461),
    ("weekday", 3, 0.5444),
    ("weekday", 20, 0.5),
    ("survivors", 1, 0.5),
]


def bayes_score(scenario: Scenario, window: np.ndarray, horizon: int) -> np.ndarray:
    """The Bayes score of windows [20, shares], by each scenario's definition and not by the code under test."""
    shares = window.shape[1]
    if scenario.name == "xor":
        return np.sign(window[-1]) * np.sign(window[-2])
    if scenario.name == "xor_far":
        return np.sign(window[-1]) * np.sign(window[-5])
    if scenario.name == "larger":
        return np.abs(window[-1]) - np.abs(window[-2]) > 0
    if isinstance(scenario, SizeAgreement):
        large = np.abs(window) > np.median(np.abs(scenario.simulate(1000, 1000, np.random.default_rng(2))))
        return large[-1] == large[-2]
    if scenario.name == "threshold":
        return -np.sign(window[-1]) * (np.abs(window[-1]) > 1.2)
    if isinstance(scenario, ShareDrift):
        return np.array([NormalDist().inv_cdf((s + 0.5) / shares) for s in range(shares)])
    if isinstance(scenario, Autoregression) and scenario.weights:
        # The expected path, session by session.
        path = list(window)
        for _ in range(horizon):
            path.append(sum(w * path[-i] for i, w in enumerate(scenario.weights, start=1)))
        return np.sum(path[-horizon:], axis=0)
    return window[-1]  # Nothing can be known, so any score will do.


def simulated_auc(scenario: Scenario, horizon: int, shares: int, windows: int, seed: int) -> tuple[float, float]:
    """AUC of the Bayes score over windows that share no session, and its standard error."""
    step = 20 + horizon
    returns = scenario.simulate(shares, windows * step, np.random.default_rng(seed))
    labels, scores = [], []
    for start in range(0, windows * step, step):
        scores.append(bayes_score(scenario, returns[start : start + 20], horizon))
        if scenario.name == "weekday":
            days = range(start + 20, start + step)
            scores[-1] = np.full(shares, sum((-1, -1, 0, 1, 1)[day % 5] for day in days))
        labels.append(returns[start + 20 : start + step].sum(axis=0) > 0)
    rows = shares * windows
    if isinstance(scenario, MarketFactor):
        rows /= 1 + (shares - 1) * scenario.correlation
    return auc(np.concatenate(labels), np.concatenate(scores)), 0.577 / math.sqrt(rows)


@pytest.mark.parametrize(("name", "horizon", "expected"), TABLE + LATER)
def test_limits_are_the_table_s(name: str, horizon: int, expected: float) -> None:
    assert get_scenario(name).best_auc(horizon) == pytest.approx(expected, abs=6e-5)


def test_what_is_known_of_other_labels() -> None:
    for name, scenario in SCENARIOS.items():
        nothing = name in ("null", "market_factor", "survivors")
        assert scenario.best_auc(1, "somebody's own") == (0.5 if nothing else None)
        same = scenario.best_auc(1) == scenario.best_auc(1, "outperform")
        assert same is (name not in ("residual_reversal", "weekday"))
    # Of the residual alone: 1/2 + (2/pi) asin(0.2 / sqrt 2); of a day on which all shares lean alike, nothing.
    assert SCENARIOS["residual_reversal"].best_auc(1, "outperform") == pytest.approx(0.5903, abs=6e-5)
    assert SCENARIOS["weekday"].best_auc(1, "outperform") == 0.5


def known_of_day(
    scenario: Scenario, horizon: int, windows: int, shares: int, seed: int
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Bayes scores and sums of the next returns of days that share no session, [shares] each."""
    step = 20 + horizon
    if scenario.name == "volume_reversal":
        returns, activity = scenario.traded(shares, windows * step, np.random.default_rng(seed))
        part = -0.15 * np.clip(activity, -2, 2)
        volumes = part / np.sqrt(1 - part**2) * returns
    else:
        returns = scenario.simulate(shares, windows * step, np.random.default_rng(seed))
    scores, ahead = [], []
    for start in range(0, windows * step, step):
        window = returns[start : start + 20]
        if scenario.name == "volume_reversal":
            scores.append(volumes[start + 19])
        elif scenario.name == "residual_reversal":
            scores.append(window[-1].mean() - window[-1])
        elif isinstance(scenario, HiddenState):
            scores.append(scenario.probability_up(window.T))
        else:
            scores.append(bayes_score(scenario, window, horizon))
        ahead.append(returns[start + 20 : start + step].sum(axis=0))
    return scores, ahead


@pytest.mark.parametrize(
    ("name", "horizon"),
    [
        *((name, horizon) for name, horizon, _ in TABLE + LATER if name != "survivors" or horizon == 1),
        *((name, 1) for name in ("regime", "turbulence", "volume_reversal", "residual_reversal")),
        ("residual_reversal", 20),
    ],
)
def test_simulation_reaches_the_limits_of_a_day(name: str, horizon: int) -> None:
    """Of `outperform`, and of the rank IC, with many shares."""
    scenario = get_scenario(name)
    best, ranks = scenario.best_auc(horizon, "outperform"), scenario.best_rank_ic(horizon)
    scores, ahead = known_of_day(scenario, horizon, 40, 2000, 21)
    above = [returns > np.median(returns) for returns in ahead]
    error = 0.577 / math.sqrt(40 * 2000)

    assert best is not None
    assert ranks is not None
    assert auc(np.concatenate(above), np.concatenate(scores)) == pytest.approx(best, abs=4 * error)
    daily = [
        spearmanr(score, returns).statistic if len(np.unique(score)) > 1 else 0.0
        for score, returns in zip(scores, ahead, strict=True)
    ]
    simulated = 0.0021 if isinstance(scenario, HiddenState) else 0.0
    assert np.mean(daily) == pytest.approx(ranks, abs=4 * math.hypot(1 / math.sqrt(40 * 2000), simulated))


@pytest.mark.parametrize(("shares", "less"), [(20, 0.014), (50, 0.006)])
def test_with_few_shares_the_limit_of_outperform_is_lower_by_as_much_as_described(shares: int, less: float) -> None:
    scenario = get_scenario("reversal_easy")
    returns = scenario.simulate(shares, 400_000 // shares, np.random.default_rng(22))
    score = returns[:-1].mean(axis=1, keepdims=True) - returns[:-1]  # the others move the median
    ahead = returns[1:] - np.median(returns[1:], axis=1, keepdims=True)
    best = scenario.best_auc(1, "outperform")
    assert best is not None
    error = 0.577 / math.sqrt(returns.size)
    expected = 0.5 + (best - 0.5) * (1 - less)
    assert auc(ahead.ravel() > 0, score.ravel()) == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize(("name", "expected"), [("regime", 0.609), ("turbulence", 0.5937)])
def test_simulated_limits_are_the_table_s_and_repeat(name: str, expected: float) -> None:
    best = get_scenario(name).best_auc(1)
    assert best == pytest.approx(expected, abs=1e-3)
    assert get_scenario(name).best_auc(1) == best


def test_unknown_limits_are_none() -> None:
    for name in ("xor", "xor_far", "sizes", "larger", "threshold", "regime", "turbulence", "survivors"):
        assert get_scenario(name).best_auc(20) is None


def test_scored_with_the_day_the_market_factor_leaks_as_predicted() -> None:
    factor = get_scenario("market_factor")
    assert isinstance(factor, MarketFactor)
    # The day's common move is the day's mean over very many shares.
    returns = factor.simulate(1000, 400, np.random.default_rng(3))
    day = np.repeat(returns.mean(axis=1), 1000)
    assert auc(returns.ravel() > 0, day) == pytest.approx(
        day_leak_auc(factor.correlation), abs=4 * 0.577 / math.sqrt(400)
    )


@pytest.mark.parametrize(("name", "horizon"), [(name, horizon) for name, horizon, _ in TABLE + LATER])
def test_simulation_reaches_the_limit(name: str, horizon: int) -> None:
    scenario = get_scenario(name)
    reached, error = simulated_auc(scenario, horizon, shares=2000, windows=40, seed=11)
    assert error < 0.0025 or name == "market_factor"
    assert reached == pytest.approx(scenario.best_auc(horizon), abs=4 * error)


@pytest.mark.parametrize("name", ["regime", "turbulence"])
def test_a_filter_reaches_its_limit_on_a_long_market(name: str) -> None:
    scenario = get_scenario(name)
    assert isinstance(scenario, HiddenState)
    # Not the windows the limit was computed from: these lie anywhere in long histories.
    returns = scenario.simulate(500, 150 + 21 * 150, np.random.default_rng(12))[150:]
    windows = returns.reshape(150, 21, 500)
    score = np.concatenate([scenario.probability_up(window[:20].T) for window in windows])
    up = windows[:, 20].ravel() > 0
    error = 0.577 / math.sqrt(len(up))
    assert auc(up, score) == pytest.approx(scenario.best_auc(1), abs=4 * error)
    # It is a probability, not only a score: what it says comes true that often.
    assert np.mean(score) == pytest.approx(np.mean(up), abs=4 * error)
    sure = score > 0.6
    assert np.mean(up[sure]) == pytest.approx(np.mean(score[sure]), abs=4 * 0.5 / math.sqrt(sure.sum()))


def test_residuals_revert_as_far_as_the_limit_says() -> None:
    scenario = get_scenario("residual_reversal")
    assert isinstance(scenario, ResidualReversal)
    for horizon, sessions in ((1, 20_000), (20, 42_000)):
        returns = scenario.simulate(200, sessions, np.random.default_rng(13))
        residual = returns - returns.mean(axis=1, keepdims=True)
        windows = returns[: sessions // 21 * 21].reshape(-1, 21, 200) if horizon == 20 else None
        if windows is None:
            score, up = -residual[:-1], returns[1:] > 0
        else:
            score, up = -(residual[: len(windows) * 21 : 21]), windows[:, 1:].sum(axis=1) > 0
        days = len(up)
        error = 0.577 / math.sqrt(days * 200 / (1 + 199 * scenario.correlation))
        assert auc(up.ravel(), score.ravel()) == pytest.approx(scenario.best_auc(horizon), abs=4 * error)
        if horizon == 1:
            assert scenario.best_auc(1) > 0.5 + 8 * error


@pytest.mark.parametrize(("horizon", "expected"), [(1, 0.5492), (20, 0.7014)])
def test_momentum_of_a_year_reaches_its_limit(horizon: int, expected: float) -> None:
    scenario = get_scenario("momentum_year")
    shares, windows, step = 1000, 50, 60
    returns = scenario.simulate(shares, 252 + windows * step, np.random.default_rng(17))
    scores, labels = [], []
    for now in range(252, len(returns) - horizon, step):
        # Of the next 21 returns, none is made of one that is not known yet.
        path = [0.8 * returns[now + ahead - 252 : now + ahead - 21].mean(axis=0) for ahead in range(horizon)]
        scores.append(np.sum(path, axis=0))
        labels.append(returns[now : now + horizon].sum(axis=0) > 0)
    error = 0.577 / math.sqrt(shares * len(scores))
    assert scenario.best_auc(horizon) == pytest.approx(expected, abs=6e-5)
    assert auc(np.concatenate(labels), np.concatenate(scores)) == pytest.approx(expected, abs=4 * error)


def test_returns_are_taken_back_or_go_on_as_volumes_and_the_limit_say() -> None:
    scenario = get_scenario("volume_reversal")
    returns, activity = scenario.traded(2000, 400, np.random.default_rng(18))
    np.testing.assert_array_equal(returns, scenario.simulate(2000, 400, np.random.default_rng(18)))
    part = -0.15 * np.clip(activity, -2, 2)
    score = (part * returns / np.sqrt(1 - part**2))[:-1].ravel()
    up = (returns[1:] > 0).ravel()
    error = 0.577 / math.sqrt(up.size)

    assert scenario.best_auc(1) == pytest.approx(0.5587, abs=6e-5)
    assert auc(up, score) == pytest.approx(scenario.best_auc(1), abs=4 * error)
    assert scenario.best_auc(20) is None
    for blind in (returns[:-1].ravel(), activity[:-1].ravel()):
        assert auc(up, blind) == pytest.approx(0.5, abs=4 * error)
    # The pairs of all signs and sizes of the window's last two returns tell nothing either.
    assert np.mean(returns[2:] * returns[1:-1] * returns[:-2]) == pytest.approx(0, abs=4 / math.sqrt(up.size))


def test_of_other_markets_volumes_tell_nothing() -> None:
    scenario = get_scenario("reversal")
    returns, activity = scenario.traded(400, 500, np.random.default_rng(19))
    np.testing.assert_array_equal(returns, scenario.simulate(400, 500, np.random.default_rng(19)))
    assert np.mean(activity[:-1] * returns[:-1] * returns[1:]) == pytest.approx(0, abs=4 / math.sqrt(returns.size))
    assert activity.std() == pytest.approx(1, abs=0.01)


def test_what_decides_a_lean_is_right_as_often_as_described() -> None:
    for name in ("xor", "xor_far", "sizes", "larger"):
        scenario = get_scenario(name)
        assert isinstance(scenario, Lean)
        returns = scenario.simulate(500, 2000, np.random.default_rng(14))
        lag = scenario.lag
        leans = scenario.sign(returns[lag:-1], returns[: -lag - 1])
        error = 1 / math.sqrt(leans.size)
        assert leans.mean() == pytest.approx(0, abs=4 * error)  # both equally often
        assert (leans * returns[lag + 1 :]).mean() == pytest.approx(scenario.lean, abs=4 * error)
        for alone in (returns[lag:-1], returns[: -lag - 1], np.abs(returns[lag:-1])):
            if name != "larger":
                assert (alone * returns[lag + 1 :]).mean() == pytest.approx(0, abs=4 * error)


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_returns_have_unit_variance_from_the_first_session_on(name: str) -> None:
    returns = get_scenario(name).simulate(400, 1500, np.random.default_rng(7))
    assert returns.shape == (1500, 400)
    assert returns.dtype == np.float64
    # Within a share: share_drift's shares differ in mean, and market_factor's move together.
    assert returns.var(axis=0).mean() == pytest.approx(1, abs=0.02 if name not in TOGETHER else 0.12)
    if name not in TOGETHER:
        assert returns[0].var() == pytest.approx(1, abs=5 * math.sqrt(2 / 400))


def test_momentum_has_the_variance_and_autocovariances_the_limit_is_computed_from() -> None:
    # gamma solves Yule-Walker; a long simulation must show the same correlations.
    returns = get_scenario("momentum").simulate(500, 4000, np.random.default_rng(8))
    lags = np.array([np.mean(returns[20:] * returns[20 - k : len(returns) - k]) for k in range(21)])
    theory = np.linalg.lstsq(
        np.vstack(
            [np.eye(21)[k] - 0.025 * sum(np.eye(21)[abs(k - i)] for i in range(1, 21)) for k in range(1, 21)]
            + [np.eye(21)[0]]
        ),
        np.append(np.zeros(20), 1.0),
        rcond=None,
    )[0]
    np.testing.assert_allclose(lags, theory, atol=4 / math.sqrt(returns.size) * 2)
    assert theory[1] > 0.03  # The comparison above would pass on noise otherwise.


def test_regime_states_last_as_long_as_described() -> None:
    # The product of neighbours has the mean m phi, so its correlation over k sessions is phi^2 (2 stay - 1)^k.
    returns = get_scenario("regime").simulate(500, 4000, np.random.default_rng(9))
    product = returns[1:] * returns[:-1]
    for k in (5, 50):
        assert np.mean(product[k:] * product[:-k]) == pytest.approx(0.35**2 * 0.96**k, abs=0.006)


def test_market_factor_correlation() -> None:
    returns = get_scenario("market_factor").simulate(2, 20_000, np.random.default_rng(4))
    assert np.corrcoef(returns.T)[0, 1] == pytest.approx(0.52, abs=0.02)


def test_share_drift_is_the_same_for_every_seed_and_ascends() -> None:
    drift = get_scenario("share_drift")
    means = [drift.simulate(10, 20_000, np.random.default_rng(seed)).mean(axis=0) for seed in (0, 1)]
    expected = [0.05 * NormalDist().inv_cdf((s + 0.5) / 10) for s in range(10)]
    for mean in means:
        np.testing.assert_allclose(mean, expected, atol=4 / math.sqrt(20_000))


def test_scenarios_name_and_describe_themselves() -> None:
    elsewhere = {"regime", "turbulence", "residual_reversal", "momentum_year", "volume_reversal"}
    assert set(SCENARIOS) == {name for name, _, _ in TABLE + LATER} | elsewhere
    for name, scenario in SCENARIOS.items():
        assert scenario.name == name
        assert scenario.description
        assert "\n" not in scenario.description


def test_unknown_scenario_names_the_known_ones() -> None:
    with pytest.raises(UserError, match=r"'moonshot'.*null, reversal.*share_drift"):
        get_scenario("moonshot")


@pytest.mark.parametrize(("shares", "sessions"), [(0, 10), (10, 0), (-1, 10)])
def test_empty_markets_are_refused(shares: int, sessions: int) -> None:
    with pytest.raises(UserError, match="empty"):
        get_scenario("null").simulate(shares, sessions, np.random.default_rng(0))


@pytest.mark.parametrize("name", list(SCENARIOS))
def test_horizons_below_one_are_refused(name: str) -> None:
    with pytest.raises(UserError, match="horizon 0"):
        get_scenario(name).best_auc(0)
