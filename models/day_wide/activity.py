"""What shares traded, how wide their days were and where they opened, beside the market's: NumPy alone.

All of it is relative to the mean of the market on the day, and 0, the market's own, where it is not known: of a day
without a volume, a high, a low or an open, of one of volume 0, and of one before which fewer than half of the sessions
have it. Training and serving make the same of such a day. A rank is 0 then, the middle of the day.
"""

from __future__ import annotations

import math

import numpy as np

from models.day_wide.prices import DayPrices, Floats, on_grid

_LEAST_RANGE = 1e-6
_NARROWEST = 0.1
"""Of a share's usual range: a narrower one counts as that wide, as the log of none would drown all others."""


class Activity:
    """What is made of some prices besides closes; all methods give [rows]."""

    def __init__(self, prices: DayPrices) -> None:
        """Takes the prices."""
        self._prices = prices

    def volume_shock(self, steps: int) -> Floats:
        """Log of the day's volume over the geometric mean of that of the sessions before, less the market's."""
        return _known_or_even(self._beside_market(self._volume(steps)))

    def volume_rank(self, steps: int) -> Floats:
        """Rank of `volume_shock` within the day."""
        return _known_or_even(self._prices.rank(self._volume(steps)))

    def return_at_volume(self, steps: int) -> Floats:
        """The day's return less the market's, in deviations, times `volume_shock`."""
        return self._prices.momentum(1, 0, steps) * self.volume_shock(steps)

    def log_parkinson(self, steps: int) -> Floats:
        """Log of Parkinson's volatility of as many sessions and the day's own, less the market's."""
        return _known_or_even(self._beside_market(self._log_parkinson(steps)))

    def parkinson_rank(self, steps: int) -> Floats:
        """Rank of `log_parkinson` within the day."""
        return _known_or_even(self._prices.rank(self._log_parkinson(steps)))

    def range_shock(self, steps: int) -> Floats:
        """Log of the day's range over the mean of those of the sessions before, less the market's."""
        wide = self._range()
        usual = np.maximum(self._usual(wide, steps), _LEAST_RANGE)
        shock = on_grid(np.log(np.maximum(wide, _NARROWEST * usual) / usual))
        return _known_or_even(self._beside_market(shock))

    def gap(self, steps: int) -> Floats:
        """The return from the close before to the open, less the market's, in deviations of the last returns."""
        return self._in_deviations(self._prices.once(("gap",), self._gap), steps)

    def intraday(self, steps: int) -> Floats:
        """The return from the open to the close, likewise: what `gap` leaves of the day's."""
        return self._in_deviations(self._prices.beyond_market(1) - self._prices.once(("gap",), self._gap), steps)

    def _volume(self, steps: int) -> Floats:
        def make() -> Floats:
            logs = self._prices.logs("volume")
            return on_grid(logs - self._usual(logs, steps))

        return self._prices.once(("volume", steps), make)

    def _range(self) -> Floats:
        """Log of high over low."""
        return self._prices.logs("high") - self._prices.logs("low")

    def _log_parkinson(self, steps: int) -> Floats:
        return self._prices.once(("parkinson", steps), lambda: self._parkinson(steps))

    def _parkinson(self, steps: int) -> Floats:
        # Parkinson (1980), The Extreme Value Method for Estimating the Variance of the Rate of Return.
        squares = np.square(self._range()) / (4 * math.log(2))
        known = ~np.isnan(squares)
        count = self._prices.summed_with(known.astype(np.float64), steps)
        mean = _over(self._prices.summed_with(np.where(known, squares, 0.0), steps), count, steps)
        return on_grid(np.log(np.maximum(np.sqrt(mean), _LEAST_RANGE)))

    def _usual(self, values: Floats, steps: int) -> Floats:
        """The mean of the values that are known of the sessions before; nan where they are too few."""
        known = ~np.isnan(values)
        count = self._prices.summed_before(known.astype(np.float64), steps)
        return _over(self._prices.summed_before(np.where(known, values, 0.0), steps), count, steps)

    def _beside_market(self, values: Floats) -> Floats:
        return values - self._prices.day_mean(values)[self._prices.session]

    def _gap(self) -> Floats:
        """The return to the open less the market's; of sessions that a share missed, less those of the market's."""
        prices = self._prices
        moved = prices.logs("open") - prices.lagged(prices.level, 1)
        market = prices.day_mean(np.where(prices.recent, moved, np.nan))
        index = np.cumsum(prices.market)
        before = np.concatenate([[0.0], index])[prices.session]  # up to the close of the market's session before
        return moved - market[prices.session] - (before - prices.lagged(index[prices.session], 1))

    def _in_deviations(self, moved: Floats, steps: int) -> Floats:
        size = self._prices.volatility(steps)
        return _known_or_even(np.where(size > 0, moved / np.where(size > 0, size, 1.0), 0.0 * size))


def _known_or_even(values: Floats) -> Floats:
    """Values, and 0 where they are not known."""
    return np.where(np.isnan(values), 0.0, values)


def _over(total: Floats, count: Floats, steps: int) -> Floats:
    enough = count >= steps / 2  # nan is not
    return np.where(enough, total / np.where(enough, count, 1.0), np.nan)
