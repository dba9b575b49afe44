"""Intervals of a tear sheet: none where there are too few days."""

from __future__ import annotations

import math
from typing import Any

from numpy.typing import NDArray

from components.backtest.results import LEAST_DAYS
from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks


def interval_of(
    blocks: DayBlocks, value: float, drawn: NDArray[Any], bounds: tuple[float, float] | None = None
) -> Interval:
    """A figure with its interval, as `DayBlocks.summarise` makes it; without ends where there are too few days."""
    if len(blocks.unique) < LEAST_DAYS:
        return Interval(value, math.nan, math.nan, math.nan)
    return blocks.summarise(value, drawn, bounds=bounds)
