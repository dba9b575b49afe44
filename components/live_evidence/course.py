"""The evidence of a live record at each of its sessions."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.live_evidence.betting import log_capital
from components.live_evidence.parameters import Parameters
from components.live_evidence.sequence import mean_so_far


@dataclass(frozen=True, eq=False)
class Course:
    """The evidence by session, at the close at which the outcomes of that session's predictions are known.

    E-values are given as natural logarithms. `headline` is what a verdict goes by: the average of the other two, which
    is an e-process of the hypothesis that the predictions are worth nothing in either respect. The larger one of the
    two would be none.

    Attributes:
        rank_ic: e-process of the daily rank IC, [sessions].
        log_loss: e-process of the log loss against the base rate, [sessions].
        headline: their average by the weights of the parameters, [sessions].
        mean: mean daily rank IC so far, a day counting at most `Parameters.bound`, [sessions]; nan before the first.
        low: lower end of its confidence sequence, [sessions].
        high: upper end of it, [sessions].
        proved: position of the first session at which the headline reached its threshold; None where it never did. A
            proof stays one: the chance that there ever is one of nothing is what is bounded.
    """

    rank_ic: NDArray[np.float64]
    log_loss: NDArray[np.float64]
    headline: NDArray[np.float64]
    mean: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    proved: int | None


def evaluate(rank_ics: NDArray[Any], gains: NDArray[Any], parameters: Parameters) -> Course:
    """Judges a record whose outcomes are known.

    Args:
        rank_ics: array [sessions] (`daily_rank_ics`).
        gains: array [sessions] (`daily_gains`).
        parameters: as they were fixed before the first session.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    daily, gained = np.asarray(rank_ics, np.float64), np.asarray(gains, np.float64)
    if daily.ndim != 1 or daily.shape != gained.shape:
        raise ValueError("need a rank IC and a gain, or nan, for each session")
    bound, weight = parameters.bound, parameters.rank_ic_weight
    counted = np.clip(daily, -bound, bound)
    rank_ic = log_capital(counted / bound, parameters.rank_ic, parameters.horizon)
    log_loss = log_capital(gained, parameters.log_loss, parameters.horizon)
    headline = np.logaddexp(rank_ic + math.log(weight), log_loss + math.log1p(-weight))
    reached = np.flatnonzero(headline >= parameters.log_threshold)
    return Course(
        rank_ic,
        log_loss,
        headline,
        *mean_so_far(counted, parameters.horizon, parameters.alpha, bound),
        proved=int(reached[0]) if len(reached) else None,
    )
