"""What networks are told of every value beside the value, against formulas by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from models.basis_expansion import SIZE_DEVIATION, SIZE_MEAN, expanded

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def test_the_moments_of_a_size_are_those_of_the_half_normal_distribution() -> None:
    mean, variance = stats.halfnorm.stats(moments="mv")
    assert (SIZE_MEAN, SIZE_DEVIATION**2) == pytest.approx((mean, variance), rel=1e-12)


def test_a_value_is_followed_by_its_size_and_by_both_squashed() -> None:
    import keras

    steps = keras.Input((2, 3))
    values = np.array([[[0.0, -2.0, 0.5], [40.0, 1.0, -0.01]]], np.float32)
    (made,) = np.asarray(keras.Model(steps, expanded(steps))(values))
    assert made.shape == (2, 12)
    for step in range(2):
        row = values[0, step].tolist()
        sizes = [(abs(value) - math.sqrt(2 / math.pi)) / math.sqrt(1 - 2 / math.pi) for value in row]
        squashed = [math.tanh(2 * one) for one in (*row, *sizes)]
        np.testing.assert_allclose(made[step], [*row, *sizes, *squashed], rtol=1e-6, atol=1e-6)
