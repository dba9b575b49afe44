"""Gradient steps of a network in memory, many at a call."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

AT_ONCE = 64
"""Steps at a call; callbacks are asked after each."""

_MOST_UNROLLED = 64
"""Steps of a recurrent layer that are worth to be traced one by one."""


@contextmanager
def unrolled(model: keras.Model) -> Iterator[None]:
    """While the block traces a network, its recurrent layers are written without a loop.

    They compute the same in less time. An exported one has the loop: a graph of so many operations takes longer to
    save and to load than it saves there.
    """
    layers = [
        layer
        for layer in model.layers
        if isinstance(layer, keras.layers.RNN) and not layer.unroll and _steps_of(layer) <= _MOST_UNROLLED
    ]
    for layer in layers:
        layer.unroll = True
    try:
        yield
    finally:
        for layer in layers:
            layer.unroll = False


def _steps_of(layer: keras.layers.RNN) -> int:
    # With an initial state, the layer has more inputs than its sequence.
    sequence = layer.input[0] if isinstance(layer.input, list | tuple) else layer.input
    return sequence.shape[1] or sys.maxsize


class FusedAdam(keras.optimizers.Adam):
    """As Keras's, by one operation a variable where Keras writes a dozen: they take longer to trace and to run."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """Changes a variable and its moments; `variable` is TensorFlow's."""
        kind = variable.dtype
        place = self._get_variable_index(variable)
        step = tf.cast(self.iterations.value, kind) + 1
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.cast(self.beta_1, kind) ** step,
            beta2_power=tf.cast(self.beta_2, kind) ** step,
            lr=tf.cast(learning_rate, kind),
            beta1=tf.cast(self.beta_1, kind),
            beta2=tf.cast(self.beta_2, kind),
            epsilon=tf.cast(self.epsilon, kind),
            grad=tf.cast(tf.convert_to_tensor(gradient), kind),
        )


class GradientSteps:
    """What trains a network: its optimizer, and the traced step.

    A batch is as large as every other, so that a step is traced once, and its layers know how many rows there are.
    """

    def __init__(self, model: keras.Model, learning_rate: float, steps: int, devices: Sequence[str] = ()) -> None:
        """Makes a network ready to be trained.

        Args:
            model: gives a logit, [n, 1].
            learning_rate: in the first step; it falls to zero over the steps: a few epochs are enough then.
            steps: gradient steps.
            devices: TensorFlow's names of those that share the rows of each step; none for where TensorFlow puts it.
        """
        self._model, self._devices = model, devices
        schedule = keras.optimizers.schedules.CosineDecay(learning_rate, steps)
        model.compile(optimizer=FusedAdam(schedule), jit_compile=False)  # where callbacks look for it
        model.optimizer.build(model.trainable_variables)  # a step that makes variables is traced twice
        self._traced: dict[tuple[str, ...], Any] = {}

    def forget(self) -> None:
        """Puts the optimizer back to its beginning, for other weights: Adam begins with zeros."""
        for variable in self._model.optimizer.variables:
            variable.assign(np.zeros(variable.shape, variable.dtype))

    def take(self, features: Mapping[str, Any], label: Any, order: npt.NDArray[np.int32]) -> float:
        """Takes steps.

        Args:
            features: the model's inputs by name, tensors [rows, ...].
            label: 0 or 1, a tensor [rows, 1].
            order: the rows of each step, [steps, batch].

        Returns:
            The sum of the steps' losses, penalties included.
        """
        key = (str(order.shape[1]), *(f"{name} {value.shape[1:]}" for name, value in features.items()))
        if key not in self._traced:
            self._traced[key] = self._trace(features, order.shape[1])
        return float(self._traced[key](dict(features), label, tf.constant(order)))

    def _trace(self, features: Mapping[str, Any], batch: int) -> Any:
        model = self._model

        def step(some: dict[str, Any], labels: Any) -> Any:
            loss, gradients = self._shared(some, labels) if self._devices else self._gradients(some, labels)
            model.optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
            return loss

        spec = {name: tf.TensorSpec([None, *value.shape[1:]], value.dtype) for name, value in features.items()}
        signature = [spec, tf.TensorSpec([None, 1], tf.float32), tf.TensorSpec([None, batch], tf.int32)]

        @tf.function(input_signature=signature, autograph=False)
        def several(rows: dict[str, Any], label: Any, order: Any) -> Any:
            def one(number: Any, total: Any) -> tuple[Any, Any]:
                at = order[number]
                some = {name: tf.gather(value, at) for name, value in rows.items()}
                return number + 1, total + step(some, tf.gather(label, at))

            begin = (tf.constant(0), tf.constant(0.0))
            return tf.while_loop(lambda number, _: number < tf.shape(order)[0], one, begin, parallel_iterations=1)[1]

        # Of the function itself TensorFlow warns that it is traced again, where a process trains many networks.
        return several.get_concrete_function()

    def _gradients(self, some: dict[str, Any], labels: Any) -> tuple[Any, list[Any]]:
        """The loss of some rows, penalties included, and its gradients."""
        model = self._model
        with tf.GradientTape() as tape:
            with unrolled(model):
                logit = model(some, training=True)
            loss = keras.losses.BinaryCrossentropy(from_logits=True)(labels, logit) + sum(model.losses)
        return loss, tape.gradient(loss, model.trainable_variables)

    def _shared(self, some: dict[str, Any], labels: Any) -> tuple[Any, list[Any]]:
        """The same, each device with a part of the rows: its loss and gradients count by the rows that it has."""
        rows = labels.shape[0]
        parts = [len(part) for part in np.array_split(np.arange(rows), len(self._devices)) if len(part)]
        places = zip(tf.split(labels, parts), *(tf.split(value, parts) for value in some.values()), strict=True)
        found = []
        for device, (own, *values) in zip(self._devices, places, strict=False):
            with tf.device(device):
                found.append(self._gradients(dict(zip(some, values, strict=True)), own))
        shares = [part / rows for part in parts]
        loss = tf.add_n([share * one for share, (one, _) in zip(shares, found, strict=True)])
        by_variable = zip(*(gradients for _, gradients in found), strict=True)
        return loss, [_weighted(shares, of) for of in by_variable]


def _weighted(shares: Sequence[float], gradients: Sequence[Any]) -> Any:
    """The mean gradient of a variable, which counts for each device by its share; None of one that no loss hangs on."""
    if any(one is None for one in gradients):
        return None
    return tf.add_n([share * tf.convert_to_tensor(one) for share, one in zip(shares, gradients, strict=True)])


def batches(rows: int, batch: int, steps: int, rng: np.random.Generator) -> Iterator[npt.NDArray[np.int32]]:
    """The rows of an epoch in a random order, without end.

    Args:
        rows: how many there are.
        batch: rows of a step.
        steps: steps of an epoch. Where there are enough for all rows, what is left of the last one is filled up with
            rows of the first; where there are not, the epochs take other rows in turn, until too few are left for one.
        rng: draws the order.

    Yields:
        An epoch's, [steps, batch].
    """
    while True:
        order = rng.permutation(rows).astype(np.int32)
        for epoch in range(max(1, rows // (steps * batch))):
            yield np.resize(order[epoch * steps * batch : (epoch + 1) * steps * batch], (steps, batch))
