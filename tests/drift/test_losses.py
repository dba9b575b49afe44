"""Live losses against the backtest's: the CUSUM by its recursion, and how often it rings."""

from __future__ import annotations

import numpy as np
import pytest

from components.drift.losses import ALLOWANCE, LossReference, cusum, loss_drift, make_loss_reference
from components.records import from_json, to_json

BACKTEST = np.random.default_rng(0).normal(0.69, 0.01, 300)


def overlapping(rng: np.random.Generator, days: int, horizon: int) -> np.ndarray:
    """Days that share what happens in the horizon ahead of them, of deviation 1."""
    total = np.concatenate([[0.0], np.cumsum(rng.standard_normal(days + horizon - 1))])
    return (total[horizon:] - total[:-horizon]) / np.sqrt(horizon)


def test_the_course_is_that_of_its_recursion() -> None:
    values = np.random.default_rng(1).normal(0.1, 1, (3, 200))
    course = cusum(values, 0.2)
    for series, found in zip(values, course, strict=True):
        level = 0.0
        for value, one in zip(series, found, strict=True):
            level = max(0.0, level + value - 0.2)
            assert one == pytest.approx(level, abs=1e-9)


def test_live_losses_are_standardised_by_the_backtest() -> None:
    reference = make_loss_reference(BACKTEST, horizon=1)
    assert (reference.mean, reference.deviation) == pytest.approx((BACKTEST.mean(), BACKTEST.std(ddof=1)))
    steady = loss_drift(reference, [reference.mean + 1.1 * reference.deviation] * 4)
    assert steady.course == pytest.approx([1.1 - ALLOWANCE, 2.0, 3.0, 4.0])
    assert (steady.rings, steady.words) == (False, "")


def test_it_rings_once_the_loss_has_risen_and_says_since_when() -> None:
    reference = make_loss_reference(BACKTEST, horizon=1)
    rng = np.random.default_rng(2)
    live = np.concatenate([rng.normal(0.69, 0.01, 60), rng.normal(0.70, 0.01, 60)])
    found = loss_drift(reference, live)
    assert found.rang is not None
    assert 60 < found.rang < 100
    assert found.course[found.rang] > found.limit >= found.course[found.rang - 1]
    assert found.words == (
        f"log loss: {live.mean():.4f} a day live, {BACKTEST.mean():.4f} in the backtest; "
        f"more than chance since the {found.rang + 1}. of 120 live days"
    )


def test_it_has_rung_even_if_later_days_are_better() -> None:
    reference = make_loss_reference(BACKTEST, horizon=1)
    found = loss_drift(reference, [0.72] * 50 + [0.66] * 100)
    assert found.course[-1] == 0
    assert found.rings


def test_a_rank_ic_rings_when_it_falls() -> None:
    rng = np.random.default_rng(3)
    reference = make_loss_reference(rng.normal(0.02, 0.05, 400), horizon=1, measure="rank IC", higher_is_worse=False)
    live = rng.normal(0.02, 0.05, 120)
    assert loss_drift(reference, live - 0.05).rings
    assert not loss_drift(reference, live + 0.05).rings


def test_days_without_an_outcome_change_nothing() -> None:
    reference = make_loss_reference([*BACKTEST, np.nan], horizon=1)
    assert reference == make_loss_reference(BACKTEST, horizon=1)
    found = loss_drift(reference, [0.71, np.nan, 0.71])
    assert found.course == pytest.approx((found.course[0], found.course[0], 2 * found.course[0]))
    assert found.mean == pytest.approx(0.71)
    empty = loss_drift(reference, [])
    assert (empty.course, empty.rings, empty.mean) == ((), False, 0.0)


@pytest.mark.parametrize("horizon", [1, 20])
def test_it_seldom_rings_for_nothing(horizon: int) -> None:
    rng, rung, times = np.random.default_rng(4), 0, 30
    for _ in range(times):
        days = overlapping(rng, 500 + horizon + 250, horizon)
        reference = make_loss_reference(days[:500], horizon=horizon)
        rung += loss_drift(reference, days[-250:]).rings
    assert rung / times <= 0.15  # 5 % are stated; two and a half standard errors of 30 repeats are 10 %


def test_days_that_overlap_need_a_higher_limit() -> None:
    rng = np.random.default_rng(5)
    limits = [make_loss_reference(overlapping(rng, 600, h), horizon=h).limit for h in (1, 5, 20)]
    assert limits == sorted(limits)
    assert limits[-1] > 2 * limits[0]


def test_fewer_false_alarms_need_a_higher_limit() -> None:
    limits = [make_loss_reference(BACKTEST, horizon=1, false_alarms=alarms).limit for alarms in (0.2, 0.05, 0.01)]
    assert limits == sorted(limits)


def test_a_reference_of_losses_is_read_back_as_it_was_written() -> None:
    reference = make_loss_reference(BACKTEST, horizon=1)
    assert from_json(LossReference, to_json(reference)) == reference


@pytest.mark.parametrize(
    ("daily", "horizon", "words"),
    [
        (BACKTEST[:59], 1, "need 60"),
        (BACKTEST[:119], 20, "need 120"),
        (np.ones(100), 1, "same loss"),
        ([*BACKTEST, np.inf], 1, "infinite"),
        (BACKTEST, 0, "horizon >= 1"),
    ],
)
def test_a_backtest_that_says_too_little_is_refused(daily: np.ndarray, horizon: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        make_loss_reference(daily, horizon=horizon)


def test_an_infinite_live_loss_is_refused() -> None:
    with pytest.raises(ValueError, match="infinite"):
        loss_drift(make_loss_reference(BACKTEST, horizon=1), [0.7, np.inf])
