"""preprocessing_fn: a DataFormatter as TensorFlow Transform operations."""

from __future__ import annotations

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
    return tft.scale_to_z_score(tf.math.log(tf.maximum(_volatility(log_returns(closes)), 1e-6)))


def _z_score(closes: tf.Tensor, feature: Feature) -> tf.Tensor:
    # Oldest first, as every sequence.
    return tft.scale_to_z_score(tf.reverse(tf.ensure_shape(closes, [None, feature.steps]), axis=[1]), elementwise=True)


def _index(values: tf.Tensor, feature: Feature) -> tf.Tensor:
    return tft.compute_and_apply_vocabulary(values, num_oov_buckets=1, vocab_filename=vocabulary_name(feature))


_OPERATIONS: Mapping[Operation, Callable[[tf.Tensor, Feature], tf.Tensor]] = {
    Operation.VOLATILITY_SCALED_RETURNS: _scaled_returns,
    Operation.Z_SCORED_LOG_VOLATILITY: _log_volatility,
    Operation.Z_SCORE: _z_score,
    Operation.VOCABULARY: _index,
}
