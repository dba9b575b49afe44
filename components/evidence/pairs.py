"""Pairs of an "up" and a "down" row, counted by a score: what the AUC is a share of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Pairs:
    """Rows sorted by score once, so that the AUC under many sets of weights costs no further sorting.

    Attributes:
        up: positions of the "up" rows, the lowest score first.
        down: those of the "down" rows.
        low: of each of `up`, how many of `down` score lower.
        high: of each of `up`, how many of `down` do not score higher.
        tied: whether any of them score the same.
    """

    def __init__(self, positive: NDArray[Any], scores: NDArray[Any], weight: NDArray[Any] | None = None) -> None:
        """Sorts.

        Args:
            positive: bool array [rows], True for "up".
            scores: float array [rows].
            weight: array [rows]; rows without weight are left out for good.
        """
        # Sorted positives make the look-ups below run through memory in order.
        rows = np.arange(len(scores)) if weight is None else np.flatnonzero(weight)
        up, down = rows[positive[rows]], rows[~positive[rows]]
        self.up: NDArray[np.intp] = up[np.argsort(scores[up], kind="stable")]
        self.down: NDArray[np.intp] = down[np.argsort(scores[down], kind="stable")]
        below = scores[self.down]
        self.low = np.searchsorted(below, scores[self.up], side="left")
        self.high = np.searchsorted(below, scores[self.up], side="right")
        self.tied = bool(np.any(self.low != self.high))

    def auc(self, weight: NDArray[Any] | None) -> float:
        """AUC with a weight for each row, [rows] in their own order; nan if a class has no weight."""
        won, pairs = self.counted(weight)
        return won / pairs if pairs else math.nan

    def counted(self, weight: NDArray[Any] | None) -> tuple[float, float]:
        """The weight of pairs whose "up" row scores higher, ties counting half, and that of all pairs."""
        up = np.ones(len(self.up)) if weight is None else weight[self.up]
        down = np.ones(len(self.down)) if weight is None else weight[self.down]
        return self.weighed(up, down)

    def weighed(self, up: NDArray[Any], down: NDArray[Any]) -> tuple[float, float]:
        """As `counted`, by the weights of `up` and `down`, as they stand there."""
        # beaten[i]: weight of the i lowest negatives.
        beaten = np.zeros(len(down) + 1)
        np.cumsum(down, out=beaten[1:])
        won = up @ beaten[self.low]
        if self.tied:
            won = (won + up @ beaten[self.high]) / 2
        return float(won), float(up.sum()) * float(beaten[-1])
