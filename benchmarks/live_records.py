"""Live records that never were: markets with and without signal, and what a model says of them every day.

All that is random comes from a seed. Rows of a session are shares in a fixed order; a record's model has been trained
and tested on the sessions before its first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from components.live_evidence import Claim, Course, Parameters, daily_gains, evaluate
from components.synthetic_market.scenarios import get_scenario

WINDOW = 20
TESTED = 250
"""Sessions of the backtest."""
_TRAINED = 500


@dataclass(frozen=True, eq=False)
class Days:
    """What a model said and what came of it.

    Attributes:
        scores: float64 array [sessions, shares], larger where a rise is thought likelier.
        probabilities: of a rise, float64 array [sessions, shares].
        returns: over the horizon that followed, float64 array [sessions, shares].
    """

    scores: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    returns: NDArray[np.float64]

    def part(self, begin: int = 0, end: int | None = None) -> Days:
        """Some of the sessions."""
        return Days(self.scores[begin:end], self.probabilities[begin:end], self.returns[begin:end])


@dataclass(frozen=True, eq=False)
class Record:
    """A live record, judged.

    Attributes:
        claim: of its backtest.
        parameters: fixed before its first session.
        rank_ics: float64 array [sessions].
        course: the evidence.
    """

    claim: Claim
    parameters: Parameters
    rank_ics: NDArray[np.float64]
    course: Course


def judged(days: Days, horizon: int, bound: float | None = None) -> Record:
    """Reads the claim off the first `TESTED` sessions and judges those after them.

    A claim below 0 is turned round: nobody goes live with one.

    Args:
        days: backtest and live record.
        horizon: of their returns.
        bound: of a day's rank IC; that of the claim if None.
    """
    daily = rank_ics(days)
    live, lived = days.part(TESTED + horizon), daily[TESTED + horizon :]
    found = Claim.of_days(daily[:TESTED], horizon)
    claim = replace(found, mean=abs(found.mean))
    parameters = Parameters(horizon=horizon).for_claim(claim)
    if bound is not None:
        parameters = replace(parameters, bound=bound)
    count, shares = live.scores.shape
    gains = daily_gains(
        (live.returns > 0).astype(float).ravel(),
        live.probabilities.ravel(),
        np.repeat(np.arange(count), shares),
        count,
        parameters,
    )
    return Record(claim, parameters, lived, evaluate(lived, gains, parameters))


def rank_ics(days: Days) -> NDArray[np.float64]:
    """`daily_rank_ic` of rows without ties, all sessions at once, [sessions]."""
    score, forward = (np.argsort(np.argsort(values, axis=1), axis=1) for values in (days.scores, days.returns))
    shares = score.shape[1]
    apart = ((score - forward) ** 2).sum(axis=1)
    correlations: NDArray[np.float64] = 1 - 6 * apart / (shares * (shares**2 - 1))
    return correlations


def without_signal(market: str, shares: int, sessions: int, horizons: tuple[int, ...], seed: int) -> dict[int, Days]:
    """A market on which nothing can be known, and a model that prefers shares, in part always the same ones.

    Args:
        market: "plain", normal returns; "fat tails", Student's t with 3 degrees under a volatility that wanders;
            "market factor", the same with a factor that shares follow by 0.2 to 1.8, which are what the model prefers.
        shares: of the market.
        sessions: of the live record.
        horizons: of the labels.
        seed: of the market.
    """
    rng = np.random.default_rng(seed)
    count = sessions + TESTED + 2 * max(horizons)
    shape = (WINDOW + count + max(horizons), shares)
    loadings = np.linspace(0.2, 1.8, shares)
    liked = rng.permutation(loadings)
    returns = rng.standard_normal(shape)
    if market != "plain":
        # Student's t is a normal number over the root of a mean of three squares.
        returns /= np.sqrt(rng.chisquare(3, shape) / 3)
    if market == "market factor":
        returns += loadings * rng.standard_t(3, (shape[0], 1))
        liked = loadings
    if market != "plain":
        news = 0.15 * rng.standard_normal(shape[0])
        log_volatility = np.convolve(news, 0.97 ** np.arange(200))[: shape[0]]
        returns *= np.exp(log_volatility)[:, None]
    level = np.vstack([np.zeros(shares), np.cumsum(returns, axis=0)])
    seen = level[WINDOW : WINDOW + count] - level[:count]
    spread = seen.std(axis=1, keepdims=True)
    scores = seen / spread + 2 * (liked - 1)
    probabilities = 0.5 + 0.03 * np.tanh(scores)
    return {
        horizon: Days(
            scores, probabilities, level[WINDOW + horizon : WINDOW + horizon + count] - level[WINDOW : WINDOW + count]
        ).part(end=sessions + TESTED + horizon)
        for horizon in horizons
    }


def reversal(shares: int, sessions: int, seed: int) -> Days:
    """The market `reversal`, and a model fitted by least squares on the latest 20 returns of the sessions before."""
    count = _TRAINED + 1 + TESTED + 1 + sessions
    returns = get_scenario("reversal").simulate(shares, WINDOW + count, np.random.default_rng(seed))
    windows = np.lib.stride_tricks.sliding_window_view(returns, WINDOW, axis=0)[:count]
    forward = returns[WINDOW : WINDOW + count]
    known, target = windows[:_TRAINED].reshape(-1, WINDOW), forward[:_TRAINED].reshape(-1)
    weights = np.linalg.solve(known.T @ known, known.T @ target)
    error = float(np.std(target - known @ weights))
    scores = windows[_TRAINED + 1 :] @ weights
    # The normal distribution function, to the first order where scores are small beside their error.
    probabilities = 0.5 + np.clip(scores / (error * math.sqrt(2 * math.pi)), -0.4, 0.4)
    return Days(scores, probabilities, forward[_TRAINED + 1 :])


def numbers_with_means(sessions: int, horizon: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Daily numbers as of overlapping labels, and their means, which change with what is known, each [sessions]."""
    rng = np.random.default_rng(seed)
    news = rng.uniform(-0.6, 0.6, sessions + horizon)
    known = np.concatenate([[0.0], np.cumsum(news)])
    shared = (known[horizon : sessions + horizon] - known[:sessions]) / horizon
    means = 0.03 * np.sign(known[:sessions]) + 0.01
    return means + shared, means
