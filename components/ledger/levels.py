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
from components.universe.universe import EVERYBODY, left_out, universe_of
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
    compared: Sequence[str] | None = None,
    since: str = "",
) -> Levels:
    """Finds the levels of the sessions that predictions were made after; nothing is written.

    Args:
        ledger: the predictions.
        store: the prices.
        deadlines: what calendars say.
        gaps: the sessions that shares lack.
        most_missing_sessions: that 20 steps may reach across.
        compared: the shares; None for all of the store that runs take. On each day those of them count that were
            members of its universe then.
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
    search = _Search(store, deadlines, gaps, most_missing_sessions, compared)
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
        compared: Sequence[str] | None,
    ) -> None:
        self._store, self._deadlines, self._gaps, self._limit = store, deadlines, gaps, limit
        out = left_out(store)
        wanted = None if compared is None else set(compared)
        self._shares = [
            one for one in store.shares() if one.share_id not in out and (wanted is None or one.share_id in wanted)
        ]
        last_of = {one.share_id: str(one.last) for one in self._shares}
        self._universe = universe_of(store, store.sessions([*last_of])) if last_of else EVERYBODY
        # By exchange, the shares that are waited for, and the session of the last bar of each.
        self._alive: dict[str, dict[str, str]] = {}
        for share, exchange in exchanges_of(store, [*last_of]).items():
            if share not in self._universe.delistings and not self._is_over(exchange, last_of[share], PATIENCE):
                self._alive.setdefault(exchange, {})[share] = last_of[share]

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
        made = levels_of(
            self._store, there, days, (horizon,), LABELS[label], self._gaps, self._limit, self._universe, since
        )
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
        day = np.array([session], "datetime64[D]")
        for exchange, shares in self._alive.items():
            due = self._deadlines.session_ahead(exchange, session, horizon)
            behind = [share for share, last in shares.items() if last < due]
            if not self._deadlines.has_closed(exchange, due) or any(
                self._universe.members(share, day)[0] for share in behind
            ):
                return True
        return False

    def _is_over(self, exchange: str, session: str, steps: int) -> bool:
        """Whether the session so many after another one has closed."""
        return self._deadlines.has_closed(exchange, self._deadlines.session_ahead(exchange, session, steps))

    def _since(self, session: str, horizon: int) -> str:
        """A day before all windows that end on a session or later, if they reach across no more than they may."""
        steps = WINDOW + horizon + self._limit
        before = dt.timedelta(days=_DAYS_A_SESSION * steps + _LONGEST_HOLIDAY)
        return str(dt.date.fromisoformat(session) - before)
