"""What a model has to show before it may be pushed.

1. Better than chance beyond doubt: the interval of its AUC lies above 1/2. The best of several coins looks better than
   a coin, so the interval of the first run on its test days is that of 95 % for all its candidates together
   (Bonferroni), and that of a later one is as wide as all that was tried on those days before asks for
   (components/trials/hurdle.py): on a market without signal anything is ever blessed on a test day with a probability
   of at most 5 %.
2. Not worse than the last blessed model of its kind, on the same test split, by more than the standard error of the
   paired difference. Were a last digit enough, daily retraining would stop at the first lucky model.
3. Not beaten beyond doubt by a simple baseline: no 95 % interval of the paired difference lies below 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from components.evidence.interval import Interval
from components.evidence.words import low_to_high, number4

CHANCE = 0.5
_FALSE_ALARMS = 0.05


@dataclass(frozen=True)
class Verdict:
    """Whether a model may be pushed.

    Attributes:
        blessed: it passed all three conditions.
        reason: in words, why or why not.
    """

    blessed: bool
    reason: str


def level_for(candidates: int) -> float:
    """Level of each candidate's interval so that all of them together cover 95 %.

    >>> level_for(1), level_for(4)
    (0.95, 0.9875)
    """
    return 1 - _FALSE_ALARMS / max(candidates, 1)


def judge(
    auc: Interval, candidates: int, predecessor: Interval | None, baselines: Mapping[str, Interval], after: str = ""
) -> Verdict:
    """Judges a model.

    Args:
        auc: of the model, its ends those of an interval of `level_for(candidates)`, or after earlier runs on these test
            days of their hurdle's level.
        candidates: models of the run.
        predecessor: its AUC less that of the last blessed model of its kind; None where there is none.
        baselines: by name, its AUC less the baseline's, with 95 % intervals.
        after: what raised the hurdle, in words; empty at the first run on these test days.

    Returns:
        The verdict.

    >>> judge(Interval(0.53, 0.49, 0.57, 0.02), 1, None, {}).reason
    'AUC 0.5300 may be chance: its interval (0.4900 to 0.5700) contains 0.5'
    """
    area = f"AUC {auc.value:.4f}"
    if math.isnan(auc.value):
        return Verdict(False, "there is no AUC: all test rows have the same label")
    if not auc.value > CHANCE:
        return Verdict(False, f"{area} is no better than chance")
    if math.isnan(auc.low):
        return Verdict(False, f"{area} is better than chance, but there are too few days to tell by how much")
    interval = low_to_high(auc.low, auc.high, number4)
    if after:
        interval += f", {after}"
    elif candidates > 1:
        interval += f", 95 % for all {candidates} models"
    if not auc.low > CHANCE:
        return Verdict(False, f"{area} may be chance: its interval ({interval}) contains 0.5")
    better = f"{area} is better than chance ({interval})"
    if predecessor is not None and predecessor.value + _or_zero(predecessor.standard_error) < 0:
        error = f"standard error {predecessor.standard_error:.4f}"
        return Verdict(False, f"{better}, but worse than its predecessor ({predecessor.value:+.4f}, {error})")
    for name, difference in baselines.items():
        if difference.high < 0:
            by = low_to_high(-difference.high, -difference.low, number4)
            return Verdict(False, f"{better}, but {name} is better by {by}")
    if predecessor is None:
        return Verdict(True, f"{better}; there is no predecessor")
    return Verdict(True, f"{better}, and not worse than its predecessor ({predecessor.value:+.4f})")


def _or_zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value
