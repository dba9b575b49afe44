from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components.errors import SplitError
from components.feature_example_gen.splits import (
    MINIMUM_SESSIONS,
    SPLITS,
    SplitPlan,
    SplitSettings,
    describe_plan,
    plan_splits,
)
from models.formatters import get_formatter
from pipeline.plan import load_plan


def weekdays(count: int, first: str = "2000-01-03") -> np.ndarray:
    return np.busday_offset(first, np.arange(count))


def owned(plan: SplitPlan) -> list[tuple[int, int]]:
    return [part.owned for part in plan.ranges]


def starts(plan: SplitPlan) -> list[int]:
    return [part.start for part in plan.ranges]


# where the borders lie


def test_fractions_are_of_the_sessions_and_own_every_one_of_them() -> None:
    plan = plan_splits(weekdays(1000), SplitSettings())
    assert [part.name for part in plan.ranges] == list(SPLITS) == ["train", "eval", "test"]
    assert owned(plan) == [(0, 700), (700, 800), (800, 1000)]
    # The embargo is the window's 21 closes; nothing stands before train.
    assert starts(plan) == [0, 721, 821]
    assert [part.end for part in plan.ranges] == [700, 800, 1000]
    assert (plan.horizons, plan.horizon, plan.embargo) == ((1, 20), 1, 21)


DAYS = weekdays(500).astype(str)
SATURDAY, SUNDAY = (str(np.datetime64(DAYS[300]) - days) for days in (2, 1))


@pytest.mark.parametrize(
    ("count", "settings", "borders"),
    [
        (403, {"fractions": (0.5, 0.25, 0.25)}, (202, 302)),  # 201.5 and 302.25: rounded, a half to the even session
        (401, {"fractions": (0.5, 0.25, 0.25)}, (200, 301)),  # 200.5 and 300.75
        (1000, {"fractions": (1 / 3, 1 / 3, 1 / 3)}, (333, 667)),
        # 0.7 + 0.1 is less than 0.8 in floating point; the border must not fall a session short.
        (10_000, {"fractions": (0.7, 0.1, 0.2)}, (7000, 8000)),
        # Dates replace the fractions; one without a session means the next session.
        (500, {"fractions": (0.1, 0.1, 0.8), "dates": (DAYS[300], DAYS[400])}, (300, 400)),
        (500, {"dates": (SATURDAY, DAYS[400])}, (300, 400)),
        # Bounds outside the data take nothing away.
        (1000, {"start": "1990-01-01", "end": "2030-01-01"}, (700, 800)),
    ],
)
def test_borders_lie_where_fractions_or_dates_say(
    count: int, settings: dict[str, Any], borders: tuple[int, int]
) -> None:
    plan = plan_splits(weekdays(count), SplitSettings(**settings))
    assert owned(plan) == [(0, borders[0]), borders, (borders[1], count)]


def test_the_plan_in_words_begins_behind_the_embargo() -> None:
    sessions = weekdays(1000)
    plan = plan_splits(sessions, SplitSettings(embargo=5))
    assert describe_plan(plan) == [
        ("train", str(sessions[0]), str(sessions[699]), 700),
        ("eval", str(sessions[705]), str(sessions[799]), 95),
        ("test", str(sessions[805]), str(sessions[999]), 195),
    ]


def test_bounds_leave_out_what_lies_before_and_behind() -> None:
    sessions = weekdays(1000)
    plan = plan_splits(sessions, SplitSettings((0.6, 0.15, 0.25), start=str(sessions[100]), end=str(sessions[600])))
    assert owned(plan) == [(100, 400), (400, 475), (475, 600)]
    assert starts(plan) == [100, 421, 496]
    assert len(plan.sessions) == 1000
    session = np.arange(1000)
    split, purged = plan.assign(session, session - plan.lookback, session + 20)
    # Windows of train begin before the start, and labels of test end behind the end.
    assert np.flatnonzero(split == 0).tolist() == list(range(100, 380))
    assert np.flatnonzero(split == 2).tolist() == list(range(496, 600))
    assert not (purged == 2).any()


def test_with_an_end_inside_the_data_a_test_split_needs_no_room_for_its_labels() -> None:
    sessions = weekdays(500)
    dates = (str(sessions[300]), str(sessions[400]))
    plan_splits(sessions, SplitSettings(dates=dates, end=str(sessions[400 + 21 + MINIMUM_SESSIONS])))
    with pytest.raises(SplitError, match=f"leave the test split {MINIMUM_SESSIONS - 1} sessions"):
        plan_splits(sessions, SplitSettings(dates=dates, end=str(sessions[400 + 20 + MINIMUM_SESSIONS])))


# rows at the borders, by hand


@pytest.mark.parametrize(("horizons", "last"), [((1, 20), 679), ((1,), 698), ((1, 5), 694), ((20, 3), 679)])
def test_the_longest_horizon_decides_the_purge(horizons: tuple[int, ...], last: int) -> None:
    plan = plan_splits(weekdays(1000), SplitSettings(horizons=horizons, horizon=horizons[0]))
    session = np.arange(1000)
    label_end = np.minimum(session + max(horizons), 999)
    split, purged = plan.assign(session, session - plan.lookback, label_end)
    # A row whose label ends in session 699, the last before the border, stays; one session more and it is purged.
    assert last + max(horizons) == 699
    assert (split[last], split[last + 1]) == (0, -1)
    assert (purged[last], purged[last + 1], purged[699], purged[700]) == (-1, 0, 0, -1)
    assert np.flatnonzero(split == 0).tolist() == list(range(last + 1))
    assert np.flatnonzero(split == 1).tolist() == list(range(721, 800 - max(horizons)))
    assert np.flatnonzero(purged == 1).tolist() == list(range(800 - max(horizons), 800))
    # Behind test there is nothing to leak from: its last rows are only without label.
    assert np.flatnonzero(split == 2).tolist() == list(range(821, 1000))
    assert not (purged == 2).any()


@pytest.mark.parametrize(("embargo", "first"), [(0, 700), (1, 701), (20, 720), (21, 721), (30, 730)])
def test_the_embargo_is_counted_in_sessions_behind_the_border(embargo: int, first: int) -> None:
    plan = plan_splits(weekdays(1000), SplitSettings(embargo=embargo))
    session = np.arange(1000)
    split, _ = plan.assign(session, session - plan.lookback, session)
    assert np.flatnonzero(split == 1)[0] == first
    assert np.flatnonzero(split == 0)[-1] == 699


def test_a_window_that_reaches_over_the_border_is_embargoed_however_late_its_row_stands() -> None:
    plan = plan_splits(weekdays(1000), SplitSettings())
    session = np.array([750, 750, 750, 850, 850])
    oldest = np.array([699, 700, -1, 799, 800])  # -1: not known where the window begins
    split, purged = plan.assign(session, oldest, session + 1)
    assert split.tolist() == [-1, 1, -1, -1, 2]
    assert purged.tolist() == [-1] * 5
    # Train has nothing before it, so it does not matter.
    split, _ = plan.assign(np.array([10]), np.array([-1]), np.array([11]))
    assert split.tolist() == [0]


# too short


def test_a_split_of_just_enough_sessions_is_taken_and_one_fewer_refused() -> None:
    # Eval owns a tenth: 21 of embargo, 20 of horizon and 20 to use are 61.
    settings = SplitSettings()
    assert plan_splits(weekdays(610), settings).ranges[1].owned == (427, 488)
    with pytest.raises(SplitError) as refused:
        plan_splits(weekdays(600), settings)
    assert str(refused.value) == (
        "the data is too short: 600 sessions leave the eval split 19 sessions after an embargo of 21 and the longest "
        f"horizon of 20, and at least {MINIMUM_SESSIONS} are needed; take --split-fractions 0.65,0.15,0.2 "
        "(in awesome.toml: split_fractions = [0.65, 0.15, 0.2]), or bring more sessions"
    )


YEAR = SplitSettings(reach=252, embargo=253)
"""What the formatter momentum asks for."""


@pytest.mark.parametrize(
    ("count", "settings"),
    [
        (600, SplitSettings()),
        (2880, YEAR),
        (1000, YEAR),
        (900, YEAR),
        (2880, SplitSettings(horizons=(1, 250))),
    ],
)
def test_the_fractions_that_a_refusal_names_work(count: int, settings: SplitSettings) -> None:
    dated = replace(settings, dates=tuple(str(day) for day in weekdays(count)[[-50, -20]]))
    for asked in (settings, dated):
        with pytest.raises(SplitError, match="too short") as refused:
            plan_splits(weekdays(count), asked)
        found = re.search(
            r"--split-fractions (\S+) \(in awesome.toml: split_fractions = \[(.*)\]\)(.*), or", str(refused.value)
        )
        assert found is not None
        fractions = tuple(float(part) for part in found[1].split(","))
        assert fractions == tuple(float(part) for part in found[2].split(", "))
        plan_splits(weekdays(count), replace(asked, fractions=fractions, dates=None))
        assert (found[3] == ", with no split_dates") is (asked is dated)


def test_where_no_fractions_work_the_sessions_that_lack_are_named() -> None:
    with pytest.raises(SplitError) as refused:
        plan_splits(weekdays(700), YEAR)
    lacking = re.search(r"bring some (\d+) sessions more, .* or take a formatter that reads less", str(refused.value))
    assert lacking is not None
    with pytest.raises(SplitError, match="take --split-fractions"):
        plan_splits(weekdays(700 + int(lacking[1]) + 40), YEAR)


@pytest.mark.parametrize(
    ("given", "there"), [({}, 253), ({"embargo": 21}, 21), ({"embargo": 5}, 5), ({"embargo": 300}, 300)]
)
def test_an_embargo_that_was_asked_for_stays_whatever_a_formatter_reads(given: dict[str, int], there: int) -> None:
    """Whether the formatter is that of the settings, or a parameter of a run on a cluster."""
    flags = given | {"split_fractions": "0.6,0.2,0.2"}
    at_once = load_plan(flags | {"formatter": "momentum"}).splits
    later = load_plan(flags | {"formatter": "window_returns"}).splits.reaching(get_formatter("momentum").reach)
    assert at_once == later
    assert at_once.embargo == there


def test_what_reads_further_back_than_a_window_has_its_first_rows_later() -> None:
    settings = replace(YEAR, fractions=(0.1, 0.4, 0.5), horizons=(1,))
    with pytest.raises(SplitError, match=r"leave the train split 17 sessions after an embargo of 0 \(the form"):
        plan_splits(weekdays(2500), settings)
    plan_splits(weekdays(2530), settings)


HAS_500 = "which has 500 (sessions )?from 2000-01-03 to 2001-11-30$"


@pytest.mark.parametrize(
    ("count", "settings", "message"),
    [
        *(
            (count, {}, rf"too short: {count} sessions leave the (train|eval) split \d+ sessions")
            for count in (0, 1, 60)
        ),
        (500, {"horizons": (1, 600)}, r"too short: 500 sessions .* longest horizon of 600"),
        (1000, {"embargo": 300}, "the eval split 0 sessions after an embargo of 300"),
        # Two dates in one gap between sessions.
        (500, {"dates": (SATURDAY, SUNDAY)}, "the eval split 0 sessions"),
        (0, {"dates": ("2001-01-01", "2002-01-01")}, r"split date 2001-01-01 lies outside the data, .* 0 sessions$"),
        # The first session cannot be a border either: train would own nothing.
        (500, {"dates": ("1999-01-01", "2001-01-01")}, f"^split date 1999-01-01 lies outside the data, {HAS_500}"),
        (500, {"dates": ("2000-01-03", "2001-01-01")}, f"^split date 2000-01-03 lies outside the data, {HAS_500}"),
        (500, {"dates": ("2001-01-01", "2001-12-03")}, f"^split date 2001-12-03 lies outside the data, {HAS_500}"),
        (500, {"dates": ("2050-01-01", "2051-01-01")}, f"^split date 2050-01-01 lies outside the data, {HAS_500}"),
        (500, {"start": "2030-01-01"}, f"start 2030-01-01 leaves no session of the data, {HAS_500}"),
        (500, {"end": "2000-01-03"}, f"end 2000-01-03 leaves no session of the data, {HAS_500}"),
    ],
)
def test_data_that_cannot_be_split_so_is_refused(count: int, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        plan_splits(weekdays(count), SplitSettings(**settings))


# settings that make no sense


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fractions": (0.7, 0.1, 0.1)}, r"split fractions \(0.7, 0.1, 0.1\) must be three positive numbers"),
        ({"fractions": (0.5, 0.5)}, "three positive numbers"),
        ({"fractions": (0.8, 0.2, 0.0)}, "three positive numbers"),
        ({"fractions": (1.1, -0.3, 0.2)}, "three positive numbers"),
        ({"fractions": (0.5, math.nan, 0.2)}, "three positive numbers"),
        ({"fractions": (math.inf, 0.1, 0.2)}, "three positive numbers"),
        ({"embargo": -1}, "embargo -1 must not be negative"),
        ({"horizons": ()}, r"horizons \(\) must be 1 or more each"),
        ({"horizons": (0, 1)}, r"must be 1 or more each"),
        ({"horizons": (1, 20), "horizon": 5}, r"horizon 5 must be one of the horizons \(1, 20\)"),
        ({"dates": ("2002-01-01", "2001-01-01")}, "split dates 2002-01-01,2001-01-01: eval must begin before test"),
        ({"dates": ("2001-01-01", "2001-01-01")}, "eval must begin before test"),
        ({"start": "2002-01-01", "end": "2001-01-01"}, "start 2002-01-01 must lie before its end 2001-01-01"),
        ({"start": "2002-01-01", "dates": ("2001-01-01", "2002-06-01")}, "start 2002-01-01 must lie before its eval"),
        ({"end": "2001-06-01", "dates": ("2001-01-01", "2002-06-01")}, "test 2002-06-01 must lie before its end"),
        ({"start": "2002-1-1"}, "split date '2002-1-1' is not a date"),
        ({"end": "soon"}, "split date 'soon' is not a date"),
        ({"dates": ("yesterday", "2001-01-01")}, "split date 'yesterday' is not a date such as 2019-06-03"),
        ({"dates": ("2001-01-01", "2001-02-29")}, "split date '2001-02-29' is not a date"),
        ({"dates": ("20010101", "2002-01-01")}, "split date '20010101' is not a date"),
        ({"dates": ("2001-W02-1", "2002-01-01")}, "split date '2001-W02-1' is not a date"),
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(settings: dict[str, object], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        SplitSettings(**settings)  # type: ignore[arg-type]
