"""Looks through the prices of a database, and puts beside each suspect what a person has decided.

Memory is that of a few hundred shares: these say what the market does, then each share is judged by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from components.feature_store import Decisions, FeatureStore
from components.feature_store.series import PriceSeries
from components.plausibility.market import Market, market_of
from components.plausibility.record import Bounds, Grade, Suspect, SuspectRecord
from components.plausibility.returns import find_suspects

_MARKET_SHARES = 300
"""Whose median is that of all, to a fifteenth of a share's daily deviation."""

_MOST = 1000
"""Suspects that a record keeps: beyond it, what was read are no prices."""

Window = tuple[dt.date | None, dt.date | None]
"""The first and the last session that is looked at; None for no bound."""


def search(
    store: FeatureStore,
    shares: Sequence[str],
    bounds: Bounds | None = None,
    window: Window = (None, None),
) -> SuspectRecord:
    """Judges all returns of some shares; those that a person has excluded are left out, and named.

    Args:
        store: the database.
        shares: the shares.
        bounds: from where on a return is large.
        window: the sessions that count; a share is measured by all it has.

    Raises:
        StoreError: the database cannot be read.
    """
    decisions = store.decisions()
    chosen = [share for share in shares if share not in decisions.excluded]
    excluded = tuple(sorted(set(shares) - set(chosen)))
    bounds = bounds or Bounds()
    market = _market(store, chosen)
    found: list[Suspect] = []
    count = looked = 0
    for series in store.price_series(chosen):
        count += 1
        looked += max(len(series) - 1, 0)
        some = find_suspects(series, market, bounds)
        if some:  # only then is it worth to read the highs and lows
            some = find_suspects(_with_ranges(series, store), market, bounds)
        found += some
    kept = decided([one for one in found if _within(one, window)], decisions)
    return SuspectRecord(kept[:_MOST], len(kept[_MOST:]), excluded, count, looked, bounds)


def decided(suspects: Iterable[Suspect], decisions: Decisions) -> tuple[Suspect, ...]:
    """The suspects with what was accepted marked, wrong before large, each by share and day."""

    def accepted(one: Suspect) -> bool:
        days = (one.day, one.partner) if one.partner else (one.day,)
        return any((one.share_id, dt.date.fromisoformat(day)) in decisions.accepted for day in days)

    marked = (replace(one, accepted=accepted(one)) for one in suspects)
    return tuple(sorted(marked, key=lambda one: (one.accepted, one.grade is Grade.LARGE, one.share_id, one.day)))


def _market(store: FeatureStore, shares: Sequence[str]) -> Market:
    """The market, from shares spread evenly over all."""
    some = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), _MARKET_SHARES)).astype(int)) if shares else []
    return market_of([_level(series) for series in store.price_series([shares[at] for at in some])])


def _level(series: PriceSeries) -> tuple[np.ndarray, np.ndarray]:
    return series.time, series.level


def _with_ranges(series: PriceSeries, store: FeatureStore) -> PriceSeries:
    bars = store.bars(series.share_id)
    if bars is None or bars.high is None or bars.low is None or len(bars) != len(series):
        return series
    return replace(series, ranges=np.log(bars.high / bars.low))


def _within(one: Suspect, window: Window) -> bool:
    first, last = window
    return (first is None or one.day >= first.isoformat()) and (last is None or one.day <= last.isoformat())
