"""What looks wrong in a database's prices: said after prices were stored, and whenever it is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from components.feature_example_gen.config import ExampleGenConfig
from components.feature_store import WINDOW, Decision, FeatureStore
from components.plausibility import SuspectRecord
from components.plausibility.search import search
from pipeline.job.prices import say_unknown
from pipeline.plan import Plan
from pipeline.report.suspects import print_suspects

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


def touched(report: ExtractionReport) -> list[str]:
    """The shares of which an extraction has stored anything that was not there before."""
    return [one.share_id for one in report.shares if one.new or one.changed]
