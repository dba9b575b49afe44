"""Accuracy, and what it has to be compared with; arrays as in rows.py."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.rows import as_labels, checked


def accuracy(labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Share of rows whose direction was called; "up" is called where the probability is above 0.5. nan without rows.

    Raises:
        ValueError: lengths differ, or a value is out of its range.

    >>> accuracy(np.array([1, 0, 1, 1]), np.array([0.6, 0.7, 0.8, 0.9]))
    0.75
    """
    positive, probability = checked(labels, probabilities)
    return float(np.mean((probability > 0.5) == positive)) if len(positive) else math.nan


def majority(labels: NDArray[Any]) -> float:
    """Accuracy of always calling the commoner direction, the baseline that `accuracy` stands beside. nan without rows.

    Raises:
        ValueError: a label is neither 0 nor 1.

    >>> majority(np.array([0, 0, 1, 0]))
    0.75
    """
    positive = as_labels(labels)
    up = float(np.mean(positive)) if len(positive) else math.nan
    return max(up, 1.0 - up)
