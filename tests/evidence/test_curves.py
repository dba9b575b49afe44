from __future__ import annotations

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve as sklearn_calibration_curve

from components.evidence.auc import auc
from components.evidence.curves import calibration_curve, roc_curve


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
    for rows, points in ((2, 1), (0, 200)):
        with pytest.raises(ValueError, match=f"rows and at least 2 points, not {rows} and {points}"):
            roc_curve(np.arange(rows), np.arange(rows), points=points)


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
