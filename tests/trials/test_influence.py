"""What each test day adds to an AUC: all of it together is the AUC, and its spread is the bootstrap's."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from components.evidence.auc import auc_interval
from components.trials.influence import day_influence


@pytest.mark.parametrize("decimals", [1, 12])  # with many ties, and with none
def test_days_add_up_to_the_auc(decimals: int) -> None:
    rng = np.random.default_rng(3)
    labels, days = rng.integers(0, 2, 4000), rng.integers(20200101, 20200131, 4000)
    scores = np.round(rng.normal(labels * 0.3, 1.0), decimals)
    influence = day_influence(labels, scores, days)
    assert influence.shape == (30,)
    assert influence.sum() == pytest.approx(roc_auc_score(labels, scores) - 0.5, abs=1e-12)


def test_a_day_on_which_the_scores_were_wrong_takes_away() -> None:
    labels, days = np.tile([0, 1], 50), np.repeat(np.arange(10), 10)
    scores = np.where(days == 4, 1 - labels, labels).astype(float)
    influence = day_influence(labels, scores, days)
    assert np.argmin(influence) == 4
    assert influence[4] < 0 < np.delete(influence, 4).min()


@pytest.mark.parametrize("horizon", [1, 5])
def test_blocks_of_days_spread_as_much_as_the_bootstrap_says(horizon: int) -> None:
    rng = np.random.default_rng(11)
    days, shares = 600, 12
    # What a day has in common lasts for the horizon, as labels that overlap make it.
    common = np.convolve(rng.normal(size=days + horizon - 1), np.ones(horizon) / np.sqrt(horizon), "valid")
    labels = (0.7 * common[:, None] + rng.normal(size=(days, shares)) > 0).astype(int).ravel()
    scores = (0.5 * np.repeat(rng.normal(size=-(-days // 5)), 5)[:days, None] + rng.normal(size=(days, shares))).ravel()
    day = np.repeat(np.arange(days), shares)
    block = 10
    centred = day_influence(labels, scores, day)
    centred -= centred.mean()
    # Every block of consecutive days on a circle, as the bootstrap draws them.
    sums = np.array([np.roll(centred, -start)[:block].sum() for start in range(days)])
    error = 2 * np.sqrt(np.mean(sums**2) * days / block)
    drawn = auc_interval(labels, scores, day, block=block, resamples=4000)
    assert error / np.sqrt(1 - block / days) == pytest.approx(drawn.standard_error, rel=0.04)


def test_one_class_alone_has_no_influence() -> None:
    assert np.isnan(day_influence(np.ones(4), np.arange(4.0), np.array([1, 1, 2, 2]))).all()


@pytest.mark.parametrize(
    ("labels", "scores", "days", "told"),
    [
        ([0, 1], [0.1], [1, 2], "one label, score and day a row"),
        ([0, 2], [0.1, 0.2], [1, 2], "labels must be 0 or 1"),
        ([0, 1], [0.1, np.nan], [1, 2], "scores numbers"),
    ],
)
def test_what_are_no_rows_is_refused(labels: list[int], scores: list[float], days: list[int], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        day_influence(np.array(labels), np.array(scores), np.array(days))
