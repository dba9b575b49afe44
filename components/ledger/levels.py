"""Finds the levels that predictions wait for: those of the examples (components/feature_example_gen/day_levels.py).

A level is made of the shares of the run that have a window and a known return on a session. It waits for their prices:
until the session that it is due on has closed, and for each share whose bars have not come that far. One of which
nothing has come for `PATIENCE` sessions is not waited for, as it may have ended; what comes of it later makes another
level.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from components.feature_store import FeatureStore
from components.ledger.deadlines import Deadlines
from components.ledger.file import Ledger
from components.ledger.labels import Labels, Level
from components.missing_sessions.exchanges import exchanges_of
from components.missing_sessions.found import ShareGaps
from models.features import WINDOW
from models.labels import LABELS

PATIENCE = 5
"""Sessions after which nobody waits for the price of a share: it may never come."""

_DAYS_A_SESSION, _LONGEST_HOLIDAY = 3, 30
"""Of the calendar, generously: more rows than needed change no level."""


@dataclass(frozen=True)
class Levels:
    """What a look at the prices has found.

    Attributes:
        new: levels that are not written yet, or other than what is.
        waiting: sessions, of a label and a horizon each, whose level is not known yet.
    """

    new: tuple[Level, ...] = ()
    waiting: int = 0


def find_levels(
    ledger: Ledger,
    store: FeatureStore,
    deadlines: Deadlines,
    gaps: Mapping[str, ShareGaps],
    most_missing_sessions: int,
    universe: Sequence[str] | None = None,
    since: str = "",
) -> Levels:
    """Finds the levels of the sessions that predictions were made after; nothing is written.

    Args:
        ledger: the predictions.
        store: the prices.
        deadlines: what calendars say.
        gaps: the sessions that shares lack.
        most_missing_sessions: that 20 steps may reach across.
        universe: the shares that are compared; None for all of the store that are not excluded.
        since: only sessions from this one (ISO) on; empty for all.

    Raises:
        StoreError: the prices cannot be read.
        ExchangeError: the sessions of an exchange cannot be had.
    """
    held = Labels(ledger)
    asked: dict[tuple[str, int], list[str]] = {}
    for model in held.compared():
        rows = ledger.select(
            "SELECT DISTINCT horizon, session FROM PREDICTION WHERE model = ? AND session >= ?", model, since
        )
        for horizon, session in rows:
            asked.setdefault((held.of(model), int(horizon)), []).append(str(session))
    new: list[Level] = []
    waiting = 0
    if not asked:
        return Levels()
    search = _Search(store, deadlines, gaps, most_missing_sessions, universe)
    for (label, horizon), sessions in sorted(asked.items()):
        found = search.levels(label, horizon, sorted(set(sessions)))
        waiting += len(set(sessions)) - len(found)
        new += [one for one in found if not _same(held.level(label, horizon, one.session), one)]
    return Levels(tuple(new), waiting)


def _same(held: Level | None, found: Level) -> bool:
    return held is not None and held.text == found.text


class _Search:
    """Makes levels of the stored prices."""

    def __init__(
        self,
        store: FeatureStore,
        deadlines: Deadlines,
        gaps: Mapping[str, ShareGaps],
        limit: int,
        universe: Sequence[str] | None,
    ) -> None:
        self._store, self._deadlines, self._gaps, self._limit = store, deadlines, gaps, limit
        excluded = store.decisions().excluded
        wanted = None if universe is None else set(universe)
        self._shares = [
            one for one in store.shares() if one.share_id not in excluded and (wanted is None or one.share_id in wanted)
        ]
        # By exchange, the last bar of the share that is the furthest behind of those that are waited for.
        self._behind: dict[str, str] = {}
        last_of = {one.share_id: str(one.last) for one in self._shares}
        for share, exchange in exchanges_of(store, [*last_of]).items():
            last = last_of[share]
            if not deadlines.has_closed(exchange, deadlines.session_ahead(exchange, last, PATIENCE)):
                self._behind[exchange] = min(last, self._behind.get(exchange, last))

    def levels(self, label: str, horizon: int, sessions: Sequence[str]) -> list[Level]:
        """Those of the sessions whose level is known."""
        # Arrow takes a while to be imported.
        from components.feature_example_gen.day_levels import levels_of

        ready = [session for session in sessions if not self._waits(session, horizon)]
        since = self._since(ready[0], horizon) if ready else ""
        there = [one for one in self._shares if str(one.last) >= since]
        if not ready or not there or label not in LABELS:
            return []
        days = self._store.sessions([one.share_id for one in there])
        made = levels_of(self._store, there, days, (horizon,), LABELS[label], self._gaps, self._limit, since=since)
        assert made is not None
        at = np.searchsorted(days, np.array(ready, "datetime64[D]"))
        found = []
        for session, place in zip(ready, at.tolist(), strict=True):
            inside = place < len(days) and str(days[place]) == session
            level = float(made.level[horizon][place]) if inside else math.nan
            last = "" if math.isnan(level) else str(days[made.end[horizon][place]])
            found.append(Level(label, horizon, session, level, last))
        return found

    def _waits(self, session: str, horizon: int) -> bool:
        """Whether a price that the level of a session needs may still come."""
        for exchange, last in self._behind.items():
            due = self._deadlines.session_ahead(exchange, session, horizon)
            if last < due or not self._deadlines.has_closed(exchange, due):
                return True
        return False

    def _since(self, session: str, horizon: int) -> str:
        """A day before all windows that end on a session or later, if they reach across no more than they may."""
        steps = WINDOW + horizon + self._limit
        before = dt.timedelta(days=_DAYS_A_SESSION * steps + _LONGEST_HOLIDAY)
        return str(dt.date.fromisoformat(session) - before)
