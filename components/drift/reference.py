"""The record of what a model was trained on, made when it is trained or pushed.

StatisticsGen's statistics of a run do not hold it: they are of the closes before Transform, not of what the model
sees, and of all rows together, so that nothing in them says how much one stretch of days differs from another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from components.drift.distances import (
    Array,
    distances,
    largest_by_group,
    make_yardstick,
    mean_profile,
    training_distances,
)
from components.drift.sessions import QUARTILES, CategorySeen, NumbersSeen, Session
from components.records import Number

STRETCHES = (1, 20)
"""Sessions that are compared together: a fault shows in one, what is small and stays in twenty."""

LEAST_SESSIONS = 250
"""Of training, for its stretches to say how much they differ."""

_LEAST_ROWS = 0.75
_MOST_UNKNOWN = 0.25
"""Parts of the rows, and of the values of a category, which ring where training had nothing worse."""


@dataclass(frozen=True)
class NumbersReference:
    """A feature of numbers in training, by step.

    Attributes:
        name: of the feature.
        quantiles: mean over sessions of those at LEVELS, [steps][levels].
        spread: between the quartiles of those, the unit of distances, [steps]; nan for one that never changes.
        low: the lowest value, [steps].
        high: the highest one, [steps].
        missing: largest part of a session's rows without a finite value, [steps].
        constant: whether all rows of a session were ever equal, [steps].
        limits: distance beyond which it rings, of each of the reference's stretches; nan where nothing changes.
    """

    name: str
    quantiles: tuple[tuple[Number, ...], ...]
    spread: tuple[Number, ...]
    low: tuple[Number, ...]
    high: tuple[Number, ...]
    missing: tuple[float, ...]
    constant: tuple[bool, ...]
    limits: tuple[Number, ...]


@dataclass(frozen=True)
class CategoryReference:
    """A category in training.

    Attributes:
        name: of the feature.
        values: all there were.
        most_unknown: part of a session's values that no session before had, beyond which it rings.
    """

    name: str
    values: tuple[int, ...]
    most_unknown: float


@dataclass(frozen=True)
class Reference:
    """What a model was trained on.

    Attributes:
        first: ISO date of the first session.
        last: of the last one.
        sessions: of training.
        stretches: sessions that are compared together.
        rows: median of the last sessions.
        least_rows: part of the rows of the sessions before, below which it rings.
        numbers: features of numbers.
        categories: features of categories.
    """

    first: str
    last: str
    sessions: int
    stretches: tuple[int, ...]
    rows: float
    least_rows: float
    numbers: tuple[NumbersReference, ...]
    categories: tuple[CategoryReference, ...]


def make_reference(sessions: Iterable[Session], stretches: Sequence[int] = STRETCHES) -> Reference:
    """The record of training's sessions.

    Args:
        sessions: in order, with the same features; read one after another.
        stretches: sessions that are compared together, ascending.

    Raises:
        ValueError: there are fewer than LEAST_SESSIONS, they are not in order, or they have other features.
    """
    days: list[str] = []
    rows: list[int] = []
    numbers: list[_Numbers] = []
    categories: list[_Category] = []
    for session in sessions:
        if not days:
            numbers = [_Numbers(one) for one in session.numbers]
            categories = [_Category(one) for one in session.categories]
        elif session.day <= days[-1]:
            raise ValueError(f"session {session.day} comes after {days[-1]}: need them in order, each once")
        days.append(session.day)
        rows.append(session.rows)
        for held, seen in zip(numbers, session.numbers, strict=True):
            held.add(seen, session.rows)
        for known, found in zip(categories, session.categories, strict=True):
            known.add(found)
    if len(days) < LEAST_SESSIONS:
        raise ValueError(f"{len(days)} sessions of training are too few to know drift by: need {LEAST_SESSIONS}")
    # What one share more or less makes of quantiles is no drift: ranks within the day never differ otherwise.
    limits = np.maximum(_limits(numbers, stretches), 1 / float(np.median(rows)))
    before = stretches[-1]
    usual = np.array([np.median(rows[max(0, at - before) : at]) for at in range(1, len(rows))])
    return Reference(
        first=days[0],
        last=days[-1],
        sessions=len(days),
        stretches=tuple(stretches),
        rows=float(np.median(rows[-before:])),
        least_rows=min(_LEAST_ROWS, float(np.min(np.array(rows[1:]) / usual))),
        numbers=tuple(held.reference(limits[at]) for at, held in enumerate(numbers)),
        categories=tuple(known.reference() for known in categories),
    )


class _Numbers:
    """A feature of numbers, gathered over training."""

    def __init__(self, first: NumbersSeen) -> None:
        self.name = first.name
        steps = len(first.quantiles)
        self._profiles: list[Array] = []
        self._low, self._high = np.full(steps, np.inf), np.full(steps, -np.inf)
        self._missing = np.zeros(steps)
        self._constant = np.zeros(steps, bool)

    def add(self, seen: NumbersSeen, rows: int) -> None:
        """Takes a session in."""
        if seen.name != self.name or len(seen.quantiles) != len(self._low):
            raise ValueError(f"feature {seen.name} of {len(seen.quantiles)} steps stands where {self.name} was")
        low, high = np.array(seen.low), np.array(seen.high)
        self._profiles.append(np.array(seen.quantiles))
        self._low, self._high = np.fmin(self._low, low), np.fmax(self._high, high)
        self._missing = np.maximum(self._missing, seen.missing)
        if rows > 1:
            self._constant |= low == high

    @property
    def profiles(self) -> Array:
        """[sessions, steps, levels]."""
        return np.stack(self._profiles)

    @property
    def spread(self) -> Array:
        """The unit of distances, [steps]; nan for a step that never changes."""
        mean = mean_profile(self.profiles)
        for wide in (mean[:, QUARTILES[1]] - mean[:, QUARTILES[0]], self._high - self._low):
            if (wide > 0).any():
                return np.where(wide > 0, wide, np.nan)
        return np.full(len(mean), np.nan)

    def reference(self, limits: Array) -> NumbersReference:
        """The record."""
        found = np.isfinite(self._low)
        return NumbersReference(
            self.name,
            tuple(tuple(step) for step in mean_profile(self.profiles).tolist()),
            tuple(self.spread.tolist()),
            tuple(np.where(found, self._low, np.nan).tolist()),
            tuple(np.where(found, self._high, np.nan).tolist()),
            tuple(self._missing.tolist()),
            tuple(self._constant.tolist()),
            tuple(limits.tolist()),
        )


class _Category:
    """A category, gathered over training."""

    def __init__(self, first: CategorySeen) -> None:
        self.name = first.name
        self._known: set[int] = set()
        self._unknown: list[float] = []

    def add(self, seen: CategorySeen) -> None:
        """Takes a session in."""
        if seen.name != self.name:
            raise ValueError(f"feature {seen.name} stands where {self.name} was")
        values = set(seen.values)
        if self._known:
            self._unknown.append(len(values - self._known) / len(values))
        self._known |= values

    def reference(self) -> CategoryReference:
        """The record."""
        return CategoryReference(self.name, tuple(sorted(self._known)), max(_MOST_UNKNOWN, max(self._unknown)))


def _limits(numbers: Sequence[_Numbers], stretches: Sequence[int]) -> Array:
    """The distances beyond which it rings, [features, stretches]."""
    if not numbers:
        return np.empty((0, len(stretches)))
    profiles = np.concatenate([one.profiles for one in numbers], axis=1)
    spread = np.concatenate([one.spread for one in numbers])
    steps = np.repeat(np.arange(len(numbers)), [len(one.spread) for one in numbers])
    found = np.full((len(profiles), len(numbers), len(stretches)), np.nan)
    for at, length in enumerate(stretches):
        by_step = training_distances(profiles, length, partial(distances, spread=spread))
        found[length - 1 :, :, at] = largest_by_group(by_step, steps)
    return make_yardstick(found.reshape(len(found), -1)).limits.reshape(len(numbers), len(stretches))
