"""What a model gains that knows the day: the leak of a shuffled split, by the correlation of shares within a day.

With one market factor M, a share's return is sqrt(rho) M + sqrt(1 - rho) e. Under a shuffled split most of a test row's
day stands in the train split, so a model that can tell the day knows M, and ranks rows by it. No skill is in that: of a
day that is yet to come, nothing is known.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import auc

_NODES = 80
"""Of the Gauss-Hermite quadrature over the market factor."""


def mean_correlation(returns: NDArray[Any], days: NDArray[Any], shares: NDArray[Any], least_days: int = 60) -> float:
    """Mean over all pairs of shares of the correlation, over the days they have in common, of their returns.

    A pair counts by its common days, as it does among the rows: a share that was listed for a few months must not
    weigh as much as one of many years.

    Args:
        returns: array [rows], over any horizon.
        days: array [rows] of anything that sorts.
        shares: array [rows] of anything that sorts; a share has one row a day.
        least_days: pairs with fewer common days are left out.

    Returns:
        Within [-1, 1]; nan where no pair has enough days.

    Raises:
        ValueError: lengths differ.
    """
    if not len(returns) == len(days) == len(shares):
        raise ValueError(f"{len(returns)} returns, {len(days)} days and {len(shares)} shares")
    import pandas as pd

    table = pd.DataFrame({"day": days, "share": shares, "return": returns}).pivot(
        index="day", columns="share", values="return"
    )
    present = table.notna().to_numpy(np.float64)
    pairs = np.tril_indices(present.shape[1], -1)
    correlation, common = table.corr(min_periods=least_days).to_numpy()[pairs], (present.T @ present)[pairs]
    counts = ~np.isnan(correlation)
    return float(np.average(correlation[counts], weights=common[counts])) if np.any(counts) else math.nan


def day_leak_auc(correlation: float) -> float:
    """AUC of a model that knows the market factor of each row's day, at any horizon.

    Args:
        correlation: of any two shares' returns of a day, over the horizon; one below 0 counts as 0.

    Returns:
        ``1/2 + (2/pi) asin(sqrt(correlation / 2))``; nan for nan.

    >>> day_leak_auc(0.0), day_leak_auc(1.0)
    (0.5, 1.0)
    """
    return 0.5 + 2 / math.pi * math.asin(math.sqrt(max(correlation, 0.0) / 2))


def day_leak_auc_of_rows(correlation: float, known: NDArray[Any]) -> float:
    """AUC of a model that knows, of each row's day, the directions of some other rows, and makes the best of them.

    The more rows of a day were trained on, the closer it comes to `day_leak_auc`.

    Args:
        correlation: as in `day_leak_auc`, below 1.
        known: int array [rows], for each scored row how many rows of its day were trained on.

    Returns:
        The AUC if up and down are equally likely; nan for nan or without rows.
    """
    counts, frequency = np.unique(np.asarray(known, dtype=np.int64), return_counts=True)
    if math.isnan(correlation) or len(counts) == 0:
        return float("nan")
    factor, weight = np.polynomial.hermite_e.hermegauss(_NODES)
    weight = weight / weight.sum()
    rho = max(correlation, 0.0)
    # The chance that a share rises on a day with this market factor.
    rises = np.array([0.5 * math.erfc(-x * math.sqrt(rho / (1 - rho)) / math.sqrt(2)) for x in factor.tolist()])
    score, up, down = [], [], []
    for count, rows in zip(counts.tolist(), (frequency / frequency.sum()).tolist(), strict=True):
        for ups in range(count + 1):
            # The chance of so many rises among the known rows, by market factor.
            seen = weight * math.comb(count, ups) * rises**ups * (1 - rises) ** (count - ups)
            score.append(float(seen @ rises) / float(seen.sum()))
            up.append(rows * float(seen @ rises))
            down.append(rows * float(seen @ (1 - rises)))
    labels = np.repeat([1, 0], len(score))
    return auc(labels, np.array([*score, *score]), weights=np.array([*up, *down]))
