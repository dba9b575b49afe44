"""Closes beside a factor: as traded, or adjusted already?

The project's `factor` belongs to closes as traded: close x factor is adjusted. Other tools write a factor beside closes
that are adjusted already (Qlib's factor = adjusted / as traded), or one to divide by. Multiplied all the same, their
splits would be counted twice. The closes themselves tell: where the factor doubles, a close as traded halves, an
adjusted one goes on as ever, and one that is to be divided doubles. Each step of a factor is weighed by how likely the
day's return is in each reading, in normal returns of the share's own scale, cut at five standard deviations so that no
single day decides alone against many.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Floats, Integers

# Odds of about 3,000 to 1 for a file, of 60,000 to 1 for a share that is to be an exception among thousands.
_SURE = 8.0
_SURE_OF_ONE = 11.0
_MOST = 5.0  # standard deviations
_LEAST_SCALE = 0.002
_FEWEST_RETURNS = 20

READINGS = ("raw", "adjusted", "divided")
_WORDS = {"raw": "as traded", "adjusted": "adjusted already", "divided": "as traded, to be divided by the factor"}
_WHY = {
    "raw": ", as they move against the factor where it steps",
    "adjusted": " (raw is close / factor), as they go on where the factor steps",
    "divided": ", as they move with the factor where it steps",
}


@dataclass(frozen=True)
class StepEvidence:
    """What the steps of one share's factor say.

    Attributes:
        share_id: The share.
        against: Of each reading (raw, adjusted, divided), how unlikely it makes the steps: minus the log of it.
        steps: How many steps there are.
        day: The day of the step that says most, as days since 1970-01-01; None without one.
        factor_moved: What the factor was multiplied by on that day.
        close_moved: What the close was multiplied by.
    """

    share_id: str
    against: tuple[float, float, float]
    steps: int
    day: int | None = None
    factor_moved: float = 1.0
    close_moved: float = 1.0

    @property
    def reading(self) -> str:
        """The likeliest reading."""
        return READINGS[int(np.argmin(self.against))]

    def odds(self, reading: str) -> float:
        """Returns the log of the odds of a reading against the likeliest other one."""
        at = READINGS.index(reading)
        return min(cost for number, cost in enumerate(self.against) if number != at) - self.against[at]

    @property
    def shown(self) -> str:
        """The step in words, such as "A on 2020-08-31: factor x 4, close x 1.01"."""
        day = np.datetime64(int(self.day or 0), "D")
        return f"{self.share_id} on {day}: factor x {self.factor_moved:.4g}, close x {self.close_moved:.4g}"


def step_evidence(share_id: str, days: Integers, close: Floats, factor: Floats) -> StepEvidence:
    """Weighs the steps of a factor.

    Args:
        share_id: The share.
        days: Days since 1970-01-01, ascending, shape (n,).
        close: Closes above 0, shape (n,).
        factor: Factors above 0, shape (n,).

    Returns:
        The evidence; none where the share has fewer than 20 other returns, as its scale is not known then.

    >>> days, factor = np.arange(50), np.repeat([1.0, 2.0], 25)
    >>> close = np.tile([10.0, 10.1], 25)
    >>> [step_evidence("A", days, prices, factor).reading for prices in (close, close / factor, close * factor)]
    ['adjusted', 'raw', 'divided']
    """
    with np.errstate(all="ignore"):
        moved, stepped = np.diff(np.log(close)), np.diff(np.log(factor))
    steps = np.flatnonzero((np.abs(stepped) > 1e-6) & np.isfinite(stepped) & np.isfinite(moved))
    others = np.delete(moved, steps)
    others = others[np.isfinite(others)]
    if not len(steps) or len(others) < _FEWEST_RETURNS:
        return StepEvidence(share_id, (0.0, 0.0, 0.0), len(steps))
    scale = max(_LEAST_SCALE, 1.4826 * float(np.median(np.abs(others - np.median(others)))))
    residuals = np.stack([moved[steps] + stepped[steps], moved[steps], moved[steps] - stepped[steps]])
    costs = np.minimum(np.abs(residuals) / scale, _MOST) ** 2 / 2
    step = steps[int(np.argmax(costs.max(axis=0) - costs.min(axis=0)))]
    raw, adjusted, divided = costs.sum(axis=1).tolist()
    return StepEvidence(
        share_id,
        (raw, adjusted, divided),
        len(steps),
        int(days[step + 1]),
        float(factor[step + 1] / factor[step]),
        float(close[step + 1] / close[step]),
    )


@dataclass(frozen=True)
class ClosesBesideFactors:
    """What a file's closes are.

    Attributes:
        reading: raw, adjusted, or divided (as traded, and the factor is to divide by); None where the steps contradict
            one another.
        note: Why, for the report; empty where there is no step.
        against: Shares whose own steps say something else, with surety.
    """

    reading: str | None
    note: str
    against: tuple[StepEvidence, ...] = ()


def closes_beside_factors(shares: Iterable[StepEvidence], expected: str) -> ClosesBesideFactors:
    """Tells what the closes of a file are, from all of its shares.

    Args:
        shares: What each of them says.
        expected: The reading of such a file where its steps are too small to tell.
    """
    every = [share for share in shares if share.steps]
    if not every:
        return ClosesBesideFactors(expected, "")
    total = StepEvidence("", tuple(map(sum, zip(*(share.against for share in every), strict=True))), 0)  # type: ignore[arg-type]
    reading, steps = total.reading, sum(share.steps for share in every)
    against = tuple(one for one in every if one.reading != reading and one.odds(one.reading) >= _SURE_OF_ONE)
    best = max(every, key=lambda one: one.odds(reading))
    if total.odds(reading) < _SURE:
        if against and best.odds(reading) >= _SURE_OF_ONE:
            return ClosesBesideFactors(
                None,
                f"closes move against the factor at some steps and not at others ({best.shown}; {against[0].shown})",
            )
        why = "1 step of the factor does" if steps == 1 else f"{steps} steps of the factor do"
        return ClosesBesideFactors(
            expected, f"closes: {_WORDS[expected]}, by their names alone ({why} not tell; --prices decides otherwise)"
        )
    return ClosesBesideFactors(reading, f"closes: {_WORDS[reading]}{_WHY[reading]} ({best.shown})", against)
