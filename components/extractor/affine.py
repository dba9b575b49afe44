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

from components.extractor.lines import Stretch, find_stretch, raw_tolerance_of, tolerance_of
from components.extractor.sources.base import AdjustedCloses
from components.feature_store.arrays import Days, Floats

_COUNTS = (*range(1, 11), 15, 20, 30, 45, 60)
"""Sessions after an event that it is found from, as few of these as tell it."""
PATIENCE = _COUNTS[-1]
LOOK = 10
"""Sessions after which a little doubt is let pass, and that an event needs which no row names."""
_LEAST_UNNAMED = 3
"""Sessions that have to show an event of which the source says nothing: two lie on some line whatever they are."""
_NARROW = 0.04
"""Width of what the closes allow for a ratio, below which one of 1 and one of 1.05 are told apart."""
_FEW_SHARES = 0.09
"""New shares for an old one, or fewer, that hardly anybody issues: one of 1 is meant."""
_CERTAIN = 3e-4
"""Relative width of what they allow for a step, below which it is taken at once."""
_DOUBTFUL = 1e-2
"""Likewise, beyond which it is not taken at all; cash in whole cents comes out exactly all the same."""
_SLACK = 5e-3
"""By how much the slopes of two stretches may be apart, relatively: an event is found to within some of it."""
_CLOSE_TO_SAID = 0.25
_UNNAMED, _SESSIONS_FOR_ONE = 4, 60
"""Events that a source may leave unsaid: so many, and one more for so many sessions."""
_DAY_MOVE = 0.12
"""Log move of a session that is nothing special, with the ten per cent in mind that the mainland allows."""
_BONUS = 0.3
"""New shares for an old one that are nothing special."""
_ABSURD = 100.0
_LEAST_SLOPE = 0.05
"""Least k, of a share that was never merged: an adjusted close that hardly moves with the raw one hides an event."""


class NoLawError(ValueError):
    """No law explains the adjusted closes; the text says from which session on."""


@dataclass(frozen=True)
class Steps:
    """What was found.

    Attributes:
        value: factor of a session over that of the session before, float64, shape (n,); 1 on the first.
        known: sessions whose step is known; those after them have to wait for more sessions.
        waits: why, in words; empty if nothing has to wait.
    """

    value: Floats
    known: int
    waits: str = ""


@dataclass(frozen=True)
class _Found:
    """An event: shares for one of the session before, and cash for it."""

    ratio: float
    cash: float

    def step(self, before: float) -> float:
        return before * self.ratio / (before - self.cash)

    @property
    def nothing(self) -> bool:
        return self.ratio == 1 and self.cash == 0


def affine_steps(time: Days, close: Floats, adjusted: AdjustedCloses) -> Steps:
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

    def run(self) -> Steps:
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
                        return Steps(self._step, begin, _waiting(self._time[begin], named=begin == border))
                    if begin != border:
                        self._count_unnamed(begin, short=stop < end and stop - begin < LOOK)
                    previous = float(self._close[begin - 1])
                    self._step[begin] = event.step(previous)
                    joined = self._part(begin - len(before.close), stop) if event.nothing else None
                    before = joined or _chained(before, stretch, event, previous)
                begin = stop
        return Steps(self._step, self._size)

    def _count_unnamed(self, at: int, short: bool) -> None:
        """Refuses closes that follow no law for long: any few sessions lie on some line."""
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

    def _event(self, before: Stretch, after: Stretch, at: int, named: bool, last: bool) -> _Found | None:
        """What happened between two stretches; None if that cannot be known yet."""
        adjusted, previous = self._adjusted, float(self._close[at - 1])
        cash = float(adjusted.cash[at]) if named and adjusted.cash is not None else math.nan
        ratio = float(adjusted.ratio[at]) if named and adjusted.ratio is not None else math.nan
        claims = _claims(ratio, cash, previous)
        for claim in claims:
            if self._bears_out(before, after, previous, claim) and _slopes_after(before, after, claim, previous):
                return claim
        size = min(len(after.close), PATIENCE)
        found: _Found | None = None
        # While more sessions may come, the same numbers of them are tried as when they have come.
        counts = {count for count in _COUNTS if count <= size} | (set() if last else {size})
        for count in sorted(counts):
            if not named and count < _LEAST_UNNAMED:
                continue
            start = after.first(count, self._floor)
            if start is None:
                break
            late = count >= LOOK or (count == size and named and not last)
            found, doubt = self._found(before, start, previous, ratio, cash, late=late)
            bound = _DOUBTFUL if late else _CERTAIN
            if found is not None and doubt <= bound and _slopes_after(before, after, found, previous):
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
        if found.nothing and self._shows(before, previous, ratio, cash):
            raise NoLawError(
                f"a row names an event of {self._time[at]} ({_claimed(cash, ratio)}) that the adjusted closes do not "
                "show"
            )
        return found

    def _found(
        self, before: Stretch, start: Stretch, previous: float, ratio: float, cash: float, *, late: bool
    ) -> tuple[_Found | None, float]:
        """What a few sessions after an event show of it, and how much that leaves open of the step, relatively.

        Args:
            before: the stretch before the event.
            start: the sessions.
            previous: the raw close before it.
            ratio: what is said; NaN for nothing.
            cash: likewise.
            late: whether k may stay in doubt, as few more sessions come or none.
        """
        ways: list[tuple[_Found | None, float]] = []
        if ratio > 0:
            way = self._cash_of(before, start, previous, ratio, cash)
            if way[0] is not None and _agrees(way[0].cash, cash):
                ways.append(way)
        if 0 < cash < previous:
            ways.append(self._ratio_of(before, start, cash))
        ways.append(self._any(before, start, previous, late=late))
        for found, doubt in ways:
            if found is not None and doubt <= _CERTAIN:
                return found, doubt
        return next((way for way in ways if way[0] is not None), (None, math.inf))

    def _bears_out(self, before: Stretch, after: Stretch, previous: float, claim: _Found) -> bool:
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
        if bool(((here + most + tolerance >= value) & (here + least - tolerance <= value)).any()):
            return True
        scale = before.value / before.close
        doubt = before.tolerance / before.close
        if scale.max() - scale.min() > 2 * doubt.max():
            return False
        expected = float(np.median(scale)) * close * claim.step(previous)
        return abs(expected - value) <= tolerance + 2 * float(doubt.min()) * close * claim.step(previous)

    def _shows(self, before: Stretch, previous: float, ratio: float, cash: float) -> bool:
        """Whether an event as it is said to be is one that rounding could not hide."""
        if not math.isnan(ratio) and abs(ratio - 1) > _NARROW:
            return True
        slope = before.least if not before.open else abs(float(before.value[-1])) / previous
        return not math.isnan(cash) and slope * abs(cash) > 4 * before.tolerance

    def _ratio_of(self, before: Stretch, start: Stretch, cash: float) -> tuple[_Found | None, float]:
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
        return _Found(ratio, cash), 0.0 if doubt < _NARROW / 2 and round(ratio, 2) == ratio else doubt

    def _cash_of(
        self, before: Stretch, start: Stretch, previous: float, ratio: float, said: float
    ) -> tuple[_Found | None, float]:
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
        return _Found(ratio, cash), (top - bottom) / (previous - cash)

    def _any(self, before: Stretch, start: Stretch, previous: float, *, late: bool) -> tuple[_Found | None, float]:
        """Both, from the change of k and what it leaves for the cash."""
        rise = abs(float(start.value[0] - before.value[-1]))
        if start.open or before.open:
            # k says nothing. Cash alone is the ordinary event; another one would put the reference elsewhere.
            found, doubt = self._cash_of(before, start, previous, 1.0, math.nan) if late else (None, math.inf)
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
            found, doubt = self._cash_of(before, start, previous, ratio, math.nan)
            if found is None:
                continue
            if not narrow:
                doubt += rise * (1 / start.least - 1 / start.most) * found.step(previous) / previous
            return found, doubt
        return None, math.inf


def _slopes_after(before: Stretch, after: Stretch, event: _Found, previous: float) -> list[tuple[float, float]]:
    """Least and most k after an event, in each law, affine or proportional, in which the stretch after it has that."""
    scaled = [(before.least * by, before.most * by) for by in (event.ratio, event.step(previous))]
    return [one for one in scaled if max(one[0], after.least) <= min(one[1], after.most) * (1 + _SLACK)]


def _chained(before: Stretch, after: Stretch, event: _Found, previous: float) -> Stretch:
    """The stretch after an event, with what the one before says of its k."""
    slopes = _slopes_after(before, after, event, previous)
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


def _waiting(day: np.datetime64, *, named: bool) -> str:
    what = "a row names an event of {} without its amounts" if named else "no row says what changed the prices of {}"
    return f"{what.format(day)}, which the sessions after it will show, {PATIENCE} at the latest"


def _claims(ratio: float, cash: float, previous: float) -> list[_Found]:
    """What is said of an event, if it says enough to be tried."""
    if math.isnan(cash) or cash >= previous:
        return []
    return [_Found(1.0 if math.isnan(ratio) else ratio, cash)]


def _agrees(cash: float, said: float) -> bool:
    return math.isnan(said) or abs(cash - said) <= _CLOSE_TO_SAID * abs(said) + 1e-9


def _claimed(cash: float, ratio: float) -> str:
    parts = []
    if not math.isnan(cash) and cash:
        parts.append(f"cash of {cash:g} a share")
    if not math.isnan(ratio) and ratio != 1:
        parts.append(f"{ratio:g} shares for one")
    return " and ".join(parts)
