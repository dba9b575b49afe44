"""Dropout whose random numbers cost next to nothing: masks are cut out of bits that were drawn once."""

from __future__ import annotations

from functools import cache
from math import prod
from typing import Any

import keras
import numpy as np
import tensorflow as tf

_SIZE = 1 << 22
"""Of the pool of bits: some sixteen masks of the widest layer."""


@keras.saving.register_keras_serializable(package="awesome")
class Dropout(keras.layers.Dropout):
    """As Keras's, but a step draws one number, where in a pool of bits its mask begins, and not one for each value.

    What is dropped in two steps may come of the same bits, at another place of the layer and for other rows. In
    inference, it is Keras's, and so it is where the number of rows is not known while a step is traced.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Drops, in training; `inputs` is a tensor of any shape."""
        if not training or self.rate == 0 or None in inputs.shape or 2 * prod(inputs.shape) > _SIZE:
            return super().call(inputs, training=training)
        values = prod(inputs.shape)
        begin = keras.random.randint((), 0, _SIZE - values, seed=self.seed_generator)
        kept = tf.reshape(tf.slice(_pool(self.rate), [begin], [values]), inputs.shape)
        return inputs * tf.cast(kept, inputs.dtype) / (1 - self.rate)


@cache
def _pool(rate: float) -> Any:
    """Bits, [_SIZE], of which all but `rate` are 1; always the same ones, as where they are cut is random."""
    with tf.init_scope():
        return tf.constant((np.random.default_rng(0).random(_SIZE, np.float32) >= rate).astype(np.uint8))
