"""Prefix replay: a database that ends on a day gives the same rows up to that day, to the bit.

The prices are cut at a day T and go the way of the run once more: into a feature store, window by window, through
FeatureExampleGen's conversion with the run's splits, and through its transform graph. Every row up to T must hold what
the run's rows hold, also those whose label is not known yet; so must labels that end by T. T is the day before and the
day of dividends and splits, the last day before each border, and some by the seed. A centred mean, prices that are
restated, a day's figure that waits for later shares, windows in FEATURE that are not those of PRICE: all of these give
another value somewhere, and the first one is named. Where the train split has ended, Transform must have learned
nothing of what came after: means, variances and vocabularies of the project's own operations are compared with those of
the train rows.

Factors are cut with the prices, so one that PRICE itself holds a session too early stands in the cut, too. There the
raw prices tell: on the day of a dividend or split they fall by what the factor rises. One event is lost in its day's
noise; all of them together say whether they fell a session later (leaking at odds of a million to one, suspicious at
ten thousand) or before it (suspicious).

In a run it replays 6 shares, those with events first, at 8 days, and judges the events of 200 shares; of the others it
reads the days alone. `awesome audit --full` replays all shares, in ExampleGen's own shards, at up to 24 days each,
judges all events, and lets Transform analyse the train rows again, which finds what an operation of your own has
learned elsewhere. `python -m benchmarks.judging_cost runs/latest` prints the seconds of processor time of each check:
1.4 on the 159,429 rows of `awesome run --market reversal --market-shares 57`, 52 with `--full`.

Out of sight: a source that has restated raw prices before they were stored, as PRICE holds one version of each day; a
factor at its right day and of a wrong size; which shares were chosen; and which sessions count as missing, which is
taken from the whole database, as it says which rows are left out and nothing of what they hold. Day-wide columns are
made of all shares at each cut, once for all that are replayed. Another column that is made across shares is replayed
with the sample's shares; a difference there counts only if the whole shard shows it too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from components.errors import SplitError, StoreError
from components.leak_audit.check import Audited, Check
from components.leak_audit.results import CheckResult, Figure, Status

if TYPE_CHECKING:
    from components.feature_example_gen.splits import SplitPlan
    from components.feature_store import FeatureStore, PriceBars, ShareSummary
    from components.leak_audit.config import AuditConfig
    from components.leak_audit.reading.event_days import Event, Evidence
    from components.leak_audit.reading.prefixes import Difference, Made

NAME = "prefix replay"

_LEAKING, _SUSPICIOUS = np.log(1e6), np.log(1e4)
"""Evidence that factors step on other days than prices."""


@dataclass(frozen=True)
class _Cost:
    """How much is looked at: shares (None for all), events and days by the seed for each, shares for their events."""

    shares: int | None
    events: int
    days: int
    event_shares: int | None


_IN_A_RUN = _Cost(6, 2, 2, 200)
_IN_FULL = _Cost(None, 8, 6, None)


@dataclass(frozen=True)
class _Seen:
    """What was compared: shares, days of cuts, values, and the features that were learned of the train rows."""

    shares: int = 0
    days: frozenset[str] = frozenset()
    values: int = 0

    def plus(self, other: _Seen) -> _Seen:
        return _Seen(self.shares + other.shares, self.days | other.days, self.values + other.values)


def prefix_replay(audited: Audited) -> CheckResult:
    """Makes the check; not applicable without the database that the examples were made of."""
    from components.price_panel.opening import open_prices

    config = audited.config
    if config.splits is None:
        return _not_applicable("it is not known how these examples were made")
    if not config.database or not Path(config.database).exists():
        return _not_applicable("the database that the examples were made of is not there")
    try:
        with open_prices(config.database) as store:
            return _in_store(audited, store)
    except (StoreError, SplitError) as error:
        return _not_applicable(f"the database cannot be read again ({error})")


def _not_applicable(why: str, figures: Sequence[Figure] = ()) -> CheckResult:
    return CheckResult(NAME, Status.NOT_APPLICABLE, f"Nothing was replayed: {why}.", tuple(figures))


def _in_store(audited: Audited, store: FeatureStore) -> CheckResult:
    from components.leak_audit.reading.database import chosen_shares, unchanged
    from components.leak_audit.reading.event_days import evidence, find_events
    from components.leak_audit.reading.transformed import analysed_on_train

    config = audited.config
    cost = _IN_FULL if config.full else _IN_A_RUN
    random = np.random.default_rng(config.seed)
    chosen = chosen_shares(config, store)
    priced = [one for one in chosen if store.source_of(one.share_id) is not None]
    if not priced:
        return _not_applicable("the database holds windows without the prices that they are made of")
    looked_at = _some(random, [one.share_id for one in priced], cost.event_shares)
    events = [event for series in store.price_series(looked_at) for event in find_events(series, config.last_session)]
    seen, difference = _replay(audited, store, chosen, priced, events, cost)
    learned: tuple[str, ...] = ()
    if difference is None:
        difference, learned = analysed_on_train(
            audited.rows, audited.features, audited.transform_graph, again=config.full
        )
    elif not unchanged(config, store, [one.share_id for one in chosen]):
        return _not_applicable(f"the database has changed since the run (such as {difference.words()})")
    early, late = evidence(events, early=True), evidence(events, early=False)
    figures = (
        Figure("shares that were replayed", seen.shares),
        Figure("days that the database was cut at", len(seen.days)),
        Figure("values that were compared", seen.values),
        Figure("features learned of the train rows that were compared", len(learned)),
        Figure("dividends and splits that were looked at", len(events)),
        Figure("log evidence that factors rise a session before prices fall", early.log, decimals=1),
        Figure("log evidence that factors rise a session after prices fall", late.log, decimals=1),
    )
    if difference is not None:
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"Rows know what came after them: {difference.words()} ({difference.count:,} rows differ in it).",
            figures,
            "see what that value is made of: it must not change with later days (or import the prices again, where "
            "FEATURE is not what PRICE gives)",
        )
    return _judged_events(early, late, seen, len(events), figures)


def _judged_events(
    early: Evidence, late: Evidence, seen: _Seen, events: int, figures: tuple[Figure, ...]
) -> CheckResult:
    for found, when in ((early, "before"), (late, "after")):
        if found.log > _SUSPICIOUS and found.worst is not None:
            status = Status.LEAKING if found is early and found.log > _LEAKING else Status.SUSPICIOUS
            sentence = f"Factors rise a session {when} the prices fall for dividends and splits: {_told(found.worst)}."
            look = "see by which day the source adjusts: the factor must rise on the first session without the dividend"
            return CheckResult(NAME, status, sentence, figures, look)
    of_events = f", and {events:,} factors step on the days of their prices" if events else ""
    return CheckResult(
        NAME,
        Status.PASSED,
        f"Cut at {len(seen.days)} days, {seen.shares:,} shares give the same {seen.values:,} values{of_events}.",
        figures,
    )


def _told(event: Event) -> str:
    return (
        f"such as {event.share}, {event.day}, factor: {np.expm1(event.step):+.2%} on that day, when the raw close "
        f"moved {np.expm1(event.moved):+.2%}, and {np.expm1(event.moved_next):+.2%} on the next"
    )


def _some(random: np.random.Generator, shares: Sequence[str], most: int | None) -> list[str]:
    if most is None or len(shares) <= most:
        return list(shares)
    return sorted(str(share) for share in random.choice(np.array(shares), most, replace=False))


def _replay(
    audited: Audited,
    store: FeatureStore,
    chosen: Sequence[ShareSummary],
    priced: Sequence[ShareSummary],
    events: Sequence[Event],
    cost: _Cost,
) -> tuple[_Seen, Difference | None]:
    """Replays the sample, or all; what differs in a sample is replayed with its whole shard."""
    from components.day_wide.reading import read_closes
    from components.feature_example_gen.config import SHARD_ROWS
    from components.feature_example_gen.day_levels import levels_of
    from components.feature_example_gen.executor import make_shards
    from components.feature_example_gen.splits import plan_splits
    from components.leak_audit.reading.day_columns import DayColumns
    from components.leak_audit.reading.prefixes import Made
    from components.missing_sessions.finding import find_missing
    from components.universe.universe import universe_of
    from models.formatters import get_formatter
    from models.labels import get_label

    config = audited.config
    assert config.splits is not None
    names = [one.share_id for one in chosen]
    sessions = store.sessions(names)
    if config.last_session:
        sessions = sessions[sessions <= np.datetime64(config.last_session)]
    plan, limit = plan_splits(sessions, config.splits), config.max_missing_sessions
    gaps = find_missing(store).of(names).shares
    universe = universe_of(store, sessions)
    levels = levels_of(store, chosen, sessions, plan.horizons, get_label(config.label), gaps, limit, universe)
    columns = get_formatter(config.formatter).example_columns
    day = None
    if columns:
        closes = read_closes(store, names, last=config.last_session, universe=universe, columns=columns)
        day = DayColumns(list(closes), columns, universe)
    made = Made({}, plan, gaps, limit, levels, universe, day)
    with_prices = {one.share_id for one in priced}
    shards = [
        [share for share in shard.shares if share in with_prices]
        for shard in make_shards([(one.share_id, one.rows) for one in chosen], SHARD_ROWS)
    ]
    random = np.random.default_rng(config.seed)
    if cost.shares is not None:
        sample = _sample(random, sorted(with_prices), {event.share for event in events}, cost.shares)
        seen, difference = _replay_group(audited, _with_bars(made, store, sample, config), events, cost, ())
        if difference is None:
            return seen, None
        [whole] = [shard for shard in shards if difference.share in shard] or [sample]
        # A column that is made across shares differs before anything was cut: the borders tell whether it knows more.
        borders = (str(made.plan.sessions[part.end - 1]) for part in made.plan.ranges[:-1])
        cuts = sorted({difference.cut, *borders})
        _, difference = _replay_group(audited, _with_bars(made, store, whole, config), (), None, cuts)
        return seen, difference
    seen = _Seen()
    for shard in shards:
        found, difference = _replay_group(audited, _with_bars(made, store, shard, config), events, cost, ())
        seen = seen.plus(found)
        if difference is not None:
            return seen, difference
    return seen, None


def _sample(random: np.random.Generator, shares: Sequence[str], with_events: set[str], most: int) -> list[str]:
    """Half of the sample from those with events, as far as there are any."""
    order = [str(share) for share in random.permutation(np.array(shares))]
    first = [share for share in order if share in with_events][: most // 2]
    return sorted([*first, *(share for share in order if share not in first)][:most])


def _with_bars(made: Made, store: FeatureStore, shares: Sequence[str], config: AuditConfig) -> Made:
    """The prices of some shares up to the last session that the run read."""
    from components.leak_audit.reading.prefixes import part_of

    bars: dict[str, PriceBars] = {}
    for share in sorted(shares):
        held = store.bars(share)
        if held is not None:
            last = np.datetime64(config.last_session) if config.last_session else held.time[-1]
            length = int(np.searchsorted(held.time, last, side="right"))
            if length:
                bars[share] = part_of(held, 0, length)
    return replace(made, bars=bars)


def _replay_group(
    audited: Audited, made: Made, events: Sequence[Event], cost: _Cost | None, asked: Sequence[str]
) -> tuple[_Seen, Difference | None]:
    """Replays some shares together, cut at days of their own choice or at those that are asked for."""
    from components.leak_audit.reading.prefixes import (
        column_difference,
        compare_examples,
        compare_prefix,
        cut_database,
    )
    from components.leak_audit.reading.transformed import compare_cut_rows
    from models.formatters import get_formatter

    if not made.bars:
        return _Seen(), None
    config = audited.config
    random = np.random.default_rng(config.seed)
    # Day-wide columns are made of all shares at each cut, so all shares are cut at the same days.
    own = [event for event in events if made.day is not None or event.share in made.bars]
    days = [np.datetime64(day) for day in asked] if cost is None else _cut_days(random, made.plan, own, cost)
    last = max(bars.time[-1] for bars in made.bars.values())
    with cut_database(made) as replay:
        whole = replay.until(last, whole=True)
    if whole is None:
        return _Seen(), None
    cuts: list[np.datetime64] = []
    difference, values = compare_examples(audited.rows, whole)
    with cut_database(made) as replay:
        for day in days:
            if difference is None and day < last:
                difference = column_difference(made, day)
            prefix = None if difference is not None or day >= last else replay.until(day)
            if prefix is not None:
                difference = compare_prefix(prefix, whole, made.plan.horizons)
                values += sum(value.size for value in prefix.rows.columns.values())
                cuts.append(day)
    if difference is None:
        difference, more = compare_cut_rows(whole, cuts, get_formatter(config.formatter), audited.transform_graph)
        values += more
    return _Seen(len(whole.windows), frozenset(map(str, cuts)), values), difference


def _cut_days(
    random: np.random.Generator, plan: SplitPlan, events: Sequence[Event], cost: _Cost
) -> Iterable[np.datetime64]:
    """Ascending: before and on the days of some events, the last days of train and eval, and some at random."""
    days = {plan.sessions[part.end - 1] for part in plan.ranges[:-1]}
    for place in random.permutation(len(events))[: cost.events].tolist():
        days |= {events[place].before, events[place].day}
    wanted = cost.days + 2 * max(0, cost.events - len(events))
    days |= {plan.sessions[at] for at in random.choice(len(plan.sessions), min(wanted, len(plan.sessions)), False)}
    return sorted(days)


CHECK = Check(
    NAME,
    prefix_replay,
    passes="the database cut at a day gives the same rows up to that day, to the bit, and factors step on the days of "
    "their prices",
    leaks="a row changes with what came after it, or the factors of dividends and splits rise a session before prices "
    "fall",
    order=27,
)
