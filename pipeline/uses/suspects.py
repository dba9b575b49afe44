"""What looks wrong in a database's prices: said after prices were stored, and whenever it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.feature_example_gen.config import ExampleGenConfig
from components.feature_store import WINDOW, Decision, FeatureStore, LastWindows
from components.feature_store.arrays import Booleans, Days
from components.plausibility import SuspectRecord
from components.plausibility.returns import may_hold_suspects
from components.plausibility.search import joined, search
from components.price_panel.opening import open_prices
from pipeline.job.prices import say_idle
from pipeline.plan import Plan
from pipeline.report.suspects import print_excluded, print_suspects

_FEW = 30
"""New sessions of a share, up to which they are an increment."""

_JUDGED_LATE = 5
"""Sessions before those of an increment that are judged again, as what follows a return tells what it was."""

_MEASURED = 900
"""Days that a share is measured by in an increment, and before its last window."""

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
    with open_prices(plan.database) as store:
        return search(store, shares, plan.bounds)


def look_at_all(plan: Plan, console: Console) -> tuple[SuspectRecord, tuple[Decision, ...]]:
    """Judges the returns of all shares that were asked for, names all suspects, and gives what was decided of any.

    Says on the console which of the plan's decisions change nothing.

    Raises:
        StoreError: the database cannot be read, or lacks a share.
    """
    with open_prices(plan.database) as store:
        asked = ExampleGenConfig(str(plan.database), plan.settings.shares).select(store.shares())
        shares = [one.share_id for one in asked]
        record = search(store, shares, plan.bounds, most=None)
        say_idle(plan, store, shares, console)
        return record, store.decision_list()


def look_at_windows(plan: Plan, store: FeatureStore, windows: LastWindows, reach: int = WINDOW - 1) -> SuspectRecord:
    """Judges the returns of last windows, and names all suspects; shares without a move to be judged are not read.

    Args:
        plan: the bounds.
        store: the prices.
        windows: the last one of each share.
        reach: sessions before the last one that a model sees; where these are more than a window's, all are read.

    Raises:
        StoreError: the database cannot be read.
    """
    shares, returns = len(windows.shares), len(windows.shares) * reach
    may = may_hold_suspects(windows.closes, plan.bounds) if reach < WINDOW else np.ones(shares, bool)
    moved = np.flatnonzero(may).tolist()
    if not moved:
        return SuspectRecord(shares=shares, returns=returns, bounds=plan.bounds)
    first = dt.date.fromisoformat(min(windows.time[at] for at in moved))
    measured = first - dt.timedelta(days=_MEASURED)
    judged = {windows.shares[at] for at in moved}

    def used(days: Days) -> Booleans:
        return np.arange(len(days)) >= len(days) - reach

    record = search(store, windows.shares, plan.bounds, used, measured, most=None, only=judged)
    return replace(record, shares=shares, returns=returns)


def report_suspects(plan: Plan, database: Path, shares: Sequence[str], console: Console) -> bool:
    """Prints what looks wrong in the prices of some shares, and tells whether nothing may be pushed because of it.

    Args:
        plan: the bounds, the decisions, and what the database is called.
        database: that is read: the plan's, or a trial of it.
        shares: that are judged.
        console: where to.

    Raises:
        StoreError: the database cannot be read.
    """
    record = look(replace(plan, database=database), shares)
    with open_prices(database) as store:
        say_idle(plan, store, shares, console)
    print_suspects(record, console, database=plan.database)
    print_excluded(record, console)
    return bool(record.stopping)


def look_at_extracted(plan: Plan, report: ExtractionReport, console: Console) -> SuspectRecord:
    """Judges what an extraction has stored: of a few new sessions these alone, so that no day says all of them again.

    Of a share that had stored sessions changed all are judged, as nobody says which these were. Of all shares of the
    extraction those that a person has excluded are named. Says on the console which of the plan's decisions change
    nothing.

    Raises:
        StoreError: the database cannot be read.
    """
    stored = [one for one in report.shares if one.new or one.changed]
    few = [one for one in stored if one.status.value != "readjusted" and one.new <= _FEW and not one.changed]
    record = look(plan, [one.share_id for one in stored if one not in few])
    with open_prices(plan.database) as store:
        say_idle(plan, store, [one.share_id for one in report.shares], console)
        excluded = store.decisions().excluded & {one.share_id for one in report.shares}
        if few:
            newest = max(one.new for one in few) + _JUDGED_LATE
            last = dt.date.fromisoformat(min(one.last for one in few))
            measured = last - dt.timedelta(days=_MEASURED)

            def used(days: Days) -> Booleans:
                return np.arange(len(days)) >= len(days) - newest

            record = joined(record, search(store, [one.share_id for one in few], plan.bounds, used, measured))
    return replace(record, excluded=tuple(sorted(excluded)))
