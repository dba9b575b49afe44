"""Whether a store holds the dead: who of its shares has ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from components.feature_store import FeatureStore, ShareSummary
from components.synthetic_market import is_deathless
from components.universe.summary import UniverseSummary

ENDED = dt.timedelta(days=30)
"""A share whose last price lies more than this before the last one of all has ended; others may just be late."""


def summarise(store: FeatureStore, shares: Sequence[ShareSummary]) -> UniverseSummary:
    """What a report says of the universe of a run.

    Args:
        store: The database.
        shares: Of the run, at least one.

    Raises:
        StoreError: The database cannot be read.
    """
    spells = store.listings.members()
    named = {one.share_id for one in spells}
    worth = {one.share_id: one.last for one in spells if one.delisting_return is not None}
    newest = max(one.last for one in shares)
    chosen = {one.share_id for one in shares}
    gone = {one.share_id for one in shares if one.last < newest - ENDED}
    delisted = {one.share_id for one in shares if worth.get(one.share_id) == one.last and one.last < newest}
    return UniverseSummary(
        shares=len(chosen),
        members=len(chosen & named),
        without_prices=len(named - set(store.listings.share_ids())) if named else 0,
        ended=len(gone | delisted),
        delisted=len(delisted),
        deathless=all(is_deathless(one.source or "") for one in shares),
    )
