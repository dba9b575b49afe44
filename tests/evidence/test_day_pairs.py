"""AUCs of resampled days: those of scikit-learn with a row's day as its weight, however many rows a day has."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from components.evidence.day_pairs import resampled_aucs, resampled_pairs
from components.evidence.pairs import Pairs
from components.evidence.resampling import DayBlocks


@pytest.mark.parametrize(("days", "rows"), [(12, 60), (80, 3)], ids=["many rows a day", "few rows a day"])
@pytest.mark.parametrize("decimals", [12, 1, 0], ids=["no ties", "ties", "two values"])
def test_the_auc_of_each_resample_is_that_of_scikit_learn(days: int, rows: int, decimals: int) -> None:
    rng = np.random.default_rng(days + decimals)
    day = rng.permutation(np.repeat(np.arange(days), rows))
    positive = rng.random(len(day)) < 0.4
    score = np.round(rng.random(len(day)) * 0.8 + 0.1 * positive, decimals)
    blocks = DayBlocks(day, resamples=25, seed=3)

    drawn = resampled_aucs(Pairs(positive, score), blocks)

    expected = [roc_auc_score(positive, score, sample_weight=weight[day]) for weight in blocks.weights]
    np.testing.assert_allclose(drawn, expected, atol=1e-12)


def test_both_ways_to_count_give_the_same_digits() -> None:
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(40), 5)
    positive, score = rng.random(200) < 0.5, np.round(rng.random(200), 2)
    # A day more that no row stands on, and the rows are too few for the days.
    few = DayBlocks(np.concatenate([day, [40]]), block=2, resamples=50, seed=1)
    won, pairs = resampled_pairs(Pairs(positive, score), day, few)
    # The same rows eight times over: enough for the days, and each pair counts 64 times.
    positive, score, day = (np.repeat(values, 8) for values in (positive, score, day))
    won_again, pairs_again = resampled_pairs(Pairs(positive, score), day, few)
    np.testing.assert_array_equal(won * 64, won_again)
    np.testing.assert_array_equal(pairs * 64, pairs_again)


def test_a_resample_without_one_of_the_classes_has_no_auc() -> None:
    day = np.repeat(np.arange(8), 30)
    positive = day == 0
    blocks = DayBlocks(day, block=1, resamples=200, seed=0)

    drawn = resampled_aucs(Pairs(positive, np.arange(len(day))), blocks)

    np.testing.assert_array_equal(np.isnan(drawn), blocks.weights[:, 0] == 0)
    assert np.any(np.isnan(drawn))
    assert np.all(drawn[~np.isnan(drawn)] == 0)


def test_too_few_days_have_no_resamples_with_an_auc() -> None:
    blocks = DayBlocks(np.zeros(10), resamples=5)
    assert np.all(np.isnan(resampled_aucs(Pairs(np.arange(10) > 4, np.arange(10)), blocks)))


@pytest.mark.parametrize("decimals", [12, 2], ids=["no ties", "ties"])
def test_hundreds_of_thousands_of_rows_are_counted_to_the_pair(decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    day = rng.permutation(np.repeat(np.arange(30), 5000))
    # Rises are few and score high: the lowest half of the falls has no rise among them.
    positive = rng.random(len(day)) < 0.05
    score = np.round(np.where(positive, 0.5, 0) + np.where(positive, 0.5, 1) * rng.random(len(day)), decimals)
    blocks = DayBlocks(day, resamples=4, seed=3)
    won, pairs = resampled_pairs(Pairs(positive, score), day, blocks)
    expected = [roc_auc_score(positive, score, sample_weight=weight[day]) for weight in blocks.weights]
    np.testing.assert_allclose(won / pairs, expected, rtol=0, atol=1e-12)
