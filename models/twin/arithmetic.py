"""Arithmetic whose result for a row depends on that row alone, to the last bit, whatever rows stand beside it.

A library of linear algebra adds up the products of a row in an order that follows from the number of rows, the
processor and the threads; in floating point, another order is another sum. So values and weights are rounded to whole
multiples of powers of two, few enough bits that every product and every sum of them is exact in float64: there is
nothing left to round, and the order does not matter. Rounded is no more than float32 would.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

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


@dataclass(frozen=True)
class Matrix:
    """Weights of a linear layer, [inputs, outputs], as whole numbers and the power of two of each output."""

    parts: tuple[Array, ...]
    scale: Array

    @classmethod
    def of(cls, weights: Array) -> Matrix:
        """Takes finite weights, [inputs, outputs]."""
        exponent = _exponent(np.abs(weights.astype(np.float64)).max(axis=0, initial=0.0))
        whole = np.rint(weights * np.ldexp(1.0, _WEIGHT_BITS - exponent))
        parts = tuple(np.ascontiguousarray(whole[begin : begin + _TERMS]) for begin in range(0, len(whole), _TERMS))
        return cls(parts, np.ldexp(1.0, exponent - _WEIGHT_BITS))

    def times(self, values: Array) -> Array:
        """The product of values, [..., inputs], and the weights: float64 [..., outputs]."""
        rows = values.reshape(-1, values.shape[-1])
        exponent = _exponent(np.abs(rows).max(axis=1, keepdims=True, initial=0.0))
        total: Array | None = None
        begin = 0
        for part in self.parts:
            terms = len(part)
            bits = _MANTISSA - _WEIGHT_BITS - (terms - 1).bit_length()
            whole = np.rint(rows[:, begin : begin + terms] * np.ldexp(1.0, bits - exponent))
            product = (whole @ part) * np.ldexp(self.scale, exponent - bits)
            total = product if total is None else total + product
            begin += terms
        if total is None:
            total = np.zeros((len(rows), len(self.scale)))
        return total.reshape(*values.shape[:-1], len(self.scale))


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


def _exponent(largest: Array) -> Array:
    """The power of two that no value is larger than."""
    return np.maximum(np.frexp(largest)[1], _SMALLEST)
