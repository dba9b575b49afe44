"""Markets made from a scenario and a seed, and their way into a feature store."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.errors import StoreError
from components.synthetic_market.bars import Bars, make_bars
from components.synthetic_market.scenario import Scenario, ScenarioError
from components.synthetic_market.scenarios import SCENARIOS, get_scenario

_FIRST_SESSION = "2000-01-03"
_FIRST_PRICE = 100.0
# Log return of one unit: what a large share moves on an ordinary day.
_DAILY_VOLATILITY = 0.02
# An ISO date has four digits for the year.
_PAST_LAST_SESSION = "10000-01-01"
_SOURCE = "synthetic:"


@dataclass(frozen=True, eq=False)
class Market:
    """A synthetic market.

    Attributes:
        scenario: how its returns came about, and what can be known of them.
        time: datetime64[D] array [sessions], weekdays in order.
        share_ids: the shares, in the order of the columns of ``close``.
        close: float64 array [sessions, shares] of closing prices, all above 0; nan behind the last of a share that was
            delisted.
        bars: the opens, highs, lows and volumes, as far as there are closes.
    """

    scenario: Scenario
    time: NDArray[np.datetime64]
    share_ids: tuple[str, ...]
    close: NDArray[np.float64]
    bars: Bars

    @property
    def ended(self) -> NDArray[np.bool_]:
        """Whether each share was delisted before the last session, [shares]."""
        return np.isnan(self.close[-1])

    def survivors(self) -> Market:
        """The market without the shares that were delisted: what whoever collects today's shares sees of it.

        Raises:
            ScenarioError: No share ends in it, or all do.
        """
        if not self.ended.any() or self.ended.all():
            what = "all shares of it have" if self.ended.any() else "no share of it has"
            raise ScenarioError(f"the market {self.scenario.name} cannot be had without the dead: {what} ended")
        kept = np.flatnonzero(~self.ended)
        names = tuple(self.share_ids[at] for at in kept)
        return replace(self, share_ids=names, close=self.close[:, kept], bars=self.bars.of(kept))


def generate(scenario: Scenario | str, *, shares: int = 100, sessions: int = 2900, seed: int = 0) -> Market:
    """Makes a market.

    Args:
        scenario: a scenario or its name.
        shares: shares in the market.
        sessions: trading days, weekdays from 2000-01-03 on.
        seed: not negative; the same seed makes the same market.

    Returns:
        The market, with prices 100 exp(0.02 x the sum of the returns up to the session).

    Raises:
        ScenarioError: the scenario is unknown, the market would be empty, or it is so long that its prices or its dates
            leave the range of what can be written.
    """
    if isinstance(scenario, str):
        scenario = get_scenario(scenario)
    if seed < 0:
        raise ScenarioError(f"seed {seed} is negative: choose 0 or more")
    too_long = f"{sessions} sessions are more than prices and dates can hold: ask for fewer"
    if sessions > np.busday_count(_FIRST_SESSION, _PAST_LAST_SESSION):
        raise ScenarioError(too_long)
    rng = np.random.default_rng(seed)
    returns, activity = scenario.traded(shares, sessions, rng)
    with np.errstate(over="ignore", under="ignore"):
        close = _FIRST_PRICE * np.exp(_DAILY_VOLATILITY * np.cumsum(returns, axis=0))
    if not np.all(np.isfinite(close) & (close > 0)):
        raise ScenarioError(too_long)
    bars = make_bars(_FIRST_PRICE, close, activity, _DAILY_VOLATILITY, rng)
    if scenario.fatal_fall is not None:
        fatal = close <= _FIRST_PRICE * math.exp(-scenario.fatal_fall)
        close[np.cumsum(fatal, axis=0) - fatal > 0] = np.nan
    time = np.busday_offset(_FIRST_SESSION, np.arange(sessions))
    digits = max(3, len(str(shares - 1)))
    return Market(scenario, time, tuple(f"S{s:0{digits}d}" for s in range(shares)), close, bars)


def write_market(market: Market, store_path: Path | str, progress: Callable[[int, int], None] | None = None) -> None:
    """Writes a market's prices into a feature store, which is made if it is missing.

    Where shares are delisted, it also says when and at which return, as members of the universe.

    Writing the same market again changes nothing, and takes up where an interrupted run stopped. A store that holds
    anything else beside it is refused, since then nobody knows what can be known of it at best.

    Args:
        market: what to write.
        store_path: the database file.
        progress: called after each share with the shares written and the shares in all.

    Raises:
        StoreError: the store cannot be written, or would hold more than this market.
    """
    # Scenarios and prices are wanted without the store's libraries too.
    from components.feature_store import FeatureStore, PriceBars, Spell

    source = f"{_SOURCE}{market.scenario.name}"
    with FeatureStore.create(store_path) as store:
        for held in store.shares():
            if held.share_id not in market.share_ids or held.source != source or held.last > market.time[-1].item():
                raise StoreError(
                    f"{store_path} holds prices of {held.share_id} up to {held.last} (source {held.source}), which are "
                    f"not of this market ({source}, {len(market.share_ids)} shares up to {market.time[-1]}): "
                    "write it to a new file"
                )
        sessions = np.count_nonzero(~np.isnan(market.close), axis=0)
        if market.ended.any():
            # Before the prices: an interrupted run must not leave dead shares that look like members for ever.
            spells = []
            for share_id, count, ended in zip(market.share_ids, sessions, market.ended, strict=True):
                end = (market.time[count - 1].item(), market.scenario.delisting_return) if ended else (None, None)
                spells.append(Spell(share_id, market.time[0].item(), *end))
            store.listings.put_members(spells)
        for s, share_id in enumerate(market.share_ids):
            close, made = np.ascontiguousarray(market.close[: sessions[s], s]), market.bars
            others = (column[: sessions[s], s] for column in (made.open, made.high, made.low, made.volume))
            bars = PriceBars(market.time[: sessions[s]], close, np.ones_like(close), *others)
            store.upsert(share_id, bars, source=source)
            if progress is not None:
                progress(s + 1, len(market.share_ids))


def is_deathless(source: str) -> bool:
    """Whether prices of a source are those of a synthetic market in which no share ends.

    >>> is_deathless("synthetic:null"), is_deathless("synthetic:survivors"), is_deathless("file")
    (True, False, False)
    """
    scenario = SCENARIOS.get(source.removeprefix(_SOURCE))
    return source.startswith(_SOURCE) and scenario is not None and scenario.fatal_fall is None
