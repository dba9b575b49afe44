"""The numbers of each session that bets are on.

Rows come with the position of the session after which they were predicted, int [rows], counted from the record's first
session; numbers go by session, [sessions], nan where a session has none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.correlation import daily_rank_ic
from components.evidence.rows import as_numbers
from components.live_evidence.parameters import Parameters

_ROUNDING = 1e-9
"""Log loss of a row that is no difference from the base rate."""


def daily_rank_ics(
    scores: NDArray[Any], forward_returns: NDArray[Any], sessions: NDArray[Any], count: int
) -> NDArray[np.float64]:
    """Rank IC of each session (`components.evidence.correlation.daily_rank_ic`).

    Args:
        scores: array [rows], such as probabilities.
        forward_returns: array [rows], the return over the horizon that followed; rows without one are left out before.
        sessions: int array [rows].
        count: sessions of the record whose outcomes are due.

    Raises:
        ValueError: lengths differ, or a value is out of its range.

    >>> daily_rank_ics(np.array([0.1, 0.4, 0.9]), np.array([-0.02, 0.03, 0.01]), np.array([1, 1, 1]), 3)
    array([nan, 0.5, nan])
    """
    found, values = daily_rank_ic(scores, forward_returns, _positions(sessions, len(scores), count))
    by_session = np.full(count, np.nan)
    by_session[found] = values
    return by_session


def daily_gains(
    labels: NDArray[Any], probabilities: NDArray[Any], sessions: NDArray[Any], count: int, parameters: Parameters
) -> NDArray[np.float64]:
    """How much less the log loss was than that of the base rate, as a part of the most it could have been.

    What a row can gain or lose at most is known when it is predicted, so dividing a session's sum by that of all its
    rows keeps the sign of its mean, and bets can be as large as the predictions are bold (the Winkler score of Choe and
    Ramdas, 2023, normalises alike). The base rate is the share of rises of the sessions whose outcomes were known when
    the prediction was made, each counting as one, beside the one known before the first session: a forecast that only
    knows that more shares rise than fall wins nothing from it.

    Args:
        labels: array [rows] of 1 and 0; nan where there is none, as for an unchanged close: nothing won, nothing lost.
        probabilities: array [rows] within [0, 1].
        sessions: int array [rows].
        count: sessions of the record whose outcomes are due.
        parameters: of the record.

    Returns:
        Within [-1, 1], [count]; nan where all probabilities are the base rate.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    up = np.asarray(labels, np.float64)
    stated = as_numbers(probabilities, "probabilities")
    session = _positions(sessions, len(stated), count)
    if up.shape != stated.shape or np.any((stated < 0) | (stated > 1)):
        raise ValueError("need a label and a probability within [0, 1] for each row")
    known = ~np.isnan(up)
    if np.any((up != 0) & (up != 1) & known):
        raise ValueError("labels must be 0, 1 or nan")
    least = parameters.least_probability
    chance = np.clip(stated, least, 1 - least)
    base = np.clip(_base_rates(up[known], session[known], count, parameters), least, 1 - least)
    rises, falls = np.log(chance) - np.log(base)[session], np.log1p(-chance) - np.log1p(-base)[session]
    won = np.where(known, np.where(up == 1, rises, falls), 0.0)
    most = np.bincount(session, np.maximum(np.abs(rises), np.abs(falls)), count)
    gained = np.bincount(session, won, count)
    bet = most > _ROUNDING * np.bincount(session, minlength=count)
    return np.where(bet, np.clip(gained / np.where(bet, most, 1.0), -1, 1), np.nan)


def _base_rates(
    up: NDArray[np.float64], session: NDArray[np.int64], count: int, parameters: Parameters
) -> NDArray[np.float64]:
    """The share of rises known when the predictions of each session were made, [count]."""
    rows = np.bincount(session, minlength=count)
    share = np.bincount(session, up, count) / np.maximum(rows, 1)
    first = min(parameters.horizon, count)
    days = np.concatenate([np.zeros(first), np.cumsum(rows > 0)])[:count]
    shares = np.concatenate([np.zeros(first), np.cumsum(share)])[:count]
    before = parameters.base_rate_days
    rates: NDArray[np.float64] = (before * parameters.base_rate + shares) / (before + days)
    return rates


def _positions(sessions: NDArray[Any], rows: int, count: int) -> NDArray[np.int64]:
    """The positions as int [rows]; ``ValueError`` where one is none of the record's."""
    found = np.asarray(sessions)
    if found.shape != (rows,) or (rows and not (np.issubdtype(found.dtype, np.integer) and found.min() >= 0)):
        raise ValueError("sessions must be a whole number from 0 on for each row")
    if rows and found.max() >= count:
        raise ValueError(f"session {found.max()} is none of the {count} whose outcomes are due")
    return found.astype(np.int64)
