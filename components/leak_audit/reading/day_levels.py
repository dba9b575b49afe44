"""What returns must exceed on each day, made again of the stored prices, by other code than FeatureExampleGen's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.errors import SplitError, StoreError
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.leak_audit.config import AuditConfig
from components.leak_audit.reading.database import chosen_shares, unchanged
from components.leak_audit.reading.rows import AuditRows
from components.missing_sessions.limit import most_missing
from models.features import WINDOW
from models.labels import LABELS, Label

if TYPE_CHECKING:
    import pandas as pd

    from components.feature_store import FeatureStore, Spell
    from components.feature_store.arrays import Days
    from components.feature_store.series import PriceSeries
    from components.missing_sessions.found import ShareGaps


# Two numbers in single precision and their difference, which is rounded once more.
_ROUNDING = 5e-7


@dataclass(frozen=True)
class LevelProof:
    """What is known of the levels of a run's label.

    Attributes:
        days: whose level was made again and is that of the examples, all horizons together.
        unequal: a row whose level is not that of its day's other rows, and its horizon; None where there is none.
        wrong: a row whose level is not that of the prices, and its horizon.
        late: a row whose level is made of a later split's prices, and its horizon.
        faults: how many such rows there are.
        why: why no level was made again; empty where they were.
    """

    days: int = 0
    unequal: tuple[int, int] | None = None
    wrong: tuple[int, int] | None = None
    late: tuple[int, int] | None = None
    faults: int = 0
    why: str = ""


def prove_levels(rows: AuditRows, label: Label, config: AuditConfig) -> LevelProof:
    """Compares the levels that the examples show with one another, and with those that the stored prices give."""
    for horizon in rows.excess:
        unequal = _unequal(rows, horizon)
        if len(unequal):
            return LevelProof(unequal=(int(unequal[0]), horizon), faults=len(unequal))
    if config.splits is None or not config.database or not Path(config.database).exists():
        return LevelProof(why="there is no database to make them again of")
    from components.price_panel.opening import open_prices

    try:
        with open_prices(config.database) as store:
            return _by_prices(rows, label, config, config.splits, store)
    except (StoreError, SplitError) as error:
        return LevelProof(why=f"they cannot be made again: {error}")


def _level(rows: AuditRows, horizon: int) -> NDArray[np.float64]:
    """The level that each row's own returns show, [rows]; nan where it has none."""
    return rows.returns[horizon].astype(np.float64) - rows.excess[horizon].astype(np.float64)


def _tolerance(rows: AuditRows, horizon: int) -> NDArray[np.float64]:
    size = np.abs(rows.returns[horizon].astype(np.float64)) + np.abs(rows.excess[horizon].astype(np.float64))
    return _ROUNDING * (1 + size)


def _unequal(rows: AuditRows, horizon: int) -> NDArray[np.int64]:
    """Places of rows that show another level than the middle one of their day."""
    at = np.flatnonzero(~np.isnan(rows.excess[horizon]))
    _, day, count = np.unique(rows.time[at], return_inverse=True, return_counts=True)
    level, tolerance = _level(rows, horizon)[at], _tolerance(rows, horizon)[at]
    middle = np.lexsort((level, day.reshape(-1)))[np.cumsum(count) - count + count // 2]
    like = middle[day.reshape(-1)]
    return at[np.abs(level - level[like]) > tolerance + tolerance[like]]


def _by_prices(
    rows: AuditRows, label: Label, config: AuditConfig, splits: SplitSettings, store: FeatureStore
) -> LevelProof:
    chosen = chosen_shares(config, store)
    names = [one.share_id for one in chosen]
    if any(one.source is None for one in chosen):
        return LevelProof(why="the database holds windows without the prices that they are made of")
    sessions = store.sessions(names)
    plan = plan_splits(sessions[sessions <= np.datetime64(config.last_session or "9999-12-31")], splits)
    # The first day that the next split owns; behind test there is none.
    borders = [plan.sessions[part.end] for part in plan.ranges[:-1]] + [np.datetime64("9999-12-31")]
    numbers, place = np.unique(rows.time, return_inverse=True)
    texts = map(str, numbers.tolist())
    day = np.array([f"{one[:4]}-{one[4:6]}-{one[6:]}" for one in texts], dtype="datetime64[D]")[place.reshape(-1)]
    days = 0
    for horizon, again in levels_again(store, names, tuple(rows.excess), label, config).items():
        here = again.reindex(day)
        expected, end = here["level"].to_numpy(float), here["end"].to_numpy().astype("datetime64[D]")
        shown = _level(rows, horizon)
        known = ~np.isnan(shown)
        wrong = known & ~(np.abs(shown - expected) <= _tolerance(rows, horizon))
        late = known & (end >= np.array(borders)[rows.split])
        if wrong.any() or late.any():
            if not unchanged(config, store, names):
                return LevelProof(why="the database has changed since the run")
            place, faults = (int(np.argmax(wrong if wrong.any() else late)), horizon), int((wrong | late).sum())
            return LevelProof(wrong=place, faults=faults) if wrong.any() else LevelProof(late=place, faults=faults)
        days += len(np.unique(rows.time[known]))
    return LevelProof(days=days)


def levels_again(
    store: FeatureStore, shares: Sequence[str], horizons: Sequence[int], label: Label, config: AuditConfig
) -> dict[int, pd.DataFrame]:
    """Makes the levels again, day by day with pandas, of the prices up to the last session of the run.

    Args:
        store: the database that the run was made of.
        shares: all shares of the run; each has prices.
        horizons: sessions ahead.
        label: one that has levels.
        config: of the run.

    Returns:
        By horizon, a row a day that has a level (its index, datetime64): `level`, and `end`, the day of the last price
        that it is made of.

    Raises:
        StoreError: the prices cannot be read.
        PluginError: the label comes from outside, and its code fails.
    """
    import pandas as pd

    from components.missing_sessions.finding import find_missing

    gaps = find_missing(store).shares
    spells: dict[str, list[Spell]] = {}
    for spell in store.listings.members():
        spells.setdefault(spell.share_id, []).append(spell)
    sessions = store.sessions(shares)
    sessions = sessions[sessions <= np.datetime64(config.last_session or "9999-12-31")]
    parts: dict[int, list[pd.DataFrame]] = {horizon: [] for horizon in horizons}
    for one in store.price_series(shares):
        own = spells.get(one.share_id, [])
        ended = _ended(one, own, sessions)
        for horizon in horizons:
            known = _returns(one, horizon, gaps.get(one.share_id), config, ended)
            parts[horizon].append(known[_inside(known["day"], own)] if spells else known)
    return {horizon: _by_day(pd.concat(some), label) for horizon, some in parts.items()}


def _returns(
    one: PriceSeries, horizon: int, gaps: ShareGaps | None, config: AuditConfig, ended: tuple[float, Any] | None
) -> pd.DataFrame:
    """The known returns of a share from its first window on, with the days they begin and end on."""
    import pandas as pd

    close = pd.Series(one.close * one.factor, index=one.time)
    if config.last_session:
        close = close[: np.datetime64(config.last_session)]
    day = close.index.to_numpy()
    later, end = close.shift(-horizon), pd.Series(day).shift(-horizon)
    if ended is not None:
        value, known_on = ended
        later, end = later.fillna(close.iloc[-1] * (1 + value)), end.fillna(pd.Timestamp(known_on))
    known = pd.DataFrame({"day": day, "end": end, "first": pd.Series(day).shift(WINDOW - 1)})
    known["change"] = (later / close - 1).to_numpy()
    known = known.dropna()
    if gaps is not None:
        first, now, end = (known[name].to_numpy().astype("datetime64[D]") for name in ("first", "day", "end"))
        limit = config.max_missing_sessions
        whole = gaps.between(first, now) <= most_missing(limit, WINDOW - 1)
        known = known[whole & (gaps.between(now, end) <= most_missing(limit, horizon))]
    return known


def _ended(one: PriceSeries, spells: Sequence[Spell], sessions: Days) -> tuple[float, Any] | None:
    """The return of a share after its last price, and the session that it is of; None where it is not known."""
    for spell in spells:
        if spell.delisting_return is not None and one.time[-1] == np.datetime64(spell.last, "D"):
            after = sessions[sessions > one.time[-1]]
            return (spell.delisting_return, after[0]) if len(after) else None
    return None


def _inside(day: pd.Series, spells: Sequence[Spell]) -> NDArray[np.bool_]:
    """Whether a share of some spells is in the universe on each day."""
    days = day.to_numpy().astype("datetime64[D]")  # a spell may begin or end on a day that pandas cannot hold
    inside = np.zeros(len(days), bool)
    for spell in spells:
        inside |= (days >= np.datetime64(spell.first)) & (days <= np.datetime64(spell.last or "9999-12-31"))
    return inside


def _by_day(known: pd.DataFrame, label: Label) -> pd.DataFrame:
    known = known[known.groupby("day")["change"].transform("size") >= label.least_shares]
    days = known.groupby("day")
    with LABELS.called(label.name):
        level = [float(label.level(returns.to_numpy(np.float32))) for _, returns in days["change"]]  # type: ignore[misc]
    return days["end"].max().to_frame("end").assign(level=level)
