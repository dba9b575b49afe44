"""Which predictions are due, and the windows that they are made from.

A share is predicted after each session from the first one on that it was predicted for: the last one, those that were
missed, and one whose bar came late. A share that the ledger does not know begins with its last session, and only while
the next one has not opened, so that no record begins with what is no evidence. On a day on which it does not belong to
the universe, none is due.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components.extractor.calendar import ExchangeCalendar
from components.feature_store import WINDOW, FeatureStore
from components.feature_store.arrays import Floats
from components.feature_store.series import PriceSeries
from components.feature_store.windows import close_windows
from components.ledger.columns import Columns
from components.ledger.deadlines import Deadlines
from components.ledger.file import Ledger
from components.ledger.instants import stamp
from components.missing_sessions.finding import find_missing
from components.missing_sessions.found import ShareGaps
from components.missing_sessions.limit import most_missing
from components.universe.universe import universe_of
from pipeline.daily.speaking import Speaker

_LOOKED_BACK = dt.timedelta(days=40)
"""For bars that come late; sessions since the last prediction are looked at however long ago that was."""

_WINDOW_DAYS = 75
"""Calendar days that hold the 21 sessions of a window, with the longest holidays."""

_SETTLED = dt.timedelta(hours=1)
"""After a close, until when nobody expects its bar."""

_LIVE = dt.timedelta(days=30)
"""A share without a prediction for so long is not waited for: it may be listed no more."""


@dataclass(frozen=True)
class Said:
    """What a ledger holds of some models' predictions of a horizon.

    Attributes:
        first: by share, the first session that it was predicted after, ISO.
        last: by share, the last one.
        sessions: share and session of each prediction from `since` on.
        since: the first day that is looked at, ISO.
    """

    first: Mapping[str, str] = field(default_factory=dict)
    last: Mapping[str, str] = field(default_factory=dict)
    sessions: Collection[tuple[str, str]] = frozenset()
    since: str = ""


@dataclass(frozen=True, eq=False)
class Wanted:
    """Windows that are to be predicted from, and what is missing.

    Attributes:
        share_ids: the shares, n of them, one as often as sessions of it are due.
        sessions: the last session of each window, ISO.
        closes: the windows, close0 first, adjusted, [n, 21].
        exchanges: by share.
        across: shares whose last window reaches across too many missing sessions.
        behind: shares that were predicted lately and lack the bar of the last closed session.
        waiting: shares that are not predicted yet, as the next session has opened since their last bar.
        nowhere: shares whose exchange is not known.
        day: the day-wide columns that the model reads, float32 [n] or [n, width] by name; empty where it reads none.
        short: shares that are left out, as too few of their sessions are known for what the model reads.
        absent: shares that its market was made of in training and that the database lacks.
    """

    share_ids: tuple[str, ...]
    sessions: tuple[str, ...]
    closes: Floats
    exchanges: Mapping[str, str]
    across: tuple[str, ...]
    behind: tuple[str, ...]
    waiting: tuple[str, ...]
    nowhere: tuple[str, ...]
    day: Columns = field(default_factory=dict)
    short: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Forecast:
    """What one model says of the windows that are due.

    Attributes:
        speaker: the model.
        role: of it in the ledger.
        wanted: the windows.
        probability: of what the model's label asks, [n].
        through_tensorflow: why TensorFlow was asked; empty where the model's twin answered.
    """

    speaker: Speaker
    role: str
    wanted: Wanted
    probability: Floats
    through_tensorflow: str = ""


def read_said(
    ledger: Ledger, horizon: int, models: Collection[str], exchanges: Mapping[str, str], now: dt.datetime
) -> Said:
    """Reads what some models, by their digests, have said of a horizon.

    Args:
        ledger: the predictions.
        horizon: sessions ahead.
        models: digests.
        exchanges: by share, of those that are asked for: a loop may be that of one of several exchanges.
        now: the present.
    """
    marks = ", ".join("?" * len(models))
    condition = f"horizon = ? AND model IN ({marks})"
    ends = ledger.select(
        f"SELECT share_id, MIN(session), MAX(session) FROM PREDICTION WHERE {condition} GROUP BY share_id",
        horizon,
        *models,
    )
    spoken: dict[str, str] = {}
    for share, _, day in ends:
        if (code := exchanges.get(share)) is not None:
            spoken[code] = max(spoken.get(code, ""), str(day))
    since = min(str((now - _LOOKED_BACK).date()), *spoken.values(), "9999")
    rows = ledger.select(
        f"SELECT DISTINCT share_id, session FROM PREDICTION WHERE session >= ? AND {condition}", since, horizon, *models
    )
    first = {str(share): str(day) for share, day, _ in ends}
    last = {str(share): str(day) for share, _, day in ends}
    return Said(first, last, {(str(share), str(session)) for share, session in rows}, since)


def find_wanted(
    store: FeatureStore,
    shares: Sequence[str],
    exchanges: Mapping[str, str],
    said: Said,
    now: dt.datetime,
    most_missing_sessions: int,
) -> Wanted:
    """Finds the predictions that are due.

    Args:
        store: the prices.
        shares: those that are asked for.
        exchanges: by share, where it is known.
        said: what was predicted already.
        now: the present, with a zone.
        most_missing_sessions: that the 20 steps of a window may reach across.

    Raises:
        StoreError: the database cannot be read.
        ExchangeError: the sessions of an exchange cannot be had.
    """
    deadlines, moment = Deadlines(now), stamp(now)
    known = [share for share in shares if share in exchanges]
    today = {code: _last_expected(code, now) for code in {exchanges[share] for share in known}}
    universe = universe_of(store, np.array([(now + dt.timedelta(days=1)).date()], "datetime64[D]"))
    here = {one for one in known if universe.members(one, np.array([today[exchanges[one]]], "datetime64[D]"))[0]}
    gaps = find_missing(store, now).of(known).shares
    begin = dt.date.fromisoformat(said.since or str((now - _LOOKED_BACK).date()))
    begin -= dt.timedelta(days=_WINDOW_DAYS + 2 * most_missing_sessions)
    limit = most_missing(most_missing_sessions, WINDOW - 1)
    rows: list[tuple[str, str, Floats]] = []
    last_bars: dict[str, str] = {}
    across, waiting = [], []
    for series in store.price_series(known, str(begin)):
        share = series.share_id
        exchange = exchanges[share]
        days = [day for day in series.time.astype(str).tolist() if deadlines.has_closed(exchange, day)]
        if not days:
            continue
        last_bars[share] = days[-1]
        if share not in said.first:
            if moment >= deadlines.deadline(exchange, days[-1]):
                waiting += [share] if share in here else []
                continue
            wanted = {days[-1]}
        else:
            wanted = {day for day in days if day >= max(said.first[share], said.since)}
            wanted -= {day for day in wanted if (share, day) in said.sessions}
        wanted &= set(itertools.compress(days, universe.members(share, np.array(days, "datetime64[D]"))))
        if not wanted:
            continue
        windows, too_wide = _windows(series, gaps.get(share), limit)
        across += [share] if days[-1] in wanted and days[-1] in too_wide else []
        rows += [(share, day, windows[day]) for day in sorted(wanted) if day in windows]
    lately = str((now - _LIVE).date())
    live = [share for share in known if share in here and said.last.get(share, "") >= lately]
    return Wanted(
        share_ids=tuple(share for share, _, _ in rows),
        sessions=tuple(day for _, day, _ in rows),
        closes=np.array([window for _, _, window in rows], float).reshape(len(rows), WINDOW),
        exchanges={share: exchanges[share] for share in known},
        across=tuple(across),
        behind=tuple(share for share in live if last_bars.get(share, "") < today[exchanges[share]]),
        waiting=tuple(waiting),
        nowhere=tuple(share for share in shares if share not in exchanges),
    )


def _windows(series: PriceSeries, gaps: ShareGaps | None, limit: int) -> tuple[dict[str, Floats], set[str]]:
    """The windows of a share by their last session, and the last sessions of those that reach across too much."""
    windows = close_windows(series.close * series.factor)
    ends, begins = series.time[WINDOW - 1 :], series.time[: len(windows)]
    missing = np.zeros(len(windows), np.int64) if gaps is None else gaps.between(begins, ends)
    days = ends.astype(str).tolist()
    found = {day: window for day, window, count in zip(days, windows, missing, strict=True) if count <= limit}
    return found, set(days) - found.keys()


def _last_expected(exchange: str, now: dt.datetime) -> str:
    """The last session whose bar should have come, ISO."""
    return str(ExchangeCalendar.of(exchange, now).last_closed(now, _SETTLED))
