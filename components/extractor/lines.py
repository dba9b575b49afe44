"""A stretch of sessions without an event: all k and c with which adjusted = k x raw + c explains its closes.

Both closes are rounded, so that k is an interval: narrow where the price has moved, anything where it has not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from components.extractor.sources.base import AdjustedCloses
from components.feature_store.arrays import Booleans, Floats

_MOVES = 3.0
"""Doubt of k, most over least, beyond which a stretch says nothing of it."""


@dataclass(frozen=True)
class Stretch:
    """Sessions without an event in between.

    Attributes:
        close: raw, shape (n,).
        value: adjusted, shape (n,).
        tolerance: by how much rounding may move an adjusted close.
        least: of the slopes k that explain all of them.
        most: likewise; infinite where the price has not moved.
    """

    close: Floats
    value: Floats
    tolerance: float
    least: float
    most: float

    @property
    def open(self) -> bool:
        """Whether k is as good as unknown."""
        return not self.most <= _MOVES * self.least

    def first(self, count: int, floor: float) -> Stretch | None:
        """The first sessions of it alone."""
        return find_stretch(self.close[:count], self.value[:count], self.tolerance, floor)

    def within(self, least: float, most: float) -> Stretch:
        """With what is known of k beside; nothing changes where that is in conflict."""
        least, most = max(least, self.least), min(most, self.most)
        return self if least > most else Stretch(self.close, self.value, self.tolerance, least, most)

    def offsets(self, slope: Floats) -> tuple[Floats, Floats]:
        """The least and the most c for each k."""
        rest = self.value - slope[:, None] * self.close
        return rest.max(axis=1) - self.tolerance, rest.min(axis=1) + self.tolerance


def fits(close: Floats, adjusted: AdjustedCloses, begin: int, end: int) -> Stretch | None:
    """The sessions as one stretch; None if no k and c explain them all."""
    part, value = close[begin:end], adjusted.value[begin:end]
    tolerance = tolerance_of(value, adjusted.decimals)
    tight = find_stretch(part, value, tolerance, 0.0)
    return tight or find_stretch(part, value, tolerance + raw_tolerance_of(part, value), 0.0)


def find_stretch(close: Floats, value: Floats, tolerance: float, floor: float) -> Stretch | None:
    """The slopes k, at least `floor`, for which some c explains all closes; None if there is none.

    Each bound is the least of a ratio over pairs of sessions, found as by Dinkelbach, in a handful of passes.
    """
    right, left = int(close.argmax()), int(close.argmin())
    span = float(close[right] - close[left])
    if span <= 0:
        if float(value.max() - value.min()) > 2 * tolerance:
            return None
        return Stretch(close, value, tolerance, floor, math.inf)
    rise = float(value[right] - value[left])
    bounds = []
    for sign in (1.0, -1.0):
        slope = (rise + sign * 2 * tolerance) / span
        for _ in range(64):
            rest = value - slope * close
            low, high = int(rest.argmin()), int(rest.argmax())
            apart = float(rest[high] - rest[low]) - 2 * tolerance
            if apart <= 1e-9 * tolerance:
                break
            run = sign * float(close[low] - close[high])
            if run <= 0:
                return None
            slope = (float(value[low] - value[high]) + 2 * tolerance) / float(close[low] - close[high])
        bounds.append(slope)
    most, least = bounds
    if most < floor or least > most * (1 + 1e-9):
        return None
    return Stretch(close, value, tolerance, max(min(least, most), floor), most)


def tolerance_of(value: Floats, decimals: int) -> float:
    """Half a unit of adjusted closes; a hair more, for floating point."""
    return 0.5 * 10.0**-decimals * (1 + 1e-6) + 4e-16 * float(np.abs(value).max(initial=0.0))


def raw_tolerance_of(close: Floats, value: Floats) -> float:
    """By how much the rounding of raw closes may move adjusted ones: half a unit times k, about."""
    right, left = int(close.argmax()), int(close.argmin())
    span = float(close[right] - close[left])
    # A tenth more, as the slope between the extremes may be too small.
    return 1.1 * half_unit_of(close) * abs(float(value[right] - value[left])) / span if span > 0 else 0.0


def half_unit_of(close: Floats) -> float:
    """Half a unit of raw closes: of a cent, or of a tenth of one where any has three decimals."""
    cents: Booleans = np.abs(np.round(close, 2) - close) < 1e-9
    return 0.005 if bool(cents.all()) else 0.0005
