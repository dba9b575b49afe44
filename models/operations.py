"""Features, and how each is made of its source, in Transform and in a model's twin alike.

The arithmetic of an operation is written once, in functions that NumPy and `tf.experimental.numpy` share: it is handed
one of the two modules. TensorFlow Transform, which learns what is learned, is imported when it is called.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any

from models.features import CLOSES, WINDOW

if TYPE_CHECKING:
    import tensorflow as tf


class Kind(Enum):
    """How a model may use a feature."""

    SEQUENCE = "sequence"  # float [steps], oldest first
    SCALAR = "scalar"  # float [1], or [steps] where its numbers have names: see Feature.parts
    CATEGORY = "category"  # int index [1]


class Learned(Enum):
    """What Transform learns of the train split for an operation."""

    NOTHING = "nothing"
    MOMENTS = "mean and deviation"
    VOCABULARY = "vocabulary"


Values = Callable[[Any, Any, "Feature"], Any]
"""An operation's arithmetic: the module (`numpy` or `tf.experimental.numpy`), the source, [batch, values], and the
feature, to float64 [batch, steps]."""


@dataclass(frozen=True)
class Operation:
    """How a feature is made of its source.

    Attributes:
        name: of the operation.
        words: what it does.
        function: takes the source, [batch, values], and gives the feature, [batch, steps]; what it learns of the data,
            Transform learns on the train split.
        scaled: whether mean and variance over the train split are 0 and 1, which the leak audit holds it to.
        values: the same without TensorFlow, before what is learned; None where it is written for TensorFlow alone: a
            model that sees such a feature has no twin (models/twin).
        learned: what follows on `values`.
    """

    name: str
    words: str
    function: Callable[[tf.Tensor, Feature], tf.Tensor]
    scaled: bool = False
    values: Values | None = None
    learned: Learned = Learned.NOTHING


@dataclass(frozen=True)
class Feature:
    """One feature a model sees.

    Attributes:
        name: its name behind Transform.
        source: the raw feature it is made of.
        operation: how.
        kind: what a model may do with it.
        steps: length of a sequence, number of the parts of a scalar that has some, 1 otherwise.
        known_on_the_day: whoever made the feature says that its source holds nothing from after the row's session,
            such as the market's return of that day. Only a source of the project's own needs no such word; the leak
            audit reads it, and still looks at what the feature's numbers tell.
        parts: of a scalar that is several side by side, what each is called; none of others.
    """

    name: str
    source: str
    operation: Operation
    kind: Kind
    steps: int = 1
    known_on_the_day: bool = False
    parts: tuple[str, ...] = ()


def vocabulary_name(feature: Feature) -> str:
    """The name of a category's vocabulary file in the transform graph."""
    return f"{feature.name}_vocabulary"


def written_once(name: str, words: str, values: Values, learned: Learned = Learned.NOTHING) -> Operation:
    """An operation whose arithmetic Transform and the twin share.

    Args:
        name: of the operation.
        words: what it does.
        values: its arithmetic.
        learned: nothing, or the moments by which the values are standardised.
    """
    function = partial(_in_tensorflow, values, learned)
    return Operation(name, words, function, learned is Learned.MOMENTS, values, learned)


def unstandardised(source: tf.Tensor, feature: Feature) -> tf.Tensor | None:
    """A feature before it is standardised, float64 [batch, steps]; None where its operation standardises nothing."""
    import tensorflow as tf

    operation = feature.operation
    if operation.values is None or operation.learned is not Learned.MOMENTS:
        return None
    return operation.values(tf.experimental.numpy, _windows(source, feature), feature)


def _windows(source: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow as tf

    return tf.ensure_shape(source, [None, WINDOW]) if feature.source == CLOSES else source


def _in_tensorflow(values: Values, learned: Learned, source: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow as tf

    source = _windows(source, feature)
    made = values(tf.experimental.numpy, source, feature)
    return standardised({feature: made})[feature] if learned is Learned.MOMENTS else tf.cast(made, tf.float32)


def log_returns(xp: Any, closes: Any) -> Any:
    """Log returns, oldest first, of windows whose first close is the latest.

    Args:
        xp: `numpy` or `tf.experimental.numpy`.
        closes: [batch, 21].

    Returns:
        float64 [batch, 20].
    """
    # The logs of two closes of 50 differ by a hundredth: of the seven digits of float32 five would be left.
    logs = xp.log(xp.flip(xp.asarray(closes, dtype=xp.float64), axis=1))
    return logs[:, 1:] - logs[:, :-1]


def _volatility(xp: Any, returns: Any) -> Any:
    # About zero, not about the window's mean: the mean is the momentum that a model may want to see.
    return xp.sqrt(xp.mean(xp.square(returns), axis=1, keepdims=True))


def _scaled_returns(xp: Any, closes: Any, feature: Feature) -> Any:
    return _scaled(xp, log_returns(xp, closes), feature)


def _scaled(xp: Any, returns: Any, feature: Feature) -> Any:
    del feature
    returns = xp.asarray(returns, dtype=xp.float64)
    volatility = _volatility(xp, returns)
    # A window without any move has no volatility; its returns are 0 then.
    return returns / xp.where(volatility > 0, volatility, xp.ones_like(volatility))


def _over_uniform_deviation(xp: Any, ranks: Any, feature: Feature) -> Any:
    del feature
    return xp.asarray(ranks, dtype=xp.float64) * math.sqrt(12)


def _log_volatility(xp: Any, closes: Any, feature: Feature) -> Any:
    del feature
    volatility = _volatility(xp, log_returns(xp, closes))
    # A move of a hundredth of a basis point stands for none: the log of 0 would spoil mean and variance.
    return xp.log(xp.maximum(volatility, 1e-6 * xp.ones_like(volatility)))


def _oldest_first(xp: Any, values: Any, feature: Feature) -> Any:
    del feature
    return xp.flip(xp.asarray(values, dtype=xp.float64), axis=1)


def _as_they_stand(xp: Any, values: Any, feature: Feature) -> Any:
    del feature
    return xp.asarray(values, dtype=xp.float64)


def standardised(values: Mapping[Feature, tf.Tensor]) -> dict[Feature, tf.Tensor]:
    """Less the train split's mean, over its standard deviation, each position of the window by itself.

    Of several features at once, as every mean and every variance is a walk of its own for Beam.

    Beam adds up in another order in every run, so that mean and variance differ in their last digits, and Adam makes
    another network of that. They are rounded to a hundred thousandth of the deviation: two runs see the same features.
    The graph holds the two under names (`moment_names`), by which the twin finds them.
    """
    import tensorflow as tf
    import tensorflow_transform as tft

    each = {feature: tf.cast(one, tf.float64) for feature, one in values.items()}
    exact = tf.concat(list(each.values()), axis=1)
    deviations = tf.sqrt(tft.var(exact, reduce_instance_dims=False))
    step = tf.pow(tf.constant(10.0, tf.float64), tf.floor(tf.math.log(deviations) / math.log(10)) - 5)
    widths = [one.shape[1] for one in each.values()]
    parts = (
        # Before anything is learned, TensorFlow Transform traces with numbers in the place of vectors.
        tf.split(tf.broadcast_to(tf.round(one / step) * step, [sum(widths)]), widths)
        for one in (tft.mean(exact, reduce_instance_dims=False), deviations)
    )
    scaled = {}
    for (feature, one), *moments in zip(each.items(), *parts, strict=True):
        mean, deviation = (tf.identity(of, name) for of, name in zip(moments, moment_names(feature), strict=True))
        scaled[feature] = tf.cast(scaled_by(tf.experimental.numpy, one, mean, deviation), tf.float32)
    return scaled


def scaled_by(xp: Any, values: Any, mean: Any, deviation: Any) -> Any:
    """Values less a mean, over a deviation; a value that never changes has none, and is 0 then."""
    moves = deviation > 0
    return xp.where(moves, (values - mean) / xp.where(moves, deviation, xp.ones_like(deviation)), xp.zeros_like(values))


def moment_names(feature: Feature) -> tuple[str, str]:
    """What mean and deviation of a feature are called in the transform graph."""
    return f"{feature.name}_moment_mean", f"{feature.name}_moment_deviation"


def _index(values: tf.Tensor, feature: Feature) -> tf.Tensor:
    import tensorflow_transform as tft

    return tft.compute_and_apply_vocabulary(values, num_oov_buckets=1, vocab_filename=vocabulary_name(feature))


VOLATILITY_SCALED_RETURNS = written_once(
    "VOLATILITY_SCALED_RETURNS", "log returns of the window, oldest first, over their root mean square", _scaled_returns
)
VOLATILITY_SCALED = written_once("VOLATILITY_SCALED", "log returns, oldest first, over their root mean square", _scaled)
RANK_SCALED = written_once(
    "RANK_SCALED",
    "ranks from -1/2 to 1/2, a window's oldest first, over the deviation of a uniform distribution, the root of 1/12",
    _over_uniform_deviation,
)
Z_SCORED_LOG_VOLATILITY = written_once(
    "Z_SCORED_LOG_VOLATILITY",
    "log of the root mean square of the window's log returns, z-scored over the train split",
    _log_volatility,
    Learned.MOMENTS,
)
Z_SCORE = written_once(
    "Z_SCORE",
    "z-scored over the train split, each position of the window by itself",
    _oldest_first,
    Learned.MOMENTS,
)
Z_SCORE_EACH = written_once(
    "Z_SCORE_EACH",
    "z-scored over the train split, each number by itself",
    _as_they_stand,
    Learned.MOMENTS,
)
VOCABULARY = Operation(
    "VOCABULARY",
    "index in the vocabulary of the train split, one more index for what it does not hold",
    _index,
    learned=Learned.VOCABULARY,
)
