"""What looks wrong in the prices that examples are made of, on the days that they are made of."""

from __future__ import annotations

import numpy as np

from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.splits import plan_splits
from components.feature_store import FeatureStore
from components.feature_store.arrays import Booleans, Days
from components.plausibility import SuspectRecord
from components.plausibility.search import Used, search, within
from components.universe.universe import left_out, strangers


def find_suspects(config: ExampleGenConfig, store: FeatureStore) -> SuspectRecord:
    """Judges the returns that windows and labels of the splits are made of; excluded shares are named.

    Raises:
        StoreError: the store cannot be read, or lacks a share.
        SplitError: its sessions do not suffice for the splits.
    """
    asked = [summary.share_id for summary in config.select(store.shares(), strangers(store))]
    return search(store, asked, config.bounds, _used(config, store))


def _used(config: ExampleGenConfig, store: FeatureStore) -> Used:
    """The sessions of a share that a return of a row's features or labels ends on."""
    if config.splits.start is None and config.splits.end is None:
        return within()
    chosen = config.select(store.shares(), left_out(store))
    plan = plan_splits(store.sessions([summary.share_id for summary in chosen]), config.splits)
    first, last = plan.sessions[plan.ranges[0].owned[0]], plan.sessions[plan.ranges[-1].end - 1]

    def used(days: Days) -> Booleans:
        # By the share's own sessions: where it lacks some, its windows and labels reach further than other shares'.
        begin, end = int(np.searchsorted(days, first)), int(np.searchsorted(days, last, side="right"))
        at = np.arange(len(days))
        return (begin < end) & (at > begin - plan.reach) & (at < end + max(plan.horizons))

    return used
