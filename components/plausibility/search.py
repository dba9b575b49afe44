"""Looks through the prices of a database, and puts beside each suspect what a person has decided.

Memory is that of a few hundred shares: these say what the market does, then each share is judged by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from components.feature_store import Decisions, FeatureStore
from components.feature_store.series import PriceSeries
from components.plausibility.market import market_of
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
    since: dt.date | None = None,
) -> SuspectRecord:
    """Judges all returns of some shares; those that a person has excluded are left out, and named.

    Args:
        store: the database.
        shares: the shares.
        bounds: from where on a return is large.
        window: the sessions that count; a share is measured by all it has.
        since: the first session that is read, where not all are needed to measure a share.

    Raises:
        StoreError: the database cannot be read.
    """
    decisions = store.decisions()
    chosen = [share for share in shares if share not in decisions.excluded]
    excluded = tuple(sorted(set(shares) - set(chosen)))
    bounds = bounds or Bounds()
    begin = "" if since is None else since.isoformat()
    some = _some_of(store, chosen, begin)
    others = store.price_series([share for share in chosen if share not in some], begin)
    market = market_of([(series.time, series.level) for series in some.values()])
    found: list[Suspect] = []
    count = looked = 0
    for series in chain(some.values(), others):
        count += 1
        looked += max(len(series) - 1, 0)
        suspects = find_suspects(series, market, bounds)
        if suspects and (ranges := store.day_ranges(series.share_id, begin)) is not None:
            suspects = find_suspects(replace(series, ranges=ranges), market, bounds)
        found += suspects
    kept = decided([one for one in found if _within(one, window)], decisions)
    return SuspectRecord(kept[:_MOST], len(kept[_MOST:]), excluded, count, looked, bounds)


def decided(suspects: Iterable[Suspect], decisions: Decisions) -> tuple[Suspect, ...]:
    """The suspects with what was accepted marked, wrong before large, each by share and day."""

    def accepted(one: Suspect) -> bool:
        days = (one.day, one.partner) if one.partner else (one.day,)
        return any((one.share_id, dt.date.fromisoformat(day)) in decisions.accepted for day in days)

    marked = (replace(one, accepted=accepted(one)) for one in suspects)
    return tuple(sorted(marked, key=_order))


def joined(one: SuspectRecord, two: SuspectRecord) -> SuspectRecord:
    """What was found of two sets of shares together."""
    return SuspectRecord(
        tuple(sorted((*one.suspects, *two.suspects), key=_order)),
        one.left_out + two.left_out,
        tuple(sorted({*one.excluded, *two.excluded})),
        one.shares + two.shares,
        one.returns + two.returns,
        one.bounds,
    )


def _order(one: Suspect) -> tuple[bool, bool, str, str]:
    return one.accepted, one.grade is Grade.LARGE, one.share_id, one.day


def _some_of(store: FeatureStore, shares: Sequence[str], since: str) -> dict[str, PriceSeries]:
    """Shares spread evenly over all, by name: what they do is what the market does."""
    at = np.unique(np.linspace(0, len(shares) - 1, min(len(shares), _MARKET_SHARES)).astype(int)) if shares else []
    return {series.share_id: series for series in store.price_series([shares[one] for one in at], since)}


def _within(one: Suspect, window: Window) -> bool:
    first, last = window
    return (first is None or one.day >= first.isoformat()) and (last is None or one.day <= last.isoformat())
