from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import invgauss

from components.live_evidence import Claim, DaysToProof, Parameters, Stakes, days_to_proof, evaluate

_ONE = Parameters(rank_ic=Stakes((0.5,), (1.0,)))


def test_a_claim_is_read_off_daily_rank_ics() -> None:
    rng = np.random.default_rng(0)
    news = rng.standard_normal(200_009)
    daily = 0.02 + 0.1 * np.convolve(news, np.ones(10), "valid") / math.sqrt(10)
    daily[::500] = np.nan
    found = Claim.of_days(daily, horizon=20)
    assert found.mean == pytest.approx(0.02, abs=0.003)
    assert found.deviation == pytest.approx(0.1, rel=0.02)
    assert found.overlap == pytest.approx(10, rel=0.05)
    assert Claim.of_days(daily, horizon=5).overlap == 5
    assert Claim.of_days(news, horizon=20).overlap == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize(("mean_ic", "deviation"), [(0.02, 0.1), (0.05, 0.1), (0.1, 0.4)])
def test_one_stake_takes_what_its_growth_says(mean_ic: float, deviation: float) -> None:
    drawn = mean_ic + deviation * np.random.default_rng(1).standard_normal(1_000_000)
    growth = np.log1p(0.5 * drawn.clip(-1, 1))
    # When a Brownian motion with this drift and spread first passes ln 40: half of it, the rank IC's part, is 20 then.
    mean, shape = math.log(40) / growth.mean(), math.log(40) ** 2 / growth.var()
    passing = invgauss(mean / shape, scale=shape)
    found = days_to_proof(Claim(mean_ic, deviation), _ONE, records=400)
    assert found.median == pytest.approx(passing.median(), rel=0.15)
    assert found.late == pytest.approx(passing.ppf(0.9), rel=0.15)


def test_it_is_what_records_take() -> None:
    rng = np.random.default_rng(2)
    claim = Claim(0.03, 0.1)
    parameters = Parameters().for_claim(claim)
    daily = claim.mean + claim.deviation * rng.standard_t(5, (300, 800)) / math.sqrt(5 / 3)
    none = np.full(800, np.nan)
    took = [evaluate(record.clip(-1, 1), none, parameters).proved for record in daily]
    found = days_to_proof(claim, parameters)
    assert found.early is not None
    assert found.median is not None
    assert found.late is not None
    sessions = np.array([math.inf if one is None else one + 1 for one in took])
    assert found.median == pytest.approx(np.median(sessions), rel=0.2)
    assert np.mean(sessions < found.early) == pytest.approx(0.1, abs=0.06)
    assert np.mean(sessions > found.late) == pytest.approx(0.1, abs=0.06)


def test_hundreds_of_shares_take_months_or_years_and_five_for_ever() -> None:
    many, few = Claim.of_shares(0.01, 400), Claim.of_shares(0.01, 5)
    # Where a day counts in full, 400 independent shares cannot bet as much as they know.
    assert 400 < (days_to_proof(many, Parameters()).median or 0) < 900
    assert 120 < (days_to_proof(many, Parameters().for_claim(many)).median or 0) < 400
    assert days_to_proof(few, Parameters().for_claim(few)).median is None
    assert str(days_to_proof(few, Parameters())) == "longer than 20 years: these shares cannot prove it"


def test_overlapping_labels_take_longer() -> None:
    claim = Claim(0.08, 0.12, overlap=20)
    now = days_to_proof(Claim(0.08, 0.12), Parameters().for_claim(claim)).median
    then = days_to_proof(claim, Parameters(horizon=20).for_claim(claim)).median
    assert now is not None
    assert then is not None
    assert then > 8 * now


def test_what_was_lived_counts() -> None:
    claim = Claim(0.02, 0.1)
    parameters = Parameters().for_claim(claim)
    first = days_to_proof(claim, parameters).median
    good = days_to_proof(claim, parameters, past=np.full(100, 0.03)).median
    bad = days_to_proof(claim, parameters, past=np.full(100, -0.03)).median
    helped = days_to_proof(claim, parameters, log_loss=math.log(30)).median
    assert first is not None
    assert good is not None
    assert bad is not None
    assert helped is not None
    assert good < 0.6 * first < 1.2 * first < bad
    assert helped < first


def test_the_same_seed_gives_the_same_answer() -> None:
    claim = Claim(0.02, 0.1)
    parameters = Parameters().for_claim(claim)
    assert days_to_proof(claim, parameters, seed=1) == days_to_proof(claim, parameters, seed=1)


@pytest.mark.parametrize("mean", [0.0, -0.01, math.nan])
def test_a_backtest_that_claims_nothing_is_never_proved(mean: float) -> None:
    found = days_to_proof(Claim(mean, 0.1), Parameters().for_claim(Claim(mean, 0.1)))
    assert str(found) == "never: the backtest claims no rank IC above 0"


@pytest.mark.parametrize(
    ("sessions", "words"),
    [
        (7, "about 7 sessions"),
        (24, "about 24 sessions"),
        (113, "about 110 sessions (5.4 months)"),
        (527, "about 530 sessions (2.1 years)"),
        (1693, "about 1,700 sessions (6.7 years)"),
    ],
)
def test_words_for_it(sessions: int, words: str) -> None:
    assert str(DaysToProof(sessions, None, None, 0.01)) == words


def test_a_wrong_claim_costs_little() -> None:
    true = Claim(0.02, 0.1)
    wrong = replace(true, mean=0.08)
    right = days_to_proof(true, Parameters().for_claim(true)).median
    misled = days_to_proof(true, Parameters().for_claim(wrong)).median
    assert right is not None
    assert misled is not None
    assert misled < 2 * right
