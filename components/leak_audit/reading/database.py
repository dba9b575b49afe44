"""The shares that a run was made of, and whether the database is still the one of then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from components.feature_store import FeatureStore, ShareSummary
    from components.leak_audit.config import AuditConfig


def chosen_shares(config: AuditConfig, store: FeatureStore) -> list[ShareSummary]:
    """The shares that the run was made of; those that an extraction could not get are not there.

    Raises:
        StoreError: none of them is there any more, or all are excluded.
    """
    from components.feature_example_gen.config import ExampleGenConfig
    from components.universe.universe import left_out

    summaries = store.shares()
    known = {summary.share_id for summary in summaries}
    asked = tuple(share for share in config.shares if share in known)
    return ExampleGenConfig(config.database, asked or config.shares).select(summaries, left_out(store))


def unchanged(config: AuditConfig, store: FeatureStore, shares: Sequence[str]) -> bool:
    """Whether the database still holds what the run has read of some shares, up to the last session of then.

    True where it is not known what the run has read.
    """
    from components.day_wide.reading import fingerprint_with
    from components.missing_sessions.finding import find_missing
    from components.universe.universe import fingerprint_of
    from models.formatters import get_formatter

    if not config.fingerprint:
        return True
    missing, last = find_missing(store).of(shares), np.datetime64(config.last_session or "9999-12-31")
    gaps = {
        share: replace(found, days=kept)
        for share, found in missing.shares.items()
        if len(kept := found.days[found.days <= last])
    }
    prices = replace(missing, shares=gaps).digest(store.digest(shares, config.last_session))
    columns = get_formatter(config.formatter).example_columns
    prices = fingerprint_with(store, shares, columns, prices, config.last_session)
    return fingerprint_of(store, shares, prices, last) == config.fingerprint
