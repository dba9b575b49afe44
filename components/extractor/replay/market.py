"""The synthetic market that the replay server shows: shares with daily bars, dividends and splits."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar

import numpy as np

from components.extractor.replay.exchanges import ReplayError, is_index, opening
from components.feature_store.arrays import Days, Floats, Integers

Events: TypeAlias = Mapping[dt.date, float]
_Text = TypeVar("_Text")

NO_EVENTS: Events = MappingProxyType({})


@dataclass(frozen=True)
class RightsIssue:
    """New shares that who holds old ones may buy below the market.

    Attributes:
        ratio: new shares for each old one.
        price: of a new one.
    """

    ratio: float
    price: float


Rights: TypeAlias = Mapping[dt.date, RightsIssue]
NO_RIGHTS: Rights = MappingProxyType({})
CHINESE_LOT = 100
_MOST_PARTS = 10_000
_EXACT = 1e-9


@dataclass(frozen=True, eq=False)
class Listing:
    """A share and its whole history, today or not; arrays have the shape (n,), n at least 1.

    Attributes:
        share: its name as the source writes it.
        exchange: whose sessions it has, as exchange_calendars names it.
        time: sessions, datetime64[D], ascending.
        open: raw price in the share's currency, float64, whole cents.
        high: likewise, at least the open and the close.
        low: likewise, at most the open and the close.
        close: likewise.
        volume: shares traded, int64.
        dividends: cash a share by ex-date, a share being one after that day's split.
        splits: new shares for each old one by ex-date.
        rights: rights issues by ex-date.
        told: whether a source that names events in its rows names those of this share.
        cache: what `rendered` made; shared by all listings with this history.
    """

    share: str
    exchange: str
    time: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Integers
    dividends: Events = field(default_factory=dict)
    splits: Events = field(default_factory=dict)
    rights: Rights = field(default_factory=dict)
    told: bool = True
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """Checks that the sources of the share's name have words for its events.

        Raises:
            ReplayError: they have none, so that the event would be in the prices and nobody would name it.
        """
        share, events = self.share, {*self.dividends, *self.splits, *self.rights}
        if events and is_index(share):
            raise ReplayError(f"share {share}: an index has no events, and {min(events)} is to be one: name a share")
        if self.rights and not re.fullmatch(r"(sh|sz)\d{6}", share):
            raise ReplayError(
                f"share {share}: its sources have no word for a rights issue, as on {min(self.rights)}: only those of "
                "names such as sh600519 do"
            )
        for day, ratio in self.splits.items() if not re.fullmatch(r"(sh|sz|hk)\d+", share) else ():
            if 0 < ratio < math.inf and abs(float(whole_ratio(ratio)) / ratio - 1) > _EXACT:
                raise ReplayError(
                    f"share {share}: Yahoo has no word for the split of {day}, {ratio:g}: choose a ratio of two whole "
                    f"numbers, of which the second is {_MOST_PARTS:,} at the most"
                )

    def __len__(self) -> int:
        """Number of sessions."""
        return len(self.time)

    def index(self, day: dt.date) -> int:
        """The first session on or after a day; their number if there is none."""
        return int(np.searchsorted(self.time, np.datetime64(day, "D")))

    @property
    def days(self) -> list[str]:
        """The sessions as ISO dates."""
        return self._once("days", lambda: list(np.datetime_as_string(self.time, unit="D").tolist()))

    @property
    def events(self) -> Mapping[int, Event]:
        """What happened, by the session that it happened on."""
        return self._once(
            "events",
            lambda: events_of(self.time, self.dividends, self.splits, self.exchange, self.share, self.rights),
        )

    @property
    def factor(self) -> Floats:
        """Factor from the first session on, float64 [sessions]: raw x factor is comparable between days."""
        return self._once("factor", lambda: self._accumulated(lambda close, event: event.step(close)))

    @property
    def shares(self) -> Floats:
        """What one share of the first session has become by splits, float64 [sessions]."""
        return self._once("shares", lambda: self._accumulated(lambda _, event: event.split))

    @property
    def level(self) -> tuple[Floats, Floats]:
        """K and c of each session, float64 [sessions]: k x raw + c goes on over an ex-date if nothing is traded.

        A share of the first session has become k shares and been paid c; what it had to pay for new ones counts less.
        """
        return self._once("level", self._levels)

    @property
    def opened(self) -> list[int]:
        """When each session opened, in seconds since 1970 UTC."""
        return self._once("opened", self._opened)

    def rendered(self, key: Hashable, render: Callable[[Row], _Text]) -> list[_Text]:
        """Every session's bar as a source writes it, made once; see `rendered_window`."""
        return self._once(key, lambda: [render(self.row(i)) for i in range(len(self))])

    def row(self, index: int) -> Row:
        """The bar of a session as it was in the end."""
        opened, high, low, close = (float(column[index]) for column in (self.open, self.high, self.low, self.close))
        return Row(index, index, opened, high, low, close, int(self.volume[index]))

    def open_row(self, index: int) -> Row:
        """The bar of a session while it is still open: not yet where it went, and less than half the volume."""
        row = self.row(index)
        close = round(row.open + 0.4 * (row.close - row.open), 2)
        low, high = sorted((row.open, close))
        return replace(row, close=close, high=high, low=low, volume=row.volume * 2 // 5 // CHINESE_LOT * CHINESE_LOT)

    def _accumulated(self, step: Callable[[float, Event], float]) -> Floats:
        steps = np.ones(len(self))
        for index, event in self.events.items():
            steps[index] = step(float(self.close[index - 1]), event)
        return np.cumprod(steps)

    def _levels(self) -> tuple[Floats, Floats]:
        slope, offset = np.ones(len(self)), np.zeros(len(self))
        for index, event in self.events.items():
            offset[index:] = offset[index - 1] + slope[index - 1] * event.cash
            slope[index:] = slope[index - 1] * event.ratio
        return slope, offset

    def _opened(self) -> list[int]:
        zone, at = opening(self.exchange)
        return [int(dt.datetime.combine(day, at, zone).timestamp()) for day in self.time.tolist()]

    def _once(self, key: Hashable, make: Callable[[], _Text]) -> _Text:
        # Two threads may both make it: the same comes out, and one is kept.
        try:
            return self.cache[key]
        except KeyError:
            return self.cache.setdefault(key, make())


@dataclass(frozen=True)
class Event:
    """A corporate action.

    Attributes:
        dividend: cash a share, one after the split; 0 if there is none.
        split: new shares for each old one, 1 if nothing was split.
        rights: new shares that each old one may buy, 0 if none.
        price: of each of those.
    """

    dividend: float = 0.0
    split: float = 1.0
    rights: float = 0.0
    price: float = 0.0

    @property
    def ratio(self) -> float:
        """Shares that an old one has become, bought ones among them."""
        return self.split + self.rights

    @property
    def cash(self) -> float:
        """What an old share was paid; less than 0 if it had to pay more for new ones."""
        return self.dividend * self.split - self.rights * self.price

    def reference(self, close: float) -> float:
        """The exchanges' reference price of the ex-date, not rounded, after a session with this raw close.

        Shanghai's and Shenzhen's trading rules: (close before - cash + price of new shares x their ratio) / (1 + ratio
        of the change in shares).

        Raises:
            ReplayError: the dividend is more than the share was worth.
        """
        price = close / self.split
        if self.dividend >= price:
            raise ReplayError(f"a dividend of {self.dividend} is more than the share's price {price:.2f}: make it less")
        if not self.rights:
            return price - self.dividend
        return (close - self.dividend * self.split + self.price * self.rights) / (self.split + self.rights)

    def step(self, close: float) -> float:
        """Factor of the ex-date over that of the session before: its raw close over the reference price.

        Raises:
            ReplayError: as for `reference`.
        """
        return close / self.reference(close)


@dataclass(frozen=True)
class Row:
    """A bar on its way to be written, with raw prices.

    Attributes:
        day: the session that it claims to be of, as an index of the listing.
        priced: the session whose factor belongs to its prices, likewise.
        open: price.
        high: price.
        low: price.
        close: price.
        volume: shares.
        later: seconds from the open of the session to the time that is written, for sources that write one.
    """

    day: int
    priced: int
    open: float
    high: float
    low: float
    close: float
    volume: int
    later: int = 0

    def times(self, ratio: float) -> Row:
        """The row with all prices multiplied."""
        prices = {name: getattr(self, name) * ratio for name in ("open", "high", "low", "close")}
        return replace(self, **prices)


@dataclass(frozen=True, eq=False)
class Market:
    """What the replay server knows.

    Attributes:
        listings: by the share's name as the source writes it.
        today: the last day that is shown.
        live: whether the session of `today` is still open; its bar is shown all the same, as real sources do.
    """

    listings: Mapping[str, Listing]
    today: dt.date
    live: bool = False

    def shown(self, listing: Listing) -> int:
        """How many of a listing's sessions are shown, the open one among them."""
        return int(np.searchsorted(listing.time, np.datetime64(self.today, "D"), side="right"))

    def with_listings(self, *listings: Listing) -> Market:
        """The market with listings added or replaced."""
        return replace(self, listings={**self.listings, **{listing.share: listing for listing in listings}})


def whole_ratio(split: float) -> Fraction:
    """A split as Yahoo writes it, by two whole numbers."""
    return Fraction(split).limit_denominator(_MOST_PARTS)


def events_of(
    time: Days, dividends: Events, splits: Events, exchange: str, share: str, rights: Rights = NO_RIGHTS
) -> dict[int, Event]:
    """The events that have come by the last session, by session, in order; see `Listing`.

    Raises:
        ReplayError: an ex-date is no session or the first, or an amount cannot be.
    """
    found = {}
    for day in sorted({*dividends, *splits, *rights}):
        ex_date = np.datetime64(day, "D")
        index = int(np.searchsorted(time, ex_date))
        if index == len(time):
            continue
        if time[index] != ex_date:
            raise ReplayError(f"share {share}: {day} is no session of {exchange} in its history, {time[index]} is one")
        if index == 0:
            raise ReplayError(f"share {share}: nothing can happen on its first session {day}: choose a later one")
        issue = rights.get(day, RightsIssue(0.0, 0.0))
        event = Event(float(dividends.get(day, 0.0)), float(splits.get(day, 1.0)), issue.ratio, issue.price)
        amounts = (event.dividend, event.split, event.rights, event.price)
        if not all(0 <= amount < math.inf for amount in amounts) or not event.split:
            raise ReplayError(
                f"share {share}, {day}: a dividend is 0 or more and a split's ratio above 0, as of rights"
            )
        found[index] = event
    return found
