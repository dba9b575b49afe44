"""Finds the steps of a factor behind adjusted closes that are affine in the raw ones.

Between two events adjusted = k x raw + c: a bonus issue multiplies k, cash adds k x cash to c, so that the adjusted
close goes on over the ex-date. (HKUDS/Vibe-Trading, issues 1493 and 1541, measured that of Tencent; proportional prices
are the case c = 0.) A share of the session before became `ratio` shares and was paid `cash`; the exchanges' reference
price of the ex-date is (close before - cash) / ratio, and the factor steps by close before / reference.

Rounding leaves k in doubt wherever a stretch is short or its price hardly moves. So what the source says of an event
goes first, if the adjusted closes bear it out to within their rounding. Where it says nothing, or not all, ratio and
cash are the shortest decimal numbers that the closes allow, from as few sessions after the event as tell: more of them
change nothing, and any sequence of increments ends in the same factor. Until then those sessions are left out.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from components.extractor.between import (
    CERTAIN,
    DOUBTFUL,
    Event,
    bears_out,
    chained,
    claimed,
    claims,
    find_event,
    shows,
    slopes_after,
)
from components.extractor.lines import Stretch, find_stretch, raw_tolerance_of, tolerance_of
from components.extractor.sources.base import AdjustedCloses
from components.feature_store.arrays import Days, Floats

_COUNTS = (*range(1, 11), 15, 20, 30, 45, 60)
"""Sessions after an event that it is found from, as few of these as tell it."""
PATIENCE = _COUNTS[-1]
LOOK = 10
"""Sessions after which a little doubt is let pass."""
_LEAST_UNNAMED = 3
"""Sessions that have to show an event of which the source says nothing: two lie on some line whatever they are."""
_UNDONE = 0.01
"""By how much, relatively, an event may miss undoing the one before it, as neither is found exactly."""
_LEAST_BETWEEN = 5
"""Sessions from such an event to the next one, as few of them lie on some line by chance."""
_UNNAMED, _SESSIONS_FOR_ONE = 4, 60
"""Events that a source may leave unsaid: so many, and one more for so many sessions."""
_LEAST_SLOPE = 0.05
"""Least k, of a share that was never merged: an adjusted close that hardly moves with the raw one hides an event."""


class NoLawError(ValueError):
    """No law explains the adjusted closes; the text says from which session on."""


@dataclass(frozen=True)
class FoundSteps:
    """What was found.

    Attributes:
        value: factor of a session over that of the session before, float64, shape (n,); 1 on the first.
        known: sessions whose step is known; those after them have to wait for more sessions.
        waits: why, in words; empty if nothing has to wait.
    """

    value: Floats
    known: int
    waits: str = ""


def affine_steps(time: Days, close: Floats, adjusted: AdjustedCloses) -> FoundSteps:
    """Finds the events behind adjusted closes.

    Args:
        time: sessions, ascending, shape (n,), n at least 1; named in messages.
        close: raw, shape (n,).
        adjusted: the adjusted closes, and what the source says of events.

    Raises:
        NoLawError: some closes follow neither law within rounding.
    """
    try:
        return _Search(time, close, adjusted, loose=False).run()
    except NoLawError as error:
        # The raw closes may be rounded, too; that much doubt would hide small events, so it must not need any.
        loose = _Search(time, close, adjusted, loose=True)
        try:
            found = loose.run()
        except NoLawError:
            raise error from None
        if loose.unnamed:
            raise
        return found


class _Search:
    """One pass over a share.

    Attributes:
        unnamed: events found that the source says nothing of.
    """

    def __init__(self, time: Days, close: Floats, adjusted: AdjustedCloses, *, loose: bool) -> None:
        self._time, self._close, self._adjusted, self._loose = time, close, adjusted, loose
        self._tolerance = self._tight = tolerance_of(adjusted.value, adjusted.decimals)
        self._size = len(close)
        self._step = np.ones(self._size)
        self._merged, self._floor = 1.0, _LEAST_SLOPE
        self.unnamed = 0
        self._last_unnamed: tuple[int, Event] | None = None

    def run(self) -> FoundSteps:
        named = [int(at) for at in np.flatnonzero(self._adjusted.action) if at > 0]
        borders = [0, *named, self._size]
        before: Stretch | None = None
        for border, end in itertools.pairwise(borders):
            begin = border
            said = self._adjusted.ratio
            if border and said is not None and said[border] > 0:
                self._merged *= float(said[border])
                self._floor = _LEAST_SLOPE * min(1.0, self._merged)
            if self._loose:
                # Few sessions say little of k; it does not fall much but where shares are merged.
                doubt = raw_tolerance_of(self._close[begin:end], self._adjusted.value[begin:end])
                few = end - begin < LOOK
                self._tolerance = max(self._tight + doubt, self._tolerance) if few else self._tight + doubt
            while begin < end:
                stop = self._reach(begin, end)
                stretch = self._part(begin, stop)
                assert stretch is not None, "one session is always explained"
                if before is None:
                    before = stretch
                else:
                    event = self._event(before, stretch, begin, begin == border, stop == self._size)
                    if event is None:
                        return FoundSteps(self._step, begin, _waiting(self._time[begin], named=begin == border))
                    if begin != border:
                        self._count_unnamed(begin, event, short=stop < end and stop - begin < _LEAST_BETWEEN)
                    previous = float(self._close[begin - 1])
                    self._step[begin] = event.step(previous)
                    joined = self._part(begin - len(before.close), stop) if event.nothing else None
                    before = joined or chained(before, stretch, event, previous)
                begin = stop
        return FoundSteps(self._step, self._size)

    def _count_unnamed(self, at: int, event: Event, short: bool) -> None:
        """Refuses closes that follow no law for long, as any few lie on some line, or that go back to an old one."""
        step = event.step(float(self._close[at - 1]))
        if self._last_unnamed is not None and event.ratio != 1:
            last, before = self._last_unnamed
            if min(abs(event.ratio * before.ratio - 1), abs(step * self._step[last] - 1)) < _UNDONE:
                raise self._unexplained(last)
        self._last_unnamed = at, event
        self.unnamed += 1
        if short or self.unnamed > _UNNAMED + self._size // _SESSIONS_FOR_ONE:
            raise self._unexplained(at)

    def _part(self, begin: int, end: int) -> Stretch | None:
        close, value = self._close[begin:end], self._adjusted.value[begin:end]
        return find_stretch(close, value, self._tolerance, self._floor)

    def _reach(self, begin: int, end: int) -> int:
        """The end of the longest stretch from a session on."""
        if self._part(begin, end) is not None:
            return end
        good, bad = begin + 1, end
        while bad - good > 1:
            middle = (good + bad) // 2
            if self._part(begin, middle) is None:
                bad = middle
            else:
                good = middle
        return good

    def _unexplained(self, at: int) -> NoLawError:
        close, value = self._close[at], self._adjusted.value[at]
        return NoLawError(
            f"the adjusted close of {self._time[at]}, {value:g} beside the raw {close:g}, is neither proportional to "
            "the raw ones nor a multiple of them plus a constant, and what the rows say of events does not explain it"
        )

    def _event(self, before: Stretch, after: Stretch, at: int, named: bool, last: bool) -> Event | None:
        """What happened between two stretches; None if that cannot be known yet."""
        adjusted, previous = self._adjusted, float(self._close[at - 1])
        cash = float(adjusted.cash[at]) if named and adjusted.cash is not None else math.nan
        ratio = float(adjusted.ratio[at]) if named and adjusted.ratio is not None else math.nan
        for claim in claims(ratio, cash, previous):
            if bears_out(before, after, previous, claim) and slopes_after(before, after, claim, previous):
                return claim
        size = min(len(after.close), PATIENCE)
        found: Event | None = None
        # While more sessions may come, the same numbers of them are tried as when they have come.
        counts = {count for count in _COUNTS if count <= size} | (set() if last else {size})
        for count in sorted(counts):
            if not named and count < _LEAST_UNNAMED:
                continue
            start = after.first(count, self._floor)
            if start is None:
                break
            late = count >= LOOK or (count == size and not last)
            found, doubt = find_event(before, start, previous, ratio, cash, late=late)
            bound = DOUBTFUL if late else CERTAIN
            if found is not None and doubt <= bound and slopes_after(before, after, found, previous):
                break
            found = None
        if found is None and last and len(after.close) < PATIENCE:
            return None
        if found is None:
            raise self._unexplained(at)
        if not named:
            if found.nothing or (found.ratio == 1 and found.cash < 0) or len(before.close) < _LEAST_UNNAMED:
                raise self._unexplained(at)
            return found
        if found.nothing and shows(before, previous, ratio, cash):
            raise NoLawError(
                f"a row names an event of {self._time[at]} ({claimed(ratio, cash)}) that the adjusted closes do not "
                "show"
            )
        return found


def _waiting(day: np.datetime64, *, named: bool) -> str:
    what = "a row names an event of {} without its amounts" if named else "no row says what changed the prices of {}"
    return f"{what.format(day)}, which the sessions after it will show, {PATIENCE} at the latest"
