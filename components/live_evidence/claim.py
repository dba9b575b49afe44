"""What a backtest claims of the days to come."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Claim:
    """The daily rank IC as a backtest found it.

    Attributes:
        mean: of the daily rank ICs.
        deviation: their standard deviation from day to day.
        overlap: days that one day's rank IC shares its news with, itself among them: 1 where days are independent, the
            horizon where the order of the scores hardly changes.
        most: the largest of them, whatever its sign; 0 where it is not known.
    """

    mean: float
    deviation: float
    overlap: float = 1.0
    most: float = 0.0

    @classmethod
    def of_days(cls, rank_ics: NDArray[Any], horizon: int) -> Claim:
        """Reads it off a backtest's daily rank ICs.

        Args:
            rank_ics: array [days], such as `daily_rank_ic` gives; nan where a day has none.
            horizon: sessions ahead that they look.

        Raises:
            ValueError: there are not two days.
        """
        daily = np.asarray(rank_ics, np.float64)
        daily = daily[~np.isnan(daily)]
        if len(daily) < 2:
            raise ValueError("a claim needs the rank ICs of two days")
        centred = daily - daily.mean()
        squares = float(centred @ centred)
        # The sum of q independent days and that of the next day share q - 1 of them: their correlation is 1 - 1 / q.
        lag = float(centred[1:] @ centred[:-1]) / squares if squares else 0.0
        overlap = min(float(horizon), 1 / (1 - lag)) if 0 < lag < 1 else 1.0
        return cls(float(daily.mean()), float(daily.std(ddof=1)), overlap, float(np.abs(daily).max()))

    @classmethod
    def of_shares(cls, mean: float, shares: int) -> Claim:
        """That of so many shares that have nothing in common, the least deviation there can be.

        >>> Claim.of_shares(0.01, 401).deviation
        0.05
        """
        return cls(mean, 1 / math.sqrt(shares - 1))
