"""Completeness: the examples hold every row, label and return that the database gives, and no other.

Whoever takes out what a model got wrong, or shares that fell, makes every figure better, and no other check misses rows
that are not there. The rows are made again from the database by FeatureExampleGen's own code, with the run's splits,
purge, embargo, excluded shares, universe and limit of missing sessions: what those leave out is counted there and not
missed here. What the examples lack beyond it is named, and so are rows that the database does not give, that stand in
another split or say something else, and shares that have fewer windows in the database than their prices make. About
200,000 rows are compared, of shares chosen at random and of those that have no example at all; `awesome audit --full`
compares all. Of a database that has grown since the run, the new days are passed over; where it is another one, or
none, nothing can be compared. Out of sight: what is left out by a fault of FeatureExampleGen's own code, and prices
that never came into the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc
from numpy.typing import NDArray

from components.day_wide.reading import MarketError, read_rows
from components.errors import SplitError, StoreError
from components.feature_example_gen.day_levels import levels_of
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.leak_audit.check import Audited, Check
from components.leak_audit.reading.database import chosen_shares, unchanged
from components.leak_audit.reading.rows import AuditRows
from components.leak_audit.reading.subsets import rows_at
from components.leak_audit.results import CheckResult, Figure, Status
from components.missing_sessions.finding import find_missing
from components.universe.universe import universe_of
from models.day_wide.columns import columns_of, single_columns_of, width_of
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
from models.labels import get_label

if TYPE_CHECKING:
    from components.feature_store import FeatureStore, ShareSummary

NAME = "completeness"
MOST_ROWS = 200_000
"""Rows that are compared unless all are asked for: about a second of CPU time."""

ROWS_AT_ONCE = 50_000
_DAYS = 100_000_000
"""More than any day as YYYYMMDD."""

_CHANGED = "The database has changed since the examples were made of it, so they cannot be compared."
_LOOK = (
    "see what took rows away, added or changed them behind FeatureExampleGen: whoever leaves out what a model gets "
    "wrong makes its figures better"
)


_Parts = dict[str, list[NDArray[np.int64]]]
"""By kind of fault, [rows, 3]: share (its place among the names), day and split of each row."""

_LACKING = "rows that the database gives are not in the examples, and no counted reason takes them out"
_ALIEN = "rows of the examples are none that the database gives"
_ELSEWHERE = "rows stand in another split than the database's days give"
_OTHER_CLOSES = "rows have other closes than the database"
_OTHER_ANSWER = "rows have another {} than the database, or none"


def completeness(audited: Audited) -> CheckResult:
    """Makes the check; it does not apply where there is no database, or another one than that of the run."""
    from components.price_panel.opening import open_prices

    config = audited.config
    if config.splits is None or not config.database or not Path(config.database).exists():
        return CheckResult(NAME, Status.NOT_APPLICABLE, "There is no database: rows that were taken out are not seen.")
    try:
        with open_prices(config.database) as store:
            return _compare(audited, config.splits, store)
    except (StoreError, SplitError, MarketError) as error:
        return CheckResult(NAME, Status.NOT_APPLICABLE, f"The examples cannot be made again: {error}.")


def _compare(audited: Audited, splits: SplitSettings, store: FeatureStore) -> CheckResult:
    rows, config = audited.rows, audited.config
    # In the order of the rows that are read; a user names shares in any order.
    summaries = sorted(chosen_shares(config, store), key=lambda one: one.share_id)
    names = [one.share_id for one in summaries]
    place = {name: at for at, name in enumerate(names)}
    own = np.array([place.get(name, -1) for name in rows.shares], np.int64)
    last = config.last_session or "9999-12-31"
    sessions = store.sessions(names)
    plan = plan_splits(sessions[sessions <= np.datetime64(last)], splits)
    missing, limit = find_missing(store), config.max_missing_sessions
    label = get_label(config.label)
    universe = universe_of(store, plan.sessions)
    levels = levels_of(store, summaries, plan.sessions, plan.horizons, label, missing.shares, limit, universe)
    columns = columns_of(rows.raw)
    day_rows = read_rows(store, names, columns, last, universe)
    there = own[np.unique(rows.share)]
    looked_at = _sample([one.rows for one in summaries], there, None if config.full else MOST_ROWS, config.seed)

    parts: _Parts = {}
    _add(parts, _ALIEN, _rows(rows, own, rows.of_shares(np.flatnonzero(own < 0))))
    compared = 0
    for group in _groups(looked_at, [one.rows for one in summaries]):
        features = store.read_features([names[at] for at in group])
        features = features.filter(pc.less_equal(features.column("time"), last))
        if not len(features):  # all that these shares have came after the run
            _add(parts, _ALIEN, _rows(rows, own, rows.of_shares(np.flatnonzero(np.isin(own, group)))))
            continue
        labelled = label_rows(features, plan, missing.shares, limit, levels, universe, day_rows)
        compared += _compare_rows(parts, rows, own, place, np.array(group), labelled)
    short = _short_of_windows(store, summaries)
    figures = (
        Figure("shares whose rows were compared", len(looked_at)),
        Figure("shares in all", len(names)),
        Figure("rows that were compared", compared),
        *(
            Figure(what, sum(map(len, parts.get(what, ()))))
            for what in _kinds(plan.horizons, columns)
            if what in parts or what in (_LACKING, _ALIEN)
        ),
        Figure("shares with other windows than their prices make", len(short)),
    )
    if parts and not unchanged(config, store, names):
        return CheckResult(NAME, Status.NOT_APPLICABLE, _CHANGED, figures)
    if short and not unchanged(replace(config, last_session=""), store, names):
        if not parts:
            return CheckResult(NAME, Status.NOT_APPLICABLE, _CHANGED, figures)
        short = []  # it has grown since, and they may be windows of the new days
    shares = f"{len(looked_at):,} of {len(names):,} shares; `awesome audit --full` compares all"
    if len(looked_at) == len(names):
        shares = "all shares"
    if not parts and not short:
        sentence = f"The {compared:,} examples of {shares} are the rows, labels and returns that the database gives."
        if len(looked_at) < len(names):
            sentence = f"The {compared:,} examples that were compared are those of the database ({shares})."
        return CheckResult(NAME, Status.PASSED, sentence, figures)
    faults = [
        _words(what, np.concatenate(parts[what]), rows, names)
        for what in _kinds(plan.horizons, columns)
        if what in parts
    ]
    faults += [
        f"the database holds {held:,} windows of {name} where its prices make {due:,}" for name, held, due in short
    ]
    sentence = "; ".join(faults[:2])
    return CheckResult(NAME, Status.LEAKING, f"{sentence[0].upper()}{sentence[1:]} ({shares}).", figures, _LOOK)


def _kinds(horizons: Sequence[int], columns: Sequence[str]) -> list[str]:
    """All kinds of fault, the worst first."""
    answers = [key(horizon) for horizon in horizons for key in (label_key, forward_return_key, excess_return_key)]
    return [
        _LACKING,
        _ALIEN,
        _ELSEWHERE,
        _OTHER_CLOSES,
        *(_OTHER_ANSWER.format(name) for name in (*single_columns_of(columns), *answers)),
    ]


def _sample(sizes: Sequence[int], own: NDArray[np.int64], most: int | None, seed: int) -> list[int]:
    """Shares to be compared, ascending: about `most` rows at random, and as many of shares without an example.

    Args:
        sizes: windows of each share.
        own: which of them each share of the examples is, -1 for one that is not known.
        most: None for all.
        seed: of the choice.
    """
    if most is None or sum(sizes) <= most:
        return list(range(len(sizes)))
    there = np.isin(np.arange(len(sizes)), own)
    dealt = np.random.default_rng(seed).permutation(len(sizes))
    chosen: list[int] = []
    for some in (dealt[there[dealt]], dealt[~there[dealt]]):
        before = np.cumsum([0, *(sizes[at] for at in some[:-1])])
        chosen += some[before < most].tolist() if len(some) else []
    return sorted(chosen)


def _groups(places: Sequence[int], sizes: Sequence[int]) -> list[list[int]]:
    """Shares that are read at once, so that memory does not grow with the database."""
    groups: list[list[int]] = [[]]
    filled = 0
    for at in places:
        if groups[-1] and filled + sizes[at] > ROWS_AT_ONCE:
            groups.append([])
            filled = 0
        groups[-1].append(at)
        filled += sizes[at]
    return [group for group in groups if group]


def _compare_rows(
    parts: _Parts,
    rows: AuditRows,
    own: NDArray[np.int64],
    place: Mapping[str, int],
    group: NDArray[np.int64],
    labelled: LabelledRows,
) -> int:
    """Compares the examples of some shares with what FeatureExampleGen gives; how many there are."""
    columns = labelled.columns
    begins = columns[SESSION] == 0
    names = columns[SHARE_ID][begins].tolist()
    share = np.array([place.get(name.decode(), -1) for name in names], np.int64)[np.cumsum(begins) - 1]
    # A share that the code itself has renamed is none of the database; its examples are alien ones.
    due = np.flatnonzero((labelled.split >= 0) & (share >= 0))
    rows = rows_at(rows, rows.of_shares(np.flatnonzero(np.isin(own, group))))
    mine = np.arange(len(rows))
    key = share[due] * _DAYS + columns[TIME][due]
    asked = own[rows.share] * _DAYS + rows.time
    at = np.searchsorted(key, asked)
    known = at < len(key)
    known[known] = key[at[known]] == asked[known]
    lacking = np.ones(len(due), bool)
    lacking[at[known]] = False
    gone = due[lacking]
    _add(parts, _LACKING, np.stack([share[gone], columns[TIME][gone], labelled.split[gone]], axis=1))
    _add(parts, _ALIEN, _rows(rows, own, mine[~known]))
    row, like = mine[known], due[at[known]]
    _add(parts, _ELSEWHERE, _rows(rows, own, row[rows.split[row] != labelled.split[like]]))
    _add(parts, _OTHER_CLOSES, _rows(rows, own, row[np.any(rows.closes[row] != columns[CLOSES][like], axis=1)]))
    for column in columns_of(rows.raw):
        off, names = rows.raw[column][row] != columns[column][like], single_columns_of([column])
        off = off.reshape(len(row), width_of(column))  # not -1, which cannot be told where none of these has an example
        for name, others in zip(names, np.split(off, len(names), axis=1), strict=True):
            _add(parts, _OTHER_ANSWER.format(name), _rows(rows, own, row[others.any(axis=1)]))
    answers = dict(_answers(rows))
    for name in labelled.missing:
        held = answers.get(name, np.full(len(rows), np.nan))
        wanted = np.where(labelled.missing[name][like], np.nan, columns[name][like])
        differs = ~((held[row] == wanted) | (np.isnan(held[row]) & np.isnan(wanted)))
        _add(parts, _OTHER_ANSWER.format(name), _rows(rows, own, row[differs]))
    return len(mine)


def _answers(rows: AuditRows) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Labels and returns of all horizons by the names of their features, nan where there is none."""
    for horizon, labels in rows.labels.items():
        yield label_key(horizon), np.where(labels < 0, np.nan, labels)
    for horizon, returns in rows.returns.items():
        yield forward_return_key(horizon), returns.astype(np.float64)
    for horizon, returns in rows.excess.items():
        yield excess_return_key(horizon), returns.astype(np.float64)


def _rows(rows: AuditRows, own: NDArray[np.int64], places: NDArray[np.int64]) -> NDArray[np.int64]:
    # A share that the database does not have is known by its place among the examples' shares, from -1 down.
    held = rows.share[places].astype(np.int64)
    share = np.where(own[held] < 0, -1 - held, own[held])
    return np.stack([share, rows.time[places], rows.split[places]], axis=1)


def _add(parts: _Parts, what: str, found: NDArray[np.int64]) -> None:
    if len(found):
        parts.setdefault(what, []).append(found)


def _short_of_windows(store: FeatureStore, summaries: Sequence[ShareSummary]) -> list[tuple[str, int, int]]:
    """Shares of which FEATURE holds other windows than PRICE makes, with both numbers; those without prices never."""
    held = {one.share_id: one.rows for one in summaries if one.source is not None}
    due = {share: max(0, len(days) - WINDOW + 1) for share, days in store.listings.days(list(held))}
    return [(share, count, due[share]) for share, count in held.items() if count != due[share]]


def _words(what: str, found: NDArray[np.int64], rows: AuditRows, names: Sequence[str]) -> str:
    """A kind of fault with its rows by split and the first of them, in words."""
    counts = ", ".join(f"{name} {np.count_nonzero(found[:, 2] == at):,}" for at, name in enumerate(SPLITS))
    share, day, _ = found[np.lexsort((found[:, 0], found[:, 1]))[0]].tolist()
    name = names[share] if share >= 0 else rows.shares[-1 - share]
    text = str(day)
    return f"{len(found):,} {what} ({counts}; the first is {name}, {text[:4]}-{text[4:6]}-{text[6:]})"


CHECK = Check(
    NAME,
    completeness,
    passes="the examples are the rows, labels and returns that the database gives",
    leaks="the database gives a row that the examples lack without a counted reason, or the examples hold one that it "
    "does not give: the first is named, and how many there are in each split",
    order=15,
)
