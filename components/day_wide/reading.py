"""Reads what day-wide columns are made of: all sessions for a run, the last ones for a prediction."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Sequence

import numpy as np

from components.errors import UserError
from components.feature_store import FeatureStore
from components.universe.universe import EVERYBODY, Universe
from models.day_wide.columns import bars_of, reach_of, single_columns_of
from models.day_wide.prices import DayPrices, ShareCloses, sessions_needed
from models.day_wide.rows import DayRows, Values

_DAYS_A_SESSION = 1.6
"""Calendar days for a session of most exchanges, to begin with."""

_LEAST_KNOWN = 0.5
"""Of the bars, which must hold what a column reads beside closes."""

_FIRST_DAY = np.datetime64("0001-01-01")


class MarketError(UserError):
    """Shares that cannot be looked at beside one another."""


def read_closes(
    store: FeatureStore,
    shares: Sequence[str],
    since: str = "",
    last: str = "",
    universe: Universe = EVERYBODY,
    columns: Collection[str] = (),
) -> Iterator[ShareCloses]:
    """The adjusted closes of some shares, from an ISO date on, to another one, and when they belong to a universe.

    Of their bars comes with them what some columns read beside closes. Prices are multiplied by the factor and volumes
    divided: a split multiplies traded shares as it divides prices, and a dividend's part is a few per cent at most.

    Raises:
        StoreError: the store cannot be read, or holds what is no price.
    """
    names = bars_of(columns)
    for series in store.price_series(shares, since, names):
        member = universe.members(series.share_id, series.time) if universe.given else None
        bars = {
            name: values / series.factor if name == "volume" else values * series.factor
            for name, values in series.bars.items()
        }
        closes = ShareCloses(series.share_id, series.time, series.close * series.factor, member, bars)
        yield closes.until(np.datetime64(last)) if last else closes


def fingerprint_with(
    store: FeatureStore, shares: Sequence[str], columns: Collection[str], prices: str, last: str = ""
) -> str:
    """A fingerprint of closes and of what else of bars some columns read: that of the closes where they read no more.

    Args:
        store: the prices.
        shares: the shares.
        columns: the columns.
        prices: the fingerprint of the closes.
        last: the last session that counts, ISO; empty for all.

    Raises:
        StoreError: as in `read_closes`.
    """
    names = bars_of(columns)
    if not names:
        return prices
    result = hashlib.sha256(prices.encode())
    for one in read_closes(store, sorted(shares), last=last, columns=columns):
        result.update(one.share_id.encode("utf-8", "surrogatepass") + b"\0")
        for name in names:
            result.update(np.ascontiguousarray(one.bars[name]).tobytes())
    return result.hexdigest()


def read_rows(
    store: FeatureStore,
    market: Sequence[str],
    columns: Collection[str],
    last: str = "",
    universe: Universe = EVERYBODY,
) -> DayRows | None:
    """Some columns of all rows of the shares of a run, which are the market; None where no column is asked for.

    Args:
        store: the prices.
        market: the shares.
        columns: that are asked for.
        last: the last session that is read, ISO; empty for all.
        universe: on which days each belongs to the market.

    Raises:
        StoreError: as in `read_closes`.
        MarketError: there is one share alone, or bars hold too little of what the columns read.
    """
    if not columns:
        return None
    if len(market) < 2:
        seen = ", ".join(sorted(single_columns_of(columns)))
        raise MarketError(
            f"share {', '.join(market)} is alone, and what its formatter sees of it beside the others of the day "
            f"({seen}) never changes: take more shares, or the formatter window_returns"
        )
    prices = DayPrices(read_closes(store, market, last=last, universe=universe, columns=columns), market)
    _check_known(store, prices, columns)
    return DayRows.of(prices, columns)


def read_last(
    store: FeatureStore,
    market: Sequence[str],
    shares: Sequence[str],
    sessions: Sequence[str],
    columns: Collection[str],
    universe: Universe = EVERYBODY,
) -> Values:
    """Some columns of the last sessions of shares; no more of the past is read than decides what they are.

    Args:
        store: the prices.
        market: the shares that a model's run was made of.
        shares: of each row, [n]; of the market or not.
        sessions: of each row, ISO, [n].
        columns: that are asked for.
        universe: on which days each share of the market belongs to it.

    Returns:
        By column, float32 [n] or [n, width]; nan where a share has too few sessions.

    Raises:
        StoreError: as in `read_closes`.
        MarketError: bars hold too little of what the columns read.
    """
    days = np.array(sessions, "datetime64[D]")
    every = sorted({*market, *shares})
    first = days.min() if len(days) else np.datetime64("today")
    needed, rows = sessions_needed(reach_of(columns)), -1
    back = int(needed * _DAYS_A_SESSION)
    while True:
        since = str(max(first - back, _FIRST_DAY))
        closes = list(read_closes(store, every, since, universe=universe, columns=columns))
        prices = DayPrices(closes, market)
        read = sum(len(one.days) for one in closes)
        # Where twice as many days hold no more rows, that is all there is.
        if np.searchsorted(prices.days, first) >= needed or read == rows:
            _check_known(store, prices, columns)
            return DayRows.of(prices, columns).look_up(shares, days)
        rows, back = read, back * 2


def _check_known(store: FeatureStore, prices: DayPrices, columns: Collection[str]) -> None:
    """Refuses what would look like a market in which nothing ever happens.

    Raises:
        MarketError: fewer than half of the bars hold what the columns read.
    """
    for name in bars_of(columns):
        known = float(np.mean(~np.isnan(prices.logs(name)))) if len(prices) else 1.0
        if known < _LEAST_KNOWN:
            asked = ", ".join(sorted(one for one in single_columns_of(columns) if name in bars_of([one])))
            raise MarketError(
                f"{store.path}: {known:.0%} of the sessions of these shares have a {name} above 0, and {asked} need it "
                f"of half of them: import prices with a column {name} (awesome prices import), or take a formatter "
                "that reads closes alone, such as momentum (--formatter)"
            )
