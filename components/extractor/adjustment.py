"""From what a source says of adjustment to factors, such that any sequence of extractions ends in the same ones.

Exact factors are taken as they are, exact steps are multiplied up from the first day on. Adjusted closes that a source
has rounded leave the factor in doubt by half a cent: between two ex-dates it is one number, found as the middle of what
the first ten days after the ex-date agree on. Ten is also the number of sessions that an increment looks back, so
whoever comes later sees the same ten days, and more of them change nothing.
"""

from __future__ import annotations

import numpy as np

from components.errors import SourceError
from components.extractor.sources.base import AdjustedCloses, Factors, History
from components.feature_store import PriceBars
from components.feature_store.arrays import Booleans, Days, Floats, Integers

OVERLAP = 10
"""Sessions before the last stored one that an increment asks for again."""
MOVED = 1e-4
"""A relative change of a stored factor or close that means the past has changed."""


class HistoryChangedError(Exception):
    """An increment cannot be joined to what is stored: the share has to be fetched from the start."""


def whole_bars(history: History) -> PriceBars:
    """Bars of a share that was fetched from the start; the history is verified and not empty."""
    adjustment = history.adjustment
    if isinstance(adjustment, Factors):
        factor = adjustment.value
    elif isinstance(adjustment, AdjustedCloses):
        factor = _factors_behind(history.close, adjustment)
    else:
        factor = _accumulated(1.0, adjustment.value)
    return _bars(history, factor)


def increment_bars(history: History, stored: PriceBars) -> PriceBars:
    """Bars of a share that was fetched from some stored session on.

    Args:
        history: verified; it begins with a stored session and holds all stored ones after it.
        stored: all that is stored of the share.

    Raises:
        HistoryChangedError: there is a new corporate action, a factor or a close of the past is another one now, or a
            session of the past was not there before.
    """
    begin = int(np.searchsorted(stored.time, history.time[0]))
    at = np.searchsorted(history.time, stored.time[begin:])
    new = history.time > stored.time[-1]
    filled = np.setdiff1d(history.time[~new], stored.time)
    if len(filled):
        # Which days a factor was found from, or what a step goes back to, is another matter with it.
        raise HistoryChangedError(f"the session of {filled[0]} was missing before")
    moved = np.abs(history.close[at] / stored.close[begin:] - 1) > MOVED
    if moved.any():
        raise HistoryChangedError(f"the close of {history.time[at[int(np.argmax(moved))]]} was corrected")
    adjustment = history.adjustment
    if isinstance(adjustment, AdjustedCloses):
        _refuse_moved(history, at, _disagrees(stored.factor[begin:], history.close[at], adjustment, at))
        factor = _continued(history, stored, begin, at, adjustment, new)
    elif isinstance(adjustment, Factors):
        factor = adjustment.value
        _refuse_moved(history, at, np.abs(factor[at] / stored.factor[begin:] - 1) > MOVED)
        _refuse_action(history, new & np.append(False, factor[1:] != factor[:-1]))
    else:
        factor = _accumulated(float(stored.factor[begin]), adjustment.value)
        _refuse_moved(history, at, np.abs(factor[at] / stored.factor[begin:] - 1) > MOVED)
        _refuse_action(history, new & (adjustment.value != 1))
    return _bars(history, factor)


def _refuse_moved(history: History, at: Integers, moved: Booleans) -> None:
    if moved.any():
        raise HistoryChangedError(f"the factor of {history.time[at[int(np.argmax(moved))]]} has moved")


def _refuse_action(history: History, action: Booleans) -> None:
    if action.any():
        raise HistoryChangedError(f"a corporate action on {history.time[int(np.argmax(action))]}")


def _accumulated(first: float, steps: Floats) -> Floats:
    """Factors from the first one and the steps after it, multiplied in order, as any other order rounds differently."""
    return np.multiply.accumulate(np.append(first, steps[1:]))


def _bars(history: History, factor: Floats) -> PriceBars:
    return PriceBars(history.time, history.close, factor, history.open, history.high, history.low, history.volume)


def _half_unit(adjustment: AdjustedCloses) -> float:
    # A hair more, so that a value on the border is not lost to floating point.
    return 0.5 * 10.0**-adjustment.decimals * (1 + 1e-6)


def _disagrees(factor: Floats, close: Floats, adjustment: AdjustedCloses, at: Integers) -> Booleans:
    """Tells where factor x close is not the adjusted close, up to rounding and what counts as moved.

    Half a unit is the rounding of this day, the rest that of the days that the factor was found from: it may be off by
    as much as it may there, and by three times that where the price has tripled since. A tighter bound would take the
    rounding of low prices for corporate actions.
    """
    value = adjustment.value[at]
    return np.abs(factor * close - value) > 4 * _half_unit(adjustment) + MOVED * value


def _factors_behind(close: Floats, adjustment: AdjustedCloses) -> Floats:
    """One factor for each run of days between ex-dates, from its first days."""
    half = _half_unit(adjustment)
    low, high = (adjustment.value - half) / close, (adjustment.value + half) / close
    factor = np.empty(len(close))
    starts = np.append(np.flatnonzero(adjustment.action), len(close))
    begin = 0
    while begin < len(close):
        end = int(starts[np.searchsorted(starts, begin, side="right")])
        most = min(begin + OVERLAP, end)
        least, greatest = np.maximum.accumulate(low[begin:most]), np.minimum.accumulate(high[begin:most])
        agree = int(np.argmin(np.append(least <= greatest, False)))  # days that one factor explains
        bottom, top = least[agree - 1], greatest[agree - 1]
        value = 1.0 if bottom <= 1 <= top else (bottom + top) / 2
        if agree < most - begin:
            end = begin + agree  # a change that the source gives no ex-date for
        else:
            rest = np.arange(most, end)
            broken = _disagrees(np.full(len(rest), value), close[rest], adjustment, rest)
            if broken.any():
                end = int(rest[np.argmax(broken)])
        factor[begin:end] = value
        begin = end
    return factor


def _continued(
    history: History, stored: PriceBars, begin: int, at: Integers, adjustment: AdjustedCloses, new: Booleans
) -> Floats:
    """The stored factor goes on; it is found again while the run has not had its first days."""
    _refuse_action(history, new & adjustment.action)
    last = stored.factor[-1]
    changes = np.flatnonzero(stored.factor[1:] != stored.factor[:-1])
    told = np.flatnonzero(adjustment.action[at])
    # An action may be too small to show in the factor yet.
    run = int(max([0, *(changes[-1:] + 1), *(begin + told[-1:])]))
    factor = np.full(len(history), last)
    factor[at] = stored.factor[begin:]
    if len(stored) - run < OVERLAP:
        inside = history.time >= stored.time[run]
        # All of the run is in the history, as it has fewer days than an increment looks back.
        values = AdjustedCloses(adjustment.value[inside], np.zeros(int(inside.sum()), dtype=bool), adjustment.decimals)
        found = _factors_behind(history.close[inside], values)
        if (found != found[0]).any():
            raise HistoryChangedError(f"the factor has moved since {stored.time[run]}")
        factor[inside] = found
    else:
        days = np.flatnonzero(new)
        broken = _disagrees(factor[days], history.close[days], adjustment, days)
        if broken.any():
            raise HistoryChangedError(f"the factor has moved on {history.time[days[int(np.argmax(broken))]]}")
    return factor


def check_complete(source: str, share: str, history: History, stored: Days, reach: int | None) -> None:
    """Refuses a history that leaves out sessions that are stored: a cut reply would pass for the whole otherwise.

    Args:
        source: named in errors.
        share: likewise.
        history: verified; may be empty.
        stored: the sessions that are stored from the first day asked for on, datetime64[D], shape (n,).
        reach: whether the source ends somewhere in the past: what it cannot give is not missed.

    Raises:
        SourceError: sessions are missing; the message says how to accept that.
    """
    if reach is not None and len(history):
        stored = stored[stored >= history.time[0]]
    missing = np.setdiff1d(stored, history.time)
    if len(missing):
        raise SourceError(
            f"{source}, share {share}: the reply leaves out {len(missing)} stored sessions, the first of them "
            f"{missing[0]}; nothing was changed (--refetch replaces what is stored by what the source gives now)"
        )


def check_joint(source: str, share: str, bars: PriceBars, stored: PriceBars) -> None:
    """Refuses new factors (`bars`) for a part of a history whose older part the source does not give any more.

    Raises:
        SourceError: the stored bars begin earlier, and their factors differ.
    """
    if stored.time[0] >= bars.time[0]:
        return
    _, here, there = np.intersect1d(bars.time, stored.time, assume_unique=True, return_indices=True)
    if not len(here) or np.abs(bars.factor[here] / stored.factor[there] - 1).max() > MOVED:
        raise SourceError(
            f"{source}, share {share}: the factors have changed, and the source gives no session before "
            f"{bars.time[0]} any more, while {stored.time[0]} is the first stored; nothing was changed (--refetch "
            "replaces what is stored by what the source gives now)"
        )
