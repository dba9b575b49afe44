"""The scenarios: how each synthetic market moves, and the best that can be known of it.

Notation: r is a share's log return in units of its daily volatility, e is standard normal noise, h the horizon in
sessions, and "up" means that the next h returns sum to more than 0. A scenario's limit is what the Bayes classifier
reaches that sees a window of 20 returns (21 closes) and knows which share it looks at.

For a jointly Gaussian score and forward return with correlation rho the limit is

    AUC* = 1/2 + (2/pi) asin(rho / sqrt 2)
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError
from components.evidence.auc import auc

WINDOW_RETURNS = 20
"""Returns that a window of 21 closes shows."""

# Sessions simulated and thrown away. What is left of the start after them is below 1e-7 in momentum, the slowest.
_BURN_IN = 300

_NORMAL = NormalDist()


class ScenarioError(UserError):
    """A synthetic market that does not exist, or that cannot be made as asked for."""


@dataclass(frozen=True)
class Scenario(ABC):
    """A way for returns to come about.

    Attributes:
        name: what the user calls it.
        description: one line that says how the next return comes about.
    """

    name: str
    description: str

    def simulate(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws returns of unit variance, from the stationary state on.

        Args:
            shares: shares to simulate, at least 1.
            sessions: sessions to simulate, at least 1.
            rng: where the randomness comes from; the same state gives the same returns.

        Returns:
            Float64 array [sessions, shares] of log returns in units of their volatility.

        Raises:
            ScenarioError: there are no shares or no sessions.
        """
        if shares < 1 or sessions < 1:
            raise ScenarioError(
                f"a market of {shares} shares and {sessions} sessions is empty: ask for at least 1 of each"
            )
        return self._draw(shares, sessions, rng)

    def best_auc(self, horizon: int) -> float | None:
        """The AUC of the Bayes classifier, which no honest model can pass but by luck.

        Args:
            horizon: sessions ahead, at least 1.

        Returns:
            The limit, or None where it is not known for this horizon.

        Raises:
            ScenarioError: the horizon is below 1.
        """
        if horizon < 1:
            raise ScenarioError(f"horizon {horizon} looks at no future session: ask for at least 1")
        return self._limit(horizon)

    @abstractmethod
    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """`simulate` with checked arguments."""

    @abstractmethod
    def _limit(self, horizon: int) -> float | None:
        """`best_auc` at a checked horizon."""


@dataclass(frozen=True)
class Autoregression(Scenario):
    """The next return is a weighted sum of the latest ones plus noise; without weights there is nothing to know.

    Attributes:
        weights: the weight of the latest return, of the one before, and so on; at most `WINDOW_RETURNS` of them.
    """

    weights: tuple[float, ...] = ()

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        lags = len(self.weights)
        # The noise that makes the returns' own variance 1.
        returns = rng.standard_normal((lags + _BURN_IN + sessions, shares)) / math.sqrt(self._autocovariances(0)[0])
        if lags:
            oldest_first = np.array(self.weights[::-1])
            for t in range(lags, len(returns)):
                returns[t] += oldest_first @ returns[t - lags : t]
        return returns[-sessions:]

    def _limit(self, horizon: int) -> float:
        if not self.weights:
            return _COIN
        # The noise of the j-th session from the end of the horizon reaches the sum with psi_0 + ... + psi_j.
        unknowable = float(np.sum(np.cumsum(self._impulse_responses(horizon)) ** 2))
        gamma = self._autocovariances(horizon - 1)
        steps = np.arange(1, horizon)
        total = horizon * gamma[0] + 2 * float(np.sum((horizon - steps) * gamma[1:]))
        return _gaussian_limit(math.sqrt(1 - unknowable / total))

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
class SignProduct(Scenario):
    """The next return leans up after two returns of the same sign and down otherwise: nothing linear sees it.

    Attributes:
        lean: mean of the next return, up or down, within (0, 1).
    """

    lean: float = 0.15

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        returns = rng.standard_normal((2 + _BURN_IN + sessions, shares))
        noise = math.sqrt(1 - self.lean**2)
        for t in range(2, len(returns)):
            returns[t] = self.lean * np.sign(returns[t - 1]) * np.sign(returns[t - 2]) + noise * returns[t]
        return returns[-sessions:]

    def _limit(self, horizon: int) -> float | None:
        # The score has two values, equally often; each is right with this chance.
        return _NORMAL.cdf(self.lean / math.sqrt(1 - self.lean**2)) if horizon == 1 else None


@dataclass(frozen=True)
class Regime(Scenario):
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
        """What the Bayes classifier answers at horizon 1: a filter of the hidden state, run along each window.

        Args:
            returns: float array [windows, steps], oldest return first, in units of their volatility.

        Returns:
            Float64 array [windows], the chance that the next return is above 0.
        """
        variance = 1 - self.phi**2
        # Chance that a share is trending from this session to the next.
        trending = np.full(len(returns), 0.5)
        for i in range(returns.shape[1] - 1):
            # How much likelier the step to the next return is while trending than while reverting.
            ratio = np.exp(2 * self.phi * returns[:, i] * returns[:, i + 1] / variance)
            trending = trending * ratio / (trending * ratio + 1 - trending)
            trending = trending * self.stay + (1 - trending) * (1 - self.stay)
        follows = _normal_cdf(self.phi * returns[:, -1] / math.sqrt(variance))
        return trending * follows + (1 - trending) * (1 - follows)

    def _limit(self, horizon: int) -> float | None:
        return _regime_limit(self) if horizon == 1 else None


@dataclass(frozen=True)
class MarketFactor(Scenario):
    """All shares move together and nothing can be known: what an honest split must find, and a shuffled one does not.

    Attributes:
        correlation: of any two shares' returns on a day, within [0, 1].
    """

    correlation: float = 0.52

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        own = rng.standard_normal((sessions, shares))
        common = rng.standard_normal((sessions, 1))
        return math.sqrt(self.correlation) * common + math.sqrt(1 - self.correlation) * own

    def _limit(self, horizon: int) -> float:
        return _COIN


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
        return self.spread * np.array([_NORMAL.inv_cdf((s + 0.5) / shares) for s in range(shares)])

    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.drift(shares) + rng.standard_normal((sessions, shares))

    def _limit(self, horizon: int) -> float:
        known = horizon * self.spread**2
        return _gaussian_limit(math.sqrt(known / (known + 1)))


_COIN = 0.5


def _gaussian_limit(rho: float) -> float:
    """The limit where score and forward return are jointly Gaussian with the correlation ``rho``."""
    return 0.5 + 2 / math.pi * math.asin(rho / math.sqrt(2))


@functools.lru_cache(maxsize=8)
def _regime_limit(scenario: Regime) -> float:
    """The limit at horizon 1 by simulation; accurate to about 0.0005, always the same, and computed once a process."""
    returns = scenario.simulate(200_000, WINDOW_RETURNS, np.random.default_rng(20_000_103))
    up = scenario.probability_up(returns.T)
    # Each window counts as up with its probability and as down with the rest: far less noise than drawing its label.
    labels = np.repeat([1, 0], len(up))
    return auc(labels, np.concatenate([up, up]), weights=np.concatenate([up, 1 - up]))


def _normal_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal distribution function, elementwise."""
    return np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in values.tolist()])


_MOMENTUM_WEIGHT = 0.5 / WINDOW_RETURNS

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Autoregression("null", "pure noise: nothing can be known"),
            Autoregression("reversal", "the next return is -0.10 x the latest one, plus noise", (-0.10,)),
            Autoregression("reversal_easy", "the next return is -0.30 x the latest one, plus noise", (-0.30,)),
            Autoregression(
                "momentum",
                "the next return is 0.5 x the mean of the last 20, plus noise",
                (_MOMENTUM_WEIGHT,) * WINDOW_RETURNS,
            ),
            SignProduct("xor", "the next return leans up after two of the same sign, down otherwise"),
            Regime("regime", "each share trends or reverts, by a hidden state that changes every 50 sessions or so"),
            MarketFactor("market_factor", "shares move together and nothing can be known but by leaking the day"),
            ShareDrift("share_drift", "each share drifts at its own pace: only share_id tells"),
        )
    }
)
"""Every scenario by its name."""


def get_scenario(name: str) -> Scenario:
    """The scenario called ``name``.

    Args:
        name: a key of `SCENARIOS`.

    Returns:
        The scenario.

    Raises:
        ScenarioError: there is none of that name; the message lists those there are.
    """
    try:
        return SCENARIOS[name]
    except KeyError:
        known = ", ".join(SCENARIOS)
        raise ScenarioError(f"there is no market scenario {name!r}: choose one of {known}") from None
