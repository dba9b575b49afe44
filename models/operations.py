"""Features, and how each is made of its source: operations of TensorFlow Transform, which they import when called."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from models.features import WINDOW

if TYPE_CHECKING:
    import tensorflow as tf


class Kind(Enum):
    """How a model may use a feature."""

    SEQUENCE = "sequence"  # float [steps], oldest first
    SCALAR = "scalar"  # float [1]
    CATEGORY = "category"  # int index [1]


@dataclass(frozen=True)
class Operation:
    """How a feature is made of its source.

    Attributes:
        name: of the operation.
        words: what it does.
        function: takes the source, [batch, values], and gives the feature, [batch, steps]; what it learns of the data,
            Transform learns on the train split.
        scaled: whether mean and variance over the train split are 0 and 1, which the leak audit holds it to.
    """

    name: str
    words: str
    function: Callable[[tf.Tensor, Feature], tf.Tensor]
    scaled: bool = False


@dataclass(frozen=True)
class Feature:
    """One feature a model sees.

    Attributes:
        name: its name behind Transform.
        source: the raw feature it is made of.
        operation: how.
        kind: what a model may do with it.
        steps: length of a sequence, 1 otherwise.
        known_on_the_day: whoever made the feature says that its source holds nothing from after the row's session,
            such as the market's return of that day. Only a source of the project's own needs no such word; the leak
            audit reads it, and still looks at what the feature's numbers tell.
    """

    name: str
    source: str
    operation: Operation
    kind: Kind
    steps: int = 1
    known_on_the_day: bool = False


def vocabulary_name(feature: Feature) -> str:
    """The name of a category's vocabulary file in the transform graph."""
    return f"{feature.name}_vocabulary"


def log_returns(closes: tf.Tensor) -> tf.Tensor:
    """Log returns, oldest first, of windows whose first close is the latest.

    Args:
        closes: [batch, 21].

    Returns:
        [batch, 20].
    """
    import tensorflow as tf

    logs = tf.math.log(tf.reverse(tf.ensure_shape(closes, [None, WINDOW]), axis=[1]))
    return logs[:, 1:] - logs[:, :-1]


def _volatility(returns: tf.Tensor) -> tf.Tensor:
    import tensorflow as tf

    # About zero, not about the window's mean: the mean is the momentum that a model may want to see.
    return tf.sqrt(tf.reduce_mean(tf.square(returns), axis=1, keepdims=True))


def _scaled_returns(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow as tf

    del feature
    returns = log_returns(closes)
    # A window without any move has no volatility; its returns are 0 then.
    return tf.math.divide_no_nan(returns, _volatility(returns))


def _log_volatility(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow as tf

    del feature
    # A move of a hundredth of a basis point stands for none: the log of 0 would spoil mean and variance.
    return standardised(tf.math.log(tf.maximum(_volatility(log_returns(closes)), 1e-6)))


def _z_score(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow as tf

    # Oldest first, as every sequence.
    return standardised(tf.reverse(tf.ensure_shape(closes, [None, feature.steps]), axis=[1]))


def standardised(values: tf.Tensor) -> tf.Tensor:
    """Less the train split's mean, over its standard deviation, each position of the window by itself.

    Beam adds up in another order in every run, so that mean and variance differ in their last digits, and Adam makes
    another network of that. They are rounded to a hundred thousandth of the deviation: two runs see the same features.
    """
    import tensorflow as tf
    import tensorflow_transform as tft

    exact = tf.cast(values, tf.float64)
    deviation = tf.sqrt(tft.var(exact, reduce_instance_dims=False))
    step = tf.pow(tf.constant(10.0, tf.float64), tf.floor(tf.math.log(deviation) / math.log(10)) - 5)
    mean, deviation = (tf.round(one / step) * step for one in (tft.mean(exact, reduce_instance_dims=False), deviation))
    # A value that never changes has no deviation; it is 0 then.
    return tf.cast(tf.where(deviation > 0, (exact - mean) / deviation, tf.zeros_like(exact)), tf.float32)


def _index(values: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow_transform as tft

    return tft.compute_and_apply_vocabulary(values, num_oov_buckets=1, vocab_filename=vocabulary_name(feature))


VOLATILITY_SCALED_RETURNS = Operation(
    "VOLATILITY_SCALED_RETURNS", "log returns of the window, oldest first, over their root mean square", _scaled_returns
)
Z_SCORED_LOG_VOLATILITY = Operation(
    "Z_SCORED_LOG_VOLATILITY",
    "log of the root mean square of the window's log returns, z-scored over the train split",
    _log_volatility,
    scaled=True,
)
Z_SCORE = Operation(
    "Z_SCORE", "z-scored over the train split, each position of the window by itself", _z_score, scaled=True
)
VOCABULARY = Operation(
    "VOCABULARY", "index in the vocabulary of the train split, one more index for what it does not hold", _index
)
