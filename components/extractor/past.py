"""A look at a share's past beside an increment, which by itself sees the last ten sessions only.

Two things of the past would never be noticed otherwise. A first reply may lack years that were asked for: the year
before the first stored session is asked for again until the source says for a second time that it has nothing there.
And a source whose factors do not accumulate (Tiingo, Yahoo) may revise a dividend of years ago, or name one that it
did not: each increment looks at a year of what is stored, the newest first, then the one before it, and begins anew
after the oldest. Either costs one window more, and never both in one run.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from components.extractor.adjustment import MOVED, REVISED, HistoryChangedError
from components.extractor.calendar import ExchangeCalendar
from components.extractor.sources.base import History, Source, Steps
from components.feature_store import LookBack, PriceBars

_YEAR = dt.timedelta(days=365)
_DAY = dt.timedelta(days=1)
_SESSIONS = 250
"""A year of them."""


@dataclass(frozen=True)
class Look:
    """A window of the past to ask for.

    Attributes:
        first: its first day.
        last: its last day.
        stored: whether what is stored of it is compared; else it is before the first stored session.
    """

    first: dt.date
    last: dt.date
    stored: bool


def next_look(
    source: Source,
    looked: LookBack,
    stored: PriceBars,
    since: dt.date,
    first: dt.date,
    calendar: ExchangeCalendar,
) -> Look | None:
    """Where to look in the next increment.

    Args:
        source: that is asked.
        looked: where it was looked before.
        stored: all that is stored of the share.
        since: the first day that its history is kept from.
        first: the first day of the increment.
        calendar: of its exchange.

    Returns:
        The window; None if there is nothing to look at.
    """
    begins = stored.time[0].item()
    if source.reach is None and looked.begins != since and len(calendar.sessions(since, begins - _DAY)):
        return Look(max(since, begins - _YEAR), begins - _DAY, stored=False)
    # A window's first session comes again in the next one: what it is a step from is only seen there.
    newest = int(np.searchsorted(stored.time, np.datetime64(first, "D")))
    last = newest if looked.day is None else int(np.searchsorted(stored.time, np.datetime64(looked.day, "D")))
    last = last if 0 < last < newest else newest
    if source.cumulative or last == 0:
        return None
    return Look(stored.time[max(last - _SESSIONS, 0)].item(), stored.time[last].item(), stored=True)


def judge(look: Look, history: History, stored: PriceBars) -> str:
    """Compares what came of a window with what is stored.

    Args:
        look: the window.
        history: of it, verified; may be empty.
        stored: all that is stored of the share.

    Returns:
        What a person should know; empty if there is nothing.

    Raises:
        HistoryChangedError: the past is another one than is stored.
    """
    if not look.stored:
        if len(history):
            raise HistoryChangedError(f"the source has sessions before {stored.time[0]} now")
        return f"the source confirms that it has nothing before {stored.time[0]}"
    if not len(history):
        return f"of the stored days from {look.first} to {look.last} the source says nothing now"
    inside = (stored.time >= history.time[0]) & (stored.time <= history.time[-1])
    if not np.array_equal(stored.time[inside], history.time):
        strange = np.setxor1d(stored.time[inside], history.time)
        raise HistoryChangedError(f"the session of {strange[0]} is only stored, or only in the source's reply")
    moved = np.abs(history.close / stored.close[inside] - 1) > MOVED
    if moved.any():
        raise HistoryChangedError(f"the close of {history.time[int(np.argmax(moved))]} was corrected")
    if isinstance(history.adjustment, Steps):
        before = np.diff(np.log(stored.factor[inside]))
        revised = np.abs(np.log(history.adjustment.value[1:]) - before) > REVISED
        if revised.any():
            raise HistoryChangedError(f"the event of {history.time[1 + int(np.argmax(revised))]} was revised")
    return ""
