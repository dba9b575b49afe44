"""Whether factors step on the days of their prices: evidence of many events, and none where factors are right."""

from __future__ import annotations

import math

import numpy as np
import pytest

from components.feature_store.series import PriceSeries
from components.leak_audit.reading.event_days import Event, evidence, find_events

LEAKING = math.log(1e6)


def shares(seed: int, dividend: float, every: int, shift: int = 0, count: int = 12, fat: bool = False) -> list[Event]:
    """The events of shares of 700 sessions whose factors step `shift` sessions before their prices fall."""
    random = np.random.default_rng(seed)
    time = np.busday_offset("2010-01-04", np.arange(700))
    market = random.normal(0, 0.01, 700)
    events = []
    for share in range(count):
        own = 0.009 * random.standard_t(3, 700) if fat else random.normal(0, 0.015, 700)
        step = np.zeros(700)
        step[random.integers(5, every) :: every] = dividend
        close = 100 * np.exp(np.cumsum(np.clip(market + own, -0.4, 0.4) - step))
        factor = np.exp(np.cumsum(np.roll(step, -shift)))
        events += find_events(PriceSeries(f"S{share}", time, close, factor))
    return events


@pytest.mark.parametrize(("dividend", "every"), [(0.01, 63), (0.02, 63), (math.log(2), 300)])
@pytest.mark.parametrize("seed", range(3))
def test_factors_a_session_early_or_late_are_told_from_right_ones(dividend: float, every: int, seed: int) -> None:
    right, early, late = (shares(seed, dividend, every, shift) for shift in (0, 1, -1))

    assert max(evidence(right, early=True).log, evidence(right, early=False).log) < math.log(1e3)
    assert evidence(early, early=True).log > LEAKING
    assert evidence(late, early=False).log > LEAKING
    assert evidence(early, early=True).log > evidence(early, early=False).log


@pytest.mark.parametrize("fat", [False, True])
@pytest.mark.parametrize("dividend", [0.002, 0.01])
def test_right_factors_are_hardly_ever_suspected(dividend: float, fat: bool) -> None:
    found = [shares(seed, dividend, 40, fat=fat) for seed in range(40)]

    assert all(evidence(events, early=early).log < math.log(1e4) for events in found for early in (True, False))


def test_one_share_among_many_is_found_by_itself() -> None:
    wrong = [event for event in shares(1, 0.04, 63, 1) if event.share == "S0"]
    right = [event for event in shares(2, 0.01, 63, 0) if event.share != "S0"]

    found = evidence([*wrong, *right], early=True)
    assert found.log > LEAKING
    assert found.worst is not None
    assert found.worst.share == "S0"


def test_a_split_a_session_early_is_one_event_that_suffices() -> None:
    time = np.busday_offset("2010-01-04", np.arange(100))
    close = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.01, 100)))
    close[60:] /= 2

    def judged(rises: int) -> list[Event]:
        return find_events(PriceSeries("S", time, close, np.where(np.arange(100) >= rises, 2.0, 1.0)))

    [event] = judged(59)
    assert (str(event.before), str(event.day)) == (str(time[58]), str(time[59]))
    assert event.early > math.log(1e4) > 0 > judged(60)[0].early
    assert judged(61)[0].late > math.log(1e4)


def test_neither_rounding_nor_days_beyond_the_last_one_are_events() -> None:
    time = np.busday_offset("2010-01-04", np.arange(100))
    factor = np.where(np.arange(100) >= 60, 1.01, 1.0) * (1 + 1e-6 * np.arange(100))
    series = PriceSeries("S", time, np.full(100, 50.0), factor)

    assert [str(event.day) for event in find_events(series)] == [str(time[60])]
    assert find_events(series, last=str(time[60])) == []
    assert evidence([], early=True).log == 0
