"""The figures against scikit-learn, scipy and hand-made cases, their intervals against simulation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from components.evidence.auc import auc_interval
from components.evidence.correlation import rank_ic
from components.evidence.interval import Interval
from components.evidence.metric import METRICS
from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from components.synthetic_market import generate
from components.synthetic_market.scenarios import SCENARIOS

Rows = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def rows(days: int = 150, shares: int = 12, seed: int = 0) -> Rows:
    """Labels, probabilities that know a little, forward returns and days."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), shares)
    forward = 0.02 * (0.7 * rng.standard_normal(days)[day] + 0.7 * rng.standard_normal(len(day))) + 0.002
    probability = 1 / (1 + np.exp(-(20 * forward * 0.3 + 0.5 * rng.standard_normal(len(day)))))
    return (forward > 0).astype(int), probability, forward, day


def scored(data: Rows, **blocks: int) -> ScoredModel:
    label, probability, forward, day = data
    return ScoredModel(label, probability, forward, DayBlocks(day, **blocks))


def test_every_figure_is_that_of_another_implementation() -> None:
    label, probability, forward, day = rows()
    model = scored((label, probability, forward, day))
    by_day = [day == d for d in np.unique(day)]
    pearson = np.array([stats.pearsonr(probability[d], forward[d])[0] for d in by_day])
    spearman = [stats.spearmanr(probability[d], forward[d])[0] for d in by_day]
    rate = label.mean()
    order = np.array_split(np.argsort(probability), 10)
    assert rate > 0.5
    expected = {
        "auc": metrics.roc_auc_score(label, probability),
        "accuracy_above_majority": metrics.accuracy_score(label, probability > 0.5) - rate,
        "loss_above_base_rate": metrics.log_loss(label, probability)
        - metrics.log_loss(label, np.full(len(label), rate)),
        "brier": metrics.brier_score_loss(label, probability),
        "calibration_error": sum(abs(probability[b].mean() - label[b].mean()) * len(b) for b in order) / len(label),
        "ic": pearson.mean(),
        "rank_ic": np.mean(spearman),
        "icir": pearson.mean() / pearson.std(ddof=1),
    }
    assert {name: model.values[name] for name in expected} == pytest.approx(expected, abs=1e-12)


def test_intervals_of_auc_and_rank_ic_are_those_of_their_own_functions() -> None:
    label, probability, forward, day = rows()
    for horizon in (1, 5):
        model = scored((label, probability, forward, day), horizon=horizon, seed=3)
        assert model.interval("auc") == auc_interval(label, probability, day, horizon=horizon, seed=3)
        mine, other = model.interval("rank_ic"), rank_ic(probability, forward, day, horizon=horizon, seed=3)
        assert (mine.value, mine.low, mine.high) == pytest.approx((other.value, other.low, other.high), abs=1e-12)


def test_a_standard_error_of_independent_days_is_the_closed_form() -> None:
    label, probability, forward, day = rows(days=400, shares=6, seed=1)
    model = scored((label, probability, forward, day), block=1)
    squared = ((probability - label) ** 2).reshape(400, 6).mean(axis=1)
    assert model.interval("brier").standard_error == pytest.approx(squared.std(ddof=1) / 20, rel=0.08)


def test_a_difference_to_itself_is_nothing_and_what_is_shared_cancels() -> None:
    label, probability, forward, day = rows()
    blocks = DayBlocks(day)
    model = ScoredModel(label, probability, forward, blocks)
    # The same order of rows, and almost the same answers: far more certain than either figure.
    near = ScoredModel(label, np.clip(probability + 0.001, 0, 1), forward, blocks)
    for metric in METRICS:
        nothing = model.difference(model, metric)
        assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
        difference = near.difference(model, metric)
        assert difference.value == pytest.approx(near.values[metric] - model.values[metric], abs=1e-15)
        assert difference.standard_error < 0.35 * model.interval(metric).standard_error
    against = model.difference(near, "brier")
    assert against.value == -near.difference(model, "brier").value


def test_a_better_model_is_seen_as_better_on_every_figure() -> None:
    label, probability, forward, day = rows(days=300)
    blocks = DayBlocks(day)
    model = ScoredModel(label, probability, forward, blocks)
    coin = ScoredModel(label, np.random.default_rng(5).uniform(0.2, 0.8, len(label)), forward, blocks)
    for name, metric in METRICS.items():
        difference = model.difference(coin, name)
        assert difference.low > 0 if metric.higher_is_better else difference.high < 0, name


def test_models_of_other_days_cannot_be_compared() -> None:
    data = rows()
    with pytest.raises(ValueError, match="same blocks"):
        scored(data).difference(scored(data), "auc")


def test_too_few_days_leave_figures_without_intervals() -> None:
    label, probability, forward, day = rows(days=1, shares=20)
    model = scored((label, probability, forward, day))
    for metric in METRICS:
        interval = model.interval(metric)
        assert math.isnan(interval.low)
        assert math.isnan(interval.standard_error)
    assert model.values["brier"] == pytest.approx(metrics.brier_score_loss(label, probability))
    assert math.isfinite(model.values["ic"])


def test_constant_answers_of_one_class_are_defined_where_they_can_be() -> None:
    day = np.repeat(np.arange(40), 4)
    model = scored((np.ones(160), np.full(160, 0.5), np.full(160, 0.01), day))
    assert math.isnan(model.values["auc"])
    assert math.isnan(model.values["ic"])
    assert model.values["accuracy_above_majority"] == -1  # 0.5 is not above 0.5
    assert model.values["calibration_error"] == 0.5
    assert model.values["loss_above_base_rate"] == pytest.approx(math.log(2), abs=1e-5)


@pytest.mark.parametrize("probability", [[0.5, 1.2], [0.5], [0.5, math.nan]])
def test_what_is_no_probability_is_refused(probability: list[float]) -> None:
    with pytest.raises(ValueError, match=r"probability|scores"):
        ScoredModel(np.array([0, 1]), np.array(probability), np.array([0.1, 0.2]), DayBlocks(np.arange(2)))


@pytest.mark.slow
@pytest.mark.parametrize("horizon", [1, 20])
def test_intervals_hold_the_truth_on_the_market_factor_in_95_of_100_cases(horizon: int) -> None:
    """Scores that know nothing, on a market whose shares move together: 92 to 98 % of each figure's intervals hold.

    The truth is that of coins, but for the average loss less that of the base rate: the base rate is the best constant
    in hindsight, and how much that gains by chance depends on the split's length. There it is the mean over all cases.
    """
    days, shares, markets, repeats = 580, 5, 25, 40
    intervals: dict[str, list[Interval]] = {metric: [] for metric in METRICS}
    length = days + 20 + horizon
    for seed in range(markets):
        # One long market, cut into pieces that share no session.
        market = generate(SCENARIOS["market_factor"], shares=shares, sessions=length * repeats, seed=seed)
        logs = np.log(market.close).reshape(repeats, length, shares)
        for piece in logs:
            now = np.arange(20, 20 + days)
            forward = (piece[now + horizon] - piece[now]).ravel()
            past = (piece[now] - piece[now - 20]).ravel()
            day = np.repeat(now, shares)
            label = (forward > 0).astype(int)
            probability = 1 / (1 + np.exp(-past))
            blocks = DayBlocks(day, horizon=horizon, resamples=300, seed=seed)
            model = ScoredModel(label, probability, forward, blocks)
            # Only answers of one half are calibrated here; a trace of the past makes ten bins of them.
            calibrated = ScoredModel(label, 0.5 + 1e-9 * past, forward, blocks)
            for metric, found in intervals.items():
                found.append((calibrated if metric == "calibration_error" else model).interval(metric))
    truth = {name: metric.no_skill or 0.0 for name, metric in METRICS.items()} | {
        "brier": 0.25 + mean_of_normal(lambda past: (1 / (1 + np.exp(-past)) - 0.5) ** 2, 0.02 * math.sqrt(20)),
        "loss_above_base_rate": float(np.mean([one.value for one in intervals["loss_above_base_rate"]])),
    }
    coverage = {
        metric: float(np.mean([one.low <= truth[metric] <= one.high for one in found]))
        for metric, found in intervals.items()
    }
    assert all(0.92 <= share <= 0.98 for share in coverage.values()), coverage


def mean_of_normal(function: Callable[[Any], Any], deviation: float) -> float:
    """Mean of a function of a normal variable around 0, by Gauss-Hermite quadrature."""
    places, weights = np.polynomial.hermite_e.hermegauss(60)
    return float((weights * function(places * deviation)).sum() / weights.sum())
