"""Markets whose next return is a weighted sum of the latest ones, plus noise."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from components.synthetic_market.scenario import BURN_IN, COIN, Scenario, gaussian_limit, gaussian_rank_limit


@dataclass(frozen=True)
class Autoregression(Scenario):
    """The next return is a weighted sum of the latest ones plus noise; without weights there is nothing to know.

    Attributes:
        weights: the weight of the latest return, of the one before, and so on; at most `WINDOW_RETURNS` of them.
    """

    weights: tuple[float, ...] = ()

    @property
    def _unknowable(self) -> bool:
        return not self.weights

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        lags = len(self.weights)
        # The noise that makes the returns' own variance 1.
        returns = rng.standard_normal((lags + BURN_IN + sessions, shares)) / math.sqrt(self._autocovariances(0)[0])
        if lags:
            oldest_first = np.array(self.weights[::-1])
            for t in range(lags, len(returns)):
                returns[t] += oldest_first @ returns[t - lags : t]
        return returns[-sessions:]

    def _limit(self, horizon: int) -> float | None:
        if not self.weights:
            return COIN
        return gaussian_limit(math.sqrt(self.explained(horizon)[0]))

    def _rank_limit(self, horizon: int) -> float | None:
        return gaussian_rank_limit(math.sqrt(self.explained(horizon)[0])) if self.weights else 0.0

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        known = max(0, len(returns) - max(len(self.weights) - 1, 0))
        score = np.zeros((known, returns.shape[1]))
        for lag, weight in enumerate(self.weights):
            score += weight * returns[len(returns) - known - lag : len(returns) - lag]
        return score

    def explained(self, horizon: int) -> tuple[float, float]:
        """What part of the variance of the next `horizon` returns' sum the window tells, and that variance."""
        # The noise of the j-th session from the end of the horizon reaches the sum with psi_0 + ... + psi_j.
        unknowable = float(np.sum(np.cumsum(self._impulse_responses(horizon)) ** 2))
        gamma = self._autocovariances(horizon - 1)
        steps = np.arange(1, horizon)
        total = horizon * gamma[0] + 2 * float(np.sum((horizon - steps) * gamma[1:]))
        return 1 - unknowable / total, total / gamma[0]

    def _impulse_responses(self, count: int) -> NDArray[np.float64]:
        """psi_0 ... psi_(count-1): what a unit of noise adds to the returns from its own session on."""
        psi = np.zeros(count)
        psi[0] = 1.0
        for i in range(1, count):
            reach = min(i, len(self.weights))
            psi[i] = np.dot(self.weights[:reach], psi[i - 1 :: -1][:reach])
        return psi

    def _autocovariances(self, most: int) -> NDArray[np.float64]:
        """gamma_0 ... gamma_most for noise of variance 1, from the Yule-Walker equations."""
        lags = len(self.weights)
        equations = np.eye(lags + 1)
        for k in range(lags + 1):
            for i, weight in enumerate(self.weights, start=1):
                equations[k, abs(k - i)] -= weight
        gamma = list(np.linalg.solve(equations, np.eye(lags + 1)[0]))
        while len(gamma) <= most:
            gamma.append(sum(weight * gamma[-i] for i, weight in enumerate(self.weights, start=1)))
        return np.array(gamma[: most + 1])


@dataclass(frozen=True)
class LongAutoregression(Autoregression):
    """The same of more returns than a window shows, which are forgotten so slowly that no burn-in would do.

    So the first returns are drawn from the stationary state itself: they are jointly normal, with the autocovariances
    that the Yule-Walker equations give. The limit is that of who sees as many returns as there are weights.
    """

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        lags = len(self.weights)
        gamma = self._autocovariances(lags - 1) / self._autocovariances(0)[0]
        stationary = np.linalg.cholesky(gamma[np.abs(np.subtract.outer(np.arange(lags), np.arange(lags)))])
        returns = rng.standard_normal((lags + sessions, shares)) / math.sqrt(self._autocovariances(0)[0])
        returns[:lags] = stationary @ rng.standard_normal((lags, shares))
        oldest_first = np.array(self.weights[::-1])
        for t in range(lags, len(returns)):
            returns[t] += oldest_first @ returns[t - lags : t]
        return returns[lags:]


@dataclass(frozen=True)
class Survivors(Autoregression):
    """Shares that are delisted once they have fallen far, and bring a bad return after their last price.

    About half of the shares are delisted within 2900 sessions. Nothing can be known but that a share at its bound
    falls: one row in some thousands, which adds less than 0.0003 to the limit at horizon 1 and is not counted in it.
    What is left at the end has risen, as those that fell are gone: whoever collects today's shares finds that shares
    rise, and most of all those that had fallen.
    """

    fatal_fall: ClassVar[float | None] = 0.75
    delisting_return: ClassVar[float] = -0.3

    def _limit(self, horizon: int) -> float | None:
        return super()._limit(horizon) if horizon == 1 else None

    def _rank_limit(self, horizon: int) -> float | None:
        return super()._rank_limit(horizon) if horizon == 1 else None
