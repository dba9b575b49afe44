"""Factors from rounded adjusted closes, and joined to stored ones, against hand-made cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from databases import days

from components.price_files.factors import factors_from_adjusted, given_factors, join_factors

NEW = (days(0), np.empty(0))


def changes(factor: np.ndarray) -> list[int]:
    return (np.flatnonzero(factor[1:] != factor[:-1]) + 1).tolist()


def test_cents_by_hand() -> None:
    # A dividend of 0.50 on the fourth day; before it the true ratio is (20.10 - 0.50) / 20.10 = 0.975124...
    close = np.array([20.00, 20.00, 20.10, 19.60, 19.60, 19.70])
    adjusted = np.array([19.50, 19.50, 19.60, 19.60, 19.60, 19.70])  # 19.5025, 19.5025, 19.6 rounded to cents
    assert len(set(adjusted / close)) == 3  # taken as they are, the ratios jitter though nothing happened
    factor = join_factors(factors_from_adjusted(close, adjusted), days(6), *NEW)
    assert changes(factor) == [3]
    assert factor[0] == 1
    assert factor[3] == pytest.approx(20.10 / 19.60, rel=2e-4)
    total = close * factor
    assert total[0] == total[1]
    assert total[3] == total[4]
    # The return across the ex-day is that of a holder who gets the dividend: (19.60 + 0.50) / 20.10 = 1.
    assert total[3] / total[2] == pytest.approx(1.0, abs=3e-4)


def history(seed: int = 0) -> tuple[np.ndarray, np.ndarray, dict[int, float]]:
    """Raw closes, their true ratios to the last day, and the events: a split 2:1 and three dividends."""
    random = np.random.default_rng(seed)
    events = {150: 1.004, 400: 2.0, 610: 1.006, 800: 1.01}
    raw_return = np.exp(0.01 * random.standard_normal(1000))
    raw_return[random.random(1000) < 0.1] = 1.0
    factor = np.cumprod([events.get(day, 1.0) for day in range(1000)])
    close = np.round(60 * np.cumprod(raw_return) / np.where(np.arange(1000) >= 400, 2.0, 1.0), 2)
    return close, factor / factor[-1], events


@pytest.mark.parametrize("decimals", [2, 3, 4, 6, 12])
def test_events_are_found_on_their_day_and_nothing_else_is(decimals: int) -> None:
    close, ratio, events = history()
    adjusted = np.round(close * ratio, decimals)
    factor = join_factors(factors_from_adjusted(close, adjusted), days(1000), *NEW)
    assert changes(factor) == list(events)
    np.testing.assert_allclose(factor, ratio / ratio[0], rtol=2e-4 if decimals == 2 else 2e-5)
    unchanged = np.flatnonzero(close[1:] == close[:-1]) + 1
    quiet = [day for day in unchanged if day not in events]
    assert len(quiet) > 50
    assert (close * factor)[quiet].tolist() == (close * factor)[[day - 1 for day in quiet]].tolist()


def test_every_adjusted_close_still_rounds_to_the_one_given() -> None:
    close, ratio, _ = history(1)
    adjusted = np.round(close * ratio, 2)
    estimate = factors_from_adjusted(close, adjusted)
    assert np.abs(close * estimate.value - adjusted).max() <= 0.005 * (1 + 1e-5)


def test_adjusted_closes_that_are_whole_numbers_are_not_taken_for_rounded_to_units() -> None:
    close = np.array([100.0, 100.0, 99.0, 99.0])
    adjusted = np.array([99.0, 99.0, 99.0, 99.0])  # a dividend of 1 %
    assert changes(factors_from_adjusted(close, adjusted).value) == [2]


def test_small_adjusted_closes_with_all_their_digits_are_exact() -> None:
    close = np.array([5.0, 5.1, 5.2, 5.2])
    adjusted = close * np.array([0.999, 0.999, 1.0, 1.0]) * 1e-7
    assert changes(factors_from_adjusted(close, adjusted).value) == [2]


def test_given_factors_are_divided_by_the_first_days() -> None:
    factor = join_factors(given_factors(np.array([0.5, 0.5, 0.25])), days(3), *NEW)
    assert factor.tolist() == [1.0, 1.0, 0.5]


def test_a_longer_file_keeps_every_stored_factor() -> None:
    close, ratio, events = history(2)
    adjusted = np.round(close * ratio, 2)
    first = join_factors(factors_from_adjusted(close[:700], adjusted[:700]), days(1000)[:700], *NEW)
    whole = join_factors(factors_from_adjusted(close, adjusted), days(1000), days(1000)[:700], first)
    assert whole[:700].tolist() == first.tolist()
    assert changes(whole) == list(events)
    np.testing.assert_allclose(whole, ratio / ratio[0], rtol=4e-4)


def test_a_dividend_after_the_stored_days_rewrites_nothing_though_the_file_is_anchored_anew() -> None:
    close, ratio, _ = history(3)
    stored = join_factors(
        factors_from_adjusted(close[:790], np.round(close[:790] * ratio[:790] / ratio[789], 2)), days(1000)[:790], *NEW
    )
    later = join_factors(factors_from_adjusted(close, np.round(close * ratio, 2)), days(1000), days(790), stored)
    assert later[:790].tolist() == stored.tolist()
    assert later[800] / later[799] == pytest.approx(1.01, rel=4e-4)


def test_a_file_of_the_last_days_is_joined_at_the_overlap() -> None:
    close, ratio, _ = history(4)
    adjusted = np.round(close * ratio, 4)
    stored = join_factors(factors_from_adjusted(close[:700], adjusted[:700]), days(1000)[:700], *NEW)
    tail = join_factors(factors_from_adjusted(close[690:], adjusted[690:]), days(1000)[690:], days(1000)[:700], stored)
    assert tail[:10].tolist() == stored[690:].tolist()
    assert changes(tail) == [110]
    np.testing.assert_allclose(tail, (ratio / ratio[0])[690:], rtol=2e-5)


def test_a_changed_past_is_taken_over_from_the_overlap_on() -> None:
    stored = np.array([1.0, 1.0, 1.0, 1.0])
    joined = join_factors(given_factors(np.array([3.0, 6.0, 6.0])), days(3, "2020-01-02"), days(4), stored)
    assert joined.tolist() == [1.0, 2.0, 2.0]
    whole = join_factors(given_factors(np.array([3.0, 3.0, 6.0, 6.0])), days(4), days(4), stored)
    assert whole.tolist() == [1.0, 1.0, 2.0, 2.0]


def test_a_file_that_starts_earlier_scales_the_share_anew_only_if_it_covers_it() -> None:
    stored_time, stored = days(3, "2020-01-03"), np.array([1.0, 1.0, 2.0])
    covering = join_factors(given_factors(np.array([1.0, 4.0, 4.0, 4.0, 8.0])), days(5), stored_time, stored)
    assert covering.tolist() == [1.0, 4.0, 4.0, 4.0, 8.0]
    assert join_factors(given_factors(np.array([1.0, 4.0, 4.0])), days(3), stored_time, stored) is None
    # Without an event before the stored days nothing has to be scaled.
    assert join_factors(given_factors(np.array([4.0, 4.0, 4.0])), days(3), stored_time, stored).tolist() == [1.0] * 3


def test_without_a_session_in_common_only_unadjusted_prices_are_joined() -> None:
    later = days(2, "2020-02-01")
    assert join_factors(given_factors(np.ones(2)), later, days(3), np.ones(3)).tolist() == [1.0, 1.0]
    assert join_factors(given_factors(np.full(2, 1.1)), later, days(3), np.ones(3)) is None
    assert join_factors(given_factors(np.ones(2)), later, days(3), np.array([1.0, 1.0, 1.1])) is None
