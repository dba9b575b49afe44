"""The penalty that follows the noise of what is learned."""

from __future__ import annotations

import math

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def test_it_is_l1_and_grows_by_the_root_of_the_rows() -> None:
    import keras

    from models.noise_penalty import ROWS, NoisePenalty, fit_penalties

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_regularizer=NoisePenalty(0.01))])
    weights = np.array([[1.0, -2.0], [0.0, 0.5], [-0.25, 0.25]])
    model.layers[0].set_weights([weights, np.zeros(2)])
    [plain] = model.losses
    np.testing.assert_allclose(plain, 0.01 * np.abs(weights).sum(), rtol=1e-6)
    np.testing.assert_allclose(plain, keras.regularizers.L1(0.01)(weights.astype(np.float32)), rtol=1e-6)
    for rows in (5_000, ROWS, 800_000):
        fit_penalties(model, rows)
        np.testing.assert_allclose(model.losses[0], plain * math.sqrt(ROWS / rows), rtol=1e-6)


def test_a_traced_step_takes_the_penalty_of_the_rows_that_come() -> None:
    import tensorflow as tf

    from models.noise_penalty import NoisePenalty

    penalty, weights = NoisePenalty(0.5), tf.constant([1.0, -1.0])
    traced = tf.function(penalty)
    penalty.fit_to(200_000)
    first = float(traced(weights))
    penalty.fit_to(50_000)
    assert (first, float(traced(weights))) == (1.0, 2.0)
