"""Leaks of the splits, and of what Transform looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.planted_leaks.planting import Assign, Change, PlantedLeak, Values
from benchmarks.planted_leaks.rows import chance, number_of_share, with_copies, without
from benchmarks.planted_leaks.small_runs import Asked
from components.feature_example_gen.examples import LabelledRows
from components.feature_example_gen.splits import SplitPlan, SplitSettings

_FRACTIONS = (0.5, 0.2, 0.3)
_TRAIN, _TEST = 0, 2


def _dealt(part: float) -> Assign:
    """Rows are dealt out anew, as the original project did; the strength is the part of all rows."""

    def assign(plan: SplitPlan, session: Values, oldest: Values, label_end: Values) -> tuple[Values, Values]:
        del oldest, label_end
        random = np.random.default_rng(0)
        owned = np.searchsorted([one.owned[1] for one in plan.ranges[:2]], session, side="right")
        anew = random.choice(3, size=len(session), p=_FRACTIONS)
        return np.where(random.random(len(session)) < part, anew, owned), np.full(len(session), -1)

    return assign


def _days_dealt(part: float) -> Assign:
    """The same for whole days."""

    def assign(plan: SplitPlan, session: Values, oldest: Values, label_end: Values) -> tuple[Values, Values]:
        del oldest, label_end
        random = np.random.default_rng(0)
        days = len(plan.sessions)
        owned = np.searchsorted([one.owned[1] for one in plan.ranges[:2]], np.arange(days), side="right")
        of_day = np.where(random.random(days) < part, random.choice(3, size=days, p=_FRACTIONS), owned)
        return of_day[session], np.full(len(session), -1)

    return assign


def _purged_less(sessions: float) -> Callable[[Assign], Assign]:
    """The purge falls short by so many sessions."""

    def change(honest: Assign) -> Assign:
        def assign(plan: SplitPlan, session: Values, oldest: Values, label_end: Values) -> tuple[Values, Values]:
            return honest(plan, session, oldest, np.maximum(session, label_end - int(sessions)))

        return assign

    return change


def _reaching_back(part: float) -> Callable[[Assign], Assign]:
    """That part of the test rows stands in train instead."""

    def change(honest: Assign) -> Assign:
        def assign(plan: SplitPlan, session: Values, oldest: Values, label_end: Values) -> tuple[Values, Values]:
            split, purged = honest(plan, session, oldest, label_end)
            moved = (split == _TEST) & (np.random.default_rng(0).random(len(split)) < part)
            return np.where(moved, _TRAIN, split), purged

        return assign

    return change


def _by_share(part: float) -> Callable[[LabelledRows], LabelledRows]:
    """That part of the shares, at least a third, stand in test or in train whole but for their eval rows."""

    def change(rows: LabelledRows) -> LabelledRows:
        number = number_of_share(rows)
        moved = number < max(4, 12 * part)
        where = np.where(number % 2 == 0, _TEST, _TRAIN)
        inside = (rows.split == _TRAIN) | (rows.split == _TEST)
        return replace(rows, split=np.where(moved & inside, where, rows.split))

    return change


def _test_rows_in_train(part: float) -> Callable[[LabelledRows], LabelledRows]:
    def change(rows: LabelledRows) -> LabelledRows:
        places = np.flatnonzero((rows.split == _TEST) & (chance(rows) < part))
        return with_copies(rows, places, split=np.full(len(places), _TRAIN))

    return change


def _embargo(sessions: float) -> Callable[[Asked], Asked]:
    """So many sessions of embargo where 21 were asked for."""

    def change(asked: Asked) -> Asked:
        cut = SplitSettings(fractions=_FRACTIONS, embargo=int(sessions), horizon=asked.horizon)
        return replace(asked, splits=cut)

    return change


def _analyzed(splits: float, formatter: str) -> Callable[[Asked], Asked]:
    """Transform looks at the first so many splits."""
    return lambda asked: replace(asked, analyzed=tuple(range(int(splits))), formatter=formatter)


def _at(horizon: int, change: Change) -> Change:
    return replace(change, asked=lambda asked: replace(asked, horizon=horizon))


def _formatter(name: str, change: Change) -> Change:
    return replace(change, asked=lambda asked: replace(asked, formatter=name))


def _without_embargo_rows(part: float) -> Callable[[LabelledRows], LabelledRows]:
    """That part of the days that purge and embargo left out are test or train after all: a border of its own."""

    def change(rows: LabelledRows) -> LabelledRows:
        out = (rows.split < 0) & (chance(rows, "day") < part)
        return without(replace(rows, split=np.where(out, _TRAIN, rows.split)), rows.missing["label_1"])

    return change


LEAKS = (
    PlantedLeak("rows shuffled", "rows dealt to the splits", 0.05, 1, lambda s: Change(assign=lambda _: _dealt(s))),
    PlantedLeak(
        "rows shuffled", "days dealt to the splits", 0.05, 1, lambda s: Change(assign=lambda _: _days_dealt(s))
    ),
    PlantedLeak(
        "day known",
        "the day as a feature, rows dealt",
        0.3,
        1,
        lambda s: _formatter("closes_with_time", Change(assign=lambda _: _dealt(s))),
    ),
    PlantedLeak("split by share", "shares in train or test as a whole", 0.1, 1, lambda s: Change(rows=_by_share(s))),
    PlantedLeak("no purge", "labels reach over the border", 1, 20, lambda s: Change(assign=_purged_less(s))),
    PlantedLeak("no purge", "the same 20 sessions ahead", 1, 20, lambda s: _at(20, Change(assign=_purged_less(s)))),
    PlantedLeak("no embargo", "embargo in sessions, asked 21", 19, 0, lambda s: Change(asked=_embargo(s))),
    PlantedLeak("no embargo", "left out days in train", 0.1, 1, lambda s: Change(rows=_without_embargo_rows(s))),
    PlantedLeak(
        "later days in train", "test rows in train instead", 0.01, 0.5, lambda s: Change(assign=_reaching_back(s))
    ),
    PlantedLeak(
        "rows in two splits", "test rows in train, too", 0.01, 1, lambda s: Change(rows=_test_rows_in_train(s))
    ),
    PlantedLeak(
        "scaling on all rows", "first splits analysed", 2, 3, lambda s: Change(asked=_analyzed(s, "window_returns"))
    ),
    PlantedLeak("scaling on all rows", "closes, splits analysed", 2, 3, lambda s: Change(asked=_analyzed(s, "closes"))),
    PlantedLeak(
        "vocabulary on all rows",
        "days, splits analysed",
        2,
        3,
        lambda s: Change(asked=_analyzed(s, "closes_with_time")),
    ),
)
