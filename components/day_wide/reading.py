"""Reads what day-wide columns are made of: all sessions for a run, the last ones for a prediction."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

import numpy as np

from components.errors import UserError
from components.feature_store import FeatureStore
from components.universe.universe import EVERYBODY, Universe
from models.day_wide.columns import reach_of
from models.day_wide.prices import DayPrices, ShareCloses, sessions_needed
from models.day_wide.rows import DayRows, Values

_DAYS_A_SESSION = 1.6
"""Calendar days for a session of most exchanges, to begin with."""

_FIRST_DAY = np.datetime64("0001-01-01")


class MarketError(UserError):
    """Shares that cannot be looked at beside one another."""


def read_closes(
    store: FeatureStore, shares: Sequence[str], since: str = "", last: str = "", universe: Universe = EVERYBODY
) -> Iterator[ShareCloses]:
    """The adjusted closes of some shares, from an ISO date on, to another one, and when they belong to a universe.

    Raises:
        StoreError: the store cannot be read, or holds what is no price.
    """
    for series in store.price_series(shares, since):
        member = universe.members(series.share_id, series.time) if universe.given else None
        closes = ShareCloses(series.share_id, series.time, series.close * series.factor, member)
        yield closes.until(np.datetime64(last)) if last else closes


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
        MarketError: there is one share alone.
    """
    if not columns:
        return None
    if len(market) < 2:
        raise MarketError(
            f"share {', '.join(market)} is alone, and what its formatter sees of it beside the others of the day "
            f"({', '.join(sorted(columns))}) never changes: take more shares, or the formatter window_returns"
        )
    return DayRows.of(DayPrices(read_closes(store, market, last=last, universe=universe), market), columns)


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
    """
    days = np.array(sessions, "datetime64[D]")
    every = sorted({*market, *shares})
    first = days.min() if len(days) else np.datetime64("today")
    needed, rows = sessions_needed(reach_of(columns)), -1
    back = int(needed * _DAYS_A_SESSION)
    while True:
        closes = list(read_closes(store, every, str(max(first - back, _FIRST_DAY)), universe=universe))
        prices = DayPrices(closes, market)
        read = sum(len(one.days) for one in closes)
        # Where twice as many days hold no more rows, that is all there is.
        if np.searchsorted(prices.days, first) >= needed or read == rows:
            return DayRows.of(prices, columns).look_up(shares, days)
        rows, back = read, back * 2
