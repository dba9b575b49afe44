"""Returns: what is wrong, what is large, and what a market makes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from made_prices import AT, DAYS, found, grades, jump, market, panel, rate, times, walk

from components.feature_store.series import PriceSeries
from components.plausibility import Bounds
from components.plausibility.returns import find_suspects

DAY = str(DAYS[AT])


@pytest.mark.parametrize("deviation", [0.005, 0.015, 0.03])
def test_a_random_walk_raises_nothing(deviation: float) -> None:
    assert [grades(walk(seed, deviation)) for seed in range(40)] == [[]] * 40


@pytest.mark.parametrize("deviation", [0.01, 0.02])
@pytest.mark.parametrize("ratio", [2, 3, 4, 5, 7, 10, 20, 25, 100, 1000, 1 / 2, 1 / 3, 1 / 5, 1 / 10, 1 / 100, 1 / 190])
def test_a_split_or_unit_that_the_factors_lack_is_wrong(ratio: float, deviation: float) -> None:
    assert rate(lambda seed: times(walk(seed, deviation), 1 / ratio), "wrong") >= 0.95


def test_a_split_of_a_calm_share_by_three_for_two_is_wrong_too() -> None:
    assert rate(lambda seed: times(walk(seed, 0.01), 2 / 3), "wrong") >= 0.9


@pytest.mark.parametrize("change", [-0.6, -0.55, -0.4, -0.45, -0.7, 0.6, 0.8, 1.3])
def test_a_move_that_is_no_simple_ratio_is_large(change: float) -> None:
    assert rate(lambda seed: jump(walk(seed), change), "large") == 1


def test_a_crash_by_half_after_which_the_share_is_wild_is_no_split() -> None:
    def crash(seed: int) -> PriceSeries:
        calm, rng = walk(seed, 0.03), np.random.default_rng(seed)
        level = np.log(calm.close)
        level[AT:] += np.log(0.5) + rng.normal(0, 0.03)
        level[AT + 1 :] += np.cumsum(
            rng.normal(0, 0.12, len(level) - AT - 1) * np.exp(-np.arange(len(level) - AT - 1) / 20)
        )
        return replace(calm, close=np.exp(level))

    assert rate(crash, "large") > 0.6
    assert rate(lambda seed: times(walk(seed, 0.03), 0.5), "wrong") > 0.9


def test_the_range_of_the_day_tells_news_from_a_split() -> None:
    calm = jump(walk(3), -0.52)
    ranges = np.full(len(calm), 0.03)
    assert grades(replace(calm, ranges=ranges)) == [(DAY, "wrong")]
    ranges[AT] = 0.15
    assert grades(replace(calm, ranges=ranges)) == [(DAY, "large")]


@pytest.mark.parametrize("sessions", [1, 2, 3])
@pytest.mark.parametrize("by", [1.3, 0.6, 20, 1 / 100])
def test_what_is_taken_back_within_three_sessions_is_wrong(by: float, sessions: int) -> None:
    two = found(times(walk(5), by, AT, AT + sessions))
    back = str(DAYS[AT + sessions])
    assert [(one.day, one.grade.value, one.partner) for one in two] == [(DAY, "wrong", back), (back, "wrong", DAY)]
    assert back in two[0].cause


def test_what_stays_longer_is_not_taken_back() -> None:
    assert {grade for _, grade in grades(times(walk(5), 1.3, AT, AT + 6))} == {"large"}


def test_a_factor_that_steps_while_the_close_does_not_is_wrong() -> None:
    factor = np.ones(len(DAYS))
    factor[AT:] = 1.8
    [one] = found(replace(walk(6), factor=factor))
    assert (one.day, one.grade.value) == (DAY, "wrong")
    assert "the factor steps by 1.8 and the close does not" in one.cause


@pytest.mark.parametrize("step", [9, 1 / 3])
def test_a_factor_that_is_not_that_of_the_split_is_the_cause(step: float) -> None:
    factor = np.ones(len(DAYS))
    factor[AT:] = step
    [one] = found(replace(times(walk(6), 1 / 3), factor=factor))
    assert (one.day, one.grade.value) == (DAY, "wrong")
    assert f"the factor steps by {step:.4g} and the close by 0.33" in one.cause


def test_a_split_that_the_factor_knows_is_nothing() -> None:
    factor = np.ones(len(DAYS))
    factor[AT:] = 4
    assert found(replace(times(walk(6), 1 / 4), factor=factor)) == []


def test_causes_name_the_event() -> None:
    words = {
        2: "2-for-1 split",
        10: "10-for-1 split",
        1.5: "3-for-2 split",
        100: "pence and pounds",
        96: "a factor of 100 down, as of pence and pounds",
        30: "30-for-1 split",
        3e6: "more than any event makes: a mistake",
        1 / 5: "1-for-5 reverse",
    }
    for ratio, text in words.items():
        [one] = found(times(walk(2, 0.008), 1 / ratio))
        assert text in one.cause


def test_a_move_of_the_whole_market_is_no_suspect_but_one_share_of_that_day_is() -> None:
    moves = np.random.default_rng(1).normal(0, 0.008, len(DAYS))
    moves[AT] = -0.6
    shares = panel(12, moves)
    known = market(shares)
    assert [grades(one, known) for one in shares] == [[]] * 12
    still = jump(shares[0], 0.0)
    assert grades(still, known) == []
    assert grades(times(shares[1], 1 / 4), known) == [(DAY, "wrong")]


@pytest.mark.parametrize("by", [0.01, 0.5, 2, 10])
def test_a_unit_that_changes_in_all_shares_at_once_is_no_market(by: float) -> None:
    shares = [times(one, by) for one in panel(12, np.zeros(len(DAYS)))]
    assert [grades(one, market(shares)) for one in shares] == [[(DAY, "wrong")]] * 12


@pytest.mark.parametrize("by", [2.0, 1 / 2, 4.0, 1 / 4, 100.0])
def test_nor_do_many_shares_excuse_it_as_a_day_on_which_all_scatter(by: float) -> None:
    shares = [times(one, by) for one in panel(30, np.random.default_rng(1).normal(0, 0.008, len(DAYS)))]
    wrong = sum((DAY, "wrong") in grades(one, market(shares)) for one in shares)
    assert wrong >= 28


def test_on_a_day_on_which_all_shares_scatter_none_is_large() -> None:
    shares = panel(40, np.zeros(len(DAYS)))
    rng = np.random.default_rng(4)
    crash = [times(one, float(np.exp(rng.normal(-0.1, 0.12)))) for one in shares]
    assert sum(bool(grades(one)) for one in crash) > 5
    assert [one for one in crash if grades(one, market(crash))] == []


def test_a_share_is_measured_by_its_wild_times() -> None:
    calm = np.random.default_rng(8).normal(0, 0.008, len(DAYS))
    calm[AT - 60 : AT + 60] *= 6
    calm[AT] = 0.15
    close = 50 * np.exp(np.cumsum(calm))
    assert found(PriceSeries("AAA", DAYS, close, np.ones(len(DAYS)))) == []


def test_ticks_of_a_penny_share_are_nothing() -> None:
    steps = np.random.default_rng(2).integers(1, 4, len(DAYS))
    assert found(PriceSeries("AAA", DAYS, steps / 100, np.ones(len(DAYS)))) == []


def test_a_share_that_stands_still_and_then_jumps_is_large() -> None:
    close = np.full(len(DAYS), 10.0)
    close[AT:] = 16.3
    assert grades(PriceSeries("AAA", DAYS, close, np.ones(len(DAYS)))) == [(DAY, "large")]


def test_first_sessions_and_suspensions_are_large_at_the_most() -> None:
    assert grades(times(walk(1), 0.5, 2)) == [(str(DAYS[2]), "large")]
    halted = times(walk(1), 0.5)
    kept = np.r_[0 : AT - 60, AT : len(DAYS)]
    [one] = found(PriceSeries("AAA", DAYS[kept], halted.close[kept], halted.factor[kept]))
    assert (one.day, one.grade.value) == (DAY, "large")
    assert "suspension" in one.cause


def test_a_series_that_is_no_price_is_one_suspect() -> None:
    volume = np.exp(np.random.default_rng(3).normal(13, 0.5, len(DAYS)))
    [one] = found(PriceSeries("Volume", DAYS, volume, np.ones(len(DAYS))))
    assert one.grade.value == "wrong"
    assert "hardly a price" in one.cause


def test_bounds_can_be_set() -> None:
    share = jump(walk(9), 0.2)
    assert [one.grade.value for one in found(share)] == ["large"]
    assert find_suspects(share, bounds=Bounds(0.5, 20)) == []
    assert [one.grade.value for one in find_suspects(share, bounds=Bounds(0.1, 20))] == ["large"]


@pytest.mark.parametrize("sessions", [0, 1, 2, 3, 10])
def test_a_share_of_a_few_sessions_is_judged_too(sessions: int) -> None:
    assert found(walk(1, sessions=sessions)) == []
    if sessions > 2:
        assert grades(times(walk(1, sessions=sessions), 100, 2)) == [(str(DAYS[2]), "wrong")]
