from __future__ import annotations

import math
import time

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics
from sklearn.calibration import calibration_curve as sklearn_calibration_curve

from components.evidence.resampling import default_block
from components.evidence.statistics import (
    accuracy,
    auc,
    auc_by_group,
    auc_interval,
    calibration_curve,
    majority,
    rank_ic,
    roc_curve,
    skill,
)


def factor_market(
    rng: np.random.Generator, days: int, shares: int, horizon: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A market without signal, common factor 0.5: labels, scores (the last 20 returns), forward returns and days."""
    sessions = days + horizon + 20
    common = rng.standard_normal((sessions, 1))
    returns = math.sqrt(0.5) * common + math.sqrt(0.5) * rng.standard_normal((sessions, shares))
    level = np.vstack([np.zeros(shares), np.cumsum(returns, axis=0)])
    now = np.arange(20, 20 + days)
    forward = level[now + horizon] - level[now]
    score = level[now] - level[now - 20]
    return (forward > 0).ravel().astype(int), score.ravel(), forward.ravel(), np.repeat(now, shares)


# auc


@pytest.mark.parametrize("distinct", [2, 7, 10**9])
@pytest.mark.parametrize("weighted", [False, True])
def test_auc_is_scikit_learn_s_with_and_without_ties(distinct: int, weighted: bool) -> None:
    rng = np.random.default_rng(distinct)
    labels = rng.integers(0, 2, 500)
    scores = rng.integers(0, distinct, 500) / distinct + 0.1 * labels * (distinct > 7)
    # Some weights are 0: those rows must not count.
    weights = rng.integers(0, 4, 500) * 0.7 if weighted else None
    expected = metrics.roc_auc_score(labels, scores, sample_weight=weights)
    assert auc(labels, scores, weights) == pytest.approx(expected, abs=1e-12)


def test_auc_by_hand() -> None:
    # Pairs (up, down): 0.4 beats 0.1 and ties 0.4; 0.8 beats both: 3.5 of 4.
    assert auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8])) == 3.5 / 4
    assert auc(np.array([True, False]), np.array([-np.inf, np.inf])) == 0
    # Ten million rows that all tie would overflow a 32-bit count of pairs; weights show the same.
    assert auc(np.array([0, 1]), np.array([1.0, 1.0]), np.array([1e7, 1e7])) == 0.5


def test_auc_of_one_class_is_not_a_number() -> None:
    assert math.isnan(auc(np.ones(5), np.arange(5)))
    assert math.isnan(auc(np.zeros(5), np.arange(5)))
    assert math.isnan(auc(np.array([]), np.array([])))
    assert math.isnan(auc(np.array([0, 1]), np.array([0.0, 1.0]), np.array([1.0, 0.0])))


@pytest.mark.parametrize(
    ("labels", "scores", "weights"),
    [
        ([0, 1, 2], [1, 2, 3], None),
        ([0, 1], [1, np.nan], None),
        ([0, 1, 1], [1, 2], None),
        ([[0, 1]], [[1, 2]], None),
        ([0, 1], [1, 2], [1, -1]),
        ([0, 1], [1, 2], [1, np.nan]),
        ([0, 1], [1, 2], [1]),
    ],
)
def test_auc_refuses_what_is_no_label_score_or_weight(
    labels: list[float], scores: list[float], weights: list[float] | None
) -> None:
    with pytest.raises(ValueError, match=r"must|labels but"):
        auc(np.array(labels), np.array(scores), None if weights is None else np.array(weights))


# Intervals


def test_auc_interval_holds_the_exact_auc_and_repeats() -> None:
    rng = np.random.default_rng(0)
    labels, scores, _, days = factor_market(rng, 100, 10, 1)
    first = auc_interval(labels, scores, days, seed=4)
    assert first.value == pytest.approx(metrics.roc_auc_score(labels, scores), abs=1e-12)
    assert first.low < first.value < first.high
    assert first.standard_error > 0
    assert auc_interval(labels, scores, days, seed=4) == first
    assert auc_interval(labels, scores, days, seed=5) != first


def test_auc_interval_does_not_depend_on_the_order_of_rows_or_the_kind_of_day() -> None:
    rng = np.random.default_rng(0)
    labels, scores, _, days = factor_market(rng, 60, 5, 1)
    expected = auc_interval(labels, scores, days)
    shuffled = rng.permutation(len(labels))
    dates = (np.datetime64("2001-12-20") + days)[shuffled]
    for same in (dates, dates.astype(str), dates.astype(object)):
        found = auc_interval(labels[shuffled], scores[shuffled], same)
        assert found.value == pytest.approx(expected.value)
        assert found.standard_error == pytest.approx(expected.standard_error)


def test_standard_error_of_independent_rows_is_the_closed_form() -> None:
    # Without signal, with one class a half: Var(AUC) = (n + 1) / (12 n1 n0), Mann and Whitney.
    rng = np.random.default_rng(1)
    rows = 20_000
    labels = rng.permutation(np.arange(rows) % 2)
    found = auc_interval(labels, rng.standard_normal(rows), np.repeat(np.arange(2000), 10), resamples=2000)
    assert found.standard_error == pytest.approx(math.sqrt((rows + 1) / (12 * (rows / 2) ** 2)), rel=0.15)
    # 167 blocks or so: Student's t is close to normal.
    assert (found.high - found.low) / found.standard_error == pytest.approx(2 * 1.97, abs=0.02)


def test_shares_that_move_together_widen_the_interval() -> None:
    # 20 copies of one share are no more evidence than one.
    rng = np.random.default_rng(2)
    labels, scores, days = rng.integers(0, 2, 400), rng.standard_normal(400), np.arange(400)
    one = auc_interval(labels, scores, days)
    copies = auc_interval(np.repeat(labels, 20), np.repeat(scores, 20), np.repeat(days, 20))
    assert copies.value == pytest.approx(one.value)
    assert copies.standard_error == pytest.approx(one.standard_error, rel=1e-9)


def test_levels_nest_and_longer_blocks_see_overlap() -> None:
    rng = np.random.default_rng(3)
    labels, scores, _, days = factor_market(rng, 600, 5, 20)
    narrow, wide = (auc_interval(labels, scores, days, horizon=20, level=level) for level in (0.8, 0.99))
    assert wide.low < narrow.low < narrow.high < wide.high
    assert narrow.standard_error == wide.standard_error
    rows_only = auc_interval(labels, scores, days, horizon=20, block=1)
    assert narrow.standard_error > 2 * rows_only.standard_error


def test_interval_stays_within_what_an_auc_can_be() -> None:
    labels = np.tile([0, 1], 30)
    scores = labels + np.where(np.arange(60) == 7, -2.0, 0.0)
    found = auc_interval(labels, scores, np.repeat(np.arange(30), 2))
    assert found.high == 1
    assert found.low < found.value < 1


def test_too_little_data_has_no_interval() -> None:
    one_day = auc_interval(np.array([0, 1, 1]), np.array([1.0, 2.0, 3.0]), np.zeros(3))
    assert one_day.value == 1
    assert math.isnan(one_day.low)
    assert math.isnan(one_day.standard_error)
    one_class = auc_interval(np.ones(10), np.arange(10.0), np.arange(10))
    assert math.isnan(one_class.value)
    assert math.isnan(one_class.high)
    few_blocks = auc_interval(np.tile([0, 1], 10), np.arange(20.0), np.arange(20), block=11)
    assert not math.isnan(few_blocks.value)
    assert math.isnan(few_blocks.low)


def test_resamples_that_lose_a_class_are_left_out() -> None:
    labels = np.zeros(40, dtype=int)
    labels[3] = 1
    found = auc_interval(labels, np.random.default_rng(0).standard_normal(40), np.arange(40), block=1)
    assert math.isfinite(found.standard_error)


@pytest.mark.parametrize("settings", [{"horizon": 0}, {"block": 0}, {"resamples": 1}, {"level": 1.0}, {"level": 0.0}])
def test_impossible_interval_settings_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=r"need (horizon|a level)"):
        auc_interval(np.array([0, 1]), np.array([1.0, 2.0]), np.arange(2), **settings)  # type: ignore[arg-type]


def test_days_must_be_one_a_row() -> None:
    with pytest.raises(ValueError, match="days must be one a row"):
        auc_interval(np.array([0, 1]), np.array([1.0, 2.0]), np.arange(3))


@pytest.mark.parametrize(
    ("horizon", "days", "block"), [(1, 1000, 10), (20, 1000, 30), (5, 8000, 20), (20, 100, 25), (1, 3, 1), (1, 0, 1)]
)
def test_default_block(horizon: int, days: int, block: int) -> None:
    assert default_block(horizon, days) == block


def test_sixty_thousand_rows_take_seconds() -> None:
    rng = np.random.default_rng(0)
    labels, scores, days = rng.integers(0, 2, 60_000), rng.integers(0, 500, 60_000), np.repeat(np.arange(600), 100)
    before = time.process_time()
    auc_interval(labels, scores, days, resamples=1000)
    assert time.process_time() - before < 8


def test_intervals_cover_the_truth() -> None:
    """A small version of the measurement below: at h = 1, 95 % intervals hold 0.5 and 0 in most markets."""
    rng = np.random.default_rng(5)
    held = np.zeros(2)
    for seed in range(100):
        labels, scores, forward, days = factor_market(rng, 200, 10, 1)
        direction = auc_interval(labels, scores, days, resamples=200, seed=seed)
        order = rank_ic(scores, forward, days, resamples=200, seed=seed)
        held += direction.low <= 0.5 <= direction.high, order.low <= 0 <= order.high
    # 95 of 100 have the standard deviation 2.2.
    assert np.all(held >= 87)
    assert np.all(held < 100)


@pytest.mark.slow
@pytest.mark.parametrize(("horizon", "least"), [(1, 0.91), (20, 0.86)])
def test_intervals_cover_the_truth_often(horizon: int, least: float) -> None:
    # A true coverage of 95 % (h = 1) and 90 % (h = 20), less three standard deviations of 300 draws.
    rng = np.random.default_rng(6)
    held = np.zeros(2)
    for seed in range(300):
        labels, scores, forward, days = factor_market(rng, 580, 20, horizon)
        direction = auc_interval(labels, scores, days, horizon=horizon, resamples=200, seed=seed)
        order = rank_ic(scores, forward, days, horizon=horizon, resamples=200, seed=seed)
        held += direction.low <= 0.5 <= direction.high, order.low <= 0 <= order.high
    assert np.all(held / 300 >= least)


# rank_ic


def test_rank_ic_is_the_mean_of_scipy_s_daily_correlations() -> None:
    rng = np.random.default_rng(0)
    days = rng.permutation(np.repeat(np.arange(60), rng.integers(3, 20, 60)))
    scores = rng.integers(0, 6, len(days)) / 6  # ties
    forward = 0.3 * scores + rng.standard_normal(len(days)).round(1)
    daily = [stats.spearmanr(scores[days == day], forward[days == day])[0] for day in range(60)]
    found = rank_ic(scores, forward, days)
    assert found.value == pytest.approx(np.mean(daily), abs=1e-12)
    assert found.standard_error == pytest.approx(np.std(daily) / math.sqrt(60), rel=0.3)
    assert found.low < found.value < found.high


def test_days_without_a_correlation_are_left_out() -> None:
    days = np.array([1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4])
    scores = np.array([1.0, 2.0, 3.0, 5.0, 5.0, 5.0, 1.0, 2.0, 1.0, 2.0, 3.0])
    forward = np.array([0.1, 0.2, 0.3, 0.1, 0.2, 0.3, 0.2, 0.1, 0.7, 0.7, 0.7])
    # Day 2 has equal scores, day 3 two shares, day 4 equal returns.
    assert rank_ic(scores, forward, days).value == pytest.approx(1)
    none = rank_ic(scores[3:], forward[3:], days[3:])
    assert math.isnan(none.value)
    assert math.isnan(none.low)
    assert math.isnan(rank_ic(np.array([]), np.array([]), np.array([])).value)


def test_rank_ic_works_with_few_shares_and_sees_a_perfect_order() -> None:
    rng = np.random.default_rng(1)
    forward = rng.standard_normal(500)
    days = np.repeat(np.arange(100), 5)
    perfect = rank_ic(np.exp(forward), forward, days)
    assert perfect.value == pytest.approx(1)
    assert perfect.low == pytest.approx(1)
    assert rank_ic(-forward, forward, days).value == pytest.approx(-1)


def test_rank_ic_refuses_lengths_that_differ() -> None:
    with pytest.raises(ValueError, match="3 scores but 2"):
        rank_ic(np.arange(3.0), np.arange(2.0), np.arange(3))


# The rest


def test_accuracy_and_majority_by_hand() -> None:
    labels = np.array([1, 1, 0, 0, 1])
    probabilities = np.array([0.9, 0.4, 0.1, 0.5, 0.51])
    assert accuracy(labels, probabilities) == 0.8  # 0.5 is no call of "up".
    assert majority(labels) == 0.6
    assert majority(1 - labels) == 0.6
    assert math.isnan(accuracy(np.array([]), np.array([])))
    assert math.isnan(majority(np.array([])))


@pytest.mark.parametrize("distinct", [3, 10**9])
def test_whole_roc_curve_is_scikit_learn_s(distinct: int) -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 150), rng.integers(0, distinct, 150)
    curve = roc_curve(labels, scores)
    false_positive, true_positive, threshold = metrics.roc_curve(labels, scores, drop_intermediate=False)
    np.testing.assert_allclose(curve.false_positive_rate, false_positive)
    np.testing.assert_allclose(curve.true_positive_rate, true_positive)
    np.testing.assert_array_equal(curve.threshold[1:], threshold[1:])
    assert (curve.positives, curve.negatives) == (labels.sum(), 150 - labels.sum())


def test_thinned_roc_curve_lies_on_the_whole_one() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 20_000)
    scores = rng.standard_normal(20_000).round(3) + labels
    curve = roc_curve(labels, scores, points=200)
    assert 150 < len(curve.threshold) <= 200
    assert (curve.false_positive_rate[0], curve.true_positive_rate[0]) == (0, 0)
    assert (curve.false_positive_rate[-1], curve.true_positive_rate[-1]) == (1, 1)
    area = (
        np.sum(np.diff(curve.false_positive_rate) * (curve.true_positive_rate[1:] + curve.true_positive_rate[:-1])) / 2
    )
    assert area == pytest.approx(auc(labels, scores), abs=1e-3)
    for point in (1, 50, 120):
        called = scores >= curve.threshold[point]
        assert curve.true_positive_rate[point] == pytest.approx(np.mean(called[labels == 1]))
        assert curve.false_positive_rate[point] == pytest.approx(np.mean(called[labels == 0]))


def test_roc_curve_of_one_class_or_nothing() -> None:
    curve = roc_curve(np.ones(3), np.arange(3))
    assert np.all(np.isnan(curve.false_positive_rate))
    assert curve.true_positive_rate[-1] == 1
    assert len(roc_curve(np.array([]), np.array([])).threshold) == 1
    with pytest.raises(ValueError, match="2 points"):
        roc_curve(np.array([0, 1]), np.arange(2), points=1)


def test_calibration_curve_is_scikit_learn_s() -> None:
    rng = np.random.default_rng(0)
    probabilities = rng.random(5000)
    labels = (rng.random(5000) < probabilities**2).astype(int)
    curve = calibration_curve(labels, probabilities, bins=10)
    observed, predicted = sklearn_calibration_curve(labels, probabilities, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(curve.observed, observed, atol=1e-9)
    np.testing.assert_allclose(curve.predicted, predicted, atol=1e-9)
    np.testing.assert_array_equal(curve.count, np.full(10, 500))


def test_calibration_curve_keeps_equal_predictions_together() -> None:
    labels = np.array([0, 1, 1, 1, 0, 1])
    curve = calibration_curve(labels, np.array([0.2, 0.7, 0.7, 0.7, 0.7, 0.9]), bins=6)
    np.testing.assert_allclose(curve.predicted, [0.2, 0.7, 0.9])
    np.testing.assert_allclose(curve.observed, [0, 0.75, 1])
    np.testing.assert_array_equal(curve.count, [1, 4, 1])
    constant = calibration_curve(labels, np.full(6, 0.6))
    assert (constant.predicted.tolist(), constant.count.tolist()) == ([pytest.approx(0.6)], [6])
    assert len(calibration_curve(np.array([]), np.array([])).count) == 0
    with pytest.raises(ValueError, match="1 bin"):
        calibration_curve(labels, np.full(6, 0.6), bins=0)


def test_auc_by_group() -> None:
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 300), rng.standard_normal(300)
    years = rng.integers(2001, 2004, 300)
    found = auc_by_group(labels, scores, years)
    assert [group for group, _, _ in found] == [2001, 2002, 2003]
    for group, area, rows in found:
        assert rows == np.sum(years == group)
        assert area == pytest.approx(metrics.roc_auc_score(labels[years == group], scores[years == group]))
    one_class = auc_by_group(np.array([1, 1, 0]), np.array([1.0, 2.0, 0.0]), np.array(["B", "A", "B"]))
    assert [(g.group, g.rows) for g in one_class] == [("A", 1), ("B", 2)]
    assert math.isnan(one_class[0].auc)
    assert one_class[1].auc == 1
    assert auc_by_group(np.array([]), np.array([]), np.array([])) == ()


def test_skill() -> None:
    assert skill(0.55, 0.6) == pytest.approx(0.5)
    assert skill(0.5, 0.6) == 0
    assert skill(0.49, 0.6) < 0
    assert math.isnan(skill(0.51, 0.5))
