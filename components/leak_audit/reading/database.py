"""Whether the database is still the one that a run was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from components.feature_store import FeatureStore
    from components.leak_audit.config import AuditConfig


def unchanged(config: AuditConfig, store: FeatureStore, shares: Sequence[str]) -> bool:
    """Whether the database still holds what the run has read of some shares, up to the last session of then.

    True where it is not known what the run has read.
    """
    from components.missing_sessions.finding import find_missing

    if not config.fingerprint:
        return True
    missing, last = find_missing(store).of(shares), np.datetime64(config.last_session or "9999-12-31")
    gaps = {
        share: replace(found, days=kept)
        for share, found in missing.shares.items()
        if len(kept := found.days[found.days <= last])
    }
    return replace(missing, shares=gaps).digest(store.digest(shares, config.last_session)) == config.fingerprint
