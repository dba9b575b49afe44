"""What is fixed before the first day of a live record and never changes after it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from components.live_evidence.claim import Claim

_SIZES = tuple(0.9 / 2**i for i in range(7))
_MOST = _SIZES[0]
_DEVIATIONS = 4
_CLAIMED_SHARE = 0.5


@dataclass(frozen=True)
class Stakes:
    """Bets that run side by side, each with the same part of its capital every time.

    No bet has to be the right one: together they earn nearly what the best of them does (Cover, 1991, *Universal
    portfolios*), and none is chosen by what was seen.

    Attributes:
        sizes: part of the capital that a bet can lose on one day, each within (0, 1).
        weights: part of the first capital that each begins with; they sum to 1.
    """

    sizes: tuple[float, ...] = _SIZES
    weights: tuple[float, ...] = (1 / len(_SIZES),) * len(_SIZES)

    def __post_init__(self) -> None:
        """Refuses stakes for which nothing is proved.

        Raises:
            ValueError: a size or a weight is out of its range.
        """
        if not self.sizes or len(self.sizes) != len(self.weights):
            raise ValueError("need a weight for each size of a stake")
        if not all(0 < size < 1 for size in self.sizes) or not all(weight > 0 for weight in self.weights):
            raise ValueError("stakes must be within (0, 1) and their weights above 0")
        if not math.isclose(math.fsum(self.weights), 1):
            raise ValueError(f"the weights of stakes must sum to 1, not {math.fsum(self.weights):g}")

    def beside(self, size: float, share: float) -> Stakes:
        """These, with one more that gets a share of the capital."""
        return Stakes((*self.sizes, size), (*(weight * (1 - share) for weight in self.weights), share))


@dataclass(frozen=True)
class Parameters:
    """How a live record is judged; written into the ledger before its first day.

    Attributes:
        version: of the method.
        alpha: chance that anything is ever taken for proved where there is nothing; proof is an e-value of 1 / alpha.
        horizon: sessions ahead that the predictions look.
        bound: a day's rank IC counts at most so much, in either direction; within (0, 1], and 1 cuts nothing.
        rank_ic: stakes on the daily rank IC.
        log_loss: stakes on the log loss against the base rate.
        rank_ic_weight: part of the capital that the rank IC begins with in the headline; the log loss has the rest.
        least_probability: probabilities are clipped to it and to 1 less it.
        base_rate: share of rises that was known before the first day, such as that of the train split.
        base_rate_days: how many days of the record it counts for beside them.
        label: what is predicted; the share of rises is that of its answers.
    """

    version: int = 1
    alpha: float = 0.05
    horizon: int = 1
    bound: float = 1.0
    rank_ic: Stakes = Stakes()
    log_loss: Stakes = Stakes()
    rank_ic_weight: float = 0.5
    least_probability: float = 0.01
    base_rate: float = 0.5
    base_rate_days: float = 250.0
    label: str = "up"

    def __post_init__(self) -> None:
        """Refuses what nothing is proved for.

        Raises:
            ValueError: a value is out of its range.
        """
        if not 0 < self.alpha < 1 or self.horizon < 1 or not 0 < self.bound <= 1:
            raise ValueError("need alpha within (0, 1), horizon >= 1 and bound within (0, 1]")
        if not 0 < self.rank_ic_weight < 1 or not 0 < self.least_probability < 0.5:
            raise ValueError("need rank_ic_weight within (0, 1) and least_probability within (0, 0.5)")
        if not 0 < self.base_rate < 1 or not self.base_rate_days > 0:
            raise ValueError("need base_rate within (0, 1) and base_rate_days above 0")

    @property
    def log_threshold(self) -> float:
        """Logarithm of the e-value that is a proof."""
        return -math.log(self.alpha)

    def for_claim(self, claim: Claim) -> Parameters:
        """These, with the bound and the stakes on the rank IC that suit what a backtest claims.

        A day counts at most four of the backtest's standard deviations, or what its wildest day counted where that is
        more, so that stakes can be as large as they have to be; half of the capital bets what would grow fastest if the
        claim were true (Kelly, 1956), the rest stays where it was, as claims are often too high.
        """
        bound = min(1.0, max(_DEVIATIONS * claim.deviation, claim.most))
        spread = claim.deviation**2 + claim.mean**2
        if not (bound > 0 and claim.mean > 0):
            return replace(self, bound=bound if bound > 0 else 1.0)
        size = min(_MOST, claim.mean * bound / spread)
        return replace(self, bound=bound, rank_ic=self.rank_ic.beside(size, _CLAIMED_SHARE))
