"""The e-process: capital that grows only where a daily number is above 0 on the average.

Against the hypothesis that the mean of each day's number, given all that was known when its predictions were made, is
not above 0, nobody can expect to gain by betting on it: capital is 1 at first, is expected to be no more at any time
one may choose to look, and reaches 1 / alpha with a chance of at most alpha (Ville, 1939; Waudby-Smith and Ramdas,
2024, *Estimating means of bounded random variables by betting*, JRSS B 86).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.live_evidence.parameters import Stakes

_MOST = 600.0
"""Logarithms of capital within -600 and 600 are told apart, which can be added up in a float64."""


def log_capital(outcomes: NDArray[Any], stakes: Stakes, horizon: int) -> NDArray[np.float64]:
    """The e-process of daily numbers within [-1, 1].

    With a horizon of h sessions, a bet is open for h sessions, in which new ones are made. So h accounts take turns,
    each of which has settled its bet before it makes the next; what is reported is their average, in which an open bet
    that something may be known of already is counted as lost. Without that, stopping while bets look bad would cancel
    them, and the average would be no e-process (Henzi and Ziegel, 2022, *Correction to: Valid sequential inference on
    probability forecast performance*, Biometrika 109; docs/ledger.md has the proof).

    Args:
        outcomes: float array [..., sessions], by the session after which the predictions were made; nan where there
            was no bet.
        stakes: the bets.
        horizon: sessions after which an outcome is known.

    Returns:
        Logarithm of the capital, [..., sessions], at the close at which that session's outcome is known.

    Raises:
        ValueError: an outcome is not within [-1, 1].

    >>> np.exp(log_capital(np.array([0.5, -0.5]), Stakes((0.5,), (1.0,)), horizon=1)).round(4)
    array([1.25  , 0.9375])
    """
    won = np.nan_to_num(np.asarray(outcomes, np.float64))
    if np.any(np.abs(won) > 1):
        raise ValueError("outcomes of bets must be within [-1, 1]")
    capital = np.full(won.shape, -np.inf)
    for size, weight in zip(stakes.sizes, stakes.weights, strict=True):
        gained = np.log1p(size * won)
        alone = np.cumsum(gained, axis=-1) if horizon == 1 else _taking_turns(gained, size, horizon)
        np.logaddexp(capital, alone + math.log(weight), out=capital)
    return capital


def _taking_turns(gained: NDArray[np.float64], size: float, horizon: int) -> NDArray[np.float64]:
    """Logarithm of the average of the accounts' capital, where all but the latest to settle have an open bet."""
    *shape, sessions = gained.shape
    rounds = -(-sessions // horizon)
    padded = np.zeros((*shape, rounds * horizon))
    padded[..., :sessions] = gained
    settled = np.cumsum(padded.reshape(*shape, rounds, horizon), axis=-2)  # [..., rounds, accounts]
    latest = np.exp(np.clip(settled, -_MOST, _MOST))
    before = np.concatenate([np.ones((*shape, 1, horizon)), latest[..., :-1, :]], axis=-2)
    # In this round the accounts up to the latest have settled, those after it are where they were in the last round.
    earlier = np.cumsum(latest, axis=-1) - latest
    later = np.cumsum(before[..., ::-1], axis=-1)[..., ::-1] - before
    average = (latest + (1 - size) * (earlier + later)) / horizon
    alone: NDArray[np.float64] = np.log(average).reshape(*shape, -1)[..., :sessions]
    return alone
