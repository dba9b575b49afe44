"""Whether a store holds the dead: who of its shares has ended."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from components.feature_store import FeatureStore, ShareSummary
from components.feature_store.arrays import Days
from components.synthetic_market import is_deathless
from components.universe.summary import UniverseSummary

ENDED_SESSIONS = 20
"""A share whose last price lies more sessions than these before the last one of all has ended; others may be late."""


def summarise(store: FeatureStore, shares: Sequence[ShareSummary], sessions: Days) -> UniverseSummary:
    """What a report says of the universe of a run.

    Args:
        store: The database.
        shares: Of the run.
        sessions: All of theirs, ascending.

    Raises:
        StoreError: The database cannot be read.
    """
    spells = store.listings.members()
    named = {one.share_id for one in spells}
    worth = {one.share_id: one.last for one in spells if one.delisting_return is not None}
    chosen = {one.share_id for one in shares}
    delisted = {one.share_id for one in shares if worth.get(one.share_id) == one.last and one.last < sessions[-1]}
    border = sessions[max(0, len(sessions) - 1 - ENDED_SESSIONS)]
    gone = {one.share_id for one in shares if np.datetime64(one.last, "D") < border}
    sources = {one.source or "" for one in shares}
    return UniverseSummary(
        shares=len(chosen),
        members=len(chosen & named),
        without_prices=len(named - set(store.listings.share_ids())),
        ended=len(gone | delisted),
        delisted=len(delisted),
        deathless=all(map(is_deathless, sources)),
    )
