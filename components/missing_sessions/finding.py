"""Finds the sessions that shares lack, in a database or in the days of shares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from components.errors import ExchangeError
from components.feature_store.arrays import Booleans, Days, Integers
from components.feature_store.weekdays import may_be_closed, regular_weekdays
from components.missing_sessions.exchanges import exchanges_of, fitting_exchange
from components.missing_sessions.found import MissingSessions, ShareGaps, sessions, some_days
from components.missing_sessions.grids import Tally, regular_days, sessions_by_calendar, sessions_by_shares
from components.missing_sessions.holidays import LEAST_DAYS, are_holidays, most_holidays
from components.missing_sessions.limit import most_missing
from models.features import WINDOW

if TYPE_CHECKING:
    from components.extractor.calendar import ExchangeCalendar
    from components.feature_store import FeatureStore, PriceBars

_ENOUGH_TO_FIT = 60
"""Days of a share by which its exchange is guessed, to compare it with shares of the same."""

_SHARES_LOOKED_AT = 50

_FIRST_DAYS = 8
"""Of a share: with these, one that is traded on all seven weekdays shows it."""

_MONDAY_TO_FRIDAY = range(1, 6)
"""As remainders of proleptic ordinals by 7, of which Sunday is 0."""

_MOST_OFF = 0.02
"""Part of a share's days that may be days off of its exchange; with more, it is hardly listed there."""

ReadDays = Callable[[], Iterable[tuple[str, Days]]]


def find_missing(
    store: FeatureStore,
    now: dt.datetime | None = None,
    suggest: Collection[str] = (),
    exchanges: Mapping[str, str] | None = None,
) -> MissingSessions:
    """Finds what the shares of a database lack; all of them are looked at, as each tells of the others.

    Args:
        store: The database.
        now: The present, with a zone; None for the clock. It decides only how far calendars reach.
        suggest: Shares for which an exchange is looked for that fits, where none is known: up to ten seconds.
        exchanges: By share, its exchange, whatever the database says.

    Raises:
        StoreError: The database cannot be read.
    """
    with store.listings.one_moment():  # days are read twice, and an extraction may add some
        shares = [summary.share_id for summary in store.shares()]
        listed = exchanges_of(store, shares) | dict(exchanges or {})
        found = missing_in(lambda: store.listings.days(shares), listed, now, suggest)
    by_exchange: dict[int, list[str]] = {}
    for share in found.off:
        by_exchange.setdefault(found.group[share], []).append(share)
    said = list(found.said)
    for at, of_exchange in by_exchange.items():
        looked_at = of_exchange[:_SHARES_LOOKED_AT]
        quiet = sum(_quiet(store.bars(share), found.off[share]) for share in looked_at)
        bars = sum(len(found.off[share]) for share in looked_at)
        if quiet:
            code = listed[looked_at[0]]
            some = f" of the first {_SHARES_LOOKED_AT} of these shares" if len(of_exchange) > len(looked_at) else ""
            note = f"{quiet:,} of {bars:,} bars on days off{some} have no volume or repeat the close before"
            said[at] = (*said[at], f"{code}: {note}: hardly anybody traded")
    return replace(found, said=tuple(said))


def last_windows_across(
    store: FeatureStore, shares: Sequence[str], limit: int, now: dt.datetime | None = None
) -> dict[str, int]:
    """The shares whose last window is none that a model is trained on, and how many sessions it lacks.

    Args:
        store: The database.
        shares: Those that are asked about.
        limit: Missing sessions that a window may reach across.
        now: As in `find_missing`.
    """
    if not _may_reach_across(store, shares, most_missing(limit, WINDOW - 1)):
        return {}  # nearly always: the days of all shares are not read
    gaps = find_missing(store, now).of(shares).shares
    found = {}
    for share, days in store.listings.days(list(gaps)):
        first = days[-WINDOW:][:1]  # of windows that another tool wrote, the first days may not be known
        count = int(gaps[share].between(first, days[-1:])[0])
        if count > most_missing(limit, WINDOW - 1):
            found[share] = count
    return dict(sorted(found.items()))


def _may_reach_across(store: FeatureStore, shares: Sequence[str], most: int) -> bool:
    """Whether the last window of any share may lack more sessions than `most`, by weekdays alone.

    No session of a share is on another weekday than those of its first and last days, and Monday to Friday.
    """
    ordinals: dict[str, int] = {}
    for _, first, last in store.listings.ends(shares, _FIRST_DAYS, WINDOW):
        for text in (*first, *last):
            if text not in ordinals:
                try:
                    ordinals[text] = dt.date.fromisoformat(text).toordinal()
                except (TypeError, ValueError):
                    return True  # whoever reads them all names it
        weekdays = {*_MONDAY_TO_FRIDAY, *(ordinals[text] % 7 for text in (*first, *last))}
        if last:
            begin, end = ordinals[last[0]], ordinals[last[-1]]
            weeks, rest = divmod(end + 1 - begin, 7)
            possible = weeks * len(weekdays) + sum((end - day) % 7 in weekdays for day in range(rest))
            if possible - len(last) > most:
                return True
    return False


def _quiet(bars: PriceBars | None, days: Days) -> int:
    """Bars of some days without volume, or with the close before; 0 where the prices are not stored."""
    if bars is None:
        return 0
    at = np.flatnonzero(np.isin(bars.time, days))
    repeats = (at > 0) & (bars.close[at] == bars.close[np.maximum(at - 1, 0)])
    return int(np.count_nonzero(repeats | (bars.column("volume")[at] == 0)))


def missing_in(
    read: ReadDays, exchanges: Mapping[str, str], now: dt.datetime | None = None, suggest: Collection[str] = ()
) -> MissingSessions:
    """Finds what shares lack.

    Args:
        read: Gives each share with its days, ascending and distinct; asked twice, so that not all days are in memory.
        exchanges: By share, as exchange_calendars names it; a share that is not there is compared with its like.
        now: As in `find_missing`.
        suggest: As in `find_missing`.
    """
    groups = _Groups(exchanges, now or dt.datetime.now(dt.UTC))
    for share, days in read():
        if len(days):
            groups.add(share, days)
    asked = {id(groups.of[share]) for share in suggest if share in groups.of}
    for group in groups.all:
        group.judge(groups.now, id(group) in asked)
    gaps: dict[str, ShareGaps] = {}
    for share, days in read():
        if share in groups.of and len(missing := groups.of[share].missing(share, days)):
            gaps[share] = ShareGaps(missing, days[: WINDOW - 1])
    place = {id(group): number for number, group in enumerate(groups.all)}
    return MissingSessions(
        shares=dict(sorted(gaps.items())),
        said=tuple(tuple(group.notes()) for group in groups.all),
        group={share: place[id(group)] for share, group in groups.of.items()},
        off={share: days for group in groups.all for share, days in group.off.items()},
        listed={share: place[id(group)] for share, group in groups.listed.items()},
    )


@dataclass
class _Group:
    """Shares that are compared with one another.

    Attributes:
        weekdays: on which they are traded as a rule, Monday to Sunday.
        calendar: of their exchange; None where it is not known.
        shares: the first few.
        expected: the days of the tally that a share should have.
        said: what is to be said of all of them.
        off: by share, days off of the exchange that have a price.
    """

    tally: Tally
    weekdays: tuple[bool, ...]
    calendar: ExchangeCalendar | None = None
    shares: list[str] = field(default_factory=list)
    expected: Booleans = field(default_factory=lambda: np.zeros(0, bool))
    said: list[str] = field(default_factory=list)
    off: dict[str, Days] = field(default_factory=dict)
    _off: Booleans = field(default_factory=lambda: np.zeros(0, bool))

    def judge(self, now: dt.datetime, suggest: bool) -> None:
        """Decides which days are sessions, once all shares are counted."""
        if not self.tally.members:
            return
        days = self.tally.days
        if self.calendar is not None:
            self.expected, closed, self._off = sessions_by_calendar(self.tally, self.calendar)
            if closed.any():
                alone = self.tally.alive[closed].max() < 2
                self.said.append(
                    f"{self.calendar.code}: no share has {sessions(int(closed.sum()))} of its calendar "
                    f"({some_days(days[closed])}): the exchange may have been closed, so they do not count as missing"
                    + ("; no second share of it tells" if alone else "")
                )
            return
        self.expected, unknown = sessions_by_shares(self.tally)
        if unknown.any():
            self.said.append(
                f"{self.names}: no exchange is named, and {int(unknown.sum()):,} weekdays have no price "
                f"({some_days(days[unknown])}), more than any exchange's holidays: they count as missing sessions "
                "until an import names the exchange (--exchange)"
            )
        if suggest:
            self._suggest(days[self.tally.have > 0], now)

    def _suggest(self, days: Days, now: dt.datetime) -> None:
        """Says which exchange's calendar the days fit, where they lack some of its sessions all the same."""
        if self.weekdays == (True,) * 7 or not np.count_nonzero(self.tally.have[regular_days(self.tally)] == 0):
            return
        fit = _fit(days, now)
        if fit is None:
            return
        calendar, lacking = fit
        known = calendar.sessions(days[0].item(), days[-1].item())
        first, last = (int(day.astype(int)) for day in days[[0, -1]])
        few = last - first < LEAST_DAYS and len(lacking) <= most_holidays(len(known))
        if few or are_holidays(lacking, first, last):
            return  # of an exchange that is not among those that were tried
        if len(lacking) > np.count_nonzero(may_be_closed(np.isin(known, lacking))):
            self.said.append(
                f"{self.names}: their days fit the exchange {calendar.code} best, and no share has "
                f"{len(lacking):,} of its {len(known):,} sessions ({some_days(lacking)}); "
                f"an import with --exchange {calendar.code} counts them as missing"
            )

    def missing(self, share: str, days: Days) -> Days:
        """What a share lacks."""
        numbers = days.astype(np.int64) - self.tally.begin
        first, last = int(numbers[0]), int(numbers[-1])
        lacks = self.expected[first : last + 1].copy()
        lacks[numbers - first] = False
        if self.calendar is None and self.tally.members > 1:
            lacks &= ~self._own_holidays(lacks, first)
        if len(self._off) and len(off := days[self._off[numbers]]):
            self.off[share] = off
        return (np.flatnonzero(lacks) + first + self.tally.begin).astype("datetime64[D]")

    def _own_holidays(self, lacks: Booleans, first: int) -> Booleans:
        """Days that other shares have and this one lacks each year: it is listed where others are not."""
        begin = first + self.tally.begin
        by_others = lacks & (self.tally.have[first : first + len(lacks)] > 0)
        days = (np.flatnonzero(by_others) + begin).astype("datetime64[D]")
        if are_holidays(days, begin, begin + len(lacks) - 1):
            return by_others
        return np.zeros_like(lacks)

    def notes(self) -> list[str]:
        """What is to be said of the group, once every share was compared."""
        if not self.off or self.calendar is None:
            return self.said
        bars = sum(map(len, self.off.values()))
        some = ", ".join(f"{share} {some_days(days)}" for share, days in list(self.off.items())[:3])
        count = "1 bar is" if bars == 1 else f"{bars:,} bars are"
        more = f", and {len(self.off) - 3} more shares" if len(self.off) > 3 else ""
        return [*self.said, f"{self.calendar.code}: {count} on days off ({some}{more})"]

    @property
    def names(self) -> str:
        """The shares, in words."""
        rest = self.tally.members - len(self.shares)
        return ", ".join(self.shares) + (f" and {rest} more" if rest else "")


class _Groups:
    """Shares that are alike, as they come."""

    def __init__(self, exchanges: Mapping[str, str], now: dt.datetime) -> None:
        self.now = now
        self.of: dict[str, _Group] = {}
        self.all: list[_Group] = []
        self.listed: dict[str, _Group] = {}
        self._exchanges = exchanges
        self._listed: dict[str, _Group] = {}
        self._alike: dict[tuple[str, tuple[bool, ...]], list[_Group]] = {}
        self._refused: dict[str, str] = {}

    def add(self, share: str, days: Days) -> None:
        """Puts a share to those of its exchange, or to those with the same weekdays and holidays."""
        numbers = days.astype("datetime64[D]").astype(np.int64)
        group = self._at_exchange(share, days)
        if group is None:
            weekdays = tuple(regular_weekdays(days))
            alike = self._alike.setdefault((self._exchanges.get(share, ""), weekdays), [])
            group = next((one for one in alike if self._belongs(days, numbers, one.tally)), None)
            if group is None:
                group = self._new(weekdays)
                alike.append(group)
        self.of[share] = group
        group.tally.add(numbers)
        if len(group.shares) < 3:
            group.shares.append(share)

    def _belongs(self, days: Days, numbers: Integers, tally: Tally) -> bool:
        differs = tally.differs(numbers)
        if differs is None:
            theirs = tally.days[tally.have > 0]
            fits = [_fit(some, self.now) for some in (days, theirs)]
            codes = {fit[0].code if fit else "" for fit in fits}
            return len(codes) == 1 and "" not in codes
        return not differs

    def _at_exchange(self, share: str, days: Days) -> _Group | None:
        code = self._exchanges.get(share)
        if code is None:
            return None
        if code not in self._listed:
            self._listed[code] = self._listed_at(code)
        group = self._listed[code]
        if group.calendar is None:
            self.listed[share] = group
            return None
        calendar = group.calendar
        known = calendar.sessions(days[0].item(), days[-1].item())
        inside = (days >= np.datetime64(calendar.begin)) & (days <= np.datetime64(calendar.end))
        off = int(np.count_nonzero(inside & ~np.isin(days, known)))
        if off > _MOST_OFF * len(days) and off > 2:
            self.listed[share] = group
            group.said.append(
                f"{share}: {off:,} of its {len(days):,} days are days off of {code}, so it is not compared with its "
                "calendar; import it with the right --exchange"
            )
            return None
        return group

    def _listed_at(self, code: str) -> _Group:
        try:
            from components.extractor.calendar import ExchangeCalendar

            calendar = ExchangeCalendar.of(code, self.now)
        except (ExchangeError, ImportError) as error:
            group = self._new((True,) * 7)
            group.said.append(f"{error}; its shares are compared with one another instead")
            return group
        group = self._new((True,) * 7)
        group.calendar = calendar
        return group

    def _new(self, weekdays: tuple[bool, ...]) -> _Group:
        group = _Group(Tally(), weekdays)
        self.all.append(group)
        return group


def _fit(days: Days, now: dt.datetime) -> tuple[ExchangeCalendar, Days] | None:
    try:
        return fitting_exchange(days, now) if len(days) >= _ENOUGH_TO_FIT else None
    except ImportError:  # the extra `extract` is not there
        return None
