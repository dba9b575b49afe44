"""Keras layers as NumPy: what each takes of its configuration and weights, and what it does in inference.

A layer that is not here, or is set to something that `only` does not hold, has no twin; one more is one more entry.
Values are [rows, ...], in the precision of the arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np

from models.errors import TwinError
from models.twin.arithmetic import EXACT, Arithmetic, Array, Matrix, sigmoid, sum_of_columns

Settings = Mapping[str, Any]
Function = Callable[[Sequence[Array]], Array]
"""What a layer makes of its inputs."""


@dataclass(frozen=True)
class Weights:
    """The weights of a layer.

    Attributes:
        arrays: as Keras orders them, in the precision of the arithmetic.
        arithmetic: that the layer computes by.
    """

    arrays: Sequence[Array]
    arithmetic: Arithmetic

    def matrix(self, number: int) -> Matrix:
        """One of them, to multiply by."""
        return self.arithmetic.matrix(self.arrays[number])

    def bias(self, settings: Settings) -> Array:
        """The last of them, or zeros where the layer has no bias."""
        if settings["use_bias"]:
            return self.arrays[-1]
        return np.zeros(self.arrays[0].shape[-1], self.arithmetic.dtype)


@dataclass(frozen=True)
class Kind:
    """One kind of layer.

    Attributes:
        build: makes the layer of its settings and weights.
        settings: names of the configuration that it takes.
        only: what others of the configuration have to be, where they change the answer.
    """

    build: Callable[[Settings, Weights], Function]
    settings: tuple[str, ...] = ()
    only: Settings = field(default_factory=dict)


ACTIVATIONS: Mapping[str, Callable[[Array], Array]] = MappingProxyType(
    {
        "linear": lambda x: x,
        "relu": lambda x: np.maximum(x, 0),
        "sigmoid": sigmoid,
        "tanh": np.tanh,
        "silu": lambda x: x * sigmoid(x),
        "softplus": lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    }
)
"""By Keras' name."""


def activation(name: str) -> Callable[[Array], Array]:
    """The activation of Keras' name.

    Raises:
        TwinError: it is not written without TensorFlow.
    """
    try:
        return ACTIVATIONS[name]
    except (KeyError, TypeError):
        raise TwinError(f"the activation {name!r} is not written without TensorFlow") from None


def _dense(settings: Settings, weights: Weights) -> Function:
    act, matrix, bias = activation(settings["activation"]), weights.matrix(0), weights.bias(settings)

    def function(inputs: Sequence[Array]) -> Array:
        values = matrix.times(inputs[0])
        values += bias
        return act(values)

    return function


def _embedding(settings: Settings, weights: Weights) -> Function:
    table = weights.arrays[0]
    return lambda inputs: table[inputs[0].astype(np.int64)]


def _simple_rnn(settings: Settings, weights: Weights) -> Function:
    act, kernel, recurrent = activation(settings["activation"]), weights.matrix(0), weights.matrix(1)
    bias = weights.bias(settings)

    def function(inputs: Sequence[Array]) -> Array:
        seen = kernel.times(inputs[0])
        seen += bias
        state = np.zeros_like(seen[:, 0])
        for step in range(seen.shape[1]):
            state = act(seen[:, step] + recurrent.times(state))
        return state

    return function


def _gru(settings: Settings, weights: Weights) -> Function:
    act, gate = activation(settings["activation"]), activation(settings["recurrent_activation"])
    kernel, recurrent = weights.matrix(0), weights.matrix(1)
    units = len(weights.arrays[1])
    dtype = weights.arithmetic.dtype
    biases = weights.arrays[2] if settings["use_bias"] else np.zeros((2, 3 * units), dtype)

    def function(inputs: Sequence[Array]) -> Array:
        seen = kernel.times(inputs[0])
        seen += biases[0]
        state = np.zeros((len(seen), units), dtype)
        for step in range(seen.shape[1]):
            now, held = seen[:, step], recurrent.times(state)
            held += biases[1]
            update, reset = np.split(gate(now[:, : 2 * units] + held[:, : 2 * units]), 2, axis=1)
            fresh = act(now[:, 2 * units :] + reset * held[:, 2 * units :])
            state = update * state + (1 - update) * fresh
        return state

    return function


def _reshape(settings: Settings, weights: Weights) -> Function:
    shape = tuple(settings["target_shape"])
    return lambda inputs: inputs[0].reshape(len(inputs[0]), *shape)


def _cropping(settings: Settings, weights: Weights) -> Function:
    before, after = settings["cropping"]
    return lambda inputs: inputs[0][:, before : inputs[0].shape[1] - after]


def _padding(settings: Settings, weights: Weights) -> Function:
    before, after = settings["padding"]
    return lambda inputs: np.pad(inputs[0], ((0, 0), (before, after), (0, 0)))


def _concatenate(settings: Settings, weights: Weights) -> Function:
    return lambda inputs: np.concatenate(inputs, axis=settings["axis"])


def _activation(settings: Settings, weights: Weights) -> Function:
    act = activation(settings["activation"])
    return lambda inputs: act(inputs[0])


def _batch_normalization(settings: Settings, weights: Weights) -> Function:
    left = list(weights.arrays)
    gamma = left.pop(0) if settings["scale"] else 1.0
    beta = left.pop(0) if settings["center"] else 0.0
    mean, variance = left
    factor = gamma / np.sqrt(variance + settings["epsilon"])
    return lambda inputs: (inputs[0] - mean) * factor + beta


def _layer_normalization(settings: Settings, weights: Weights) -> Function:
    left = list(weights.arrays)
    gamma = left.pop(0) if settings["scale"] else 1.0
    beta = left.pop(0) if settings["center"] else 0.0

    def function(inputs: Sequence[Array]) -> Array:
        values = inputs[0]
        centred = values - sum_of_columns(values) / values.shape[-1]
        variance = sum_of_columns(centred * centred) / values.shape[-1]
        return centred / np.sqrt(variance + settings["epsilon"]) * gamma + beta

    return function


def _of_all(combine: Callable[[Array, Array], Array]) -> Callable[[Settings, Weights], Function]:
    """A layer that puts its inputs together one after the other."""

    def function(inputs: Sequence[Array]) -> Array:
        total = inputs[0]
        for one in inputs[1:]:
            total = combine(total, one)
        return total

    return lambda settings, weights: function


def _average(settings: Settings, weights: Weights) -> Function:
    add = _of_all(np.add)(settings, weights)
    return lambda inputs: add(inputs) / len(inputs)


def _dot(settings: Settings, weights: Weights) -> Function:
    return lambda inputs: sum_of_columns(inputs[0] * inputs[1])


def _rescaling(settings: Settings, weights: Weights) -> Function:
    scale, offset = (np.asarray(settings[key], weights.arithmetic.dtype) for key in ("scale", "offset"))
    return lambda inputs: inputs[0] * scale + offset


def _as_it_is(settings: Settings, weights: Weights) -> Function:
    return lambda inputs: inputs[0]


_RECURRENT = {
    "return_sequences": False, "return_state": False, "go_backwards": False, "stateful": False,
    "zero_output_for_mask": False,
}  # fmt: skip
_LAST = {"data_format": "channels_last"}
_LAST_AXIS = {"axis": -1}

LAYERS: Mapping[str, Kind] = MappingProxyType(
    {
        "Activation": Kind(_activation, ("activation",)),
        "Add": Kind(_of_all(np.add)),
        "Average": Kind(_average),
        "BatchNormalization": Kind(_batch_normalization, ("scale", "center", "epsilon"), _LAST_AXIS),
        "Concatenate": Kind(_concatenate, ("axis",)),
        "Cropping1D": Kind(_cropping, ("cropping",), _LAST),
        "Dense": Kind(_dense, ("activation", "use_bias")),
        "Dot": Kind(_dot, (), {"axes": 1, "normalize": False}),
        "Dropout": Kind(_as_it_is),
        "Embedding": Kind(_embedding, (), {"mask_zero": False}),
        "Flatten": Kind(lambda settings, weights: lambda inputs: inputs[0].reshape(len(inputs[0]), -1), (), _LAST),
        "GRU": Kind(_gru, ("activation", "recurrent_activation", "use_bias"), {**_RECURRENT, "reset_after": True}),
        "GaussianNoise": Kind(_as_it_is),
        "LayerNormalization": Kind(_layer_normalization, ("scale", "center", "epsilon"), _LAST_AXIS),
        "Maximum": Kind(_of_all(np.maximum)),
        "Multiply": Kind(_of_all(np.multiply)),
        "Rescaling": Kind(_rescaling, ("scale", "offset")),
        "Reshape": Kind(_reshape, ("target_shape",)),
        "SimpleRNN": Kind(_simple_rnn, ("activation", "use_bias"), _RECURRENT),
        "Subtract": Kind(_of_all(np.subtract)),
        "ZeroPadding1D": Kind(_padding, ("padding",), _LAST),
    }
)
"""By Keras' class."""


def build_layer(kind: str, settings: Settings, weights: Sequence[Array], arithmetic: Arithmetic = EXACT) -> Function:
    """A layer ready to be called.

    Raises:
        TwinError: there is no such layer, or it is not set to what it is written for.
    """
    if kind not in LAYERS:
        raise TwinError(f"the layer {kind} is not written without TensorFlow")
    return LAYERS[kind].build(settings, Weights([one.astype(arithmetic.dtype) for one in weights], arithmetic))
