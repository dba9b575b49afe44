"""The area under the ROC curve, with an interval that respects days (resampling.py); arrays as in rows.py.

What no interval shows: a score that wanders over the whole of the test split, such as a price's level, has an AUC at
long horizons that is itself biased against chance (on a market without signal of 20 shares and 580 days its mean was
0.455 at horizon 20). Scores should be relative to their window.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.evidence.day_pairs import resampled_pairs
from components.evidence.interval import Interval
from components.evidence.metric import ratio
from components.evidence.pairs import Pairs
from components.evidence.resampling import DayBlocks
from components.evidence.rows import checked, positions


class GroupAuc(NamedTuple):
    """The AUC of one group of rows; unpacks as ``group, auc, rows``."""

    group: Any
    auc: float
    rows: int


def auc(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Area under the ROC curve: the chance that a random "up" row scores above a random "down" row, ties counting half.

    Exact (no thresholds), in O(rows log rows), within [0, 1]; nan if one of the two classes has no row or no weight.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        weights: array [rows] of finite weights >= 0; all 1 if None.

    Raises:
        ValueError: lengths differ, or a value is out of its range.

    >>> auc(np.array([0, 1, 0, 1]), np.array([0.1, 0.4, 0.4, 0.8]))
    0.875
    """
    positive, ranked = checked(labels, scores)
    weight = np.ones(len(ranked)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != ranked.shape or not np.all(np.isfinite(weight)) or np.any(weight < 0):
        raise ValueError("weights must be finite, not negative, and as many as there are scores")
    return Pairs(positive, ranked, weight).auc(weight)


def auc_interval(
    labels: NDArray[Any],
    scores: NDArray[Any],
    days: NDArray[Any],
    *,
    strata: NDArray[Any] | None = None,
    horizon: int = 1,
    block: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """AUC with an interval from a circular bootstrap over blocks of whole days.

    The ends are those of `DayBlocks.summarise`, cut to [0, 1].

    Scores of two fits, such as the folds of a walk, have no common scale: one may say 0.52 where the other says 0.48
    and both know the same. With strata only pairs of rows within one are compared, and the AUC is that of the strata,
    weighted by how many pairs each has. Blocks of days are drawn over all strata together, as they follow each other in
    time. Strata are not taken for independent: with a horizon of h sessions the labels of the last h days of one are
    made of the first returns of the next, which a block across the border keeps.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        days: array [rows], the session each row was scored on.
        strata: array [rows] of anything that sorts, such as the number of the fold; one stratum if None.
        horizon: sessions ahead that the label looks.
        block: days in a block; `default_block` if None.
        resamples: bootstrap samples.
        seed: of the resampling; the same seed gives the same interval.
        level: coverage of the interval, within (0, 1).

    Returns:
        The AUC and its interval; all nan if no stratum has both classes, the interval nan with fewer than 2 blocks of
        days.

    Raises:
        ValueError: lengths differ, or a value is out of its range.

    >>> found = auc_interval(np.tile([0, 1], 200), np.tile([0.1, 0.4, 0.4, 0.3], 100), np.repeat(np.arange(100), 4))
    >>> found.low <= found.value == 0.625 <= found.high
    True
    """
    positive, ranked = checked(labels, scores)
    positions(days, len(ranked))
    blocks = DayBlocks(days, horizon=horizon, block=block, resamples=resamples, seed=seed)
    unique, stratum = positions(np.zeros(len(ranked)) if strata is None else strata, len(ranked), "strata")
    rows_of = [np.flatnonzero(stratum == one) for one in range(len(unique))]
    parts = [(Pairs(positive[rows], ranked[rows]), blocks.index[rows]) for rows in rows_of]
    won, pairs = (sum(counts) for counts in zip(*(one.counted(None) for one, _ in parts), strict=True))
    if not pairs or not blocks.enough:
        return blocks.summarise(won / pairs if pairs else math.nan, np.array([]))
    drawn = [resampled_pairs(*part, blocks) for part in parts]
    resampled = ratio(sum(one for one, _ in drawn), sum(both for _, both in drawn))
    return blocks.summarise(won / pairs, resampled, level, (0.0, 1.0))


def auc_by_group(labels: NDArray[Any], scores: NDArray[Any], groups: NDArray[Any]) -> tuple[GroupAuc, ...]:
    """AUC within each group of rows, such as each year or each share, in the groups' order; arguments as in `auc`.

    ``groups`` is an array [rows] of anything that sorts. The AUC is nan where a group has only one class.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    import pandas as pd

    positive, ranked = checked(labels, scores)
    positions(groups, len(ranked), what="groups")
    by_group = pd.DataFrame({"positive": positive, "score": ranked}).groupby(groups)
    return tuple(
        GroupAuc(name, auc(rows["positive"].to_numpy(), rows["score"].to_numpy()), len(rows)) for name, rows in by_group
    )


def skill(auc: float, best: float) -> float:
    """How much of what can be known a model knows: 0 for a coin, 1 for the limit.

    Args:
        auc: the model's AUC.
        best: the best possible AUC on the same market.

    Returns:
        ``(auc - 1/2) / (best - 1/2)``; nan where nothing can be known (best = 1/2).

    >>> skill(0.75, best=1.0)
    0.5
    """
    return (auc - 0.5) / (best - 0.5) if best != 0.5 else math.nan
