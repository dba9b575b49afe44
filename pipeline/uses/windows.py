"""The last windows of a plan's shares: what a forecast for the next session is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError
from components.feature_store import FeatureStore
from components.missing_sessions.finding import last_windows_across
from components.plausibility import SuspectRecord
from components.universe.universe import universe_of
from pipeline.plan import Plan
from pipeline.uses.suspects import look_at_windows


class WindowsError(UserError):
    """No share has a window that can be used."""


@dataclass(frozen=True, eq=False)
class LastWindows:
    """The last windows of shares.

    Attributes:
        share_ids: the shares, [n].
        sessions: the last session of each one's window, ISO, [n].
        closes: float32, the latest first, [n, 21].
        left_out: shares whose last window reaches across too many missing sessions, and how many these are.
        excluded: shares that were asked for and that a person has excluded.
        outside: shares that do not belong to the universe on the last of these sessions.
        suspects: returns of the windows that do not look like a market's.
    """

    share_ids: tuple[str, ...]
    sessions: tuple[str, ...]
    closes: NDArray[np.float32]
    left_out: Mapping[str, int]
    excluded: tuple[str, ...]
    outside: tuple[str, ...]
    suspects: SuspectRecord


def read_last_windows(plan: Plan) -> LastWindows:
    """Reads the last window of each share of a plan.

    Args:
        plan: names the database, the shares, and how many missing sessions a window may reach across.

    Raises:
        StoreError: the database cannot be read, or lacks a share.
        WindowsError: every share's window reaches across too many missing sessions, or none belongs to the universe.
    """
    with FeatureStore.open(plan.database) as store:
        shares = plan.select(store)
        left_out = last_windows_across(store, shares, plan.settings.max_missing_sessions)
        if len(left_out) == len(shares):
            raise WindowsError(
                f"{plan.database}: the last window of {shares[0]} reaches across {left_out[shares[0]]} missing sessions"
                f"{'' if len(shares) == 1 else ', and those of all other shares across too many as well'}; bring the "
                "missing prices, or allow more: --max-missing-sessions"
            )
        wanted = [share for share in shares if share not in left_out]
        windows = store.listings.last_windows(wanted)
        today = np.array([max(windows.time)], dtype="datetime64[D]")
        universe = universe_of(store, today)
        outside = tuple(share for share in windows.shares if not universe.members(share, today)[0])
        if len(outside) == len(wanted):
            raise WindowsError(
                f"{plan.database}: no share belongs to the universe on {today[0]}, the last session; see who does "
                "(awesome members list), and import members of today (awesome members import)"
            )
        if outside:
            windows = store.listings.last_windows([share for share in wanted if share not in outside])
        excluded = store.decisions().excluded & set(plan.settings.shares or store.listings.share_ids())
        suspects = look_at_windows(plan, store, windows)
    return LastWindows(
        share_ids=windows.shares,
        sessions=windows.time,
        closes=windows.closes.astype(np.float32),
        left_out=left_out,
        excluded=tuple(sorted(excluded)),
        outside=outside,
        suspects=suspects,
    )
