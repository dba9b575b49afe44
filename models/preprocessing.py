"""preprocessing_fn: a DataFormatter as TensorFlow Transform operations."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import tensorflow as tf
import tensorflow_transform as tft

from models.features import WINDOW
from models.formatters import Feature, Operation, get_formatter


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, Any]:
    """What Transform calls.

    Args:
        inputs: the raw features, batched.
        custom_config: `formatter` names the DataFormatter.

    Returns:
        The formatter's features by name: sequences [batch, steps], scalars and categories [batch, 1].
    """
    formatter = get_formatter(custom_config["formatter"])
    return {
        feature.name: _OPERATIONS[feature.operation](inputs[feature.source], feature) for feature in formatter.features
    }


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
    logs = tf.math.log(tf.reverse(tf.ensure_shape(closes, [None, WINDOW]), axis=[1]))
    return logs[:, 1:] - logs[:, :-1]


def _volatility(returns: tf.Tensor) -> tf.Tensor:
    # About zero, not about the window's mean: the mean is the momentum that a model may want to see.
    return tf.sqrt(tf.reduce_mean(tf.square(returns), axis=1, keepdims=True))


def _scaled_returns(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    del feature
    returns = log_returns(closes)
    # A window without any move has no volatility; its returns are 0 then.
    return tf.math.divide_no_nan(returns, _volatility(returns))


def _log_volatility(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    del feature
    # A move of a hundredth of a basis point stands for none: the log of 0 would spoil mean and variance.
    return _standardised(tf.math.log(tf.maximum(_volatility(log_returns(closes)), 1e-6)))


def _z_score(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    # Oldest first, as every sequence.
    return _standardised(tf.reverse(tf.ensure_shape(closes, [None, feature.steps]), axis=[1]))


def _standardised(values: tf.Tensor) -> tf.Tensor:
    """Less the train split's mean, over its standard deviation, each position of the window by itself.

    Beam adds up in another order in every run, so that mean and variance differ in their last digits, and Adam makes
    another network of that. They are rounded to a hundred thousandth of the deviation: two runs see the same features.
    """
    exact = tf.cast(values, tf.float64)
    deviation = tf.sqrt(tft.var(exact, reduce_instance_dims=False))
    step = tf.pow(tf.constant(10.0, tf.float64), tf.floor(tf.math.log(deviation) / math.log(10)) - 5)
    mean, deviation = (tf.round(one / step) * step for one in (tft.mean(exact, reduce_instance_dims=False), deviation))
    # A value that never changes has no deviation; it is 0 then.
    return tf.cast(tf.where(deviation > 0, (exact - mean) / deviation, tf.zeros_like(exact)), tf.float32)


def _index(values: tf.Tensor, feature: Feature) -> tf.Tensor:
    return tft.compute_and_apply_vocabulary(values, num_oov_buckets=1, vocab_filename=vocabulary_name(feature))


_OPERATIONS: Mapping[Operation, Callable[[tf.Tensor, Feature], tf.Tensor]] = {
    Operation.VOLATILITY_SCALED_RETURNS: _scaled_returns,
    Operation.Z_SCORED_LOG_VOLATILITY: _log_volatility,
    Operation.Z_SCORE: _z_score,
    Operation.VOCABULARY: _index,
}
