"""What looks wrong in a database's prices: said after prices were stored, and whenever it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from components.feature_example_gen.config import ExampleGenConfig
from components.feature_store import WINDOW, Decision, FeatureStore
from components.plausibility import SuspectRecord
from components.plausibility.search import joined, search
from pipeline.job.prices import say_unknown
from pipeline.plan import Plan
from pipeline.report.suspects import print_suspects

_FEW = 30
"""Sessions of an increment, which the last two months hold."""

_MEASURED = 900
"""Days that a share is measured by in an increment."""

if TYPE_CHECKING:
    from rich.console import Console

    from components.extractor import ExtractionReport


def look(plan: Plan, shares: Sequence[str]) -> SuspectRecord:
    """Judges the returns of some shares of the plan's database.

    Raises:
        StoreError: the database cannot be read.
    """
    if not shares:
        return SuspectRecord(bounds=plan.bounds)
    with FeatureStore.open(plan.database) as store:
        return search(store, shares, plan.bounds)


def look_at_all(plan: Plan) -> tuple[SuspectRecord, tuple[Decision, ...]]:
    """Judges the returns of all shares that were asked for, and gives what was decided of any.

    Raises:
        StoreError: the database cannot be read, or lacks a share.
    """
    with FeatureStore.open(plan.database) as store:
        asked = ExampleGenConfig(str(plan.database), plan.settings.shares).select(store.shares())
        return search(store, [one.share_id for one in asked], plan.bounds), store.decision_list()


def look_at_windows(plan: Plan, store: FeatureStore, shares: Sequence[str]) -> SuspectRecord:
    """Judges the returns of the last window of each share.

    Raises:
        StoreError: the database cannot be read.
    """
    record = search(store, shares, plan.bounds)
    suspected = tuple(dict.fromkeys(one.share_id for one in record.suspects))
    begins = {one.share_id: one.time[-min(WINDOW, len(one))] for one in store.price_series(suspected)}
    kept = [one for one in record.suspects if np.datetime64(one.day, "D") > begins[one.share_id]]
    return replace(record, suspects=tuple(kept), left_out=0)


def report_suspects(plan: Plan, shares: Sequence[str], console: Console) -> bool:
    """Prints what looks wrong in the prices of some shares, and tells whether nothing may be pushed because of it."""
    record = look(plan, shares)
    with FeatureStore.open(plan.database) as store:
        say_unknown(store, plan.decisions, console)
    print_suspects(record, console)
    return bool(record.stopping)


def look_at_extracted(plan: Plan, report: ExtractionReport) -> SuspectRecord:
    """Judges what an extraction has stored: of a few new sessions these alone, so that no day says all of them again.

    Raises:
        StoreError: the database cannot be read.
    """
    stored = [one for one in report.shares if one.new or one.changed]
    few = [one for one in stored if one.status.value != "readjusted" and one.new + one.changed <= _FEW and one.last]
    many = [one.share_id for one in stored if one not in few]
    record = look(plan, many)
    if not few:
        return record
    last = dt.date.fromisoformat(min(one.last for one in few))
    recent, measured = last - dt.timedelta(days=2 * _FEW), last - dt.timedelta(days=_MEASURED)
    with FeatureStore.open(plan.database) as store:
        other = search(store, [one.share_id for one in few], plan.bounds, (recent, None), measured)
    return joined(record, other)
