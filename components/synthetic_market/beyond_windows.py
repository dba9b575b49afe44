"""Markets of which a share's own window tells little: what moves all shares, what a share is, and which day it is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.synthetic_market.autoregression import Autoregression
from components.synthetic_market.scenario import COIN, NORMAL, Scenario, gaussian_limit, gaussian_rank_limit, lean_limit


@dataclass(frozen=True)
class MarketFactor(Scenario):
    """All shares move together and nothing can be known: what an honest split must find, and a shuffled one does not.

    Attributes:
        correlation: of any two shares' returns on a day, within [0, 1].
    """

    correlation: float = 0.52

    @property
    def _unknowable(self) -> bool:
        return True

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        own = rng.standard_normal((sessions, shares))
        common = rng.standard_normal((sessions, 1))
        return math.sqrt(self.correlation) * common + math.sqrt(1 - self.correlation) * own

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.zeros(returns.shape)

    def _limit(self, horizon: int) -> float:
        return COIN


@dataclass(frozen=True)
class ShareDrift(Scenario):
    """Each share drifts its own way for ever, too slowly to be seen in a window: only its name tells.

    The limits are those of many shares. Few quantiles spread slightly less: with 100 shares the limit is lower by
    0.0001 at horizon 1 and 0.0003 at horizon 20, with 20 shares by 0.0005 and 0.0020.

    Attributes:
        spread: standard deviation over shares of the mean return.
    """

    spread: float = 0.05

    def drift(self, shares: int) -> NDArray[np.float64]:
        """Mean return of each share, ascending: ``spread`` times evenly spaced normal quantiles. Float64 [shares]."""
        return self.spread * np.array([NORMAL.inv_cdf((s + 0.5) / shares) for s in range(shares)])

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.drift(shares) + rng.standard_normal((sessions, shares))

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.broadcast_to(self.drift(returns.shape[1]), returns.shape)

    def _correlation(self, horizon: int) -> float:
        known = horizon * self.spread**2
        return math.sqrt(known / (known + 1))

    def _limit(self, horizon: int) -> float:
        return gaussian_limit(self._correlation(horizon))

    def _rank_limit(self, horizon: int) -> float:
        return gaussian_rank_limit(self._correlation(horizon))


@dataclass(frozen=True)
class ResidualReversal(Scenario):
    """Shares move with the market, which cannot be known; what a share did besides is in part taken back.

    A share's own window shows market and residual in one sum. Whoever sees the other shares of the day can tell them
    apart, and that is what the limit supposes, for many shares.

    Attributes:
        correlation: of any two shares' returns on a day, within [0, 1).
        weight: of a residual in the next one, within (-1, 0).
    """

    correlation: float = 0.5
    weight: float = -0.2

    def _residual(self) -> Autoregression:
        return Autoregression(self.name, self.description, (self.weight,))

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        own = self._residual().simulate(shares, sessions, rng)
        common = rng.standard_normal((sessions, 1))
        return math.sqrt(self.correlation) * common + math.sqrt(1 - self.correlation) * own

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        # Of many shares the mean is that of the market alone.
        return self.weight * (returns - returns.mean(axis=1, keepdims=True))

    def _limit(self, horizon: int) -> float:
        known, variance = self._residual().explained(horizon)
        own = (1 - self.correlation) * variance
        return gaussian_limit(math.sqrt(known * own / (own + horizon * self.correlation)))

    def _limit_beside(self, horizon: int) -> float:
        # The day's median moves with the market, so residuals alone decide.
        return gaussian_limit(math.sqrt(self._residual().explained(horizon)[0]))

    def _rank_limit(self, horizon: int) -> float:
        return gaussian_rank_limit(math.sqrt(self._residual().explained(horizon)[0]))


@dataclass(frozen=True)
class Weekday(Scenario):
    """Returns lean down in the first two sessions of each five and up in the last two: only the day tells.

    Made markets have a session on every weekday and begin on a Monday.

    Attributes:
        lean: mean return of the last two sessions, and minus that of the first two, within (0, 1).
    """

    lean: float = 0.12

    def _week(self) -> NDArray[np.float64]:
        return self.lean * np.array([-1.0, -1.0, 0.0, 1.0, 1.0])

    def _noise(self) -> float:
        return math.sqrt(1 - float(np.mean(self._week() ** 2)))

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        leans = np.resize(self._week(), sessions)
        return leans[:, np.newaxis] + self._noise() * rng.standard_normal((sessions, shares))

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        leans = np.resize(self._week(), len(returns) + 1)[1:]
        return np.broadcast_to(leans[:, np.newaxis], returns.shape)

    def _limit(self, horizon: int) -> float:
        sums = [sum(self._week()[(first + i) % 5] for i in range(horizon)) for first in range(5)]
        leans = sorted(total / (self._noise() * math.sqrt(horizon)) for total in sums)
        return lean_limit(leans, [0.2] * 5)

    def _limit_beside(self, horizon: int) -> float:
        return COIN  # all shares lean alike
