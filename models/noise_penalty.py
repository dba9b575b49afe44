"""A penalty that follows the noise of what is learned: the fewer rows, the larger."""

from __future__ import annotations

import math
from typing import Any

import keras
import tensorflow as tf

ROWS = 200_000
"""Train rows that a penalty is declared for."""


class NoisePenalty(keras.regularizers.Regularizer):
    """A penalty on absolute values (L1) that grows as the noise of a weight does, by the root of the rows.

    What is worth its noise with 200,000 rows is not with 5,000: without this, networks of small markets learn of every
    input a little that is not there.
    """

    def __init__(self, l1: float) -> None:
        """Takes the penalty with `ROWS` rows, of a weight of 1."""
        self.l1 = l1
        # A variable, as a step that has been traced is used again for other rows.
        self._share = tf.Variable(1.0, trainable=False, dtype=tf.float32)

    def __call__(self, x: Any) -> Any:
        """The penalty of some weights."""
        return self.l1 * self._share * keras.ops.sum(keras.ops.abs(x))

    def fit_to(self, rows: int) -> None:
        """Makes it that of so many train rows."""
        self._share.assign(math.sqrt(ROWS / rows))

    def get_config(self) -> dict[str, Any]:
        """What makes another one like it."""
        return {"l1": self.l1}


def fit_penalties(model: keras.Model, rows: int) -> None:
    """Fits every `NoisePenalty` of a network to so many train rows."""
    for layer in model.layers:
        for name in ("kernel_regularizer", "bias_regularizer"):
            penalty = getattr(layer, name, None)
            if isinstance(penalty, NoisePenalty):
                penalty.fit_to(rows)
