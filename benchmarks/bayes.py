"""What could be known of given rows of a synthetic market: beside the best possible AUC, which is an expectation.

On the rows of one test split the Bayes classifier itself is above or below its expectation, and where a signal lasts,
as the momentum of a year, by much: such a split holds few independent values of it. What a learner has of what Bayes
has on the same rows says how much of it the learner has found; what it has of the expectation says that and the luck
of the split.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import auc
from components.synthetic_market import get_scenario


def bayes_auc(
    scenario: str,
    shares: int,
    sessions: int,
    seed: int,
    rows: tuple[NDArray[np.integer], NDArray[np.integer]],
    label: NDArray[Any],
) -> float:
    """The AUC of the Bayes classifier at horizon 1.

    Args:
        scenario: name of the market.
        shares: of the market.
        sessions: of the market.
        seed: that made it.
        rows: the places of the session and of the share of each row in the market.
        label: 1 where the next return is above 0, [rows].
    """
    one = get_scenario(scenario)
    returns, activity = one.traded(shares, sessions, np.random.default_rng(seed))
    return auc(label, one.bayes_score(returns, activity)[rows])
