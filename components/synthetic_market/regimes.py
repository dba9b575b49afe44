"""Markets whose shares are in a hidden state that changes rarely, and that a window tells in part."""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evidence.rows import middle_ranks
from components.synthetic_market.scenario import WINDOW_RETURNS, Scenario, limit_of_chances, normal_cdf


@dataclass(frozen=True)
class HiddenState(Scenario):
    """A market whose Bayes classifier is a filter of the hidden state."""

    @abstractmethod
    def probability_up(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the Bayes classifier answers at horizon 1: a filter of the hidden state, run along each window.

        Args:
            returns: float array [windows, steps], oldest return first, in units of their volatility.

        Returns:
            Float64 array [windows], the chance that the next return is above 0.
        """

    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        if len(returns) < WINDOW_RETURNS:
            return np.empty((0, returns.shape[1]))
        windows = np.lib.stride_tricks.sliding_window_view(returns, WINDOW_RETURNS, axis=0)
        return self.probability_up(windows.reshape(-1, WINDOW_RETURNS)).reshape(windows.shape[:2])

    def _limit(self, horizon: int) -> float | None:
        return _simulated_limit(self) if horizon == 1 else None

    def _rank_limit(self, horizon: int) -> float | None:
        return _simulated_rank_limit(self) if horizon == 1 else None


@dataclass(frozen=True)
class Regime(HiddenState):
    """Each share is in a hidden state that changes rarely: trending or reverting. The window tells which, in part.

    Attributes:
        phi: correlation of one return with the next while trending, and minus that while reverting; within (0, 1).
        stay: chance that a share keeps its state from one session to the next.
    """

    phi: float = 0.35
    stay: float = 0.98

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        # The first return and the first state are drawn from their stationary distributions, so nothing has to burn in.
        returns = rng.standard_normal((sessions, shares))
        state = rng.choice([-1.0, 1.0], size=shares)
        noise = math.sqrt(1 - self.phi**2)
        for t in range(1, sessions):
            state = np.where(rng.random(shares) < self.stay, state, -state)
            returns[t] = state * self.phi * returns[t - 1] + noise * returns[t]
        return returns

    def probability_up(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `HiddenState`."""
        variance = 1 - self.phi**2
        # Chance that a share is trending from this session to the next.
        trending = np.full(len(returns), 0.5)
        for i in range(returns.shape[1] - 1):
            # How much likelier the step to the next return is while trending than while reverting.
            ratio = np.exp(2 * self.phi * returns[:, i] * returns[:, i + 1] / variance)
            trending = trending * ratio / (trending * ratio + 1 - trending)
            trending = trending * self.stay + (1 - trending) * (1 - self.stay)
        follows = normal_cdf(self.phi * returns[:, -1] / math.sqrt(variance))
        return trending * follows + (1 - trending) * (1 - follows)


@dataclass(frozen=True)
class Turbulence(HiddenState):
    """Each share is calm and trends, or is in turmoil and reverts, by a hidden state that the sizes of returns betray.

    Attributes:
        phi: correlation of one return with the next while calm, and minus that in turmoil, both in units of their
            state's deviation; within (0, 1).
        stay: chance that a share keeps its state from one session to the next.
        calm: deviation of returns while calm, below 1; that in turmoil makes the variance 1 in all.
    """

    phi: float = 0.25
    stay: float = 0.98
    calm: float = 0.6

    def _states(self) -> tuple[tuple[float, float], ...]:
        """Deviation and correlation in each state."""
        return (self.calm, self.phi), (math.sqrt(2 - self.calm**2), -self.phi)

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        deviation, phi = np.array(self._states()).T
        state = rng.integers(0, 2, size=shares)
        noise = math.sqrt(1 - self.phi**2)
        # Returns in units of the deviation of their state: they have the variance 1 from the first on.
        scaled = rng.standard_normal((sessions, shares))
        returns = np.empty_like(scaled)
        returns[0] = deviation[state] * scaled[0]
        for t in range(1, sessions):
            state = np.where(rng.random(shares) < self.stay, state, 1 - state)
            scaled[t] = phi[state] * scaled[t - 1] + noise * scaled[t]
            returns[t] = deviation[state] * scaled[t]
        return returns

    def probability_up(self, returns: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `HiddenState`."""
        states = self._states()
        noise = math.sqrt(1 - self.phi**2)

        def moved(chances: list[NDArray[np.float64]], i: int) -> NDArray[np.float64]:
            """Chance [windows] of state i before now, and of state j now, for each j."""
            return np.stack([chances[i] * (self.stay if i == j else 1 - self.stay) for j in range(2)])

        chances = [np.exp(-((returns[:, 0] / deviation) ** 2) / 2) / deviation for deviation, _ in states]
        for t in range(1, returns.shape[1]):
            fresh = [np.zeros(len(returns)) for _ in states]
            for i, (before, _) in enumerate(states):
                for j, chance in enumerate(moved(chances, i)):
                    deviation, phi = states[j]
                    error = (returns[:, t] / deviation - phi * returns[:, t - 1] / before) / noise
                    fresh[j] += chance * np.exp(-(error**2) / 2) / deviation
            total = fresh[0] + fresh[1]
            chances = [one / total for one in fresh]
        up = np.zeros(len(returns))
        for i, (before, _) in enumerate(states):
            for j, chance in enumerate(moved(chances, i)):
                up += chance * normal_cdf(states[j][1] * returns[:, -1] / before / noise)
        return up / (chances[0] + chances[1])


@functools.lru_cache(maxsize=8)
def _simulated_limit(scenario: HiddenState) -> float:
    """The limit at horizon 1 by simulation; accurate to about 0.0005, always the same, and computed once a process."""
    returns = scenario.simulate(200_000, WINDOW_RETURNS, np.random.default_rng(20_000_103))
    return limit_of_chances(scenario.probability_up(returns.T))


@functools.lru_cache(maxsize=8)
def _simulated_rank_limit(scenario: HiddenState) -> float:
    """The rank IC at horizon 1 by simulation; its standard error is 0.002, and it is always the same."""
    returns = scenario.simulate(250_000, WINDOW_RETURNS + 1, np.random.default_rng(20_000_104))
    score = scenario.probability_up(returns[:-1].T)
    return float(np.corrcoef(middle_ranks(score), middle_ranks(returns[-1]))[0, 1])
