"""How long a live record takes to prove what a backtest claims."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.live_evidence.betting import log_capital
from components.live_evidence.claim import Claim
from components.live_evidence.parameters import Parameters

_YEAR = 252
_MONTH = 21
_YEARS = 20
LONGEST = _YEARS * _YEAR
"""Sessions after which nobody waits any longer."""


@dataclass(frozen=True)
class DaysToProof:
    """Sessions until the headline reaches its threshold, if what is claimed is true.

    Attributes:
        median: half of the records have taken less; None where that is longer than `LONGEST`.
        early: a tenth has taken less; None as above.
        late: nine tenths have taken less; None as above.
        claimed: the rank IC that is claimed.
    """

    median: int | None
    early: int | None
    late: int | None
    claimed: float

    def __str__(self) -> str:
        """In words.

        >>> str(DaysToProof(527, 200, 1100, 0.01))
        'about 530 sessions (2.1 years)'
        >>> str(DaysToProof(None, None, None, 0.01))
        'longer than 20 years: these shares cannot prove it'
        """
        if not self.claimed > 0:
            return "never: the backtest claims no rank IC above 0"
        if self.median is None:
            return f"longer than {_YEARS} years: these shares cannot prove it"
        digits = max(0, len(str(self.median)) - 2)
        sessions = f"about {round(self.median, -digits):,} sessions"
        if self.median >= _YEAR:
            return f"{sessions} ({self.median / _YEAR:.1f} years)"
        return f"{sessions} ({self.median / _MONTH:.1f} months)" if self.median >= 2 * _MONTH else sessions


def days_to_proof(
    claim: Claim,
    parameters: Parameters,
    past: NDArray[Any] | None = None,
    log_loss: float = -math.inf,
    records: int = 100,
    seed: int = 0,
) -> DaysToProof:
    """How many more sessions the rank IC takes to prove what is claimed, by simulation.

    Daily rank ICs are drawn from a normal distribution, where labels overlap as sums of days that they share. What the
    log loss may add later is left out, so a model that is well calibrated takes less.

    Args:
        claim: of the backtest.
        parameters: of the record.
        past: array [sessions], the daily rank ICs of the record so far; none before the first session.
        log_loss: logarithm of the e-value that the log loss has reached.
        records: how many are drawn.
        seed: of the drawing; the same seed gives the same answer.
    """
    if not claim.mean > 0:
        return DaysToProof(None, None, None, claim.mean)
    weight = parameters.rank_ic_weight
    missing = 1 / parameters.alpha - (1 - weight) * math.exp(min(log_loss, parameters.log_threshold))
    lived = np.zeros(0) if past is None else np.asarray(past, np.float64)
    rng = np.random.default_rng(seed)
    shared = max(1, round(claim.overlap))
    # Longer records only where the shorter ones do not tell: most claims are proved or not within a few years.
    for length in (LONGEST // 10, LONGEST):
        news = np.cumsum(rng.standard_normal((records, length + shared)), axis=1)
        noise = (news[:, shared:] - news[:, :-shared]) / math.sqrt(shared)
        drawn = np.clip(claim.mean + claim.deviation * noise, -parameters.bound, parameters.bound)
        known = np.broadcast_to(np.clip(lived, -parameters.bound, parameters.bound), (records, len(lived)))
        whole = np.concatenate([known, drawn], axis=1) / parameters.bound
        capital = log_capital(whole, parameters.rank_ic, parameters.horizon)[:, len(lived) :]
        reached = capital >= math.log(missing / weight)
        first = np.where(reached.any(axis=1), reached.argmax(axis=1) + parameters.horizon, LONGEST + 1)
        early, median, late = np.quantile(first, (0.1, 0.5, 0.9), method="higher")
        if late <= length:
            break
    return DaysToProof(_within(median), _within(early), _within(late), claim.mean)


def _within(sessions: float) -> int | None:
    return int(sessions) if sessions <= LONGEST else None
