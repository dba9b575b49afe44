"""Judges what came of a share: by itself, by its exchange's calendar and by what is stored; makes the bars to store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

import numpy as np

from components.errors import SourceError
from components.extractor.adjustment import (
    HistoryChangedError,
    check_complete,
    check_joint,
    increment_bars,
    whole_bars,
)
from components.extractor.days_off import DaysOff, without_days_off
from components.extractor.guards import REPLACES, lost_events, other_share, refuse_doubts, unexplained_jumps, unsettled
from components.extractor.past import judge
from components.extractor.sources.base import AdjustedCloses, Doubt, History, Source
from components.extractor.sources.events import contradicted_events
from components.extractor.task import NOWHERE, Fetched, Task
from components.extractor.verify import select, verify
from components.feature_store import Decisions, LookBack, PriceBars
from components.feature_store.arrays import Days

_Made = TypeVar("_Made")
_OTHER_SOURCE = 0.01
"""A relative difference of two sources' closes of one session that is none of rounding or of the hour."""


@dataclass(frozen=True)
class Judged:
    """What can be stored of a share.

    Attributes:
        bars: to store; of a whole history, or from some stored session on.
        off: bars of days off that were left out.
        reason: why it was fetched from the start, in words; empty if there is none.
        looked: where its past was looked at by now, with the level of these bars.
        remarks: what else a person should know.
        waits: why the bars end before what came does; empty where they do not.
    """

    bars: PriceBars
    off: DaysOff
    reason: str
    looked: LookBack
    remarks: tuple[str, ...] = ()
    waits: str = ""


def judge_share(source: Source, task: Task, fetched: Fetched, decisions: Decisions, refetch: bool) -> Judged:
    """Judges what came of a share.

    Args:
        source: that answered.
        task: what was asked for.
        fetched: what came.
        decisions: what a person has decided of prices.
        refetch: whether what is stored is to be replaced whatever it is.

    Raises:
        HistoryChangedError: an increment shows that the past has changed.
        SourceError: what came cannot be accepted.
    """
    name, share, stored = source.name, task.share, task.stored
    everything, off = without_days_off(fetched.history, task.calendar)
    begin = np.datetime64(task.first, "D")
    history = verify(name, share, select(everything, everything.time >= begin), task.last)
    off = replace(off, days=off.days[off.days >= begin], traded=off.traded[off.days >= begin])
    if stored is not None and not refetch:
        check_complete(name, share, history, stored.time[stored.time >= begin], source.reach)
    if not len(history):
        raise SourceError(f"{name}, share {share}: the source has no session from {task.first} to {task.last}")
    doubts = unsettled(share, (*history.doubts, *_outage(task, history, decisions)), decisions)
    # Prices without adjustments are what the source gives now, and what is stored is to be replaced by that.
    taken = [doubt.text for doubt in doubts if doubt.day is None and refetch and stored is not None]
    refuse_doubts(name, share, tuple(doubt for doubt in doubts if doubt.text not in taken), stored is not None)
    if stored is not None and not task.whole:
        if len(everything) and everything.time.min() < stored.time[0]:
            raise HistoryChangedError(f"the source has sessions before {stored.time[0]} now")
        if _is_outdated(task, history):
            raise HistoryChangedError("its factors were found as if adjusted closes were proportional to raw ones")
        _refuse_another_level(history, stored, task.looked.level)
        bars = _made(name, share, lambda: increment_bars(history, stored))
        if task.looked.level is None and isinstance(history.adjustment, AdjustedCloses):
            raise HistoryChangedError("adjusted closes come now, and none came before")
        refuse_doubts(name, share, unsettled(share, unexplained_jumps(share, bars, stored), decisions), True)
        remark, looked = _past(source, task, fetched, stored)
        return Judged(bars, off, "", _with_level(looked, history, bars), (remark,) if remark else ())
    bars, waits = _made(name, share, lambda: whole_bars(history))
    doubts = contradicted_events(bars.time, bars.close, bars.factor)
    refuse_doubts(name, share, unsettled(share, doubts, decisions), stored is not None)
    if task.before is not None:  # two sources differ by more than one does from itself
        taken.append(other_share(bars, task.before, _OTHER_SOURCE))
    reason = "; ".join(filter(None, [task.reason, *taken]))
    if stored is not None:
        found = other_share(bars, stored)
        outdated = _is_outdated(task, history) and bool((bars.factor != bars.factor[0]).any())
        if not found and not outdated and share not in decisions.unadjusted:
            found = lost_events(bars, stored)
        if found and not refetch:
            accept = f"; --accept {share} takes prices without adjustments"
            raise SourceError(f"{name}, share {share}: {found}; nothing was changed ({REPLACES}{accept})")
        reason = f"{reason}; {found}" if found else reason
        if waits and not refetch and stored.time[-1] > bars.time[-1]:
            raise SourceError(f"{name}, share {share}: {waits}; nothing was changed")
        if not refetch:
            check_joint(name, share, bars, stored)
    if stored is None or not refetch:
        refuse_doubts(
            name, share, unsettled(share, unexplained_jumps(share, bars, None), decisions), stored is not None
        )
    if task.stored_off and stored is not None and not refetch:
        bars = _with_older(bars, stored)
    looked = _with_level(NOWHERE if refetch else task.looked, history, bars)
    return Judged(bars, off, reason, looked, _late_beginning(source, task, bars.time, refetch), waits)


def _made(name: str, share: str, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except ValueError as error:
        raise SourceError(
            f"{name}, share {share}: {error}; nothing was stored (ask later or another source, or begin after that day "
            "with --since)"
        ) from error


def _is_outdated(task: Task, history: History) -> bool:
    """Tells whether what is stored was found by version 0.2.0, which kept no level and took every law for a factor."""
    stored = task.stored
    if stored is None or task.looked.level is not None or not isinstance(history.adjustment, AdjustedCloses):
        return False
    return bool((stored.factor != stored.factor[0]).any())  # a share without events has no level either


def _outage(task: Task, history: History, decisions: Decisions) -> tuple[Doubt, ...]:
    """What speaks against raw closes alone where adjusted ones came before, as in an outage: one doubt, or none.

    Raises:
        HistoryChangedError: of an increment, as the whole history tells more.
    """
    if task.looked.level is None or isinstance(history.adjustment, AdjustedCloses):
        return ()
    text = "the prices came without adjustments, and adjusted ones came before"
    if not task.whole and not unsettled(task.share, history.doubts, decisions):
        raise HistoryChangedError(text)
    return (Doubt(text),)


def _refuse_another_level(history: History, stored: PriceBars, level: float | None) -> None:
    """Refuses an increment whose adjusted closes stand elsewhere than before: an event of the past was revised.

    Raises:
        HistoryChangedError: the adjusted close of the last stored session is another one now.
    """
    last = stored.time[-1]
    at = np.flatnonzero(history.time == last)
    if level is None or not isinstance(history.adjustment, AdjustedCloses) or not len(at):
        return
    now = float(history.adjustment.value[at[0]])
    if abs(now - level) > 1.5 * 10.0**-history.adjustment.decimals:
        raise HistoryChangedError(f"the adjusted close of {last} was {level:g} and is {now:g}")


def _with_level(looked: LookBack, history: History, bars: PriceBars) -> LookBack:
    """What is kept of the past, with the adjusted close of the last session."""
    level = None
    if isinstance(history.adjustment, AdjustedCloses):
        level = float(history.adjustment.value[int(np.searchsorted(history.time, bars.time[-1]))])
    return replace(looked, level=level)


def _past(source: Source, task: Task, fetched: Fetched, stored: PriceBars) -> tuple[str, LookBack]:
    """What a look at the past says to a person, and where it was looked at by now."""
    look = task.look
    if look is None or fetched.past is None:
        return fetched.remark, task.looked
    looked = replace(task.looked, day=look.first) if look.stored else replace(task.looked, begins=task.since)
    past, _ = without_days_off(fetched.past, task.calendar)
    try:
        past = verify(source.name, task.share, past, task.last)
    except SourceError as error:
        return f"its past was not looked at: {error}", looked
    return judge(look, past, stored), looked


def _late_beginning(source: Source, task: Task, time: Days, refetch: bool) -> tuple[str, ...]:
    """Says that a history begins later than was asked for, where the source may have more; none if it may not."""
    known = source.reach is not None or (task.looked.begins == task.since and not refetch)
    if known or not len(task.calendar.sessions(task.since, time[0].item() - dt.timedelta(days=1))):
        return ()
    return (f"begins {time[0]}: the source gave nothing from {task.since} on, and is asked for it once more next time",)


def _with_older(bars: PriceBars, stored: PriceBars) -> PriceBars:
    """The bars, behind the stored ones of before them: what a source with a limited reach does not give any more."""
    older = stored.time < bars.time[0]
    if not older.any():
        return bars
    names = ("time", "close", "factor", "open", "high", "low", "volume")
    columns = (
        np.concatenate([(stored.time if name == "time" else stored.column(name))[older], getattr(bars, name)])
        for name in names
    )
    return PriceBars(*columns)
