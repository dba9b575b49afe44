"""At which exchange a share is listed: as somebody said, as its source says, or as its days suggest."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from components.errors import ExchangeError, ExtractionError
from components.feature_store.arrays import Days
from components.missing_sessions.holidays import are_holidays

if TYPE_CHECKING:
    from components.extractor.calendar import ExchangeCalendar
    from components.feature_store import FeatureStore

_LIKELY = (
    *("XNYS", "XSHG", "XHKG", "XTKS", "XLON", "XETR", "XPAR", "XTSE", "XASX", "XTAI", "XSWX", "XSES", "BVMF", "XSTO"),
    "XJSE",
    *("XBOM", "XKRX"),  # these take a second to build, and more
)
_ENOUGH_TO_BE_SURE = 500
"""Days that are all sessions of an exchange, after which no other is tried, unless they lack what may be holidays."""

_MOST_OFF = 0.002
"""Part of a share's days that may be days off of the exchange that they are said to fit."""


def exchanges_of(store: FeatureStore, shares: Sequence[str]) -> dict[str, str]:
    """The exchange of each share of which it is known: as an import named it, else as the share's source says."""
    named = store.listings.exchanges()
    found = {share: named[share] for share in shares if share in named}
    sources: dict[str, list[str]] = {}
    for share in shares:
        if share not in found and (source := store.source_of(share)):
            sources.setdefault(source, []).append(share)
    return found | _by_source(sources)


def _by_source(sources: Mapping[str, Sequence[str]]) -> dict[str, str]:
    if not any(source.isidentifier() and source not in ("file", "unknown") for source in sources):
        return {}
    try:
        from components.extractor.sources.registry import SOURCES
    except ImportError:  # the extra `extract` is not there, and so no calendar either
        return {}
    found = {}
    for source, shares in sources.items():
        if source not in SOURCES:
            continue
        for share in shares:
            try:
                found[share] = SOURCES[source].exchange(share)
            except ExtractionError:  # a file whose origin somebody called like a source
                continue
    return found


def fitting_exchange(days: Days, now: dt.datetime) -> tuple[ExchangeCalendar, Days] | None:
    """The exchange whose sessions days fit best, and those of its sessions that the days lack.

    Args:
        days: Of all shares of a group together, datetime64[D], ascending.
        now: The present, with a zone.

    Returns:
        None where none fits: they must hardly have a day on which it is closed.
    """
    from components.extractor.calendar import ExchangeCalendar

    best: tuple[ExchangeCalendar, Days] | None = None
    for code in _LIKELY:
        try:
            calendar = ExchangeCalendar.of(code, now)
        except ExchangeError:
            continue
        if days[0] < np.datetime64(calendar.begin) or days[-1] > np.datetime64(calendar.end):
            continue
        known = calendar.sessions(days[0].item(), days[-1].item())
        if np.count_nonzero(~np.isin(days, known)) > _MOST_OFF * len(days):
            continue
        lacking = np.setdiff1d(known, days)
        if best is None or len(lacking) < len(best[1]):
            best = calendar, lacking
        certain = len(days) >= _ENOUGH_TO_BE_SURE and np.isin(days, known).all()
        if not len(lacking) or (certain and not are_holidays(lacking, *days[[0, -1]].astype(np.int64).tolist())):
            break
    return best
