"""Which days are sessions for a group of shares: by their exchange's calendar, or by what the shares of it have.

A `Tally` counts, day by day, how many shares have a price and how many are alive: between their first and last one.
That is all that is kept of the shares, so memory does not grow with their number.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from components.feature_store.arrays import Booleans, Days, Integers
from components.feature_store.weekdays import may_be_closed, regular_weekdays
from components.missing_sessions.holidays import LEAST_DAYS, are_holidays, beyond_holidays

if TYPE_CHECKING:
    from components.extractor.calendar import ExchangeCalendar

# Two exchanges differ by some days a year, each having what the other has not.
_FEWEST_DIFFERENT, _LEAST_DIFFERENT = 3, 0.003
_ENOUGH = 20
_FEWEST_WEEKS = 13


class Tally:
    """Counts of a group of shares, by day.

    Attributes:
        members: How many shares.
        begin: The day of the first count, as days since 1970.
        have: Shares with a price on each day, int64, shape (n,).
    """

    def __init__(self) -> None:
        """Counts nothing yet."""
        self.members = 0
        self.begin = 0
        self.have = np.zeros(0, np.int64)
        self._births = np.zeros(0, np.int64)
        self._deaths = np.zeros(0, np.int64)

    def add(self, days: Integers) -> None:
        """Counts a share by its days, ascending, n >= 1."""
        self._reach(int(days[0]), int(days[-1]) + 1)
        self.members += 1
        self.have[days - self.begin] += 1
        self._births[days[0] - self.begin] += 1
        self._deaths[days[-1] - self.begin] += 1

    def _reach(self, first: int, end: int) -> None:
        if self.members == 0:
            self.begin = first
        before, after = max(0, self.begin - first), max(0, end - self.begin - len(self.have))
        if before or after:
            self.begin -= before
            for name in ("have", "_births", "_deaths"):
                setattr(self, name, np.pad(getattr(self, name), (before, after)))

    @property
    def days(self) -> Days:
        """The days that are counted, datetime64[D], shape (n,)."""
        return np.arange(self.begin, self.begin + len(self.have)).astype("datetime64[D]")

    @property
    def alive(self) -> Integers:
        """Shares between their first and last price, both included, shape (n,)."""
        return np.cumsum(self._births) - np.cumsum(self._deaths) + self._deaths

    def differs(self, days: Integers) -> bool | None:
        """Tells whether a share, by its days, seems to be listed elsewhere than the shares counted here.

        Returns:
            None where both have days that the other lacks, and there are too few years to tell holidays from gaps.
        """
        first, last = max(self.begin, int(days[0])), min(self.begin + len(self.have) - 1, int(days[-1]))
        if first > last:
            return False
        theirs = self.have[first - self.begin : last - self.begin + 1] > 0
        own = np.zeros_like(theirs)
        own[days[(days >= first) & (days <= last)] - first] = True
        sides = [(mine & ~others, int(np.count_nonzero(mine))) for mine, others in ((own, theirs), (theirs, own))]
        if min(count for _, count in sides) < _ENOUGH:
            return False
        for only, count in sides:
            if np.count_nonzero(only) <= max(_FEWEST_DIFFERENT - 1, _LEAST_DIFFERENT * count):
                return False
        if last - first < LEAST_DAYS:
            return None
        days_only = [(np.flatnonzero(only) + first).astype("datetime64[D]") for only, _ in sides]
        return any(are_holidays(some, first, last) for some in days_only)


def sessions_by_calendar(tally: Tally, calendar: ExchangeCalendar) -> tuple[Booleans, Booleans, Booleans]:
    """The days of a tally as their exchange's calendar has them, where it knows them.

    Returns:
        Three arrays of the shape of `tally.have`: sessions that a share should have; sessions that no share has and
        on which the exchange may have been closed, which no share lacks; and days off on which a share has a price.
    """
    days = tally.days
    known = calendar.sessions(max(days[0].item(), calendar.begin), min(days[-1].item(), calendar.end))
    session = np.isin(days, known)
    lacking = (tally.have[session] == 0) & (tally.alive[session] > 0)
    closed = np.zeros_like(session)
    closed[session] = may_be_closed(lacking)
    inside = (days >= np.datetime64(calendar.begin)) & (days <= np.datetime64(calendar.end))
    return session & ~closed, closed, inside & ~session & (tally.have > 0)


def regular_days(tally: Tally) -> Booleans:
    """The days of a tally that fall on weekdays on which its shares are traded as a rule, shape of `tally.have`.

    As a rule means in most weeks of the year: exchanges gave up their Saturdays, New York in 1952 and Seoul in 1998,
    and moved their weekends. A year of few prices does not tell, and takes the rule of all years.
    """
    year = (tally.days.astype("datetime64[Y]")).astype(np.int64)
    weekday = (np.arange(len(tally.have)) + tally.begin + 3) % 7
    counts = np.zeros((year[-1] - year[0] + 1, 7), np.int64)
    np.add.at(counts, (year - year[0], weekday), tally.have > 0)
    most = counts.max(axis=1, keepdims=True)
    of_all = regular_weekdays(tally.days[tally.have > 0])
    often: Booleans = np.where(most < _FEWEST_WEEKS, of_all, counts * 2 > most)
    return often[year - year[0], weekday]


def sessions_by_shares(tally: Tally) -> tuple[Booleans, Booleans]:
    """The days of a tally that count as sessions where no calendar tells.

    Returns:
        Two arrays of the shape of `tally.have`: days that most of the other shares alive have, or that are of the
        second array: regular weekdays that no share has, more or longer than any exchange's holidays.
    """
    regular = regular_days(tally)
    by_most = regular & (tally.have > 0) & (2 * tally.have > tally.alive - 1)
    unknown = np.zeros_like(regular)
    unknown[regular] = beyond_holidays((tally.have[regular] == 0) & (tally.alive[regular] > 0))
    return by_most | unknown, unknown
