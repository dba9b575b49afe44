"""Looks through the prices of a database, and puts beside each suspect what a person has decided.

Memory is that of a few hundred shares: these say what the market does, then each share is judged by itself.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import numpy as np

from components.feature_store import Decisions, FeatureStore
from components.feature_store.arrays import Booleans, Days
from components.feature_store.series import PriceSeries
from components.plausibility.market import market_of
from components.plausibility.record import Bounds, Grade, Suspect, SuspectRecord
from components.plausibility.returns import find_suspects

_MARKET_SHARES = 300
"""Whose median is that of all, to a fifteenth of a share's daily deviation."""

_MOST = 1000
"""Suspects that a record keeps: beyond it, what was read are no prices."""

Used = Callable[[Days], Booleans]
"""Of the sessions of a share, ascending, those whose returns are looked at; both of shape (n,)."""


def within(first: dt.date | None = None, last: dt.date | None = None) -> Used:
    """The sessions from a day to another one, both included; None for no bound."""

    def used(days: Days) -> Booleans:
        inside = np.ones(len(days), dtype=bool)
        if first is not None:
            inside &= days >= np.datetime64(first)
        if last is not None:
            inside &= days <= np.datetime64(last)
        return inside

    return used


def search(
    store: FeatureStore,
    shares: Sequence[str],
    bounds: Bounds | None = None,
    used: Used | None = None,
    since: dt.date | None = None,
    most: int | None = _MOST,
    only: Collection[str] | None = None,
) -> SuspectRecord:
    """Judges all returns of some shares; those that a person has excluded are left out, and named.

    Args:
        store: the database.
        shares: the shares.
        bounds: from where on a return is large.
        used: which sessions of a share count, None for all; it is measured by all it has.
        since: the first session that is read, where not all are needed to measure a share.
        most: suspects that are kept; None for all of them.
        only: those of the shares that are judged, the others tell what the market does; None for all.

    Raises:
        StoreError: the database cannot be read.
    """
    decisions = store.decisions()
    chosen = [share for share in shares if share not in decisions.excluded]
    excluded = tuple(sorted(set(shares) - set(chosen)))
    bounds = bounds or Bounds()
    used = used or within()
    found: list[Suspect] = []
    count = looked = 0
    for series, suspects in _judged(store, chosen, bounds, "" if since is None else since.isoformat(), only):
        count += 1
        days = series.time[1:][used(series.time)[1:]]
        looked += len(days)
        found += [one for one in suspects if np.datetime64(one.day, "D") in days]
    kept = decided(found, decisions)
    most = len(kept) if most is None else most
    return SuspectRecord(kept[:most], len(kept[most:]), excluded, count, looked, bounds)


def suspects_among(
    store: FeatureStore, shares: Sequence[str], named: Collection[str], bounds: Bounds | None = None
) -> tuple[Suspect, ...]:
    """The suspects of a few shares, as `search` finds them among all, without looking at the others.

    Args:
        store: the database.
        shares: that say what the market does.
        named: those that are judged.
        bounds: from where on a return is large.

    Raises:
        StoreError: the database cannot be read.
    """
    decisions = store.decisions()
    chosen = [share for share in dict.fromkeys((*shares, *named)) if share not in decisions.excluded]
    judged = _judged(store, chosen, bounds or Bounds(), "", named)
    return decided([one for _, suspects in judged for one in suspects], decisions)


def _judged(
    store: FeatureStore, shares: Sequence[str], bounds: Bounds, begin: str, only: Collection[str] | None = None
) -> Iterator[tuple[PriceSeries, list[Suspect]]]:
    """Each of some shares with its suspects, against the market of all of them; of `only` some, if these are named."""
    some = _some_of(store, shares, begin)
    market = market_of([(series.time, series.level) for series in some.values()])
    wanted = shares if only is None else [share for share in shares if share in only]
    known = (some[share] for share in wanted if share in some)
    others = store.price_series([share for share in wanted if share not in some], begin)
    for series in chain(known, others):
        suspects = find_suspects(series, market, bounds)
        if suspects and (ranges := store.day_ranges(series.share_id, begin)) is not None:
            suspects = find_suspects(replace(series, ranges=ranges), market, bounds)
        yield series, suspects


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
