"""Curves: receiver operating characteristic and calibration; arrays as in rows.py."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.rows import checked, middle_ranks


@dataclass(frozen=True, eq=False)
class RocCurve:
    """A receiver operating characteristic, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: array [points], ascending; nan if there is no negative label.
        true_positive_rate: array [points], ascending; nan if there is no positive label.
        threshold: array [points], descending; a row counts as "up" when its score is at least this. The first is inf.
        positives: rows labelled 1.
        negatives: rows labelled 0.
    """

    false_positive_rate: NDArray[Any]
    true_positive_rate: NDArray[Any]
    threshold: NDArray[Any]
    positives: int
    negatives: int


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """What was predicted against what happened, in bins of (nearly) equal size, ascending.

    Attributes:
        predicted: array [bins], mean probability of the bin's rows.
        observed: array [bins], share of the bin's rows labelled 1.
        count: array [bins] of int, rows in the bin.
    """

    predicted: NDArray[Any]
    observed: NDArray[Any]
    count: NDArray[Any]


def roc_curve(labels: NDArray[Any], scores: NDArray[Any], points: int = 200) -> RocCurve:
    """The ROC curve, thinned to at most ``points`` of its points, evenly spread over its distinct scores.

    Every point lies on the exact curve, and both ends are kept; tied scores are one step.

    Raises:
        ValueError: lengths differ, a value is out of its range, ``points`` is below 2, or there are no rows.

    >>> roc_curve(np.array([0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])).true_positive_rate
    array([0. , 0.5, 0.5, 1. , 1. ])
    """
    from sklearn import metrics
    from sklearn.exceptions import UndefinedMetricWarning

    positive, ranked = checked(labels, scores)
    if points < 2 or len(ranked) == 0:
        raise ValueError(f"a curve needs rows and at least 2 points, not {len(ranked)} and {points}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedMetricWarning)  # a class without rows: its rate is nan
        curve = metrics.roc_curve(positive, ranked, pos_label=True, drop_intermediate=False)
    kept = np.linspace(0, len(curve[0]) - 1, min(points, len(curve[0]))).round().astype(np.int64)
    false_positive_rate, true_positive_rate, threshold = (values[kept] for values in curve)
    positives = int(positive.sum())
    return RocCurve(false_positive_rate, true_positive_rate, threshold, positives, len(positive) - positives)


def calibration_curve(labels: NDArray[Any], probabilities: NDArray[Any], bins: int = 10) -> CalibrationCurve:
    """Mean prediction against the observed share of "up", in bins that hold equally many rows.

    Equal predictions are never torn apart, so with ties bins differ in size, and those left empty are dropped.

    Raises:
        ValueError: lengths differ, a value is out of its range, or ``bins`` is below 1.

    >>> calibration_curve(np.array([0, 1, 1, 1]), np.array([0.2, 0.4, 0.7, 0.7]), bins=2).observed
    array([0.5, 1. ])
    """
    if bins < 1:
        raise ValueError(f"a calibration curve needs at least 1 bin, not {bins}")
    positive, probability = checked(labels, probabilities)
    _, place, count = np.unique(calibration_bins(probability, bins), return_inverse=True, return_counts=True)
    predicted, observed = (np.bincount(place, values, len(count)) / count for values in (probability, positive))
    return CalibrationCurve(predicted, observed, count)


def calibration_bins(probabilities: NDArray[Any], bins: int) -> NDArray[Any]:
    """The bin of each row, int [rows] from 0, lowest probabilities first; equally many rows in each, but for ties.

    Rows of equal probability share a bin; those of the ``bins`` that ties leave empty are no row's.
    """
    # A row's bin follows from its middle rank, which ties share.
    middle = middle_ranks(np.asarray(probabilities, np.float64)) - 0.5
    return np.minimum((middle * bins / max(len(middle), 1)).astype(np.int64), bins - 1)
