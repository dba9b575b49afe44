"""The made-up market that the replay server shows: shares with daily bars, dividends and splits.

Everything is drawn from a seed and does not depend on where a history ends, so a market of a later day holds the very
same earlier bars, as a real one does.
"""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import re
import string
import zlib
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, TypeAlias, TypeVar
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import numpy.typing as npt

from components.errors import UserError
from components.synthetic_market import Scenario, generate

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.datetime64]
Events: TypeAlias = Mapping[dt.date, float]
_Text = TypeVar("_Text")

NO_EVENTS: Events = MappingProxyType({})

# The log price is drawn back to its mean, so that prices stay between a fifth and five times the first for ever.
_VOLATILITY = 0.015
_REVERSION = 0.999
_LEAST_PRICE, _MOST_PRICE = 20.0, 300.0
# Cents on a smaller price would be steps that are larger than what a scenario lets one know.
_LEAST_SYNTHETIC_PRICE = 20.0
_LEAST_RAW_PRICE = 0.05
# Some scenarios draw differently for another length, so one length serves all.
_SYNTHETIC_END = "2040-01-01"
_SHARE_LEVEL = 14.5  # log of the ordinary volume
_CHINESE_LOT = 100
_A_DAY = np.timedelta64(1, "D")

_SUFFIX_EXCHANGES = MappingProxyType(
    {
        "SS": "XSHG",
        "SZ": "XSHG",
        "HK": "XHKG",
        "L": "XLON",
        "DE": "XETR",
        "PA": "XPAR",
        "AS": "XAMS",
        "MI": "XMIL",
        "SW": "XSWX",
        "T": "XTKS",
        "TO": "XTSE",
        "AX": "XASX",
        "KS": "XKRX",
        "BO": "XBOM",
        "NS": "XBOM",
        "SI": "XSES",
        "SA": "BVMF",
    }
)
_INDEX_EXCHANGES = MappingProxyType(
    {
        "^AXJO": "XASX",
        "^FCHI": "XPAR",
        "^FTSE": "XLON",
        "^GDAXI": "XETR",
        "^HSI": "XHKG",
        "^N225": "XTKS",
    }
)


class ReplayError(UserError):
    """A market, a fault or a fixture that the replay server cannot show."""


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
    cache: dict[Hashable, Any] = field(default_factory=dict, repr=False)

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
        return self._once("events", lambda: _events(self.time, self.dividends, self.splits, self.exchange, self.share))

    @property
    def factor(self) -> Floats:
        """Factor from the first session on, float64 [sessions]: raw x factor is comparable between days."""
        return self._once("factor", lambda: self._accumulated(lambda close, event: event.step(close)))

    @property
    def shares(self) -> Floats:
        """What one share of the first session has become by splits, float64 [sessions]."""
        return self._once("shares", lambda: self._accumulated(lambda _, event: event.split))

    @property
    def opened(self) -> list[int]:
        """When each session opened, in seconds since 1970 UTC."""
        return self._once("opened", self._opened)

    def rendered(self, key: Hashable, render: Callable[[Row], _Text]) -> list[_Text]:
        """Every session's bar as a source writes it, made once.

        Args:
            key: names the source and all that `render` depends on beside the row.
            render: writes one bar.
        """
        return self._once(key, lambda: [render(self.row(i)) for i in range(len(self))])

    def row(self, index: int) -> Row:
        """The bar of a session as it was in the end."""
        return Row(
            day=index,
            priced=index,
            open=float(self.open[index]),
            high=float(self.high[index]),
            low=float(self.low[index]),
            close=float(self.close[index]),
            volume=int(self.volume[index]),
        )

    def open_row(self, index: int) -> Row:
        """The bar of a session while it is still open: not yet where it went, and less than half the volume."""
        row = self.row(index)
        close = round(row.open + 0.4 * (row.close - row.open), 2)
        return replace(
            row,
            close=close,
            high=max(row.open, close),
            low=min(row.open, close),
            volume=row.volume * 2 // 5 // _CHINESE_LOT * _CHINESE_LOT,
        )

    def _accumulated(self, step: Callable[[float, Event], float]) -> Floats:
        steps = np.ones(len(self))
        for index, event in self.events.items():
            steps[index] = step(float(self.close[index - 1]), event)
        return np.cumprod(steps)

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
        dividend: cash a share, 0 if there is none.
        split: new shares for each old one, 1 if nothing was split.
    """

    dividend: float = 0.0
    split: float = 1.0

    def step(self, close: float) -> float:
        """Factor of the ex-date over that of the session before.

        Args:
            close: raw, of the session before.

        Raises:
            ReplayError: the dividend is more than the share was worth.
        """
        price = close / self.split
        if self.dividend >= price:
            raise ReplayError(f"a dividend of {self.dividend} is more than the share's price {price:.2f}: make it less")
        return self.split * price / (price - self.dividend)


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


def exchange_of(share: str) -> str:
    """The exchange of a share, by its name: sh600519, hk00700, AAPL, 0700.HK.

    Raises:
        ReplayError: no source writes a name like this.
    """
    if re.fullmatch(r"(sh|sz)\d{6}", share):
        return "XSHG"
    if re.fullmatch(r"hk\d{5}", share):
        return "XHKG"
    if share in _INDEX_EXCHANGES:
        return _INDEX_EXCHANGES[share]
    if re.fullmatch(r"[A-Z0-9^][A-Z0-9.&-]*", share):
        return _SUFFIX_EXCHANGES.get(share.rpartition(".")[2], "XNYS") if "." in share else "XNYS"
    raise ReplayError(f"{share!r} is not a share's name: write it like sh600519, hk00700, AAPL or 0700.HK")


def sessions(exchange: str, first: dt.date, last: dt.date) -> Days:
    """The sessions of an exchange, datetime64[D], ascending; weekdays where its calendar does not reach.

    Args:
        exchange: as exchange_calendars names it.
        first: the first day.
        last: the last day.

    Raises:
        ReplayError: the exchange is not known, or there is no session.
    """
    days = _sessions(exchange, first, last)
    if len(days) == 0:
        raise ReplayError(f"{exchange} has no session from {first} to {last}: choose a longer range")
    return days


def opening(exchange: str) -> tuple[ZoneInfo, dt.time]:
    """Where an exchange is, and when it opens there."""
    calendar = _calendar(exchange)
    return ZoneInfo(str(calendar.tz)), calendar.open_times[-1][1]


def make_listing(
    share: str,
    exchange: str,
    first: dt.date,
    last: dt.date,
    seed: int = 0,
    *,
    dividends: Events = NO_EVENTS,
    splits: Events = NO_EVENTS,
) -> Listing:
    """Makes a share's history out of a seed.

    The close, adjusted from the first session on, is a random walk that knows nothing of dividends and splits; raw
    prices are that divided by the factor. So a split halves raw prices and does nothing else, and an event changes no
    bar before it.

    Args:
        share: its name; shares of one seed differ.
        exchange: whose sessions it has.
        first: the first day; another one makes another history.
        last: the last day; a later one only adds bars.
        seed: not negative.
        dividends: cash a share by ex-date; those after `last` are still to come.
        splits: new shares for each old one by ex-date, likewise.

    Raises:
        ReplayError: there is no session, an ex-date is none or the first, or prices fall below some cents.
    """
    time = sessions(exchange, first, last)
    noise = _VOLATILITY * _stream(seed, share, "close").standard_normal(len(time))
    level = np.log([_LEAST_PRICE, _MOST_PRICE])
    start = _stream(seed, share, "start").uniform(*level)
    fading = _REVERSION ** np.arange(len(time))
    walk = np.cumsum(noise / fading) * fading
    return _listing(share, exchange, time, np.exp(start + walk), seed, dividends, splits)


def from_synthetic(
    scenario: Scenario | str,
    shares: Sequence[str],
    first: dt.date,
    last: dt.date,
    seed: int = 0,
    *,
    dividends: Mapping[str, Events] = MappingProxyType({}),
    splits: Mapping[str, Events] = MappingProxyType({}),
) -> Market:
    """Makes a market whose direction can be known as well as a scenario's, and no better.

    Closes adjusted from the first session on are those of `components.synthetic_market`, times one number for each
    share that keeps them so high that cents do not blur them.

    Args:
        scenario: a scenario or its name.
        shares: names; each has the sessions of its exchange. Another number of shares makes another market.
        first: the first day.
        last: the last day, and the market's today; a later one only adds bars.
        seed: not negative.
        dividends: by share, as in `make_listing`.
        splits: likewise.

    Raises:
        ScenarioError: there is no such scenario.
        ReplayError: as in `make_listing`, or the last day is after 2039.
    """
    length = int(np.busday_count(np.datetime64(first, "D"), np.datetime64(_SYNTHETIC_END)))
    adjusted = generate(scenario, shares=len(shares), sessions=max(length, 1), seed=seed).close
    adjusted = adjusted * np.maximum(_LEAST_SYNTHETIC_PRICE / adjusted.min(axis=0), 1)
    listings = {}
    for column, share in enumerate(shares):
        exchange = exchange_of(share)
        time = sessions(exchange, first, last)
        if len(time) > length:
            raise ReplayError(f"synthetic markets end with {_SYNTHETIC_END}: choose a last day before it")
        listings[share] = _listing(
            share,
            exchange,
            time,
            adjusted[: len(time), column],
            seed,
            dividends.get(share, NO_EVENTS),
            splits.get(share, NO_EVENTS),
        )
    return Market(listings, last)


def share_histories(distinct: Sequence[Listing], names: Sequence[str]) -> dict[str, Listing]:
    """Gives many names few histories in turn, so that a large universe takes little memory.

    Args:
        distinct: listings, at least 1.
        names: of the universe.

    Returns:
        A listing for each name; those with one history share its arrays and its rendered text.
    """
    return {name: replace(listing, share=name) for name, listing in zip(names, itertools.cycle(distinct), strict=False)}


def universe_names(exchange: str, count: int) -> list[str]:
    """Names of a large universe; a larger one begins with those of a smaller one.

    Args:
        exchange: XSHG (sh600000, ...), XHKG (hk00001, ...) or XNYS (AAA, AAB, ...).
        count: how many.

    Raises:
        ReplayError: another exchange, or more than it has names.
    """
    makers: dict[str, Callable[[], Iterator[str]]] = {
        # From sh688000 on volumes are written in shares.
        "XSHG": lambda: (f"sh{number}" for number in range(600_000, 688_000)),
        "XHKG": lambda: (f"hk{number:05d}" for number in range(1, 100_000)),
        "XNYS": lambda: (
            "".join(letters) for size in (3, 4) for letters in itertools.product(string.ascii_uppercase, repeat=size)
        ),
    }
    if exchange not in makers:
        raise ReplayError(f"there are no made-up names for exchange {exchange}: choose one of {', '.join(makers)}")
    names = list(itertools.islice(makers[exchange](), max(count, 0)))
    if count < 1 or len(names) < count:
        raise ReplayError(f"{exchange} cannot have {count} shares: ask for at least 1 and fewer than 80,000")
    return names


def _listing(
    share: str, exchange: str, time: Days, adjusted: Floats, seed: int, dividends: Events, splits: Events
) -> Listing:
    """Prices around adjusted closes, cut by dividends and splits."""
    size = len(time)
    before = np.append(adjusted[0], adjusted[:-1])
    opened = before * np.exp(0.003 * _stream(seed, share, "open").standard_normal(size))
    reach = np.abs(0.004 * _stream(seed, share, "range").standard_normal((size, 2)))
    high = np.maximum(opened, adjusted) * np.exp(reach[:, 0])
    low = np.minimum(opened, adjusted) * np.exp(-reach[:, 1])
    volume = np.exp(_SHARE_LEVEL + 0.4 * _stream(seed, share, "volume").standard_normal(size)).astype(np.int64)
    if exchange == "XSHG":
        volume = volume // _CHINESE_LOT * _CHINESE_LOT

    factor = np.ones(size)
    for index, event in _events(time, dividends, splits, exchange, share).items():
        try:
            step = event.step(round(float(adjusted[index - 1] / factor[index - 1]), 2))
        except ReplayError as error:
            raise ReplayError(f"share {share}, {time[index]}: {error}") from None
        factor[index:] = factor[index - 1] * step
    raw = [np.round(prices / factor, 2) for prices in (opened, high, low, adjusted)]
    if raw[2].min() < _LEAST_RAW_PRICE:
        raise ReplayError(f"share {share}: its price falls below {_LEAST_RAW_PRICE}: choose smaller splits")
    return Listing(share, exchange, time, raw[0], raw[1], raw[2], raw[3], volume, dict(dividends), dict(splits))


def _events(time: Days, dividends: Events, splits: Events, exchange: str, share: str) -> dict[int, Event]:
    """The events that have come by the last session, by session, in order."""
    found = {}
    for day in sorted({*dividends, *splits}):
        ex_date = np.datetime64(day, "D")
        index = int(np.searchsorted(time, ex_date))
        if index == len(time):
            continue
        if time[index] != ex_date:
            raise ReplayError(f"share {share}: {day} is no session of {exchange} in its history, {time[index]} is one")
        if index == 0:
            raise ReplayError(f"share {share}: nothing can happen on its first session {day}: choose a later one")
        event = Event(float(dividends.get(day, 0.0)), float(splits.get(day, 1.0)))
        if event.dividend < 0 or not event.split > 0:
            raise ReplayError(f"share {share}, {day}: a dividend is 0 or more and a split's ratio above 0")
        found[index] = event
    return found


def _stream(seed: int, share: str, what: str) -> np.random.Generator:
    if seed < 0:
        raise ReplayError(f"seed {seed} is negative: choose 0 or more")
    return np.random.default_rng([seed, zlib.crc32(share.encode()), zlib.crc32(what.encode())])


def _calendar(exchange: str) -> Any:
    try:
        return exchange_calendars.get_calendar(exchange)
    except exchange_calendars.errors.InvalidCalendarName:
        raise ReplayError(f"there is no exchange {exchange!r}: choose XSHG, XHKG or XNYS") from None


@functools.lru_cache(maxsize=64)
def _sessions(exchange: str, first: dt.date, last: dt.date) -> Days:
    calendar = _calendar(exchange)
    start, end = np.datetime64(first, "D"), np.datetime64(last, "D")
    known_from, known_to = _bounds(calendar, start, end)
    parts = [_weekdays(start, min(known_from - _A_DAY, end)), _weekdays(max(known_to + _A_DAY, start), end)]
    low, high = max(start, known_from), min(end, known_to)
    inner = parts[0][:0]
    if low <= high:
        if low < _day(calendar.first_session) or high > _day(calendar.last_session):
            calendar = exchange_calendars.get_calendar(exchange, start=str(low), end=str(high))
        days = calendar.sessions.to_numpy().astype("datetime64[D]")
        inner = days[(days >= low) & (days <= high)]
    days = np.concatenate([parts[0], inner, parts[1]])
    days.setflags(write=False)
    return days


def _bounds(calendar: Any, start: np.datetime64, end: np.datetime64) -> tuple[np.datetime64, np.datetime64]:
    """The days between which a calendar knows the sessions; it has no opinion where it gives no bound."""
    least, most = calendar.bound_min(), calendar.bound_max()
    return (start if least is None else _day(least)), (end if most is None else _day(most))


def _day(timestamp: Any) -> np.datetime64:
    return np.datetime64(timestamp.date(), "D")


def _weekdays(first: np.datetime64, last: np.datetime64) -> Days:
    days = np.arange(first, last + _A_DAY) if first <= last else np.empty(0, "datetime64[D]")
    return days[np.is_busday(days)]
