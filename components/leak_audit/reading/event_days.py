"""Whether factors step on the days on which prices moved for a dividend or split, or a session before or after.

On an event's day the raw price falls by what was paid or split, and the factor rises by as much. A factor that rises a
session too soon leaves a rise and a fall in the adjusted prices that a model predicts without any skill. One dividend
is lost in the noise of its day; all of them together are not. For each step the likelihood of the two days' returns is
compared: the step where it stands, against the same step a session later or before, with noise like Student's t of 3
degrees of freedom (prices have fat tails) of the share's own scale at the time. The sum of the logs is evidence: where
factors are right, it exceeds log(x) with a probability of at most 1/x. Events of one day share that day's market, so
they count as their mean.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Floats
from components.feature_store.series import PriceSeries

SMALLEST_STEP = 1e-4
"""Of the log of a factor: smaller ones are rounding."""

_DEGREES = 3.0
_BLOCK = 125
"""Sessions whose returns say how much a share moves at the time."""


@dataclass(frozen=True)
class Event:
    """A step of a factor.

    Attributes:
        share: the share.
        day: the session of the step, datetime64[D].
        before: the session before it.
        step: log of the factor over that of the session before.
        moved: log return of the raw close on the day.
        moved_next: the same of the session after.
        early: log of the likelihood that the price moved a session later, over that it moved on the day.
        late: the same for a session before.
    """

    share: str
    day: np.datetime64
    before: np.datetime64
    step: float
    moved: float
    moved_next: float
    early: float
    late: float


@dataclass(frozen=True)
class Evidence:
    """What all events say together.

    Attributes:
        log: evidence, natural logarithm; less than 0 where the factors are right.
        worst: the event that says so most; None where there is none.
    """

    log: float
    worst: Event | None


def find_events(series: PriceSeries, last: str = "") -> list[Event]:
    """The steps of a share's factor that can be judged: those with a session without a step on either side.

    Args:
        series: its prices.
        last: the last session that is looked at, ISO; empty for all.
    """
    length = int(np.searchsorted(series.time, np.datetime64(last), side="right")) if last else len(series)
    if length < 4:
        return []
    step = np.diff(np.log(series.factor[:length]))
    raw = np.diff(np.log(series.close[:length]))
    stepped = np.abs(step) > SMALLEST_STEP
    # Of the returns 0 ... n - 2, those with a neighbour on both sides; return i is that of session i + 1.
    inner = 1 + np.flatnonzero(stepped[1:-1] & ~stepped[:-2] & ~stepped[2:])
    if not len(inner):
        return []
    scale = _scale(raw + step)[inner]
    own, event = raw[inner], step[inner]
    early, late = (
        _log_density(own, scale)
        + _log_density(other + event, scale)
        - _log_density(own + event, scale)
        - _log_density(other, scale)
        for other in (raw[inner + 1], raw[inner - 1])
    )
    return [
        Event(
            series.share_id,
            series.time[place + 1],
            series.time[place],
            *(float(one) for one in (step[place], raw[place], raw[place + 1], early[at], late[at])),
        )
        for at, place in enumerate(inner.tolist())
    ]


def evidence(events: Iterable[Event], *, early: bool) -> Evidence:
    """What events say of factors that step too early, or too late: of all together, or of the worst share alone.

    For the worst of n shares, log(n) is taken off, as there are n to choose from.
    """
    judged = [(event, event.early if early else event.late) for event in events]
    by_share: dict[str, list[tuple[Event, float]]] = {}
    for one in judged:
        by_share.setdefault(one[0].share, []).append(one)
    sums = {share: math.fsum(value for _, value in found) for share, found in by_share.items()}
    if not sums:
        return Evidence(0.0, None)
    by_day: dict[np.datetime64, list[float]] = {}
    for event, value in judged:
        by_day.setdefault(event.day, []).append(value)
    together = math.fsum(math.fsum(values) / len(values) for values in by_day.values())
    share = max(sums, key=lambda name: sums[name])
    alone = sums[share] - math.log(len(sums))
    found = by_share[share] if alone > together else judged
    return Evidence(max(alone, together), max(found, key=lambda one: one[1])[0])


def _scale(returns: Floats) -> Floats:
    """How much a share moves around each return, [returns]: the spread of the middle half of its block."""
    scale = np.empty_like(returns)
    for begin in range(0, len(returns), _BLOCK):
        block = returns[max(0, min(begin, len(returns) - _BLOCK)) : begin + _BLOCK]
        scale[begin : begin + _BLOCK] = 1.31 * np.median(np.abs(block))  # of t with 3 degrees, the median is 0.765
    return np.maximum(scale, 1e-4)


def _log_density(value: Floats, scale: Floats) -> Floats:
    """Of Student's t, without its constant."""
    return -(_DEGREES + 1) / 2 * np.log1p((value / scale) ** 2 / _DEGREES)
