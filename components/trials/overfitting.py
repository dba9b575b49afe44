"""What the best of many tries is worth: the deflated Sharpe ratio, the probability of overfitting, and Hansen's test.

All three look at what a portfolio of each try earned on the same days. They answer different questions: whether the
best Sharpe ratio is higher than the best of as many coins would be; whether what was best on one half of the days was
better than most on the other; and whether the best mean return can be chance when all tries are looked at together.

Sources: Bailey and Lopez de Prado, The Deflated Sharpe Ratio (Journal of Portfolio Management 40, 2014); Bailey,
Borwein, Lopez de Prado and Zhu, The Probability of Backtest Overfitting (Journal of Computational Finance 20, 2017);
Hansen, A Test for Superior Predictive Ability (Journal of Business and Economic Statistics 23, 2005).
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Collection, Sequence
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from components.trials.found import Overfitting
from components.trials.record import Trial, TriedModel

BLOCKS = 16
"""Parts that the days are cut into for the probability of overfitting: 12,870 ways to take one half of them."""

LEAST_DAYS = 4 * BLOCKS
"""Days below which nothing is computed: a Sharpe ratio of a few days says nothing."""

_COMBINATIONS_AT_ONCE = 1024
_RESAMPLES, _SEED = 1000, 0
_LEAST_COMMON = 0.5
"""Share of the days that a try must have: tries that only touch the stretch would leave too few in common."""

_NAN = math.nan


def sharpe_ratios(returns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean over standard deviation (n - 1) of each column of returns [days, tries]: [tries]; nan where none varies."""
    spread = np.std(returns, axis=0, ddof=1)
    varies = (np.max(returns, axis=0) > np.min(returns, axis=0)) & (spread > 0)
    return np.where(varies, np.mean(returns, axis=0) / np.where(varies, spread, 1), _NAN)


def expected_best(tries: int, spread: float) -> float:
    """The Sharpe ratio that the best of some tries without skill is expected to have.

    Args:
        tries: how many.
        spread: standard deviation of their Sharpe ratios.

    >>> round(expected_best(100, 1.0), 3), expected_best(1, 1.0)
    (2.531, 0.0)
    """
    from scipy.special import ndtri

    if tries < 2 or not spread > 0:
        return 0.0
    weight = np.euler_gamma
    return float(spread * ((1 - weight) * ndtri(1 - 1 / tries) + weight * ndtri(1 - 1 / (tries * math.e))))


def deflated_sharpe(returns: NDArray[np.float64], sharpes: NDArray[np.float64]) -> float:
    """The probability that a Sharpe ratio is truly above 0, after the best of many was taken.

    Args:
        returns: of the best try, [days].
        sharpes: of all tries, of a day as `sharpe_ratios` gives them, [tries].

    Returns:
        Within [0, 1]; nan where returns or Sharpe ratios do not vary or are not known.
    """
    from scipy.special import ndtr

    days = len(returns)
    if days < 4 or not np.all(np.isfinite(sharpes)):
        return _NAN
    [own] = sharpe_ratios(returns[:, None])
    if math.isnan(own):
        return _NAN
    spread = float(np.std(sharpes, ddof=1)) if len(sharpes) > 1 else 0.0
    third, fourth = _shape(returns)
    variance = 1 - third * own + (fourth - 1) / 4 * own**2
    if not variance > 0:
        return _NAN
    return float(ndtr((own - expected_best(len(sharpes), spread)) * math.sqrt((days - 1) / variance)))


def _shape(returns: NDArray[np.float64]) -> tuple[float, float]:
    """Skewness and kurtosis (3 for a normal distribution), unbiased (Joanes and Gill 1998)."""
    n, centred = len(returns), returns - returns.mean()
    second, third, fourth = (float(np.mean(centred**power)) for power in (2, 3, 4))
    skewness = third / second**1.5 * math.sqrt(n * (n - 1)) / (n - 2)
    excess = (n - 1) / ((n - 2) * (n - 3)) * ((n + 1) * (fourth / second**2 - 3) + 6)
    return skewness, excess + 3


def overfitting_probability(returns: NDArray[np.float64], blocks: int = BLOCKS) -> float:
    """The probability of backtest overfitting, by combinatorially symmetric cross-validation.

    Args:
        returns: [days, tries], two tries at least; days beyond a multiple of ``blocks`` are left out, the last ones.
        blocks: an even number of parts.

    Returns:
        In how many of all ways to take half of the parts the try with the best Sharpe ratio there has, on the other
        half, a rank not above the middle; nan where a Sharpe ratio is not known.

    Raises:
        ValueError: ``blocks`` is odd or below 2, or there are too few days or tries.
    """
    days, tries = returns.shape
    if blocks < 2 or blocks % 2:
        raise ValueError(f"need an even number of blocks, not {blocks}")
    length = days // blocks
    if length * blocks < 2 * blocks or tries < 2:
        raise ValueError(f"{days} days of {tries} tries are too few for {blocks} blocks")
    kept = returns[: length * blocks]
    parts = (kept - kept.mean(axis=0)).reshape(blocks, length, tries)
    centre, sums, squares = kept.mean(axis=0), parts.sum(axis=1), (parts**2).sum(axis=1)
    chosen = np.array(list(itertools.combinations(range(blocks), blocks // 2)))
    masks = np.zeros((len(chosen), blocks))
    np.put_along_axis(masks, chosen, 1.0, axis=1)
    count = length * blocks // 2

    def sharpe(mask: NDArray[np.float64]) -> NDArray[np.float64]:
        mean = mask @ sums / count
        variance = (mask @ squares - count * mean**2) / (count - 1)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(variance > 0, (centre + mean) / np.sqrt(np.maximum(variance, 0)), _NAN)

    overfitted = 0
    for first in range(0, len(masks), _COMBINATIONS_AT_ONCE):
        mask = masks[first : first + _COMBINATIONS_AT_ONCE]
        inside, outside = sharpe(mask), sharpe(1 - mask)
        if not (np.all(np.isfinite(inside)) and np.all(np.isfinite(outside))):
            return _NAN
        theirs = np.take_along_axis(outside, np.argmax(inside, axis=1)[:, None], axis=1)
        rank = np.sum(outside < theirs, axis=1) + (np.sum(outside == theirs, axis=1) + 1) / 2
        overfitted += int(np.count_nonzero(rank <= (tries + 1) / 2))
    return overfitted / len(masks)


def superior_ability(returns: NDArray[np.float64], block: int, seed: int) -> float:
    """Hansen's test of superior predictive ability against earning nothing, from resampled blocks of days.

    Args:
        returns: [days, tries].
        block: mean length of a block, in days.
        seed: of the resampling.

    Returns:
        The p-value, consistent of Hansen's three; nan where the returns of a try do not vary.
    """
    # Its samples are drawn by compiled code; numba, which it would load for want of that, takes half a second.
    with patch.dict(os.environ, ARCH_DISABLE_NUMBA="1"):
        from arch.bootstrap import SPA

    if not np.all(np.isfinite(sharpe_ratios(returns))):
        return _NAN
    test = SPA(np.zeros(len(returns)), -returns, block_size=block, reps=_RESAMPLES, seed=seed)
    test.compute()
    return float(test.pvalues["consistent"])


def overfitting_of(trials: Sequence[Trial], days: Collection[int]) -> Overfitting | None:
    """All three figures of the best model of all tries on a test stretch.

    Models that answered the same are one; those whose returns are not known, or are of fewer than half of the days,
    are left out. The others are compared on the days that all of them have.

    Args:
        trials: any; those on other days do not count.
        days: of the stretch, YYYYMMDD.

    Returns:
        As `overfitting`.
    """
    stretch = set(days)
    different: dict[tuple[str, str], tuple[Trial, TriedModel]] = {}
    for trial in trials:
        if len(stretch.intersection(trial.days)) >= _LEAST_COMMON * len(stretch):
            for model in trial.models:
                if len(model.returns.values) == len(trial.days):
                    different.setdefault((trial.rows, model.answers), (trial, model))
    if not different:
        return None
    common = np.array(sorted(stretch.intersection(*(trial.days for trial, _ in different.values()))))
    columns = [model.returns.values[np.isin(trial.days, common)] for trial, model in different.values()]
    names = [f"{model.name} of {trial.time}" for trial, model in different.values()]
    block = max(round(len(common) ** (1 / 3)), *(trial.horizon for trial, _ in different.values()))
    return overfitting(names, np.stack(columns, axis=1), block, _SEED)


def overfitting(names: Sequence[str], returns: NDArray[np.float64], block: int, seed: int) -> Overfitting | None:
    """All three figures of the best of some tries.

    Args:
        names: of the tries.
        returns: [days, tries], of a portfolio of each on the same days.
        block: days that belong together, for `superior_ability`.
        seed: of its resampling.

    Returns:
        The figures; None where there are fewer than two tries whose returns vary, or fewer than `LEAST_DAYS` days.
    """
    if len(returns) < LEAST_DAYS or returns.shape[1] < 2:
        return None
    sharpes = sharpe_ratios(returns)
    known = np.flatnonzero(np.isfinite(sharpes))
    if len(known) < 2:
        return None
    returns, sharpes = returns[:, known], sharpes[known]
    best = int(np.argmax(sharpes))
    return Overfitting(
        tries=len(known),
        days=len(returns),
        best=names[known[best]],
        sharpe=float(sharpes[best]),
        deflated=deflated_sharpe(returns[:, best], sharpes),
        probability=overfitting_probability(returns),
        spa=superior_ability(returns, block, seed),
    )
