"""The last windows of a plan's shares: what a forecast for the next session is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from components.day_wide.reading import read_last
from components.errors import UserError
from components.feature_store import WINDOW
from components.missing_sessions.finding import last_windows_across
from components.plausibility import SuspectRecord
from components.price_panel.opening import open_prices
from components.universe.universe import universe_of
from models.formatters import DataFormatter
from pipeline.given_flags import again
from pipeline.job.panel import fetch_panel
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
        suspects: returns of the windows, or as far back as the formatter reads, that do not look like a market's.
        day: the day-wide columns that were asked for, float32 [n] or [n, width] by name.
        short: shares that have too few sessions for these columns, which are left out.
        absent: shares that these columns were made of in the model's run and that the database lacks.
    """

    share_ids: tuple[str, ...]
    sessions: tuple[str, ...]
    closes: NDArray[np.float32]
    left_out: Mapping[str, int]
    excluded: tuple[str, ...]
    outside: tuple[str, ...]
    suspects: SuspectRecord
    day: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)
    short: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def read_last_windows(plan: Plan, formatter: DataFormatter | None = None, market: Sequence[str] = ()) -> LastWindows:
    """Reads the last window of each share of a plan, and the day-wide columns of its session.

    Args:
        plan: names the database, the shares, and how many missing sessions a window may reach across.
        formatter: of the model that is asked; None where it reads nothing but windows.
        market: the shares that its day-wide columns are made of, as its card says.

    Raises:
        StoreError: the database cannot be read, or lacks a share.
        WindowsError: every share's window reaches across too many missing sessions, none belongs to the universe, none
            has enough sessions for the columns, or no share is there that these are made of.
    """
    columns = () if formatter is None else formatter.day_columns
    if plan.settings.panel is not None:
        fetch_panel(plan)
    with open_prices(plan.database) as store:
        shares = plan.select(store)
        left_out = last_windows_across(store, shares, plan.settings.max_missing_sessions)
        if len(left_out) == len(shares):
            raise WindowsError(
                f"{plan.database}: the last window of {shares[0]} reaches across {left_out[shares[0]]} missing sessions"
                f"{'' if len(shares) == 1 else ', and those of all other shares across too many as well'}; bring the "
                f"missing prices, or allow more: {again(plan, '--max-missing-sessions', 'N')}"
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
        suspects = look_at_windows(plan, store, windows, WINDOW - 1 if formatter is None else formatter.reach)
        absent = sorted({*market} - {*store.listings.share_ids()}) if columns else []
        day = read_last(store, market, windows.shares, windows.time, columns, universe) if columns else {}
    known = np.ones(len(windows.shares), bool)
    for values in day.values():
        known &= ~np.isnan(values).reshape(len(known), -1).any(axis=1)
    if formatter is not None and not known.any():
        if absent and len(absent) == len({*market}):
            raise WindowsError(
                f"{plan.database}: the model was trained beside {len(absent)} shares, such as {absent[0]}, and none of "
                "them is there; import their prices, or train a model on these shares"
            )
        raise WindowsError(
            f"{plan.database}: the formatter {formatter.name} reads {formatter.reach + 1} sessions of a share, and no "
            "share has so many; bring earlier prices"
        )
    kept = np.flatnonzero(known)
    return LastWindows(
        share_ids=tuple(windows.shares[at] for at in kept),
        sessions=tuple(windows.time[at] for at in kept),
        closes=windows.closes[kept].astype(np.float32),
        left_out=left_out,
        excluded=tuple(sorted(excluded)),
        outside=outside,
        suspects=suspects,
        day={name: values[kept] for name, values in day.items()},
        absent=tuple(absent),
        short=tuple(windows.shares[at] for at in np.flatnonzero(~known)),
    )
