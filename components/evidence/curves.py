"""Curves: receiver operating characteristic and calibration; arrays as in rows.py."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.correlation import _ranks_within
from components.evidence.rows import checked


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
    """The ROC curve, thinned to at most ``points`` points, evenly spread over the rows in order of score.

    Every point lies on the exact curve, and both ends are kept; tied scores are one step.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        points: most points to return, at least 2.

    Returns:
        The curve; only its point (0, 0) without rows.

    Raises:
        ValueError: lengths differ, a value is out of its range, or ``points`` is below 2.
    """
    if points < 2:
        raise ValueError(f"a curve needs at least 2 points, not {points}")
    positive, ranked = checked(labels, scores)
    order = np.argsort(-ranked, kind="stable")
    positive, ranked = positive[order], ranked[order]
    # The curve has a corner after the last row of each distinct score.
    corner = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.array([], dtype=np.int64)
    if len(corner) + 1 > points:
        wanted = np.linspace(0, len(ranked), points)[1:] - 1
        corner = np.unique(corner[np.searchsorted(corner, wanted.round().astype(np.int64))])
    true_positives = np.append(0, np.cumsum(positive)[corner])
    false_positives = np.append(0, corner + 1 - true_positives[1:])
    positives = int(positive.sum())
    negatives = len(positive) - positives
    nothing = np.full(len(corner) + 1, math.nan)
    return RocCurve(
        false_positive_rate=false_positives / negatives if negatives else nothing,
        true_positive_rate=true_positives / positives if positives else nothing,
        threshold=np.append(np.inf, ranked[corner]),
        positives=positives,
        negatives=negatives,
    )


def calibration_curve(labels: NDArray[Any], probabilities: NDArray[Any], bins: int = 10) -> CalibrationCurve:
    """Mean prediction against the observed share of "up", in bins that hold equally many rows.

    Equal predictions are never torn apart, so with ties bins differ in size, and those left empty are dropped.

    Args:
        labels: array [rows] of 0 and 1.
        probabilities: array [rows].
        bins: most bins to return, at least 1.

    Returns:
        The curve, with no bin without rows.

    Raises:
        ValueError: lengths differ, a value is out of its range, or ``bins`` is below 1.
    """
    if bins < 1:
        raise ValueError(f"a calibration curve needs at least 1 bin, not {bins}")
    positive, probability = checked(labels, probabilities)
    chosen = calibration_bins(probability, bins)
    count = np.bincount(chosen, minlength=bins)
    filled = count > 0
    return CalibrationCurve(
        predicted=np.bincount(chosen, probability, minlength=bins)[filled] / count[filled],
        observed=np.bincount(chosen, positive, minlength=bins)[filled] / count[filled],
        count=count[filled],
    )


def calibration_bins(probabilities: NDArray[Any], bins: int) -> NDArray[Any]:
    """The bin of each row, from 0, lowest probabilities first; equally many rows in each, but for ties.

    Args:
        probabilities: array [rows].
        bins: how many; those that ties leave empty are no row's.

    Returns:
        int array [rows]; rows of equal probability share one.
    """
    # A row's bin follows from its middle rank, which ties share.
    middle = _ranks_within(np.zeros(len(probabilities), dtype=np.int64), probabilities)
    chosen = ((middle - 0.5) * bins / max(len(probabilities), 1)).astype(np.int64)
    return np.minimum(chosen, bins - 1)
