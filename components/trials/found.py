"""What the tries on the same days come to, as it stands in findings and reports: what computes it needs NumPy."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from components.records import Number

FALSE_ALARMS = 0.05
"""The probability that anything is ever blessed on a market without signal, whatever test day one looks at."""


@dataclass(frozen=True)
class Hurdle:
    """What a run's models have to show.

    Attributes:
        runs: earlier tries that share a test day with this one: runs, folds, experiments.
        tries: different models in them.
        independent: independent tries that these and the run's candidates amount to, copies of one another being one.
        epoch: 0 for the first try of its test days, else which part of the allowance it draws on.
        needed: standard errors that an AUC has to be above 1/2, on the normal scale (`normal_scale`).
        first: what was needed had nobody tried anything.
        spent: of `FALSE_ALARMS`, what the tries so far and this one use up.
        left: the rest of it.
        seen_until: the last test day (YYYYMMDD) that any earlier try saw, also one that shares no day with this one:
            days after it are new; 0 where none shares a day.
        complete: the record misses no try; otherwise all of this is a lower bound.
        kept: by model, what it needed when the same answers on the same rows were judged before.
    """

    runs: int
    tries: int
    independent: Number
    epoch: int
    needed: Number
    first: Number
    spent: Number
    left: Number
    seen_until: int = 0
    complete: bool = False
    kept: Mapping[str, float] = field(default_factory=dict)

    def needed_by(self, model: str) -> float:
        """Standard errors that a model needs: what it needed before, where its answers are no new try."""
        return self.kept.get(model, self.needed)

    def raised(self, model: str) -> str:
        """What made its hurdle another than that of a first run, in words; empty where nothing did."""
        if model in self.kept:
            return "as at the first try of these answers"
        if not self.runs:
            return ""
        return f"after {self.runs:,} earlier {'run' if self.runs == 1 else 'runs'} on these test days"

    def level_for(self, model: str) -> float:
        """Level of the two-sided interval whose lower end lies above 1/2 where the model clears the hurdle."""
        return level(self.needed_by(model))


def level(needed: float) -> float:
    """Level of the two-sided interval that reaches as many standard errors, on the normal scale.

    >>> round(level(1.959964), 4)
    0.95
    """
    return math.erf(needed / math.sqrt(2))


@dataclass(frozen=True)
class Overfitting:
    """What the best of some tries is worth.

    Attributes:
        tries: how many were compared.
        days: the days that all of them have.
        best: name of the try whose Sharpe ratio is the highest.
        sharpe: its Sharpe ratio of a day, not of a year.
        deflated: the deflated Sharpe ratio: the probability that its true Sharpe ratio is above 0, after all tries.
        probability: of backtest overfitting: how often the best try of one half of the days is no better than the
            median on the other half.
        spa: Hansen's p-value (consistent) that no try earns more than nothing.
    """

    tries: int
    days: int
    best: str
    sharpe: Number
    deflated: Number
    probability: Number
    spa: Number
