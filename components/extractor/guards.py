"""What stands in the database judges what comes: whether it is the same share, and whether its events are still there.

A reply without adjustments, or with another share's prices, is not told from a right one by itself. What is stored
tells it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import numpy as np

from components.errors import SourceError
from components.extractor.adjustment import MOVED
from components.extractor.sources.base import Doubt
from components.feature_store import Decisions, PriceBars
from components.feature_store.arrays import Floats
from components.feature_store.series import PriceSeries
from components.plausibility.record import Grade
from components.plausibility.returns import find_suspects

REPLACES = "--refetch replaces what is stored by what the source gives now"
# Part of the common closes; more are no corrections. Two shares have a close in common now and then.
_MOST_CORRECTED = 0.9
# Of a share with one common session only, whose correction is smaller.
_LARGE = 0.1
# Sessions by which the day of an event may be corrected.
_NEAR = 5
# Of the logarithm: a step that is no ordinary dividend has to stay about what it was.
_SPLIT, _PART_OF_SPLIT = 0.1, 0.5


def unsettled(share: str, doubts: Iterable[Doubt], decisions: Decisions) -> tuple[Doubt, ...]:
    """The doubts that no decision settles: `accept SHARE` settles all, `accept SHARE:DAY` that of a day."""
    if share in decisions.unadjusted:
        return ()
    return tuple(one for one in doubts if one.day is None or (share, one.day) not in decisions.accepted)


def refuse_doubts(source: str, share: str, doubts: tuple[Doubt, ...], stored: bool) -> None:
    """Refuses a history that is in doubt.

    Args:
        source: named in errors.
        share: likewise.
        doubts: that nobody has settled.
        stored: whether bars of the share are stored.

    Raises:
        SourceError: there is a doubt; the message names the first, and how to accept it.
    """
    if not doubts:
        return
    first = doubts[0]
    more = f" ({len(doubts) - 1} more like it)" if len(doubts) > 1 else ""
    if first.day is None:
        advice = f"ask later or another source, or take the prices as they are with --accept {share}"
        advice += f"; {REPLACES}" if stored else ""
    else:
        advice = f"ask later or another source, or accept the return with --accept {share}:{first.day}"
    raise SourceError(f"{source}, share {share}: {first.text}{more}; nothing was changed ({advice})")


def unexplained_jumps(share: str, bars: PriceBars, stored: PriceBars | None) -> tuple[Doubt, ...]:
    """Returns that are a simple ratio of prices where the factor stays, as of a split that the adjustments lack.

    Args:
        share: named in what is looked for.
        bars: what came.
        stored: bars of before, to be joined to an increment; None for a whole history.
    """
    time, close, factor = bars.time, bars.close, bars.factor
    if stored is not None:
        older = stored.time < time[0]
        time, close = np.append(stored.time[older], time), np.append(stored.close[older], close)
        factor = np.append(stored.factor[older], factor)
    known = "" if stored is None else str(stored.time[-1])
    steps = set(time[1:][np.abs(np.diff(np.log(factor))) > MOVED].astype(str).tolist())
    found = find_suspects(PriceSeries(share, time, close, factor))
    days = [one.day for one in found if one.grade is Grade.WRONG and not one.partner]
    return tuple(
        Doubt(
            f"no event is named, but the close of {day} is a simple ratio of that before, as in a split",
            dt.date.fromisoformat(day),
        )
        for day in days
        if day > known and day not in steps
    )


def other_share(bars: PriceBars, stored: PriceBars, most: float = MOVED) -> str:
    """Why bars cannot be those of the share that is stored, in words; empty if they can.

    Args:
        bars: what came.
        stored: what is stored.
        most: relative difference of two closes that are the same.
    """
    _, here, there = np.intersect1d(bars.time, stored.time, assume_unique=True, return_indices=True)
    if not len(here):
        return ""
    ratio = bars.close[here] / stored.close[there]
    differs = np.abs(ratio - 1) > most
    if differs.mean() <= _MOST_CORRECTED or (len(here) == 1 and abs(ratio[0] - 1) <= _LARGE):
        return ""
    at = int(np.argmax(differs))
    text = (
        f"{int(differs.sum())} of {len(here)} closes are not those that are stored, such as {bars.close[here[at]]:g} "
        f"for {stored.close[there[at]]:g} on {bars.time[here[at]]}"
    )
    if differs.all() and np.ptp(np.log(ratio)) < 0.01:
        text += f", all of them times {np.median(ratio):.6g}: a split that is not named, or another unit"
    else:
        text += ": the reply is another share's"
    return text


def lost_events(bars: PriceBars, stored: PriceBars) -> str:
    """Which stored steps of the factor the new bars have no more, in words; empty if all are there.

    An event may be corrected, a dividend also by much, its day by some sessions. A split does not become a dividend.
    And one that goes together with the change of price that it stood for has made no return false.
    """
    _, here, there = np.intersect1d(bars.time, stored.time, assume_unique=True, return_indices=True)
    before, now = (_events(one.factor[at]) for one, at in ((stored, there), (bars, here)))
    days = np.flatnonzero(before)
    if not len(days):
        return ""
    total, had = (np.append(0.0, np.cumsum(values)) for values in (now, before))
    some = np.append(0, np.cumsum(now != 0))
    begin, end = np.maximum(days - _NEAR, 0), np.minimum(days + _NEAR + 1, len(now))
    gone = some[end] == some[begin]
    around = had[end] - had[begin]
    large = (np.abs(before[days]) > _SPLIT) & (np.abs(around) > _SPLIT)
    gone |= large & ((total[end] - total[begin]) / np.where(large, around, 1.0) < _PART_OF_SPLIT)
    # Where the closes have changed with it, the return is what it was: the event was none.
    levels = (np.log(one.close[at] * one.factor[at]) for one, at in ((bars, here), (stored, there)))
    shift = np.subtract(*levels)
    gone &= np.abs(shift[np.minimum(end, len(shift) - 1)] - shift[begin]) > np.abs(before[days]) * _PART_OF_SPLIT
    if not gone.any():
        return ""
    factors = "all factors are 1 now" if not now.any() else f"{int(gone.sum())} of {len(days)} events are gone"
    first = days[int(np.argmax(gone))]
    return (
        f"{factors}, while what is stored has a step of {np.exp(before[first]):.6g} on {bars.time[here[first + 1]]}; "
        "no adjustment is no proof that nothing happened"
    )


def _events(factor: Floats) -> Floats:
    """Logarithms of the steps of the factor, 0 where it stays, shape (n - 1,)."""
    steps = np.diff(np.log(factor))
    return np.where(np.abs(steps) > MOVED, steps, 0.0)
