"""What happened between two stretches of adjusted = k x raw + c: new shares, cash, or both.

What the source says of it, ratio or cash or nothing, narrows what the closes leave open.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from components.extractor.lines import Stretch

_NARROW = 0.04
"""Width of what the closes allow for a ratio, below which one of 1 and one of 1.05 are told apart."""
_FEW_SHARES = 0.09
"""New shares for an old one, or fewer, that hardly anybody issues: one of 1 is meant."""
CERTAIN = 3e-4
"""Relative width of what they allow for a step, below which it is taken at once."""
DOUBTFUL = 1e-2
"""Likewise, beyond which it is not taken at all; cash in whole cents comes out exactly all the same."""
_SLACK = 5e-3
"""By how much the slopes of two stretches may be apart, relatively: an event is found to within some of it."""
_CLOSE_TO_SAID = 0.25
_DAY_MOVE = 0.12
"""Log move of a session that is nothing special, with the ten per cent in mind that the mainland allows."""
_BONUS = 0.3
"""New shares for an old one that are nothing special."""
_ABSURD = 100.0


@dataclass(frozen=True)
class Event:
    """What happened: shares for one of the session before, and cash for it."""

    ratio: float
    cash: float

    def step(self, before: float) -> float:
        """What the factor steps by, for the raw close of the session before."""
        return before * self.ratio / (before - self.cash)

    @property
    def nothing(self) -> bool:
        """Whether nothing happened."""
        return self.ratio == 1 and self.cash == 0


def find_event(
    before: Stretch, start: Stretch, previous: float, ratio: float, cash: float, *, late: bool
) -> tuple[Event | None, float]:
    """What a few sessions after an event show of it, and how much that leaves open of the step, relatively.

    Args:
        before: the stretch before the event.
        start: the sessions.
        previous: the raw close before it.
        ratio: what is said; NaN for nothing.
        cash: likewise.
        late: whether k may stay in doubt, as few more sessions come or none.
    """
    ways: list[tuple[Event | None, float]] = []
    if ratio > 0:
        way = _cash_of(before, start, previous, ratio, cash)
        if way[0] is not None and _agrees(way[0].cash, cash):
            ways.append(way)
    if 0 < cash < previous:
        ways.append(_ratio_of(before, start, cash))
    ways.append(_any(before, start, previous, late=late))
    for found, doubt in ways:
        if found is not None and doubt <= CERTAIN:
            return found, doubt
    return next((way for way in ways if way[0] is not None), (None, math.inf))


def bears_out(before: Stretch, after: Stretch, previous: float, claim: Event) -> bool:
    """Whether the first session of a stretch is where an event puts it, in either law."""
    close, value = float(after.close[0]), float(after.value[0])
    reference = previous / claim.step(previous)
    tolerance = 1.5 * after.tolerance
    if before.open:
        rise = value - float(before.value[-1])
        if not after.open:
            moved = sorted(slope * (close - reference) for slope in (after.least, after.most))
            return moved[0] - 2 * tolerance <= rise <= moved[1] + 2 * tolerance
        # k is not known at all, but above 0.
        opposite = abs(rise) > 2 * tolerance and rise * (close - reference) < 0
        return abs(math.log(close / reference)) < _DAY_MOVE and not opposite
    slope = np.array([before.least, (before.least + before.most) / 2, before.most])
    least, most = before.offsets(slope)
    here = slope * (claim.ratio * close + claim.cash)
    # Some k between two of these may fit where neither does: what fits changes with k without a jump.
    if float((here + least).min()) - tolerance <= value <= float((here + most).max()) + tolerance:
        return True
    scale = before.value / before.close
    doubt = before.tolerance / before.close
    if scale.max() - scale.min() > 2 * doubt.max():
        return False
    expected = float(np.median(scale)) * close * claim.step(previous)
    return abs(expected - value) <= tolerance + 2 * float(doubt.min()) * close * claim.step(previous)


def shows(before: Stretch, previous: float, ratio: float, cash: float) -> bool:
    """Whether an event as it is said to be is one that rounding could not hide."""
    if not math.isnan(ratio) and abs(ratio - 1) > _NARROW:
        return True
    slope = before.least if not before.open else abs(float(before.value[-1])) / previous
    return not math.isnan(cash) and slope * abs(cash) > 4 * before.tolerance


def _ratio_of(before: Stretch, start: Stretch, cash: float) -> tuple[Event | None, float]:
    """The ratio, where the cash is known."""
    if before.open:
        return None, math.inf
    slope = np.linspace(before.least, before.most, 5)
    least, most = before.offsets(slope)
    paid = (slope * cash)[:, None]
    scale = slope[:, None] * start.close
    low = ((start.value - start.tolerance - most[:, None] - paid) / scale).max(axis=1)
    high = ((start.value + start.tolerance - least[:, None] - paid) / scale).min(axis=1)
    good = low <= high
    if not good.any():
        return None, math.inf
    bottom, top = float(low[good].min()), float(high[good].max())
    if bottom <= 0 or top > _ABSURD:
        return None, math.inf
    ratio = _shortest(bottom, top)
    doubt = (top - bottom) / ratio
    # New shares come in hundredths of the old ones: a ratio like that is no chance.
    return Event(ratio, cash), 0.0 if doubt < _NARROW / 2 and round(ratio, 2) == ratio else doubt


def _cash_of(before: Stretch, start: Stretch, previous: float, ratio: float, said: float) -> tuple[Event | None, float]:
    """The cash, where the ratio is known."""
    both = before.within(start.least / ratio, start.most / ratio)
    if both.least * ratio > start.most * (1 + 1e-9) or both.most * ratio < start.least * (1 - 1e-9) or both.open:
        return None, math.inf
    slope = np.linspace(both.least, both.most, 5)
    least, most = before.offsets(slope)
    here, there = start.offsets(slope * ratio)
    low, high = (here - most) / slope, (there - least) / slope
    good = low <= high
    if not good.any():
        return None, math.inf
    bottom, top = float(low[good].min()), float(high[good].max())
    cash = 0.0 if bottom <= 0 <= top else _shortest(bottom, top)
    if bottom <= said <= top:
        cash = said
    if cash >= previous:
        return None, math.inf
    return Event(ratio, cash), (top - bottom) / (previous - cash)


def _any(before: Stretch, start: Stretch, previous: float, *, late: bool) -> tuple[Event | None, float]:
    """Both, from the change of k and what it leaves for the cash."""
    rise = abs(float(start.value[0] - before.value[-1]))
    if start.open or before.open:
        # k says nothing. Cash alone is the ordinary event; another one would put the reference elsewhere.
        found, doubt = _cash_of(before, start, previous, 1.0, math.nan) if late else (None, math.inf)
        if found is not None and not before.open:
            doubt += _BONUS * rise / before.least * found.step(previous) / previous
        return found, doubt
    bottom, top = start.least / before.most, start.most / before.least
    narrow = top - bottom < _NARROW * bottom or (1 - _FEW_SHARES < bottom <= 1 <= top < 1 + _FEW_SHARES)
    if not narrow and not late:
        return None, math.inf
    candidates = [1.0] if bottom <= 1 <= top else []
    candidates.append(_shortest(bottom, top))
    for ratio in candidates:
        found, doubt = _cash_of(before, start, previous, ratio, math.nan)
        if found is None:
            continue
        if not narrow:
            doubt += rise * (1 / start.least - 1 / start.most) * found.step(previous) / previous
        return found, doubt
    return None, math.inf


def slopes_after(before: Stretch, after: Stretch, event: Event, previous: float) -> list[tuple[float, float]]:
    """Least and most k after an event, in each law, affine or proportional, in which the stretch after it has that."""
    scaled = [(before.least * by, before.most * by) for by in (event.ratio, event.step(previous))]
    return [one for one in scaled if max(one[0], after.least) <= min(one[1], after.most) * (1 + _SLACK)]


def chained(before: Stretch, after: Stretch, event: Event, previous: float) -> Stretch:
    """The stretch after an event, with what the one before says of its k."""
    slopes = slopes_after(before, after, event, previous)
    if not slopes:
        return after
    return after.within(min(least for least, _ in slopes), max(most for _, most in slopes))


def _shortest(bottom: float, top: float) -> float:
    """The number with the fewest decimals between two; the one nearest to their middle, if several have as few."""
    middle = (bottom + top) / 2
    for places in range(13):
        number = round(middle, places)
        if bottom <= number <= top and number != 0:
            return number
    return middle


def claims(ratio: float, cash: float, previous: float) -> list[Event]:
    """What is said of an event, if it says enough to be tried."""
    if math.isnan(cash) or cash >= previous:
        return []
    return [Event(1.0 if math.isnan(ratio) else ratio, cash)]


def _agrees(cash: float, said: float) -> bool:
    return math.isnan(said) or abs(cash - said) <= _CLOSE_TO_SAID * abs(said) + 1e-9


def claimed(ratio: float, cash: float) -> str:
    """What is said of an event, in words."""
    parts = []
    if not math.isnan(cash) and cash:
        parts.append(f"cash of {cash:g} a share")
    if not math.isnan(ratio) and ratio != 1:
        parts.append(f"{ratio:g} shares for one")
    return " and ".join(parts)
