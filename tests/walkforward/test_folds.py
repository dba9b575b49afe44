"""Folds by hand: where they lie, what lies between them, and what is said where they do not fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components.errors import SplitError
from components.feature_example_gen.splits import SplitSettings, plan_splits
from pipeline.studies.walkforward.folds import WalkSettings, plan_folds


def weekdays(count: int, first: str = "2000-01-03") -> np.ndarray:
    return np.busday_offset(first, np.arange(count))


SESSIONS = weekdays(1000)
SHORT = SplitSettings(horizons=(1, 5))


def place(date: str) -> int:
    return int(np.searchsorted(SESSIONS, np.datetime64(date)))


def owned(walk: WalkSettings, splits: SplitSettings = SHORT) -> list[list[tuple[int, int]]]:
    plans = [plan_splits(SESSIONS, fold.splits) for fold in plan_folds(SESSIONS, walk, splits)]
    return [[part.owned for part in plan.ranges] for plan in plans]


def test_expanding_folds_by_hand() -> None:
    # 1000 sessions, half of them tested: from 500 on in steps of 100. The border of test lies 21 before: 479, 579, ...
    # Of what lies before it, one part in eight (0.1 of 0.7 + 0.1) is eval: 60, 72, 85, 97, 110 sessions.
    assert owned(WalkSettings(folds=5)) == [
        [(0, 419), (419, 479), (479, 600)],
        [(0, 507), (507, 579), (579, 700)],
        [(0, 594), (594, 679), (679, 800)],
        [(0, 682), (682, 779), (779, 900)],
        [(0, 769), (769, 879), (879, 1000)],
    ]


def test_rolling_folds_keep_their_lengths() -> None:
    assert owned(WalkSettings(folds=5, rolling=True)) == [
        [(0, 419), (419, 479), (479, 600)],
        [(100, 519), (519, 579), (579, 700)],
        [(200, 619), (619, 679), (679, 800)],
        [(300, 719), (719, 779), (779, 900)],
        [(400, 819), (819, 879), (879, 1000)],
    ]
    folds = plan_folds(SESSIONS, WalkSettings(folds=5, rolling=True), SHORT)
    assert {(fold.train.sessions, fold.evaluation.sessions, fold.test.sessions) for fold in folds} == {(419, 39, 100)}


def test_the_dates_that_are_shown() -> None:
    second = plan_folds(SESSIONS, WalkSettings(folds=5), SHORT)[1]
    assert second.number == 2
    # Embargo taken off: eval begins 21 sessions behind its border.
    assert (place(second.train.first), place(second.train.last), second.train.sessions) == (0, 506, 507)
    assert (place(second.evaluation.first), place(second.evaluation.last)) == (507 + 21, 578)
    assert (place(second.test.first), place(second.test.last), second.test.sessions) == (600, 699, 100)


@pytest.mark.parametrize("rolling", [False, True])
@pytest.mark.parametrize("folds", [1, 2, 3, 7])
@pytest.mark.parametrize("embargo", [0, 5, 21])
def test_every_test_day_is_tested_once_and_never_trained_on_before(rolling: bool, folds: int, embargo: int) -> None:
    splits = SplitSettings(embargo=embargo, horizons=(1, 5), horizon=5)
    tested: list[int] = []
    for fold in plan_folds(SESSIONS, WalkSettings(folds=folds, rolling=rolling), splits):
        plan = plan_splits(SESSIONS, fold.splits)
        session = np.arange(1000)
        split, _ = plan.assign(session, session - plan.lookback, np.minimum(session + 5, 999))
        train, evaluation, test = (np.flatnonzero(split == index) for index in range(3))
        tested += test.tolist()
        # Between the last label of one split and the first session of the next lies the embargo.
        assert evaluation.min() - (train.max() + 5) == embargo + 1
        assert test.min() - (evaluation.max() + 5) == embargo + 1
        assert (place(fold.test.first), place(fold.test.last)) == (test.min(), test.max())
    first = 1000 - 500 // folds * folds  # what does not divide is left to the first train
    assert tested == list(range(first, 1000))


def test_where_testing_begins_can_be_chosen() -> None:
    by_date = plan_folds(SESSIONS, WalkSettings(folds=2, first_test=str(SESSIONS[800])), SHORT)
    by_fraction = plan_folds(SESSIONS, WalkSettings(folds=2, test_fraction=0.2), SHORT)
    assert by_date == by_fraction
    assert place(by_date[0].test.first) == 800
    # A date without a session means the next one.
    saturday = SESSIONS[800] - np.timedelta64(2, "D")
    assert plan_folds(SESSIONS, WalkSettings(folds=2, first_test=str(saturday)), SHORT) == by_date


def test_the_last_fold_ends_even_if_more_sessions_come() -> None:
    last = plan_folds(SESSIONS, WalkSettings(folds=2), SHORT)[-1]
    more = weekdays(1100)
    assert plan_splits(more, last.splits).ranges[2].owned[1] == 1000


def test_dates_and_bounds_of_the_settings_do_not_matter_but_their_proportion_does() -> None:
    other = SplitSettings((0.5, 0.25, 0.25), ("2001-01-02", "2002-01-02"), 21, (1, 5), start="2000-06-01")
    [first, *_] = owned(WalkSettings(folds=5), other)
    assert first == [(0, 319), (319, 479), (479, 600)]  # a third of 479 is eval


# what does not fit


def refusal(count: int, walk: WalkSettings, splits: SplitSettings | None = None) -> str:
    with pytest.raises(SplitError) as error:
        plan_folds(weekdays(count), walk, splits or SplitSettings())
    [line] = str(error.value).splitlines()
    return line


@pytest.mark.parametrize("rolling", [False, True])
@pytest.mark.parametrize(("count", "folds"), [(300, 5), (700, 20), (0, 1), (1000, 60)])
def test_the_number_of_sessions_that_would_do_is_the_least(count: int, folds: int, rolling: bool) -> None:
    walk = WalkSettings(folds=folds, rolling=rolling)
    text = refusal(count, walk)
    assert text.startswith(f"the data is too short for {folds} fold")
    needed = int(text.split(", and ")[1].split()[0])
    assert len(plan_folds(weekdays(needed), walk, SplitSettings())) == folds
    refusal(needed - 1, walk)


def test_fewer_folds_are_offered_where_they_fit() -> None:
    text = refusal(1200, WalkSettings(folds=30))
    assert text.endswith("; of these, --folds 15"), text
    plan_folds(weekdays(1200), WalkSettings(folds=15), SplitSettings())
    refusal(1200, WalkSettings(folds=16))


@pytest.mark.parametrize("rolling", [False, True])
def test_other_fractions_are_offered_where_they_fit(rolling: bool) -> None:
    walk, year = WalkSettings(folds=5, rolling=rolling), SplitSettings(reach=252, embargo=253)
    text = refusal(2880, walk, year)
    assert "; of these, --split-fractions 0.6,0.2,0.2 (in awesome.toml: split_fractions = [0.6, 0.2, 0.2])" in text
    assert len(plan_folds(weekdays(2880), walk, replace(year, fractions=(0.6, 0.2, 0.2)))) == 5


def test_a_first_test_that_leaves_no_train_is_refused() -> None:
    early = str(weekdays(1000)[60])
    assert refusal(1000, WalkSettings(folds=2, first_test=early)) == (
        f"the data is too short for 2 folds: it has 1000 sessions, 940 of them from {early} on, and train needs more "
        "of them before the first test; name a later --first-test"
    )


@pytest.mark.parametrize(
    ("first_test", "message"),
    [
        ("1999-01-01", "first test 1999-01-01 lies outside the data, which has 1000 sessions from 2000-01-03 to "),
        ("2040-01-01", "first test 2040-01-01 lies outside the data"),
        ("soon", "first test 'soon' is not a date such as 2019-06-03"),
    ],
)
def test_a_first_test_outside_the_data_is_refused(first_test: str, message: str) -> None:
    assert refusal(1000, WalkSettings(folds=2, first_test=first_test)).startswith(message)


def test_settings_that_make_no_sense_are_refused() -> None:
    with pytest.raises(SplitError, match="folds 0"):
        WalkSettings(folds=0)
    for fraction in (0.0, 1.0, -0.5):
        with pytest.raises(SplitError, match="test fraction"):
            WalkSettings(test_fraction=fraction)
