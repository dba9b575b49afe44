from __future__ import annotations

import math

import numpy as np

from components.evidence.accuracy import accuracy, majority


def test_accuracy_and_majority_by_hand() -> None:
    labels = np.array([1, 1, 0, 0, 1])
    probabilities = np.array([0.9, 0.4, 0.1, 0.5, 0.51])
    assert accuracy(labels, probabilities) == 0.8  # 0.5 is no call of "up".
    assert majority(labels) == 0.6
    assert majority(1 - labels) == 0.6
    assert math.isnan(accuracy(np.array([]), np.array([])))
    assert math.isnan(majority(np.array([])))
