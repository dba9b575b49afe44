"""What a scenario is: how a synthetic market moves, and the best that can be known of it.

Notation of all scenarios: r is a share's log return in units of its daily volatility, e is standard normal noise, h the
horizon in sessions, and "up" means that the next h returns sum to more than 0. A scenario's limit is what the Bayes
classifier reaches that sees a window of 20 returns (21 closes) and knows which share and which session it looks at; in
`residual_reversal` it also sees the other shares, in `momentum_year` 252 returns, and in `volume_reversal` volumes.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError
from components.evidence.auc import auc
from models.labels import UP
from models.labels.outperform import LABEL as OUTPERFORM

WINDOW_RETURNS = 20
"""Returns that a window of 21 closes shows."""

BURN_IN = 300
"""Sessions simulated and thrown away. What is left of the start after them is below 1e-7 in momentum, the slowest."""

COIN = 0.5
"""The limit where nothing can be known."""

NORMAL = NormalDist()


class ScenarioError(UserError):
    """A synthetic market that does not exist, or that cannot be made as asked for."""


@dataclass(frozen=True)
class Scenario(ABC):
    """A way for returns to come about.

    Attributes:
        name: what the user calls it.
        description: one line that says how the next return comes about.
        fatal_fall: a share whose log price has fallen so far below its first one is delisted after that session; None
            where no share ends.
        delisting_return: the simple return of the session after, of a share that was delisted.
    """

    name: str
    description: str
    fatal_fall: ClassVar[float | None] = None
    delisting_return: ClassVar[float] = 0.0

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
        check_size(shares, sessions)
        return self._draw(shares, sessions, rng)

    def traded(
        self, shares: int, sessions: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Draws returns and what is traded beside the usual volume, which tells nothing here.

        Args:
            shares: as in `simulate`.
            sessions: likewise.
            rng: likewise; the returns are those that `simulate` draws.

        Returns:
            Returns as `simulate` gives them, and normal deviations of the shares' log volumes, [sessions, shares] each.

        Raises:
            ScenarioError: as in `simulate`.
        """
        returns = self.simulate(shares, sessions, rng)
        return returns, rng.standard_normal(returns.shape)

    def best_auc(self, horizon: int, label: str = UP) -> float | None:
        """The AUC of the Bayes classifier, which no honest model can pass but by luck.

        Args:
            horizon: sessions ahead, at least 1.
            label: name of what is predicted. Of `outperform` it is the limit of very many shares, and lower by half a
                per cent of what is above 1/2 with 50 shares, by 1.4 per cent with 20. Of labels of other packages it
                is known only where returns are noise, of which no label can be known.

        Returns:
            The limit, or None where it is not known for this horizon.

        Raises:
            ScenarioError: the horizon is below 1.
        """
        _check_horizon(horizon)
        if label == UP:
            return self._limit(horizon)
        if label == OUTPERFORM.name:
            return self._limit_beside(horizon)
        return COIN if self._unknowable else None

    def best_rank_ic(self, horizon: int) -> float | None:
        """The rank IC of a day that the Bayes classifier has in the mean, whichever of the two labels it predicts.

        Spearman's correlation of its answers and the returns over the horizon, of very many shares.

        Args:
            horizon: sessions ahead, at least 1.

        Returns:
            The limit, or None where it is not known for this horizon.

        Raises:
            ScenarioError: the horizon is below 1.
        """
        _check_horizon(horizon)
        return self._rank_limit(horizon)

    def bayes_score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        """What the Bayes classifier of `best_auc` orders the next returns by. On given rows its AUC is another one.

        Args:
            returns: of a market that begins with the first of them, as `traded` gives them, [sessions, shares].
            activity: likewise.

        Returns:
            Float64 [sessions, shares], known at the close of the session; nan where it needs returns of before the
            first session.
        """
        score = np.full(returns.shape, np.nan)
        known = self._score(returns, activity)
        score[len(score) - len(known) :] = known
        return score

    @property
    def _unknowable(self) -> bool:
        """Whether no return depends on what was before it, of whatever share."""
        return False

    @abstractmethod
    def _draw(self, shares: int, sessions: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """`simulate` with checked arguments."""

    @abstractmethod
    def _limit(self, horizon: int) -> float | None:
        """`best_auc` at a checked horizon."""

    @abstractmethod
    def _score(self, returns: NDArray[np.float64], activity: NDArray[np.float64]) -> NDArray[np.float64]:
        """`bayes_score` of the sessions that have all it needs, which are the last ones: [those, shares]."""

    def _limit_beside(self, horizon: int) -> float | None:
        """`best_auc` of `outperform`: where shares are independent and rise as they fall, their median is 0."""
        return self._limit(horizon)

    def _rank_limit(self, horizon: int) -> float | None:
        """`best_rank_ic` at a checked horizon."""
        return 0.0 if self._limit_beside(horizon) == COIN else None


def _check_horizon(horizon: int) -> None:
    if horizon < 1:
        raise ScenarioError(f"horizon {horizon} looks at no future session: ask for at least 1")


def check_size(shares: int, sessions: int) -> None:
    """Checks that a market is none that is empty.

    Raises:
        ScenarioError: there are no shares or no sessions.
    """
    if shares < 1 or sessions < 1:
        raise ScenarioError(f"a market of {shares} shares and {sessions} sessions is empty: ask for at least 1 of each")


def gaussian_limit(rho: float) -> float:
    """The limit where score and forward return are jointly Gaussian with the correlation ``rho``.

    AUC* = 1/2 + (2/pi) asin(rho / sqrt 2)
    """
    return 0.5 + 2 / math.pi * math.asin(rho / math.sqrt(2))


def lean_limit(leans: Sequence[float], chances: Sequence[float]) -> float:
    """The limit at horizon 1 where the window tells which of a few means the next return has.

    Args:
        leans: the means in units of the noise about them, ascending.
        chances: how often each is the case; they sum to 1.
    """
    up = [chance * NORMAL.cdf(lean) for lean, chance in zip(leans, chances, strict=True)]
    down = [chance - one for chance, one in zip(chances, up, strict=True)]
    pairs = sum(one * (sum(down[:i]) + down[i] / 2) for i, one in enumerate(up))
    return pairs / (sum(up) * sum(down))


def gaussian_rank_limit(rho: float) -> float:
    """Spearman's correlation of score and forward return that are jointly Gaussian with the correlation ``rho``.

    Pearson (1907): (6/pi) asin(rho / 2)
    """
    return 6 / math.pi * math.asin(rho / 2)


def lean_rank_limit(leans: Sequence[float], chances: Sequence[float]) -> float:
    """Spearman's correlation at horizon 1 where the window tells which of a few means the next return has.

    Ties have the middle of their ranks. Arguments as in `lean_limit`.
    """
    chance = np.array(chances)
    ranks = np.cumsum(chance) - chance / 2 - 0.5  # of the mean, less the middle
    above = normal_cdf(np.subtract.outer(leans, leans).reshape(-1) / math.sqrt(2)).reshape(len(chance), -1)
    return float(chance @ (ranks * (above @ chance - 0.5)) / math.sqrt(chance @ ranks**2 / 12))


def limit_of_chances(up: NDArray[np.float64]) -> float:
    """The limit, given the Bayes classifier's probabilities [windows] of many windows.

    Each window counts as up with its probability and as down with the rest: far less noise than drawing its label.
    """
    labels = np.repeat([1, 0], len(up))
    return auc(labels, np.concatenate([up, up]), weights=np.concatenate([up, 1 - up]))


def normal_cdf(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The normal distribution function, elementwise."""
    return np.array([0.5 * math.erfc(-x / math.sqrt(2)) for x in values.tolist()])
