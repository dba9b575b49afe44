"""Distances of stretches from training, against closed forms and loops."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
from scipy.stats import gumbel_r, norm, wasserstein_distance

from components.drift.distances import (
    BLOCK,
    CAUTION,
    FALSE_ALARMS,
    FOLDS,
    YEAR,
    distances,
    largest_by_group,
    make_yardstick,
    mean_profile,
    scores,
    stretch_means,
    training_distances,
    year_limit,
)
from components.drift.sessions import LEVELS

NORMAL = norm.ppf(LEVELS)[None]
ONE = np.ones(1)


def test_a_shift_is_as_far_as_it_is_large() -> None:
    assert distances(NORMAL + 0.7, NORMAL, ONE) == pytest.approx([0.7])
    assert distances(NORMAL + 0.7, NORMAL, ONE * 2) == pytest.approx([0.35])


def test_another_scale_is_as_far_as_its_quantiles_are() -> None:
    assert distances(2 * NORMAL, NORMAL, ONE) == pytest.approx([np.abs(NORMAL).mean()])


def test_with_many_levels_it_is_wassersteins_distance() -> None:
    rng = np.random.default_rng(0)
    one, other = rng.normal(size=4000), rng.standard_t(3, size=4000) + 0.2
    levels = (np.arange(4000) + 0.5) / 4000
    quantiles = (np.quantile(each, levels, method="hazen")[None] for each in (one, other))
    assert distances(*quantiles, ONE) == pytest.approx([wasserstein_distance(one, other)], rel=1e-6)


def test_means_of_stretches_leave_out_what_is_not_known() -> None:
    rng = np.random.default_rng(1)
    profiles = rng.normal(size=(12, 3, 2))
    profiles[4:8, 1] = np.nan
    found = stretch_means(profiles, 3)
    for at in range(10):
        part = profiles[at : at + 3]
        for column in range(3):
            known = part[~np.isnan(part[:, column, 0]), column]
            expected = known.mean(axis=0) if len(known) else np.full(2, np.nan)
            np.testing.assert_allclose(found[at, column], expected, atol=1e-12)


def test_training_is_compared_with_its_other_folds() -> None:
    rng = np.random.default_rng(2)
    profiles, spread, length = rng.normal(size=(53, 2, 7)), np.array([1.0, 3.0]), 5
    fold = np.arange(53) * FOLDS // 53
    found = training_distances(profiles, length, partial(distances, spread=spread))
    for at in range(53 - length + 1):
        others = profiles[fold != fold[at + length - 1]].mean(axis=0)
        expected = np.abs(profiles[at : at + length].mean(axis=0) - others).mean(axis=1) / spread
        np.testing.assert_allclose(found[at], expected)
    np.testing.assert_allclose(mean_profile(profiles), profiles.mean(axis=0))


def test_a_feature_is_as_far_as_the_farthest_of_its_steps() -> None:
    values = np.array([[1.0, 4.0, np.nan, np.nan], [3.0, np.nan, 2.0, np.nan]])
    np.testing.assert_array_equal(
        largest_by_group(values, np.array([0, 0, 1, 2])), [[4, np.nan, np.nan], [3, 2, np.nan]]
    )


def test_no_stretch_of_training_is_beyond_the_limits() -> None:
    found = np.exp(np.random.default_rng(3).normal(size=(400, 3)) * [0.2, 1.0, 0.5])
    found[:19, 2] = np.nan
    found = np.column_stack([found, np.full(400, np.nan)])
    limits = make_yardstick(found).limits
    assert np.nanmax(found / limits) <= 1
    assert np.isnan(limits).tolist() == [False, False, False, True]
    found[7, 1] = 1e9
    assert make_yardstick(found).limits[1] == pytest.approx(1e9)


def test_a_long_training_has_the_limit_of_gumbels_law() -> None:
    largest = gumbel_r(3, 2).rvs(100_000, random_state=0)
    expected = gumbel_r(3 + 2 * np.log(YEAR), 2).isf(CAUTION * FALSE_ALARMS)  # of the largest of so many
    assert year_limit(largest) == pytest.approx(expected, rel=0.03)


def test_a_short_training_has_a_higher_one() -> None:
    largest = gumbel_r.rvs(size=(100, 10 * BLOCK), random_state=1)
    assert np.mean([year_limit(one) for one in largest]) > 1.1 * gumbel_r(np.log(YEAR)).isf(CAUTION * FALSE_ALARMS)


def test_too_few_sessions_for_a_limit_are_refused() -> None:
    with pytest.raises(ValueError, match="need 50 sessions"):
        year_limit(np.ones(49))


def test_units_of_a_feature_do_not_change_what_rings() -> None:
    found = np.exp(np.random.default_rng(4).normal(size=(300, 2)))
    np.testing.assert_allclose(make_yardstick(found * [1, 1000]).limits, make_yardstick(found).limits * [1, 1000])


@pytest.mark.parametrize("training", [250, 1000])
def test_a_year_without_drift_seldom_rings(training: int) -> None:
    rng, times, rung = np.random.default_rng(5), 400, 0
    for _ in range(times):
        found = np.exp(rng.normal(size=(training + YEAR, 4)))
        yardstick = make_yardstick(found[:training])
        rung += bool((scores(found[training:], yardstick.typical, yardstick.scale) > yardstick.limit).any())
    assert rung / times < FALSE_ALARMS + 3 * np.sqrt(FALSE_ALARMS * (1 - FALSE_ALARMS) / times)
