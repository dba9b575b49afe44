"""What else than a close a made day has: its open, high, low and volume, which fit the close and tell nothing more.

A day's return is a Brownian path from close to close. Its open is where the path is after `OVERNIGHT` of the variance;
high and low are drawn as the path from there to the close has them (the law of a Brownian bridge's highest point), each
by itself. Of volumes, each share has a level of its own; beside it stand a part that all shares have in common, which
lasts, and a part of each share and day, which does not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

OVERNIGHT = 0.3
"""Of a day's variance, what comes before the open."""

_TYPICAL_VOLUME = 1e6
_LEVELS, _COMMON, _OWN = 1.0, 0.3, 0.5
"""Deviations of log volumes: over shares, of the common part, and of what a share has by itself on a day."""
_COMMON_STAYS = 0.9


@dataclass(frozen=True, eq=False)
class Bars:
    """What else a day has, [sessions, shares] each; all prices above 0, low <= open, close <= high, whole volumes."""

    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    volume: NDArray[np.float64]

    def of(self, shares: NDArray[np.int64]) -> Bars:
        """Those of some shares."""
        return Bars(self.open[:, shares], self.high[:, shares], self.low[:, shares], self.volume[:, shares])


def make_bars(
    first: float,
    close: NDArray[np.float64],
    activity: NDArray[np.float64],
    volatility: float,
    rng: np.random.Generator,
) -> Bars:
    """Makes the rest of the bars.

    Args:
        first: the price before the first session.
        close: of each session and share, [sessions, shares].
        activity: by how many deviations a share's own part of the log volume is above its mean, [sessions, shares].
        volatility: of daily log returns.
        rng: where the randomness comes from.
    """
    now = np.log(close)
    before = np.vstack([np.full((1, close.shape[1]), np.log(first)), now[:-1]])
    spread = volatility * np.sqrt(OVERNIGHT * (1 - OVERNIGHT))
    opened = before + OVERNIGHT * (now - before) + spread * rng.standard_normal(close.shape)
    rest = (1 - OVERNIGHT) * volatility**2
    reach = [np.sqrt((now - opened) ** 2 - 2 * rest * np.log1p(-rng.random(close.shape))) for _ in range(2)]
    # Logs and exponentials round: a price must not leave its day by a last digit.
    open_ = np.exp(opened)
    high = np.maximum(np.exp((opened + now + reach[0]) / 2), np.maximum(open_, close))
    low = np.minimum(np.exp((opened + now - reach[1]) / 2), np.minimum(open_, close))
    level = _LEVELS * rng.standard_normal(close.shape[1])
    common = rng.standard_normal(len(close))
    for t in range(1, len(common)):
        common[t] = _COMMON_STAYS * common[t - 1] + np.sqrt(1 - _COMMON_STAYS**2) * common[t]
    logs = level + _COMMON * common[:, np.newaxis] + _OWN * activity
    return Bars(open_, high, low, np.rint(_TYPICAL_VOLUME * np.exp(logs)) + 1)
