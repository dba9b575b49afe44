"""Raw windows, and a transform graph fitted on them."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from transform_graph import fit_transform_graph

from models.features import CLOSES, SHARE_ID, TIME, WINDOW


@dataclass(frozen=True)
class RawRows:
    """Windows as examples carry them.

    Attributes:
        closes: float32 [rows, 21], the latest first.
        share_id: [rows] of str.
        time: int64 [rows].
    """

    closes: npt.NDArray[np.float32]
    share_id: list[str]
    time: npt.NDArray[np.int64]

    def as_dicts(self, sources: tuple[str, ...]) -> list[dict[str, Any]]:
        """One dict a row, of some raw features."""
        return [
            {key: {CLOSES: closes, SHARE_ID: [share.encode()], TIME: [time]}[key] for key in sources}
            for closes, share, time in zip(self.closes, self.share_id, self.time, strict=True)
        ]


def raw_rows(seed: int, rows: int = 40) -> RawRows:
    """Random walks of three shares, of which AAA has the most rows and CCC the fewest; the last row never moves."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.02, (rows, WINDOW)) * rng.uniform(0.2, 3, (rows, 1))
    closes = 50 * np.exp(np.cumsum(moves, axis=1))
    closes[-1] = 50.0
    shares = ["AAA" if i % 2 == 0 else "BBB" if i % 4 == 1 else "CCC" for i in range(rows)]
    shares[3] = "BBB"
    return RawRows(closes.astype(np.float32), shares, 20200101 + np.arange(rows, dtype=np.int64) % 7)


@dataclass(frozen=True)
class Fitted:
    """A formatter's transform graph, and what it made of the rows it was fitted on.

    Attributes:
        rows: the raw rows.
        features: transformed, by name, [rows, steps].
        output: a tft.TFTransformOutput.
        apply: the graph as a function of the raw features of other rows.
    """

    rows: RawRows
    features: dict[str, npt.NDArray[Any]]
    output: Any
    apply: Callable[[RawRows], dict[str, npt.NDArray[Any]]]


@pytest.fixture(scope="session")
def fit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Fitted]]:
    """Fits the transform graph of a formatter, by name, once a session."""
    made: dict[str, Fitted] = {}

    def fitted(name: str) -> Fitted:
        if name not in made:
            made[name] = _fit(name, tmp_path_factory.mktemp(name))
        return made[name]

    yield fitted
    # Graphs are to be gone before TensorFlow's library is torn down.
    made.clear()
    gc.collect()


def _fit(name: str, directory: Path) -> Fitted:
    import tensorflow as tf
    import tensorflow_transform as tft

    from models.formatters import get_formatter
    from models.transform_graph import TransformGraph

    formatter, rows = get_formatter(name), raw_rows(1)
    fit_transform_graph(name, rows.as_dicts(formatter.sources), directory)
    output = tft.TFTransformOutput(str(directory / "graph"))
    graph = TransformGraph(output, formatter)

    def apply(other: RawRows) -> dict[str, npt.NDArray[Any]]:
        tensors = {
            CLOSES: tf.constant(other.closes),
            SHARE_ID: tf.constant([[share] for share in other.share_id]),
            TIME: tf.constant(other.time[:, None]),
        }
        return {key: value.numpy() for key, value in graph({key: tensors[key] for key in formatter.sources}).items()}

    return Fitted(rows, apply(rows), output, apply)


@pytest.fixture
def another_market() -> RawRows:
    """Rows the graphs were not fitted on."""
    return raw_rows(2)
