"""What a model sees now against what it was trained on: distances of stretches, and what always rings."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from components.drift.distances import distances, stretch_means
from components.drift.reference import CategoryReference, NumbersReference, Reference
from components.drift.sessions import MIDDLE, NumbersSeen, Session
from components.records import Number


class Kind(Enum):
    """Why it rings. The last two are what a market can do; the others are faults, which training again would learn."""

    ABSENT = "absent"
    MISSING = "missing"
    CONSTANT = "constant"
    FEW_ROWS = "few rows"
    UNKNOWN = "unknown values"
    OUTSIDE = "outside"
    DISTANCE = "distance"


@dataclass(frozen=True)
class Alarm:
    """One thing that rings.

    Attributes:
        kind: why.
        feature: its name; empty where it is the session as a whole.
        words: for people.
    """

    kind: Kind
    feature: str
    words: str

    @property
    def fault(self) -> bool:
        """Whether the data looks broken, rather than the market changed."""
        return self.kind not in (Kind.OUTSIDE, Kind.DISTANCE)


@dataclass(frozen=True)
class Distance:
    """How far a feature is from training.

    Attributes:
        feature: its name.
        stretch: latest sessions that were compared.
        distance: mean distance of quantiles, in units of training's quartiles, at the step where it is largest.
        limit: beyond which it rings: further than any stretch of training was from the rest of it.
    """

    feature: str
    stretch: int
    distance: Number
    limit: Number

    @property
    def rings(self) -> bool:
        """Whether it is beyond the limit; nan is not."""
        return self.distance > self.limit


@dataclass(frozen=True)
class FeatureDrift:
    """What a look at the latest sessions has found.

    Attributes:
        day: the latest session.
        alarms: all that rings, distances last.
        distances: of all features and stretches.
    """

    day: str
    alarms: tuple[Alarm, ...]
    distances: tuple[Distance, ...]

    @property
    def faults(self) -> tuple[Alarm, ...]:
        """What looks broken."""
        return tuple(alarm for alarm in self.alarms if alarm.fault)

    @property
    def drifted(self) -> tuple[Alarm, ...]:
        """What looks changed."""
        return tuple(alarm for alarm in self.alarms if not alarm.fault)


def feature_drift(reference: Reference, sessions: Sequence[Session]) -> FeatureDrift:
    """Compares the latest sessions with training.

    Args:
        reference: of training.
        sessions: the latest ones in order, of which the last one is judged: as many as the longest stretch, or fewer,
            and then longer stretches are not compared.

    Raises:
        ValueError: there are none, or a feature has another number of steps than in training.
    """
    if not sessions:
        raise ValueError("need a session, one at least")
    today = sessions[-1]
    seen = {one.name: one for one in today.numbers}
    held = {one.name: one for one in today.categories}
    alarms = list(_few_rows(reference, sessions))
    found: list[Distance] = []
    for numbers in reference.numbers:
        if numbers.name not in seen:
            alarms.append(_absent(numbers.name))
            continue
        if len(seen[numbers.name].quantiles) != len(numbers.quantiles):
            raise ValueError(f"feature {numbers.name} has other steps than the {len(numbers.quantiles)} of training")
        alarms += _faults(numbers, seen[numbers.name], today.rows)
        found += _distances(numbers, sessions, reference.stretches)
    for category in reference.categories:
        if category.name in held:
            alarms += _unknown(category, held[category.name].values)
        else:
            alarms.append(_absent(category.name))
    return FeatureDrift(today.day, (*alarms, *(_far(one) for one in found if one.rings)), tuple(found))


def _absent(name: str) -> Alarm:
    return Alarm(Kind.ABSENT, name, f"{name} is not among the features")


def _few_rows(reference: Reference, sessions: Sequence[Session]) -> Iterator[Alarm]:
    usual = float(np.median([one.rows for one in sessions[:-1]])) if len(sessions) > 1 else reference.rows
    if sessions[-1].rows < reference.least_rows * usual:
        yield Alarm(Kind.FEW_ROWS, "", f"{sessions[-1].rows:,} shares have a window, where {usual:,.0f} had before")


def _unknown(reference: CategoryReference, values: Sequence[int]) -> Iterator[Alarm]:
    part = float(np.mean(~np.isin(values, reference.values)))
    if part > reference.most_unknown:
        yield Alarm(
            Kind.UNKNOWN, reference.name, f"{reference.name}: training had none like {_percent(part)} of its values"
        )


def _faults(reference: NumbersReference, seen: NumbersSeen, rows: int) -> Iterator[Alarm]:
    missing, low, high = (np.array(one) for one in (seen.missing, seen.low, seen.high))
    more = missing > np.array(reference.missing)
    if more.any():
        had = max(reference.missing)
        words = (
            f"{_percent(missing.max())} of its values are missing or infinite, in training {_percent(had)} at the most"
        )
        yield Alarm(Kind.MISSING, reference.name, _said(reference, more, words))
    constant = (low == high) & ~np.array(reference.constant)
    if rows > 1 and constant.any():
        value = low[constant][0]
        words = f"is {value:.6g} for all {rows:,} shares, as in no session of training"
        yield Alarm(Kind.CONSTANT, reference.name, _said(reference, constant, words))
    middle = np.array(seen.quantiles)[:, MIDDLE]
    outside = (middle < np.array(reference.low)) | (middle > np.array(reference.high))
    if outside.any():
        at = int(np.argmax(outside))
        ends = f"{reference.low[at]:.4g} to {reference.high[at]:.4g}"
        words = f"is {middle[at]:.4g} in the middle, outside of all that training had ({ends})"
        yield Alarm(Kind.OUTSIDE, reference.name, _said(reference, outside, words))


def _percent(part: float) -> str:
    return f"{100 * part:.3g} %"


def _said(reference: NumbersReference, steps: NDArray[np.bool_], words: str) -> str:
    """What rings, with how many of its steps where it has several."""
    of = f" ({int(steps.sum())} of {len(steps)} steps)" if len(reference.quantiles) > 1 else ""
    return f"{reference.name}{of}: {words}"


def _distances(
    reference: NumbersReference, sessions: Sequence[Session], stretches: Sequence[int]
) -> Iterator[Distance]:
    profiles = [
        np.array(one.quantiles) for session in sessions for one in session.numbers if one.name == reference.name
    ]
    held, spread = np.array(reference.quantiles), np.array(reference.spread)
    for stretch, limit in zip(stretches, reference.limits, strict=True):
        if stretch <= len(profiles):
            mean = stretch_means(np.stack(profiles[-stretch:]), stretch)[0]
            found = distances(mean, held, spread)
            known = found[~np.isnan(found)]
            yield Distance(reference.name, stretch, float(known.max()) if len(known) else math.nan, limit)


def _far(one: Distance) -> Alarm:
    who = "latest session is" if one.stretch == 1 else f"latest {one.stretch} sessions are"
    far = f"{one.distance:.3g} quartile ranges from training, {one.limit:.3g} are allowed"
    return Alarm(Kind.DISTANCE, one.feature, f"{one.feature}: the {who} {far}")
