"""Markets whose next return leans up or down by what signs and sizes of earlier ones have to do with each other."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.synthetic_market.scenario import BURN_IN, NORMAL, Scenario, lean_limit, lean_rank_limit


@dataclass(frozen=True)
class Lean(Scenario):
    """The next return has the mean +lean or -lean, as two earlier returns decide: neither of the two alone tells.

    The sizes of returns are independent of each other, as a size does not depend on the sign of the mean; so are the
    signs of any two returns. Both means are equally often the case, whatever kind of lean it is.

    Attributes:
        lean: mean of the next return, up or down, within (0, 1).
        lag: the other of the two returns came that many sessions before the latest one.
    """

    lean: float = 0.15
    lag: int = 1

    @abstractmethod
    def sign(self, latest: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """+1 where the next return leans up and -1 where it leans down, of the two returns [n] that decide."""

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        before = self.lag + 1
        returns = rng.standard_normal((before + BURN_IN + sessions, shares))
        noise = math.sqrt(1 - self.lean**2)
        for t in range(before, len(returns)):
            returns[t] = self.lean * self.sign(returns[t - 1], returns[t - before]) + noise * returns[t]
        return returns[-sessions:]

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        return self.sign(returns[self.lag :], returns[: -self.lag])

    def _limit(self, horizon: int) -> float | None:
        # The score has two values, equally often; each is right with this chance.
        return NORMAL.cdf(self.lean / math.sqrt(1 - self.lean**2)) if horizon == 1 else None

    def _rank_limit(self, horizon: int) -> float | None:
        lean = self.lean / math.sqrt(1 - self.lean**2)
        return lean_rank_limit((-lean, lean), (0.5, 0.5)) if horizon == 1 else None


@dataclass(frozen=True)
class SignProduct(Lean):
    """Up after two returns of the same sign and down otherwise: nothing linear sees it."""

    def sign(self, latest: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Lean`."""
        return np.sign(latest) * np.sign(other)


@dataclass(frozen=True)
class SizeAgreement(Lean):
    """Up after two returns that are both large or both small, whatever their signs: nothing odd in a return sees it."""

    @functools.cached_property
    def median_size(self) -> float:
        """The size that half of the returns have: each is normal about +lean or -lean."""
        noise = math.sqrt(1 - self.lean**2)
        low, high = 0.0, 2.0
        while high - low > 1e-12:
            middle = (low + high) / 2
            below = NORMAL.cdf((middle - self.lean) / noise) - NORMAL.cdf((-middle - self.lean) / noise)
            low, high = (middle, high) if below < 0.5 else (low, middle)
        return low

    def sign(self, latest: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Lean`."""
        median = self.median_size
        return np.sign(np.abs(latest) - median) * np.sign(np.abs(other) - median)


@dataclass(frozen=True)
class LargerMove(Lean):
    """Up after a return that is larger, up or down, than the other."""

    def sign(self, latest: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Lean`."""
        return np.sign(np.abs(latest) - np.abs(other))


@dataclass(frozen=True)
class Threshold(Scenario):
    """Large returns are followed by a lean to the other side, small ones by nothing.

    Attributes:
        lean: mean of the return after a large one, within (0, 1).
        size: from which a return is large.
    """

    lean: float = 0.3
    size: float = 1.2

    def noise(self) -> float:
        """Deviation about the mean, at which returns have the variance 1."""
        noise = 1.0
        for _ in range(100):  # each step leaves less than a tenth of the error
            noise = math.sqrt(1 - self.lean**2 * self._large(noise))
        return noise

    def _large(self, noise: float) -> float:
        """How often a return is large: more often after a large one, and alike after a fall and a rise."""
        after_small = 2 * NORMAL.cdf(-self.size / noise)
        after_large = NORMAL.cdf((self.lean - self.size) / noise) + NORMAL.cdf((-self.lean - self.size) / noise)
        return after_small / (1 - after_large + after_small)

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        noise = self.noise()
        returns = noise * rng.standard_normal((BURN_IN + sessions, shares))
        for t in range(1, len(returns)):
            returns[t] += self._carried(returns[t - 1])
        return returns[-sessions:]

    def _carried(self, latest: NDArray[np.float64]) -> NDArray[np.float64]:
        """The mean of the next returns."""
        return -self.lean * np.sign(latest) * (np.abs(latest) > self.size)

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._carried(returns)

    def _limit(self, horizon: int) -> float | None:
        return lean_limit(*self._leans()) if horizon == 1 else None

    def _rank_limit(self, horizon: int) -> float | None:
        return lean_rank_limit(*self._leans()) if horizon == 1 else None

    def _leans(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        """The means of the next return, in units of the noise, and how often each is the case."""
        noise = self.noise()
        large, lean = self._large(noise), self.lean / noise
        return (-lean, 0.0, lean), (large / 2, 1 - large, large / 2)
