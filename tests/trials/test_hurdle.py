"""What a try needs after others: closed forms where there are some, and what it must and must not depend on."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm, t
from tries import DAYS, a_try, independent_tries, record_of, tried

from components.evidence.blessing import level_for
from components.trials.found import FALSE_ALARMS, Hurdle, level
from components.trials.hurdle import (
    JointTries,
    allowance,
    errors,
    hurdle,
    independent,
    normal_scale,
)
from components.trials.record import Record


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.mark.parametrize("candidates", [1, 4])
def test_the_first_run_needs_what_a_single_run_needs(candidates: int, rng: np.random.Generator) -> None:
    trial = a_try([tried(f"model {number}", rng.normal(size=DAYS)) for number in range(candidates)])
    found = hurdle(record_of([]), trial)
    assert (found.runs, found.tries, found.epoch) == (0, 0, 0)
    assert found.complete
    assert found.level_for("model 0") == pytest.approx(level_for(candidates), abs=1e-15)
    assert (found.spent, found.left) == (0.025, 0.025)


def test_all_epochs_together_bless_five_per_cent_by_chance() -> None:
    assert 0.025 + sum(allowance(epoch)[0] for epoch in range(1, 60)) == pytest.approx(FALSE_ALARMS)


@pytest.mark.parametrize("epoch", [1, 2, 3, 4, 5])
def test_an_epoch_has_room_for_its_number_of_independent_tries(epoch: int) -> None:
    alpha, needed = allowance(epoch)
    assert 1 - norm.cdf(needed) ** (4**epoch) == pytest.approx(alpha, rel=1e-6)


def test_independent_tries_come_to_their_own_number() -> None:
    for tries in (1, 2, 30):
        [probability] = JointTries(np.eye(tries, dtype=np.float32)).exceeding([2.5])
        assert probability == pytest.approx(1 - norm.cdf(2.5) ** tries, rel=0.01)
        assert independent(probability, 2.5) == pytest.approx(tries, rel=0.01)


def test_tries_of_unknown_influence_count_as_independent_ones() -> None:
    [probability] = JointTries(np.eye(3, dtype=np.float32), alone=5).exceeding([2.0])
    assert independent(probability, 2.0) == pytest.approx(8, rel=0.01)
    [probability] = JointTries(np.empty((0, 1), np.float32), alone=5).exceeding([2.0])
    assert independent(probability, 2.0) == pytest.approx(5, rel=1e-9)


def test_copies_come_to_one(rng: np.random.Generator) -> None:
    one = rng.normal(size=DAYS)
    copies = [a_try([tried(f"copy {number}", one * (1 + number))]) for number in range(200)]
    found = hurdle(record_of(copies[:-1]), copies[-1])
    assert found.tries == 199
    assert found.independent == pytest.approx(1, abs=0.01)
    assert found.epoch == 1


def test_near_copies_cost_almost_nothing(rng: np.random.Generator) -> None:
    one = rng.normal(size=DAYS)
    near = [a_try([tried(f"near {number}", one + 0.05 * rng.normal(size=DAYS))]) for number in range(200)]
    assert hurdle(record_of(near[:-1]), near[-1]).independent < 2
    others = independent_tries(200, rng)
    assert hurdle(record_of(others[:-1]), others[-1]).independent == pytest.approx(200, rel=0.03)


@pytest.mark.parametrize("threshold", [1.5, 2.5, 3.5])
def test_the_best_of_a_few_tries_is_as_their_joint_distribution_says(
    threshold: float, rng: np.random.Generator
) -> None:
    directions = rng.normal(size=(6, 20)) + rng.normal(size=20)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    below = multivariate_normal.cdf(
        np.full(6, threshold), cov=directions @ directions.T, maxpts=2_000_000, abseps=1e-7, releps=1e-4
    )
    [probability] = JointTries(directions.astype(np.float32)).exceeding([threshold])
    assert probability == pytest.approx(1 - below, rel=0.03)


def test_more_tries_never_need_less(rng: np.random.Generator) -> None:
    common = rng.normal(size=DAYS)
    trials = [a_try([tried(f"{number}", 0.6 * common + rng.normal(size=DAYS))]) for number in range(200)]
    asked = rng.normal(size=DAYS)
    found = [hurdle(record_of(trials[:count]), a_try([tried("asked", asked)])) for count in (0, 1, 3, 10, 30, 100, 200)]
    needed = [one.needed for one in found]
    assert needed == sorted(needed)
    assert needed[0] < needed[3] < needed[-1]
    assert [one.spent for one in found] == sorted(one.spent for one in found)
    for one in found:
        assert one.spent + one.left == pytest.approx(FALSE_ALARMS)
        assert one.left > 0


def test_tries_on_other_days_do_not_count(rng: np.random.Generator) -> None:
    earlier = independent_tries(20, rng, days=100)
    asked = tried("asked", rng.normal(size=100))
    new_days, one_common = (hurdle(record_of(earlier), a_try([asked], first_day=day)) for day in (100, 99))
    assert (new_days.runs, new_days.epoch, new_days.seen_until) == (0, 0, 0)
    assert (one_common.runs, one_common.tries, one_common.seen_until) == (20, 20, 10_099)
    assert one_common.independent == pytest.approx(21, rel=0.03)


def test_days_are_new_after_all_that_anybody_saw(rng: np.random.Generator) -> None:
    early, late = (a_try([tried(f"{day}", rng.normal(size=100))], first_day=day) for day in (0, 500))
    found = hurdle(record_of([early, late]), a_try([tried("asked", rng.normal(size=100))], first_day=50))
    assert (found.runs, found.seen_until) == (1, 10_599)


def test_the_same_answers_are_no_new_try_and_need_what_they_needed(rng: np.random.Generator) -> None:
    trials = independent_tries(30, rng)
    model = replace(trials[0].models[0], needed=1.96)
    record = record_of([replace(trials[0], models=(model,)), *trials[1:]])
    again, new = tried("again", model.influence.values, answers=model.answers), tried("new", rng.normal(size=DAYS))
    found = hurdle(record, a_try([again, new]))
    assert found.tries == 30
    assert found.needed_by("again") == 1.96
    assert found.level_for("again") == pytest.approx(0.95, abs=1e-4)
    assert found.needed_by("new") == found.needed > 3
    assert (found.raised("again"), found.raised("new")) == (
        "as at the first try of these answers",
        "after 30 earlier runs on these test days",
    )
    # On other rows the same numbers are another answer.
    assert hurdle(record, a_try([again], rows="others")).needed_by("again") > 3


def test_a_run_again_needs_what_it_needed(rng: np.random.Generator) -> None:
    trials = independent_tries(30, rng)
    first = replace(trials[0], models=(replace(trials[0].models[0], needed=1.96),))
    assert hurdle(record_of([first, *trials[1:]]), trials[0]).needed_by("own 0") == 1.96


def test_a_model_that_answers_the_same_for_every_row_is_no_try(rng: np.random.Generator) -> None:
    constant = [a_try([tried(f"constant {number}", np.zeros(DAYS))]) for number in range(50)]
    found = hurdle(record_of(constant), a_try([tried("asked", rng.normal(size=DAYS))]))
    assert (found.tries, found.epoch) == (50, 1)
    assert found.independent == pytest.approx(1, abs=0.01)


def test_a_record_that_may_lack_tries_says_so(rng: np.random.Generator) -> None:
    [trial] = independent_tries(1, rng)
    assert not hurdle(Record(False, ()), trial).complete


def test_one_long_horizon_does_not_hide_the_other_tries(rng: np.random.Generator) -> None:
    others = independent_tries(200, rng)
    long = a_try([tried("long", rng.normal(size=DAYS))], horizon=240)
    assert hurdle(record_of([long, *others[:-1]]), others[-1]).independent == pytest.approx(201, rel=0.06)


def test_labels_that_overlap_make_tries_alike_whose_days_take_turns(rng: np.random.Generator) -> None:
    # Two models that lean on the same returns, one a few days later than the other.
    common = np.repeat(rng.normal(size=DAYS // 10), 10)
    early, late = (
        common * np.tile([1.0] * 5 + [0.0] * 5, DAYS // 10),
        common * np.tile([0.0] * 5 + [1.0] * 5, DAYS // 10),
    )
    by_day, by_blocks = (
        hurdle(
            record_of([a_try([tried("early", early)], horizon=horizon)]), a_try([tried("late", late)], horizon=horizon)
        ).independent
        for horizon in (1, 10)
    )
    assert by_day == pytest.approx(2, abs=0.05)
    assert by_blocks == pytest.approx(1, abs=0.05)


def test_daily_retraining_needs_no_more_on_the_last_day_than_its_window_holds(rng: np.random.Generator) -> None:
    # A model that is trained again every day answers nearly the same, on test days that move on by one.
    days = 1000 + DAYS
    lasting = rng.normal(size=days)
    trials = [
        a_try(
            [tried(f"day {start}", lasting[start : start + DAYS] + 0.3 * rng.normal(size=DAYS))],
            first_day=start,
            rows=f"{start}",
        )
        for start in range(0, 1000, 5)
    ]
    found = [hurdle(record_of(trials[:count]), trials[count]) for count in (50, 120, 199)]
    assert [one.runs for one in found] == [50, 99, 99]  # those that share a day
    assert found[-1].needed == found[1].needed
    assert found[-1].independent == pytest.approx(found[1].independent, rel=0.2)


def test_students_quotient_is_brought_to_the_normal_scale() -> None:
    assert normal_scale(0.53, 0.01, 20.0) == pytest.approx(norm.isf(t.sf(3.0, 20.0)))
    assert normal_scale(0.5, 0.01, 20.0) == pytest.approx(0)
    assert math.isnan(normal_scale(0.53, math.nan, 20.0))
    assert normal_scale(0.6, 0.0, 20.0) == math.inf


def test_a_level_is_that_of_its_errors() -> None:
    for needed in (1.96, 3.5, 4.8):
        assert errors((1 - level(needed)) / 2) == pytest.approx(needed, rel=1e-9)


def test_two_hundred_tries_take_well_below_a_second_and_give_the_same_again(rng: np.random.Generator) -> None:
    trials = independent_tries(201, rng)
    begin = time.process_time()
    found = hurdle(record_of(trials[:-1]), trials[-1])
    assert time.process_time() - begin < 5  # 0.4 s alone
    assert found == hurdle(record_of(trials[:-1]), trials[-1])
    assert isinstance(found, Hurdle)
