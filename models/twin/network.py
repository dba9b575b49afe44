"""The layers of a twin, one after the other: features to probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.errors import TwinError
from models.twin.arithmetic import Arithmetic, Array, sigmoid
from models.twin.files import TwinRecord
from models.twin.layers import Function, build_layer


@dataclass(frozen=True)
class _Step:
    """A layer, what it is called, what it is made of, and what nobody needs after it."""

    name: str
    inputs: Sequence[str]
    layer: Function
    spent: Sequence[str]


class Network:
    """The layers of a twin by one arithmetic. It never changes."""

    def __init__(self, record: TwinRecord, arithmetic: Arithmetic) -> None:
        """Puts the layers together.

        Raises:
            TwinError: one of them is missing, or has not the weights that it needs.
        """
        _keep_memory()
        self._dtype = arithmetic.dtype
        self._output = record.output
        last = {name: number for number, step in enumerate(record.steps) for name in step.inputs}
        self._steps = []
        for number, step in enumerate(record.steps):
            try:
                weights = [record.arrays[f"{step.name}/{one}"] for one in range(step.weights)]
                layer = build_layer(step.kind, step.settings, weights, arithmetic)
            except (KeyError, IndexError, ValueError, TypeError) as error:
                if isinstance(error, TwinError):
                    raise
                raise TwinError(f"the step {step.name} cannot be put together ({error})") from None
            spent = [name for name, at in last.items() if at == number and name != record.output]
            self._steps.append(_Step(step.name, step.inputs, layer, spent))

    def probabilities(self, features: Mapping[str, Array]) -> NDArray[np.float32]:
        """The probabilities of rows, float32 [rows].

        Args:
            features: by name, [rows, steps].
        """
        values = {
            name: one.astype(self._dtype, copy=False) if one.dtype.kind == "f" else one
            for name, one in features.items()
        }
        for step in self._steps:
            values[step.name] = step.layer([values[one] for one in step.inputs])
            for name in step.spent:  # so that the next layer finds its memory in the cache
                del values[name]
        return sigmoid(values[self._output][:, 0].astype(np.float64)).astype(np.float32)


def _keep_memory() -> None:
    """Lets the process keep the memory of arrays that come and go with every block of rows.

    The C library of Linux gives a large array back to the system at once, which clears every page that it hands out
    again: a third of the time. What counts as large grows with the arrays that it has seen go (mallopt(3), "dynamic
    mmap threshold"); this one is never written to. Elsewhere it changes nothing.
    """
    np.empty(1 << 24, np.uint8)
