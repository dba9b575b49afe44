"""The rows behind the transform graph: what a model sees of them, and whether it sees the level of prices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow_transform as tft
from numpy.typing import NDArray

from components.leak_audit.reading.rows import BLOCK, AuditRows
from models.architecture import InputSpec
from models.features import CLOSES
from models.formatters import DataFormatter
from models.in_memory import applied
from models.operations import Kind
from models.stored import Storing, Values, pieces
from models.training import input_spec

Features = Mapping[str, NDArray[Any]]

_AT_ONCE = 8 * 8192
"""Rows that are transformed at once: the graph is given 8192 of them at a time."""

_PROBED = 2000
"""Windows that are made larger to see whether a model would notice."""

_FACTORS = (16.0, 1 / 16)
# In a window that hardly moves, rounding is as large as the returns.
_LEAST_VOLATILITY = 1e-4
# Of a feature's standard deviation: far above rounding, far below what a level could be used by.
_NOTICED = 0.05


@dataclass(frozen=True, eq=False)
class AuditFeatures:
    """What a model sees of the rows.

    Attributes:
        formatter: declares it.
        inputs: the same with the sizes of the vocabularies.
        values: by feature name, [rows, steps] or [rows, 1], in the order of the rows.
        seeing_level: names of the features that change where all closes of a window are multiplied by a constant.
    """

    formatter: DataFormatter
    inputs: InputSpec
    values: Mapping[str, Values]
    seeing_level: tuple[str, ...]

    def columns(self, places: Any = slice(None)) -> dict[str, NDArray[np.number]]:
        """Every single number that a model sees of some rows, by name, [rows] each; categories by their index."""
        found = {}
        for feature in self.formatter.features:
            values = self.values[feature.name][places]
            for step, called in enumerate(feature.parts or range(values.shape[1])):
                found[feature.name if values.shape[1] == 1 else f"{feature.name}[{called}]"] = values[:, step]
        return found

    def numbers(self, name: str, places: NDArray[np.int64]) -> Iterator[NDArray[np.float64]]:
        """A feature of some rows, [rows, steps], so many rows at a time."""
        for some in pieces(places, BLOCK):
            yield self.values[name][some].astype(np.float64)

    def matrix(self, places: NDArray[np.int64]) -> NDArray[np.float32]:
        """The numbers that a model sees of some rows, [rows, numbers]; categories by their index."""
        return np.concatenate([self.values[f.name][places] for f in self.formatter.features], axis=1).astype(np.float32)

    def moments(
        self, name: str, places: NDArray[np.int64] | None = None
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of a feature over some rows, [steps] each; over all if None."""
        places = np.arange(len(self.values[name])) if places is None else places
        mean = sum(np.sum(part, axis=0) for part in self.numbers(name, places)) / len(places)
        variance = sum(np.sum((part - mean) ** 2, axis=0) for part in self.numbers(name, places)) / len(places)
        return mean, variance

    def categories(self) -> tuple[str, ...]:
        """Names of the features that are indices."""
        return tuple(feature.name for feature in self.formatter.of_kind(Kind.CATEGORY))


def transform_rows(rows: AuditRows, formatter: DataFormatter, transform_graph: str) -> AuditFeatures:
    """Puts all rows through a run's transform graph.

    Args:
        rows: of the run.
        formatter: of the run.
        transform_graph: folder of the TransformGraph artifact.
    """
    transform = tft.TFTransformOutput(transform_graph)
    apply = applied(formatter, transform)
    storing = {feature.name: Storing() for feature in formatter.features}
    for begin in range(0, len(rows), _AT_ONCE):
        for name, part in apply(rows.read(formatter.sources, slice(begin, begin + _AT_ONCE))).items():
            storing[name].add(part)
    values = {name: one.whole() for name, one in storing.items()}
    seeing = _seeing_level(rows, values, formatter, apply) if CLOSES in formatter.sources else ()
    return AuditFeatures(formatter, input_spec(formatter, transform), values, seeing)


def _seeing_level(
    rows: AuditRows,
    values: Mapping[str, Values],
    formatter: DataFormatter,
    apply: Callable[[Features], Features],
) -> tuple[str, ...]:
    """Features that notice that prices are other ones, though every return is the same."""
    moves = np.empty(len(rows), bool)
    for block in rows.blocks():
        returns = np.diff(np.log(rows.closes[block].astype(np.float64)), axis=1)
        moves[block] = np.sqrt(np.mean(returns**2, axis=1)) > _LEAST_VOLATILITY
    moving = np.flatnonzero(moves)
    probed = moving[:: max(1, len(moving) // _PROBED)]
    if not len(probed):
        return ()
    part = rows.read(formatter.sources, probed)
    closes = part[CLOSES]
    seeing: set[str] = set()
    for factor in _FACTORS:
        scaled = apply({**part, CLOSES: closes * np.float32(factor)})
        for name, value in scaled.items():
            before = values[name][probed].astype(np.float64)
            spread = np.std(before, axis=0) if np.issubdtype(values[name].dtype, np.floating) else 0.0
            if np.any(np.abs(value - before) > _NOTICED * spread + 1e-6):
                seeing.add(name)
    return tuple(feature.name for feature in formatter.features if feature.name in seeing)
