"""L2-penalised logistic regression, solved: one solution a penalty, from the largest to the smallest.

The problem is convex, so there is one solution, whatever the seed and the order of the rows. It is found by Newton's
method. The second derivatives change little where little can be foretold: they are made anew only where steps with
those at hand gain too little, so most passes over the rows are of the first derivatives alone. Categories, such as the
share, have a diagonal block there: the largest one is eliminated (by its Schur complement), so that many shares cost
no more than the sums of their rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from models.errors import DivergenceError
from models.stored import Values

TOLERANCE = 1e-9
"""A penalty is solved where no first derivative of the mean loss, penalties included, is further from 0 than this."""

AT_ONCE = 1 << 13
"""Rows that are looked at together; of what lies on disk, no more are in memory."""

_MOST = 100
"""Steps of a penalty, at most: what takes more is at the end of what numbers can tell."""

_SLOW = 0.01
"""A step that leaves more of the derivatives than this asks for new second derivatives."""

_ROUNDING, _RIDGE, _TINY = 1e-12, 1e-9, 1e-300

Vector: TypeAlias = "NDArray[np.float64]"


@dataclass(frozen=True)
class Design:
    """The rows of a split.

    Attributes:
        numbers: features of numbers, each [rows, n]; a weight each.
        categories: indices, each [rows, 1]; an intercept an index.
        sizes: how many indices each category has.
        label: 0 or 1, [rows].
    """

    numbers: Sequence[Values]
    categories: Sequence[Values]
    sizes: Sequence[int]
    label: NDArray[Any]

    def parts(self, at_once: int) -> Iterator[tuple[Vector, list[NDArray[np.int64]], Vector]]:
        """Some rows at a time: their numbers and a 1, [n, width + 1], the indices of each category, [n], the label."""
        for begin in range(0, len(self.label), at_once):
            rows = slice(begin, begin + at_once)
            label = np.asarray(self.label[rows], np.float64)
            numbers = [np.asarray(one[rows], np.float64) for one in self.numbers]
            indices = [np.asarray(one[rows], np.int64)[:, 0] for one in self.categories]
            yield np.concatenate([*numbers, np.ones((len(label), 1))], axis=1), indices, label

    @property
    def width(self) -> int:
        """Numbers of a row."""
        return sum(int(one.shape[1]) for one in self.numbers)

    @property
    def borders(self) -> list[int]:
        """Where the intercepts of each category begin among all coefficients, and where the last ones end."""
        return (self.width + 1 + np.cumsum([0, *self.sizes])).tolist()


@dataclass(frozen=True)
class Look:
    """Where a path is after a step.

    Attributes:
        penalty: that is being solved.
        coefficients: the weights, the intercept and the intercepts of each category, behind each other.
        loss: mean cross-entropy of the train rows, without penalties.
        solved: whether the penalty is.
    """

    penalty: float
    coefficients: Vector
    loss: float
    solved: bool


def mean_loss(design: Design, coefficients: Vector, at_once: int = AT_ONCE) -> float:
    """Mean cross-entropy of a design's rows."""
    borders = design.borders
    total = 0.0
    for numbers, indices, label in design.parts(at_once):
        logit = _logits(numbers, indices, coefficients, borders)
        total += float(np.sum(np.logaddexp(0.0, logit) - label * logit))
    return total / len(design.label)


def path(
    design: Design, penalties: Sequence[float], category_l2: float, at_once: int = AT_ONCE, tolerance: float = TOLERANCE
) -> Iterator[Look]:
    """Solves one penalty after the other, each from where the one before ended; a look after every step.

    What is minimal at a solution is the mean cross-entropy, plus the penalty times the sum of the weights' squares,
    plus as much, or `category_l2` where that is more, times that of the categories' intercepts: a penalty that held the
    weights alone down would leave the order of the shares to noise. The intercept of all rows is free.

    Args:
        design: the train rows.
        penalties: on all coefficients.
        category_l2: of the categories, at least.
        at_once: rows that are looked at together: it changes the sums' rounding alone.
        tolerance: see `TOLERANCE`.

    Raises:
        DivergenceError: a loss is no number, as a feature is none.
    """
    borders = design.borders
    at = np.zeros(borders[-1])
    loss, slope = _slope(design, at, at_once)
    bend: _Bend | None = None
    for penalty in penalties:
        l2 = np.full(len(at), max(category_l2, penalty))
        l2[: design.width], l2[design.width] = penalty, 0.0
        whole, steep = loss + float(l2 @ at**2), slope + 2 * l2 * at
        for number in range(1, _MOST + 1):
            bend = bend or _Bend(design, at, at_once)
            step = bend.solve(steep, l2)
            before = float(np.abs(steep).max())
            share = 1.0
            while True:
                there = at - share * step
                loss, slope = _slope(design, there, at_once)
                new = loss + float(l2 @ there**2)
                if new <= whole + _ROUNDING or share < _ROUNDING:
                    break
                share /= 2
            at, whole, steep = there, new, slope + 2 * l2 * there
            left = float(np.abs(steep).max())
            solved = left <= tolerance or number == _MOST
            yield Look(penalty, at, loss, solved)
            if solved:
                break
            if left > _SLOW * before:
                bend = None


def _logits(numbers: Vector, indices: list[NDArray[np.int64]], coefficients: Vector, borders: list[int]) -> Vector:
    logit: Vector = numbers @ coefficients[: borders[0]]
    for index, begin in zip(indices, borders[:-1], strict=True):
        logit += coefficients[begin + index]
    return logit


def _slope(design: Design, at: Vector, at_once: int) -> tuple[float, Vector]:
    """The mean cross-entropy and its first derivatives."""
    borders = design.borders
    total, found = 0.0, np.zeros(len(at))
    for numbers, indices, label in design.parts(at_once):
        logit = _logits(numbers, indices, at, borders)
        with np.errstate(invalid="ignore"):  # what is no number is seen below
            total += float(np.sum(np.logaddexp(0.0, logit) - label * logit))
        off = _sigmoid(logit) - label
        found[: borders[0]] += off @ numbers
        for index, begin, size in zip(indices, borders[:-1], design.sizes, strict=True):
            found[begin : begin + size] += np.bincount(index, off, size)
    if not np.isfinite(total):
        raise DivergenceError("training gave a loss that is no number: a feature of the train split is none")
    return total / len(design.label), found / len(design.label)


class _Bend:
    """The second derivatives of the mean cross-entropy somewhere."""

    def __init__(self, design: Design, at: Vector, at_once: int) -> None:
        borders, sizes = design.borders, design.sizes
        last = int(np.argmax(sizes)) if sizes else -1
        self._out = slice(borders[last], borders[last] + sizes[last]) if sizes else slice(len(at), len(at))
        kept: list[int] = [number for number in range(len(sizes)) if number != last]
        self._kept = np.delete(np.arange(len(at)), np.r_[self._out])
        # Of the intercepts that stay, their place among the coefficients that stay.
        begins = {number: borders[0] + sum(sizes[one] for one in kept if one < number) for number in kept}
        dense = np.zeros((len(self._kept), len(self._kept)))
        cross = np.zeros((len(self._kept), len(at) - len(self._kept)))
        diagonal = np.zeros(cross.shape[1])
        flat = slice(0, borders[0])
        for numbers, indices, _ in design.parts(at_once):
            chance = _sigmoid(_logits(numbers, indices, at, borders))
            weight = chance * (1 - chance)
            weighed = numbers * weight[:, None]
            dense[flat, flat] += numbers.T @ weighed
            for number in kept:
                begin, size, index = begins[number], sizes[number], indices[number]
                where, sums = _sums(index, weighed)
                dense[flat, begin + where] += sums.T
                dense[begin + where, flat] += sums
                for other in kept:
                    crossed = _crossed(index, size, indices[other], sizes[other], weight)
                    dense[begin : begin + size, begins[other] : begins[other] + sizes[other]] += crossed
                cross[begin : begin + size] += _crossed(index, size, indices[last], sizes[last], weight)
            if sizes:
                where, sums = _sums(indices[last], weighed)
                cross[flat, where] += sums.T
                diagonal += np.bincount(indices[last], weight, sizes[last])
        rows = len(design.label)
        self._dense, self._cross, self._diagonal = dense / rows, cross / rows, diagonal / rows

    def solve(self, steep: Vector, l2: Vector) -> Vector:
        """Newton's step, to be taken off, where the first derivatives are these, penalties included."""
        import scipy.linalg

        kept, out = self._kept, self._out
        diagonal = self._diagonal + 2 * l2[out]
        # An index without rows and without a penalty stays where it is.
        inverse = np.divide(1.0, diagonal, out=np.zeros_like(diagonal), where=diagonal > 0)
        part = self._cross * inverse
        matrix = self._dense - part @ self._cross.T
        matrix[np.diag_indices_from(matrix)] += 2 * l2[kept]
        # Scaled to a diagonal of at most 1, and a little added where features or intercepts say the same.
        scale = 1 / np.sqrt(np.maximum(np.diag(self._dense) + 2 * l2[kept], _TINY))
        matrix *= scale * scale[:, None]
        matrix[np.diag_indices_from(matrix)] += _RIDGE
        step = np.empty(len(steep))
        step[kept] = scale * scipy.linalg.solve(matrix, scale * (steep[kept] - part @ steep[out]), assume_a="pos")
        step[out] = inverse * (steep[out] - self._cross.T @ step[kept])
        return step


def _sums(index: NDArray[np.int64], values: Vector) -> tuple[NDArray[np.int64], Vector]:
    """Which indices there are, and the sums of their rows of values, [indices, columns]."""
    order = np.argsort(index, kind="stable")
    there = index[order]
    begins = np.flatnonzero(np.r_[True, there[1:] != there[:-1]])
    return there[begins], np.add.reduceat(values[order], begins, axis=0)


def _crossed(one: NDArray[np.int64], rows: int, other: NDArray[np.int64], columns: int, weight: Vector) -> Vector:
    return np.bincount(one * columns + other, weight, rows * columns).reshape(rows, columns)


def _sigmoid(logit: Vector) -> Vector:
    # tanh does not overflow.
    found: Vector = 0.5 * (1 + np.tanh(0.5 * logit))
    return found
