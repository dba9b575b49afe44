from __future__ import annotations

import math
import time

import numpy as np
import pytest
from sklearn import metrics

from components.evidence.auc import auc_interval
from components.evidence.resampling import default_block


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
