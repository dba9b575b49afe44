"""The AUC over rows that were scored by different fits, such as the folds of a walk."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import Pairs
from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks
from components.evidence.rows import checked


def stratified_auc(
    labels: NDArray[Any],
    scores: NDArray[Any],
    strata: NDArray[Any],
    days: NDArray[Any],
    *,
    horizon: int = 1,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """The chance that an "up" row scores above a "down" row of its own stratum, ties counting half.

    Scores of two fits have no common scale: one fit may say 0.52 where the other says 0.48 and both know the same. So
    only pairs of rows within a stratum are compared, and the AUC is that of the strata, weighted by how many pairs each
    has. One stratum alone gives `auc_interval`.

    The interval resamples blocks of days over all strata together, as they follow each other in time, and works out
    every stratum anew in each resample. Strata are not taken for independent: with a horizon of h sessions the labels
    of the last h days of one are made of the first returns of the next, which a block across the border keeps.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        strata: array [rows] of anything that sorts, such as the number of the fold.
        days: array [rows], the session each row was scored on.
        horizon: sessions ahead that the label looks.
        resamples: bootstrap samples.
        seed: of the resampling.
        level: coverage of the interval, within (0, 1).

    Returns:
        The AUC and its interval; all nan if no stratum has both classes.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    positive, score = checked(labels, scores)
    stratum = np.asarray(strata)
    if not score.shape == stratum.shape == np.shape(days):
        raise ValueError("labels, scores, strata and days must be one a row")
    blocks = DayBlocks(days, horizon=horizon, resamples=resamples, seed=seed)
    parts = []
    for one in np.unique(stratum):
        rows = np.flatnonzero(stratum == one)
        parts.append((Pairs(positive[rows], score[rows]), positive[rows], blocks.index[rows]))

    def statistic(weight: NDArray[Any]) -> float:
        won = pairs = 0.0
        for part, rises, day in parts:
            weights = weight[day]
            up = float(weights @ rises)
            count = up * (float(weights.sum()) - up)
            if count:
                won += count * part.auc(weights)
                pairs += count
        return won / pairs if pairs else float("nan")

    return blocks.interval(statistic, level=level, bounds=(0.0, 1.0))
