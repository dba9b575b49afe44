"""From what a source says of adjustment to factors, such that any sequence of extractions ends in the same ones.

Exact factors are taken as they are, exact steps are multiplied up from the first day on; so are the steps that
`affine.py` finds behind adjusted closes that a source has rounded. An increment only checks that nothing has changed,
and goes on with the stored factor; whatever has means that the share is fetched from the start.
"""

from __future__ import annotations

import itertools

import numpy as np

from components.errors import SourceError
from components.extractor.affine import NoLawError, affine_steps
from components.extractor.lines import fits
from components.extractor.sources.base import AdjustedCloses, Factors, History
from components.extractor.verify import select
from components.feature_store import PriceBars
from components.feature_store.arrays import Booleans, Days, Floats, Integers

OVERLAP = 10
"""Sessions before the last stored one that an increment asks for again."""
MOVED = 1e-4
"""A relative change of a close, or of a factor found behind rounded closes, that means the past has changed."""
REVISED = 1e-7
"""The same of a factor or step that a source gives exactly: the smallest dividend of a dear share is below `MOVED`."""
_KNOWN = 1.5
"""Doubt of k, most over least, beyond which a stretch is too short to check a stored step by."""


class HistoryChangedError(Exception):
    """An increment cannot be joined to what is stored: the share has to be fetched from the start."""


def whole_bars(history: History) -> tuple[PriceBars, str]:
    """Bars of a share that was fetched from the start; the history is verified and not empty.

    Returns:
        The bars, and why they end before the history does; an empty text where they do not.

    Raises:
        NoLawError: the adjusted closes are no consequence of the raw ones and of events.
    """
    adjustment = history.adjustment
    if isinstance(adjustment, AdjustedCloses):
        steps = affine_steps(history.time, history.close, adjustment)
        if not steps.known:
            raise NoLawError(steps.waits)
        if not steps.waits:
            return _bars(history, _accumulated(1.0, steps.value)), ""
        kept = np.arange(len(history)) < steps.known
        return _bars(select(history, kept), _accumulated(1.0, steps.value[kept])), steps.waits
    if isinstance(adjustment, Factors):
        return _bars(history, adjustment.value), ""
    return _bars(history, _accumulated(1.0, adjustment.value)), ""


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
        _refuse_action(history, new & adjustment.action)
        _refuse_other_steps(history, adjustment, at, stored.factor[begin:])
        factor = np.full(len(history), stored.factor[-1])
        factor[at] = stored.factor[begin:]
    elif isinstance(adjustment, Factors):
        factor = adjustment.value
        _refuse_moved(history, at, stored.factor[begin:], factor)
        _refuse_action(history, new & np.append(False, factor[1:] != factor[:-1]))
    else:
        factor = _accumulated(float(stored.factor[begin]), adjustment.value)
        _refuse_moved(history, at, stored.factor[begin:], factor)
        _refuse_action(history, new & (adjustment.value != 1))
    return _bars(history, factor)


def _refuse_moved(history: History, at: Integers, stored: Floats, factor: Floats) -> None:
    moved = np.abs(factor[at] / stored - 1) > REVISED
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


def _refuse_other_steps(history: History, adjusted: AdjustedCloses, at: Integers, factor: Floats) -> None:
    """Refuses adjusted closes that do not go on as the stored factors do.

    Args:
        history: of an increment.
        adjusted: its adjusted closes.
        at: which of its sessions are stored; the first one is.
        factor: that is stored of those.

    Raises:
        HistoryChangedError: sessions without a stored step in between lie on no line, or a step leads to another one.
    """
    step = np.ones(len(history))
    step[at[1:]] = factor[1:] / factor[:-1]
    unsaid = (step != 1) & ~adjusted.action
    borders = [0, *(1 + np.flatnonzero(((step != 1) | adjusted.action)[1:])).tolist(), len(history)]
    before = 0
    for begin, end in itertools.pairwise(borders):
        line = fits(history.close, adjusted, begin, end)
        if line is None:
            last = next(
                stop for stop in range(begin + 1, end + 1) if fits(history.close, adjusted, begin, stop) is None
            )
            raise HistoryChangedError(f"the adjusted close has moved on {history.time[last - 1]}")
        if begin == 0:
            continue
        joined = fits(history.close, adjusted, before, end)
        if unsaid[begin] and abs(step[begin] - 1) > MOVED and joined is not None and end - before > 2:
            raise HistoryChangedError(f"the factor of {history.time[begin]} has moved")
        if line.most <= _KNOWN * line.least:
            # k x (close - reference) is what the adjusted close has moved by.
            reference = history.close[begin - 1] / step[begin]
            moved = np.array([line.least, line.most]) * (history.close[begin] - reference)
            found = adjusted.value[begin] - adjusted.value[begin - 1]
            doubt = 4 * line.tolerance + MOVED * abs(adjusted.value[begin])
            if not moved.min() - doubt <= found <= moved.max() + doubt:
                raise HistoryChangedError(f"the factor of {history.time[begin]} has moved")
        before = begin


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
