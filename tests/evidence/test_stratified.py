"""The AUC over several fits: against scikit-learn by stratum, by hand, and its interval's coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from components.evidence.auc import auc, auc_interval
from components.evidence.interval import Interval


def stratified_auc(
    labels: np.ndarray, scores: np.ndarray, strata: np.ndarray, days: np.ndarray, **settings: int
) -> Interval:
    return auc_interval(labels, scores, days, strata=strata, **settings)


def market(
    days: int, shares: int, seed: int, strength: float = 0.0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Labels, scores, the stratum (three of equal length) and the day of every row; shares move together."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.arange(days), shares)
    signal = rng.normal(size=days * shares)
    common = rng.normal(size=days)[day]
    label = (strength * signal + 0.7 * common + 0.7 * rng.normal(size=len(day)) > 0).astype(np.int64)
    return label, signal, day * 3 // days, day


def test_it_is_the_mean_of_the_strata_weighted_by_their_pairs() -> None:
    label, score, stratum, day = market(90, 5, seed=1, strength=0.5)
    label[stratum == 1] = np.random.default_rng(0).random(np.sum(stratum == 1)) < 0.8  # fewer pairs in this one
    areas, pairs = [], []
    for one in range(3):
        mine = label[stratum == one]
        areas.append(roc_auc_score(mine, score[stratum == one]))
        pairs.append(mine.sum() * (len(mine) - mine.sum()))
    assert len(set(pairs)) == 3
    found = stratified_auc(label, score, stratum, day)
    assert found.value == pytest.approx(np.average(areas, weights=pairs), abs=1e-12)


def test_a_hand_made_case() -> None:
    # The first fit orders its only pair right; of the second one's two pairs one is wrong and one a tie.
    label = np.array([1, 0, 1, 0, 0])
    score = np.array([0.2, 0.1, 0.7, 0.8, 0.7])
    stratum = np.array([1, 1, 2, 2, 2])
    assert stratified_auc(label, score, stratum, np.arange(5)).value == pytest.approx((1 + 0.5) / (1 + 2))
    # Regardless of the fit, 0.2 would beat one of three and 0.7 one and a half.
    assert auc(label, score) == pytest.approx(2.5 / 6)


def test_the_scale_of_a_fit_does_not_matter() -> None:
    label, score, stratum, day = market(90, 5, seed=3, strength=0.5)
    scaled = np.where(stratum == 1, 0.001 * score - 7, score)
    assert stratified_auc(label, scaled, stratum, day) == stratified_auc(label, score, stratum, day)
    assert abs(auc(label, scaled) - auc(label, score)) > 0.01


def test_rows_may_come_in_any_order() -> None:
    label, score, stratum, day = market(60, 3, seed=4)
    order = np.random.default_rng(0).permutation(len(day))
    shuffled = stratified_auc(label[order], score[order], stratum[order], day[order])
    whole = stratified_auc(label, score, stratum, day)
    assert (shuffled.value, shuffled.standard_error) == pytest.approx((whole.value, whole.standard_error))


def test_a_stratum_of_one_class_counts_for_nothing() -> None:
    label, score, stratum, day = market(90, 5, seed=5, strength=0.5)
    label[stratum == 2] = 1
    kept = stratum < 2
    value = stratified_auc(label, score, stratum, day).value
    assert value == pytest.approx(stratified_auc(label[kept], score[kept], stratum[kept], day[kept]).value)
    nothing = stratified_auc(np.ones(6, dtype=int), np.arange(6.0), np.arange(6), np.arange(6))
    assert math.isnan(nothing.value)
    assert math.isnan(nothing.low)


@pytest.mark.slow
def test_the_interval_covers_chance_on_markets_without_signal() -> None:
    # Labels of 5 sessions overlap, across the borders of the folds too; shares share half of their moves.
    held, markets, horizon, days, shares = 0, 400, 5, 300, 6
    for seed in range(markets):
        rng = np.random.default_rng(seed)
        moves = rng.normal(size=(days + horizon, 1)) + rng.normal(size=(days + horizon, shares))
        ahead = np.stack([moves[i + 1 : i + 1 + horizon].sum(axis=0) for i in range(days)])
        label = (ahead > 0).astype(np.int64).ravel()
        # Each fold's fit has a level of its own and knows nothing but a factor that all shares have in common.
        score = (rng.normal(size=(days, 1)) + rng.normal(size=(days, shares))).ravel()
        day = np.repeat(np.arange(days), shares)
        found = stratified_auc(label, score, day * 3 // days, day, horizon=horizon, resamples=200, seed=seed)
        held += found.low <= 0.5 <= found.high
    assert 0.92 <= held / markets <= 0.98


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": np.array([0, 2])}, "labels must be 0 or 1"),
        ({"scores": np.array([0.1, np.nan])}, "1 are not"),
        ({"strata": np.array([1])}, "one a row"),
        ({"days": np.array([1, 2, 3])}, "one a row"),
    ],
)
def test_defects_of_the_caller_are_told(change: dict[str, np.ndarray], message: str) -> None:
    values = {name: np.array([0, 1]) for name in ("labels", "scores", "strata", "days")} | change
    with pytest.raises(ValueError, match=message):
        stratified_auc(**values)
