"""The arithmetic of a twin: exact, or in single precision.

Exact, the result for a row depends on that row alone, to the last bit, whatever rows stand beside it. A library of
linear algebra adds up the products of a row in an order that follows from the number of rows, the processor and the
threads; in floating point, another order is another sum. So values and weights are rounded to multiples of powers of
two, few enough bits that every product and every sum of them is exact in float64: there is nothing left to round, and
the order does not matter. Rounded is no more than float32 would.

In single precision the library adds up as it likes, in a third of the time.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[Any]

_MANTISSA = 53
"""Bits of a float64."""
_WEIGHT_BITS = 24
"""As many as a float32 has."""
_TERMS = 128
"""Products that are added up exactly; sums of more are added in their order."""
_SMALLEST = -200
"""Exponent below which a value is 0, so that its scale is a finite number."""


class Matrix(Protocol):
    """Weights of a linear layer."""

    def times(self, values: Array) -> Array:
        """The product of values, [..., inputs], and the weights: a new array, [..., outputs]."""
        ...


@dataclass(frozen=True)
class Arithmetic:
    """How a network computes.

    Attributes:
        dtype: of its values.
        matrix: makes the matrix of finite weights, [inputs, outputs].
    """

    dtype: type[np.floating[Any]]
    matrix: Callable[[Array], Matrix]


@dataclass(frozen=True)
class ExactMatrix:
    """Weights, [inputs, outputs], as multiples of a power of two of each output, in parts of few enough inputs."""

    parts: tuple[Array, ...]

    @classmethod
    def of(cls, weights: Array) -> ExactMatrix:
        """Takes finite weights, [inputs, outputs]."""
        exponent = _exponent(np.abs(weights.astype(np.float64)).max(axis=0, initial=0.0))
        scale = np.ldexp(1.0, _WEIGHT_BITS - exponent)
        rounded = np.rint(weights * scale) / scale
        begins = range(0, len(rounded), _TERMS)
        return cls(tuple(np.ascontiguousarray(rounded[begin : begin + _TERMS]) for begin in begins))

    def times(self, values: Array) -> Array:
        """The product of values, [..., inputs], and the weights: a new array, float64 [..., outputs]."""
        rows = values.reshape(-1, values.shape[-1])
        scratch = _scratch(rows.shape)
        exponent = _exponent(np.abs(rows, out=scratch).max(axis=1, keepdims=True, initial=0.0))
        total: Array = np.zeros(())
        begin = 0
        for part in self.parts:
            terms = len(part)
            bits = _MANTISSA - _WEIGHT_BITS - (terms - 1).bit_length()
            # What is added to a number of this size and taken off again leaves the nearest multiple of its last bit: as
            # rounding the scaled number to a whole one, without scaling it there and back.
            large = np.ldexp(1.5, exponent + (_MANTISSA - 1 - bits))
            rounded = np.add(rows[:, begin : begin + terms], large, out=scratch[:, :terms])
            rounded -= large
            total = total + rounded @ part if begin else rounded @ part
            begin += terms
        return total.reshape(*values.shape[:-1], total.shape[-1])


@dataclass(frozen=True)
class SingleMatrix:
    """Weights, [inputs, outputs], in single precision."""

    weights: Array

    @classmethod
    def of(cls, weights: Array) -> SingleMatrix:
        """Takes finite weights, [inputs, outputs]."""
        return cls(np.ascontiguousarray(weights, np.float32))

    def times(self, values: Array) -> Array:
        """The product of values, [..., inputs], and the weights: a new array, float32 [..., outputs]."""
        # As one product: of an array with more axes NumPy makes many small ones.
        rows: Array = values.reshape(-1, values.shape[-1]) @ self.weights
        return rows.reshape(*values.shape[:-1], rows.shape[-1])


EXACT = Arithmetic(np.float64, ExactMatrix.of)
SINGLE = Arithmetic(np.float32, SingleMatrix.of)


def sum_of_columns(values: Array) -> Array:
    """The sum over the last axis in its order, [..., columns] to [..., 1]."""
    total = values[..., 0].copy()
    for column in range(1, values.shape[-1]):
        total += values[..., column]
    return total[..., None]


def sigmoid(values: Array) -> Array:
    """1 / (1 + exp(-x)), without overflow."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1 / (1 + small), small / (1 + small))


_THREAD = threading.local()


def _scratch(shape: tuple[int, ...]) -> Array:
    """An array that the thread's next call gives away again: memory that was just used is the fastest there is."""
    size = math.prod(shape)
    held: Array | None = getattr(_THREAD, "held", None)
    if held is None or held.size < size:
        held = _THREAD.held = np.empty(size)
    return held[:size].reshape(shape)


def _exponent(largest: Array) -> Array:
    """The power of two that no value is larger than."""
    return np.maximum(np.frexp(largest)[1], _SMALLEST)
