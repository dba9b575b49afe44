"""Whether a model loses more a day than in its backtest: a CUSUM whose limit is drawn from the backtest's own days.

    S_t = max(0, S_(t-1) + (x_t - m) / s - ALLOWANCE)

x_t being the loss of day t (or minus its rank IC), m and s mean and deviation of the backtest's days (Page, Continuous
Inspection Schemes, Biometrika 41, 1954). It rings when S passes a limit, which is drawn: blocks of days make a
backtest, from which m and s are taken anew, and other blocks a year of live days; the limit is what the largest S of so
few of these years exceeds. So it knows that a backtest has few days, that their losses are not normal, and that labels
of h sessions overlap for h days, which blocks keep.

A day's loss is known h sessions after it; the days are judged in order as they come.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.drift.distances import CAUTION, FALSE_ALARMS, YEAR
from components.evidence.resampling import default_block

ALLOWANCE = 0.1
"""Deviations a day by which the loss may rise unnoticed; half of the smallest rise that is soon found."""

LEAST_DAYS, LEAST_HORIZONS = 60, 6
"""Of a backtest, at least: days, and horizons in them."""

_DRAWN = 2000


@dataclass(frozen=True)
class LossReference:
    """What a model's backtest says of its daily losses.

    Attributes:
        measure: what they are, in words.
        mean: over the backtest's days, as they were given.
        deviation: of a day.
        higher_is_worse: whether they are losses; a rank IC is none.
        horizon: sessions ahead of the labels.
        days: of the backtest.
        limit: of the CUSUM.
        false_alarms: probability that it rings within a year for nothing.
    """

    measure: str
    mean: float
    deviation: float
    higher_is_worse: bool
    horizon: int
    days: int
    limit: float
    false_alarms: float = FALSE_ALARMS


@dataclass(frozen=True)
class LossDrift:
    """A model's daily losses since it went live.

    Attributes:
        measure: what they are, in words.
        course: the CUSUM after each day, [days].
        limit: beyond which it rings.
        rang: the first day beyond it, a position in the course; None if it has not rung.
        mean: over the live days, as they were given; 0 without any.
        expected: over the backtest's.
    """

    measure: str
    course: tuple[float, ...]
    limit: float
    rang: int | None
    mean: float
    expected: float

    @property
    def rings(self) -> bool:
        """Whether it has rung since the model went live."""
        return self.rang is not None

    @property
    def words(self) -> str:
        """What rang; for people."""
        if self.rang is None:
            return ""
        return (
            f"{self.measure}: {self.mean:.4f} a day live, {self.expected:.4f} in the backtest; "
            f"more than chance since the {self.rang + 1:,}. of {len(self.course):,} live days"
        )


def make_loss_reference(
    daily: Sequence[float] | NDArray[Any],
    *,
    horizon: int,
    measure: str = "log loss",
    higher_is_worse: bool = True,
    false_alarms: float = FALSE_ALARMS,
    seed: int = 0,
) -> LossReference:
    """The record of a backtest.

    Args:
        daily: a number for each day of the test split, in order; nan is left out.
        horizon: sessions ahead that the labels look.
        measure: what the numbers are, in words.
        higher_is_worse: whether they are losses; False for a rank IC.
        false_alarms: probability of ringing within YEAR sessions for nothing, within (0, 1).
        seed: of the drawing.

    Raises:
        ValueError: the days are too few or all alike, or a value is out of its range.
    """
    if horizon < 1 or not 0 < false_alarms < 1:
        raise ValueError("need horizon >= 1 and false_alarms within (0, 1)")
    given = np.asarray(daily, np.float64)
    values = given[~np.isnan(given)]
    least = max(LEAST_DAYS, LEAST_HORIZONS * horizon)
    if len(values) < least:
        raise ValueError(f"a backtest of {len(values)} days says too little of daily losses: need {least}")
    if np.isinf(values).any() or np.ptp(values) == 0:
        raise ValueError("all days of the backtest have the same loss, or one has an infinite one")
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    standard = (values - mean) / deviation * (1 if higher_is_worse else -1)
    limit = float(np.quantile(_largest(standard, horizon, np.random.default_rng(seed)), 1 - CAUTION * false_alarms))
    return LossReference(measure, mean, deviation, higher_is_worse, horizon, len(values), limit, false_alarms)


def loss_drift(reference: LossReference, daily: Sequence[float] | NDArray[Any]) -> LossDrift:
    """Judges a model's live days, all since it went live.

    Args:
        reference: of its backtest.
        daily: as in `make_loss_reference`, of the live days whose outcomes are known; nan is a day without.

    Raises:
        ValueError: a number is infinite.
    """
    values = np.asarray(daily, np.float64)
    if np.isinf(values).any():
        raise ValueError("a live day has an infinite loss")
    known = values[~np.isnan(values)]
    sign = 1 if reference.higher_is_worse else -1
    rises = np.where(np.isnan(values), ALLOWANCE, sign * (values - reference.mean) / reference.deviation)
    course = cusum(rises[None])[0]
    beyond = np.flatnonzero(course > reference.limit)
    return LossDrift(
        reference.measure,
        tuple(course.tolist()),
        reference.limit,
        int(beyond[0]) if len(beyond) else None,
        float(known.mean()) if len(known) else 0.0,
        reference.mean,
    )


def cusum(standard: NDArray[np.float64], allowance: float = ALLOWANCE) -> NDArray[np.float64]:
    """S after each day, [series, days], of standardised losses, [series, days].

    >>> cusum(np.array([[1.1, 0.6, -2.0, 0.3]])).round(3).tolist()
    [[1.0, 1.5, 0.0, 0.2]]
    """
    total = np.cumsum(standard - allowance, axis=1)
    # What was lost since the lowest point, the start among them.
    lowest = np.minimum(np.minimum.accumulate(total, axis=1), 0.0)
    course: NDArray[np.float64] = total - lowest
    return course


def _largest(standard: NDArray[np.float64], horizon: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """The largest S within a year, [drawn], each against a backtest that was drawn as well."""
    days = len(standard)
    block = default_block(horizon, days)
    # Blocks of days see only a part of the variance of a mean (DayBlocks.summarise); the rest is made up for.
    seen = (1 - block / days) * (1 - horizon / (3 * max(block, horizon)) if horizon > 1 else 1.0)
    wide = standard / math.sqrt(seen)

    def drawn(length: int) -> NDArray[np.float64]:
        first = rng.integers(0, days, size=(_DRAWN, -(-length // block)))
        places = (first[:, :, None] + np.arange(block)).reshape(_DRAWN, -1)[:, :length] % days
        return wide[places]

    backtest, live = drawn(days), drawn(YEAR)
    deviation = backtest.std(axis=1, ddof=1) * math.sqrt(seen)
    return cusum((live - backtest.mean(axis=1, keepdims=True)) / deviation[:, None]).max(axis=1)
