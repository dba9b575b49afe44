"""What all shares did between two days, so that a move of the whole market is no suspect of a share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Days, Floats

ENOUGH_SHARES = 5
"""With a return on a day, for their median to say what the market did."""

_BELIEVED = np.log(1.9)
"""No market has moved further in a session; a median beyond it is one mistake in all shares."""

_WIDER, _WIDEST = 1.5, 5.0
"""Times the usual spread of a day's returns, from where on a day counts as unruly, and the most that it counts."""

_ENOUGH_TO_SCATTER = 20
"""Shares with a return on a day, for their spread to be the market's and not a few mistakes."""

MAD = 1.4826
"""Of a median absolute deviation, to be the standard deviation of normal noise."""


@dataclass(frozen=True)
class Market:
    """The moves of a market.

    Attributes:
        days: ascending, shape (d,).
        level: log of the market, shape (d,); it stands still on days with too few shares.
        unrest: how much wider than usual the returns of a day lie, at least 1, shape (d,).
        usual: a typical share's robust standard deviation of log returns; NaN where it is not known.
    """

    days: Days
    level: Floats
    unrest: Floats
    usual: float = float("nan")

    def between(self, begin: Days, end: Days) -> Floats:
        """Log move from the close of each day of `begin` to that of the one of `end`, both of shape (n,)."""
        if not len(self.days):
            return np.zeros(len(end))
        return self._level_at(end) - self._level_at(begin)

    def unrest_on(self, days: Days) -> Floats:
        """How much wider than usual the returns of each day lie, of the shape of `days`."""
        if not len(self.days):
            return np.ones(len(days))
        return self.unrest[np.minimum(np.searchsorted(self.days, days), len(self.days) - 1)]

    def _level_at(self, days: Days) -> Floats:
        at = np.searchsorted(self.days, days, side="right") - 1
        return np.where(at < 0, 0.0, self.level[np.maximum(at, 0)])


NO_MARKET = Market(np.empty(0, "datetime64[D]"), np.empty(0), np.empty(0))


def market_of(series: Sequence[tuple[Days, Floats]]) -> Market:
    """The median move of some shares.

    Args:
        series: of each share its sessions, ascending, shape (n,), and the logs of its adjusted closes, shape (n,).

    Returns:
        The market; one that never moves where there are too few shares.
    """
    series = [(time, level) for time, level in series if len(time) > 1]
    if len(series) < ENOUGH_SHARES:
        return NO_MARKET
    days = np.unique(np.concatenate([time for time, _ in series]))
    table = np.full((len(days), len(series)), np.nan)
    for column, (time, level) in enumerate(series):
        table[np.searchsorted(days, time[1:]), column] = np.diff(level)
    count = np.count_nonzero(~np.isnan(table), axis=1)
    enough, many = count >= ENOUGH_SHARES, count >= _ENOUGH_TO_SCATTER
    if not enough.any():
        return NO_MARKET
    median, spread = np.zeros(len(days)), np.zeros(len(days))
    median[enough] = np.nanmedian(table[enough], axis=1)
    move = np.where(np.abs(median) > _BELIEVED, 0.0, median)
    # A mistake in all shares is no unrest either: they lie around it as around any other median.
    table -= median[:, np.newaxis]
    spread[many] = MAD * np.nanmedian(np.abs(table[many]), axis=1)
    moving = spread[spread > 0]
    unrest = spread / np.median(moving) if len(moving) else spread
    usual = float(np.median(MAD * np.nanmedian(np.abs(table), axis=0)))
    return Market(days, np.cumsum(move), np.where(unrest > _WIDER, np.minimum(unrest, _WIDEST), 1.0), usual)
