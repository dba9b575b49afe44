"""Makes markets: share by share, from a scenario whose skill is known, or a large universe.

Everything is drawn from a seed and does not depend on where a history ends, so a market of a later day holds the very
same earlier bars, as a real one does.
"""

from __future__ import annotations

import datetime as dt
import itertools
import string
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np

from components.extractor.replay.exchanges import ReplayError, exchange_of, sessions
from components.extractor.replay.market import (
    CHINESE_LOT,
    NO_EVENTS,
    NO_RIGHTS,
    Events,
    Listing,
    Market,
    Rights,
    events_of,
)
from components.feature_store.arrays import Days, Floats
from components.synthetic_market import Scenario, generate

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


def make_listing(
    share: str,
    exchange: str,
    first: dt.date,
    last: dt.date,
    seed: int = 0,
    *,
    dividends: Events = NO_EVENTS,
    splits: Events = NO_EVENTS,
    rights: Rights = NO_RIGHTS,
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
        rights: rights issues by ex-date, likewise.

    Raises:
        ReplayError: there is no session, an ex-date is none or the first, or prices fall below some cents.
    """
    time = sessions(exchange, first, last)
    noise = _VOLATILITY * _stream(seed, share, "close").standard_normal(len(time))
    level = np.log([_LEAST_PRICE, _MOST_PRICE])
    start = _stream(seed, share, "start").uniform(*level)
    fading = _REVERSION ** np.arange(len(time))
    walk = np.cumsum(noise / fading) * fading
    return _listing(share, exchange, time, np.exp(start + walk), seed, dividends, splits, rights)


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
        ReplayError: as in `make_listing`, the last day is after 2039, or shares of the scenario are delisted.
    """
    length = int(np.busday_count(np.datetime64(first, "D"), np.datetime64(_SYNTHETIC_END)))
    made = generate(scenario, shares=len(shares), sessions=max(length, 1), seed=seed)
    if made.scenario.fatal_fall is not None:
        raise ReplayError(
            f"shares of {made.scenario.name} are delisted, and no replayed share is: choose another market"
        )
    adjusted = made.close
    adjusted = adjusted * np.maximum(_LEAST_SYNTHETIC_PRICE / adjusted.min(axis=0), 1)
    listings = {}
    for column, share in enumerate(shares):
        exchange = exchange_of(share)
        time = sessions(exchange, first, last)
        if len(time) > length:
            raise ReplayError(f"synthetic markets end with {_SYNTHETIC_END}: choose a last day before it")
        close, events = adjusted[: len(time), column], (dividends.get(share, NO_EVENTS), splits.get(share, NO_EVENTS))
        listings[share] = _listing(share, exchange, time, close, seed, *events)
    return Market(listings, last)


def share_histories(distinct: Sequence[Listing], names: Sequence[str]) -> dict[str, Listing]:
    """Gives many names few histories in turn, so that a large universe takes little memory.

    Names of one history share its arrays and its rendered text.
    """
    return {name: replace(listing, share=name) for name, listing in zip(names, itertools.cycle(distinct), strict=False)}


def universe_names(exchange: str, count: int) -> list[str]:
    """Names of a large universe; a larger one begins with those of a smaller one.

    Raises:
        ReplayError: an exchange but XSHG (sh600000, ...), XHKG (hk00001, ...) and XNYS (AAA, AAB, ...), or more than
            it has names.
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
        raise ReplayError(f"there are no synthetic names for exchange {exchange}: choose one of {', '.join(makers)}")
    names = list(itertools.islice(makers[exchange](), max(count, 0)))
    if count < 1 or len(names) < count:
        raise ReplayError(f"{exchange} cannot have {count} shares: ask for at least 1 and fewer than 80,000")
    return names


def _listing(
    share: str,
    exchange: str,
    time: Days,
    adjusted: Floats,
    seed: int,
    dividends: Events,
    splits: Events,
    rights: Rights = NO_RIGHTS,
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
        volume = volume // CHINESE_LOT * CHINESE_LOT

    factor = np.ones(size)
    for index, event in events_of(time, dividends, splits, exchange, share, rights).items():
        try:
            step = event.step(round(float(adjusted[index - 1] / factor[index - 1]), 2))
        except ReplayError as error:
            raise ReplayError(f"share {share}, {time[index]}: {error}") from None
        factor[index:] = factor[index - 1] * step
    opened, high, low, close = (np.round(prices / factor, 2) for prices in (opened, high, low, adjusted))
    if low.min() < _LEAST_RAW_PRICE:
        raise ReplayError(f"share {share}: its price falls below {_LEAST_RAW_PRICE}: choose smaller splits")
    return Listing(share, exchange, time, opened, high, low, close, volume, dict(dividends), dict(splits), dict(rights))


def _stream(seed: int, share: str, what: str) -> np.random.Generator:
    if seed < 0:
        raise ReplayError(f"seed {seed} is negative: choose 0 or more")
    return np.random.default_rng([seed, zlib.crc32(share.encode()), zlib.crc32(what.encode())])
