"""Rows as an audit reads them, without TensorFlow: of closes, or of what FeatureExampleGen gives of a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from components.day_wide.reading import read_rows
from components.feature_example_gen.day_levels import levels_of
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore
from components.leak_audit.reading.rows import TRAIN, AuditRows
from components.leak_audit.reading.subsets import rows_at
from components.missing_sessions.finding import find_missing
from components.missing_sessions.limit import DEFAULT_LIMIT
from components.universe.universe import left_out, universe_of
from models.features import (
    CLOSES,
    SESSION,
    SHARE_ID,
    TIME,
    WINDOW,
    excess_return_key,
    forward_return_key,
    label_key,
)
from models.labels import UP, Label, get_label

Floats = NDArray[np.float64]


def walk(shares: int, sessions: int, seed: int = 0, level: float = 50) -> Floats:
    """Closes of shares that have a market in common, [shares, sessions]."""
    rng = np.random.default_rng(seed)
    moves = rng.normal(0, 0.01, (1, sessions)) + rng.normal(0, 0.015, (shares, sessions))
    return level * np.exp(np.cumsum(moves, axis=1))


def rows_of_closes(close: Floats, embargo: int = 21) -> AuditRows:
    """Rows of all windows of [shares, sessions], split by date at 60 % and 80 %, labelled one session ahead."""
    shares, sessions = close.shape
    windows = sessions - WINDOW
    share, session = np.repeat(np.arange(shares), windows), np.tile(np.arange(windows), shares)
    borders = [round(windows * part) for part in (0.6, 0.8)]
    split = np.searchsorted(borders, session, side="right")
    kept = np.ones(len(share), bool)
    for border in borders:
        kept &= (session < border - 1) | (session >= border + embargo)
    share, session, split = share[kept], session[kept], split[kept]
    now = session + WINDOW - 1
    ahead = close[share, now + 1] / close[share, now] - 1
    return AuditRows(
        features=(),
        share=share,
        shares=tuple(f"S{number}" for number in range(shares)),
        time=numbers(np.datetime64("2000-01-01") + session),
        session=session,
        closes=close[share[:, None], now[:, None] - np.arange(WINDOW)].astype(np.float32),
        split=split,
        labels={1: np.where(ahead == 0, -1, ahead > 0).astype(np.int64)},
        returns={1: ahead.astype(np.float32)},
        raw={},
    )


def numbers(days: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Days as YYYYMMDD."""
    year, month = days.astype("datetime64[Y]"), days.astype("datetime64[M]")
    parts = (year.astype(np.int64) + 1970, (month - year).astype(np.int64) + 1, (days - month).astype(np.int64) + 1)
    return parts[0] * 10_000 + parts[1] * 100 + parts[2]


def rows_of_store(
    database: Path,
    splits: SplitSettings,
    shares: Sequence[str] = (),
    label: Label | None = None,
    day_columns: Sequence[str] = (),
) -> AuditRows:
    """The examples that FeatureExampleGen makes of a database, in the audit's order."""
    with FeatureStore.open(database) as store:
        gone = left_out(store)
        names = [one.share_id for one in store.shares() if one.share_id not in gone]
        names = [name for name in names if not shares or name in shares]
        plan = plan_splits(store.sessions(names), splits)
        gaps, chosen = find_missing(store).shares, [one for one in store.shares() if one.share_id in names]
        kind = label or get_label(UP)
        universe = universe_of(store, plan.sessions)
        levels = levels_of(store, chosen, plan.sessions, plan.horizons, kind, gaps, DEFAULT_LIMIT, universe)
        day_rows = read_rows(store, names, day_columns, universe=universe)
        made = label_rows(store.read_features(names), plan, gaps, DEFAULT_LIMIT, levels, universe, day_rows)
    columns, at = made.columns, np.flatnonzero(made.split >= 0)
    known, share = np.unique(columns[SHARE_ID][at].astype(bytes), return_inverse=True)

    def answers(key: str, nothing: float) -> Floats:
        return np.where(made.missing[key][at], nothing, columns[key][at])

    return AuditRows(
        features=tuple(columns),
        share=share,
        shares=tuple(name.decode() for name in known),
        time=columns[TIME][at],
        session=columns[SESSION][at],
        closes=columns[CLOSES][at],
        split=made.split[at],
        labels={h: answers(label_key(h), -1).astype(np.int64) for h in splits.horizons},
        returns={h: answers(forward_return_key(h), np.nan).astype(np.float32) for h in splits.horizons},
        raw={name: made.columns[name][at] for name in day_columns},
        excess={}
        if levels is None
        else {h: answers(excess_return_key(h), np.nan).astype(np.float32) for h in splits.horizons},
    )


def copied(rows: AuditRows, places: NDArray[np.int64], seed: int = 0) -> AuditRows:
    """Copies of test rows, with their labels, among the train rows, under other names and on other days."""
    rng = np.random.default_rng(seed)
    copies = rows_at(rows, places)
    train = rng.choice(rows.of(TRAIN), len(places), replace=False)
    alias = len(rows.shares) + rng.integers(0, 5, len(places))
    copies = replace(
        copies, share=alias, time=rows.time[train], session=rows.session[train], split=np.full(len(places), TRAIN)
    )
    names = (*rows.shares, *(f"ALIAS{number}" for number in range(5)))
    return both(replace(rows, shares=names), replace(copies, shares=names))


def both(one: AuditRows, other: AuditRows) -> AuditRows:
    """The rows of both, which have the same shares, in the audit's order."""

    def joined(name: str) -> NDArray[np.int64]:
        return np.concatenate([getattr(one, name), getattr(other, name)])

    rows = replace(
        one,
        **{name: joined(name) for name in ("share", "time", "session", "closes", "split")},
        labels={h: np.concatenate([values, other.labels[h]]) for h, values in one.labels.items()},
        returns={h: np.concatenate([values, other.returns[h]]) for h, values in one.returns.items()},
    )
    return rows_at(rows, np.lexsort((rows.split, rows.session, rows.share)))
