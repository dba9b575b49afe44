"""What looks wrong in the prices that examples are made of, on the days that they are made of."""

from __future__ import annotations

import datetime as dt
from typing import cast

from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.splits import plan_splits
from components.feature_store import WINDOW, FeatureStore
from components.plausibility import SuspectRecord
from components.plausibility.search import Window, search


def find_suspects(config: ExampleGenConfig, store: FeatureStore) -> SuspectRecord:
    """Judges the returns that windows and labels of the splits are made of; excluded shares are named.

    Raises:
        StoreError: the store cannot be read, or lacks a share.
        SplitError: its sessions do not suffice for the splits.
    """
    asked = [summary.share_id for summary in config.select(store.shares())]
    return search(store, asked, config.bounds, _used_days(config, store))


def _used_days(config: ExampleGenConfig, store: FeatureStore) -> Window:
    """The first and the last day that a window or a label reaches to; None where there is no bound."""
    if config.splits.start is None and config.splits.end is None:
        return None, None
    chosen = config.select(store.shares(), store.decisions().excluded)
    plan = plan_splits(store.sessions([summary.share_id for summary in chosen]), config.splits)
    first = plan.ranges[0].owned[0] - (WINDOW - 1)
    last = plan.ranges[-1].end - 1 + max(plan.horizons)

    def day(at: int) -> dt.date | None:
        return cast("dt.date", plan.sessions[at].item()) if 0 <= at < len(plan.sessions) else None

    return day(first), day(last)
