from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from components.evidence.auc import auc, auc_by_group, skill


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
