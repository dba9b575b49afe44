"""Pairs of an "up" and a "down" row, counted by a score: what the AUC is a share of."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray


class Pairs:
    """Rows sorted by score once, so that the AUC under many sets of weights costs no further sorting."""

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
        self._up = up[np.argsort(scores[up], kind="stable")]
        self._down = down[np.argsort(scores[down], kind="stable")]
        below = scores[self._down]
        self._low = np.searchsorted(below, scores[self._up], side="left")
        self._high = np.searchsorted(below, scores[self._up], side="right")
        self._tied = bool(np.any(self._low != self._high))

    def auc(self, weight: NDArray[Any] | None) -> float:
        """AUC with a weight for each row, [rows] in their own order; nan if a class has no weight."""
        won, pairs = self.counted(weight)
        return won / pairs if pairs else math.nan

    def counted(self, weight: NDArray[Any] | None) -> tuple[float, float]:
        """The weight of pairs whose "up" row scores higher, ties counting half, and that of all pairs."""
        up = np.ones(len(self._up)) if weight is None else weight[self._up]
        down = np.ones(len(self._down)) if weight is None else weight[self._down]
        # beaten[i]: weight of the i lowest negatives.
        beaten = np.zeros(len(down) + 1)
        np.cumsum(down, out=beaten[1:])
        won = up @ beaten[self._low]
        if self._tied:
            won = (won + up @ beaten[self._high]) / 2
        return float(won), float(up.sum()) * float(beaten[-1])
