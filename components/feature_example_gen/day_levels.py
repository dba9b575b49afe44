"""What returns must exceed on each day, for a label that compares a day's shares: made once of all shares of a run.

A day's level is made of the members of the universe that have a window and a known return on that day, each over its
own sessions. So it is known only when the last of these returns is: that session stands beside it, and the purge
follows it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.feature_example_gen.look_ahead import Ahead, FeatureRows
from components.feature_store import FeatureStore, ShareSummary
from components.missing_sessions.found import ShareGaps
from components.missing_sessions.limit import DEFAULT_LIMIT
from components.universe.universe import EVERYBODY, Universe
from models.labels import Label

ROWS_AT_ONCE = 50_000
"""Rows of the feature table that are read at once."""


@dataclass(frozen=True, eq=False)
class DayLevels:
    """The levels of a label by day.

    Attributes:
        sessions: every session of the data, ascending, [sessions].
        level: by horizon, float32 [sessions]; nan where there is none.
        end: by horizon, the index of the last session that the level is made of, [sessions]; -1 where there is none.
    """

    sessions: npt.NDArray[np.datetime64]
    level: Mapping[int, npt.NDArray[np.float32]]
    end: Mapping[int, npt.NDArray[np.int64]]

    def excess(
        self, horizon: int, ahead: Ahead, session: npt.NDArray[np.int64]
    ) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        """Returns less the level of their day.

        Args:
            horizon: of both.
            ahead: what closes do a horizon later, of [rows].
            session: index of each row's session, [rows].

        Returns:
            The difference, float32 [rows], and whether one of the two is not known, [rows]: there the first is 0.
        """
        level = self.level[horizon][session]
        undecided = ~ahead.known | np.isnan(level)
        return np.where(undecided, np.float32(0), ahead.change - level), undecided

    def until(self, last: np.datetime64) -> DayLevels:
        """Those that are known at the close of a day."""
        known = int(np.searchsorted(self.sessions, last, side="right"))
        gone = {horizon: end >= known for horizon, end in self.end.items()}
        level = {h: np.where(gone[h], np.float32(np.nan), values) for h, values in self.level.items()}
        return DayLevels(self.sessions, level, {h: np.where(gone[h], -1, values) for h, values in self.end.items()})


def make_levels(
    tables: Iterable[pa.Table],
    sessions: npt.NDArray[np.datetime64],
    horizons: Sequence[int],
    label: Label,
    gaps: Mapping[str, ShareGaps] | None = None,
    most_missing_sessions: int = DEFAULT_LIMIT,
    universe: Universe = EVERYBODY,
) -> DayLevels | None:
    """Makes the levels of all days; None for a label that needs none.

    Args:
        tables: of the feature table, whole shares each, together all shares of the run.
        sessions: every session of the data, ascending.
        horizons: sessions ahead.
        label: the label.
        gaps: the sessions that shares lack.
        most_missing_sessions: that 20 steps may reach across; a row whose window or return does is left out.
        universe: who belongs to it when; a row of a day on which its share does not is left out.
    """
    if not label.of_the_day:
        return None
    parts: dict[int, list[tuple[npt.NDArray[np.generic], ...]]] = {horizon: [] for horizon in horizons}
    for table in tables:
        rows = FeatureRows(table, gaps, universe)
        session = np.searchsorted(sessions, rows.days).astype(np.int32)
        usable = rows.member & ~rows.windows_across(most_missing_sessions)
        for horizon, found in parts.items():
            ahead = rows.ahead(horizon, most_missing_sessions)
            at = np.flatnonzero(ahead.known & usable)
            end = np.searchsorted(sessions, rows.ends(ahead)[at]).astype(np.int32)
            found.append((session[at], ahead.change[at], end))
    level, last = {}, {}
    for horizon, found in parts.items():
        day, change, end = (np.concatenate(column) for column in zip(*found, strict=True)) if found else ([],) * 3
        day = np.asarray(day, np.int64)
        level[horizon] = label.levels(day, np.asarray(change, np.float32), len(sessions))
        last[horizon] = np.full(len(sessions), -1, np.int64)
        np.maximum.at(last[horizon], day, np.asarray(end, np.int64))
        last[horizon][np.isnan(level[horizon])] = -1
    return DayLevels(sessions, level, last)


def levels_of(
    store: FeatureStore,
    shares: Sequence[ShareSummary],
    sessions: npt.NDArray[np.datetime64],
    horizons: Sequence[int],
    label: Label,
    gaps: Mapping[str, ShareGaps] | None = None,
    most_missing_sessions: int = DEFAULT_LIMIT,
    universe: Universe = EVERYBODY,
    since: str = "",
) -> DayLevels | None:
    """The levels of some shares of a store up to the last of the sessions; other arguments as in `make_levels`.

    With `since`, an ISO day that all of the shares reach, no earlier row is read: what is right is the level of a day
    that lies as many sessions behind it as a window may reach across.

    Raises:
        StoreError: the store's rows cannot be used.
    """
    tables = _tables(store, shares, sessions, since)
    return make_levels(tables, sessions, horizons, label, gaps, most_missing_sessions, universe)


def count_sides(
    store: FeatureStore,
    shares: Sequence[ShareSummary],
    horizon: int,
    label: Label,
    gaps: Mapping[str, ShareGaps],
    most_missing_sessions: int,
    universe: Universe = EVERYBODY,
) -> tuple[int, int]:
    """How many returns of some shares lie above the level of their day, and how many below; as in `levels_of`.

    Raises:
        ValueError: the label compares no shares.
        StoreError: the store's rows cannot be used.
    """
    sessions = store.sessions([one.share_id for one in shares])
    levels = levels_of(store, shares, sessions, (horizon,), label, gaps, most_missing_sessions, universe)
    if levels is None:
        raise ValueError(f"label {label.name} has no levels")
    above = below = 0
    for table in _tables(store, shares, sessions):
        rows = FeatureRows(table, gaps, universe)
        session = np.searchsorted(sessions, rows.days)
        excess, undecided = levels.excess(horizon, rows.ahead(horizon, most_missing_sessions), session)
        usable = rows.member & ~undecided & ~rows.windows_across(most_missing_sessions)
        above += int(np.count_nonzero(excess[usable] > 0))
        below += int(np.count_nonzero(excess[usable] < 0))
    return above, below


def _tables(
    store: FeatureStore, shares: Sequence[ShareSummary], sessions: npt.NDArray[np.datetime64], since: str = ""
) -> Iterator[pa.Table]:
    """The feature table of the shares, some at once, so that memory does not grow with its width."""
    some: list[str] = []
    rows = 0
    for place, share in enumerate(shares):
        some.append(share.share_id)
        rows += share.rows
        if rows >= ROWS_AT_ONCE or place == len(shares) - 1:
            table = store.read_features(some, since)
            yield table.filter(pc.less_equal(table.column("time"), str(sessions[-1])))
            some, rows = [], 0
