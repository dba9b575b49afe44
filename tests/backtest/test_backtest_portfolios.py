"""Who is held: how many, ties, days with few shares."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy
from made_predictions import predictions, random_predictions

from components.backtest import BacktestError, backtest, equal_weight, long_short, top_quantile

NAN = float("nan")


@pytest.mark.parametrize(
    ("shares", "quantile", "held"),
    [(2, 0.2, 1), (3, 0.5, 1), (4, 0.5, 2), (5, 0.2, 1), (7, 0.2, 1), (8, 0.2, 2), (10, 0.25, 3), (100, 0.2, 20)],
)
def test_the_nearest_number_of_shares_is_held_and_at_least_one_a_side(shares: int, quantile: float, held: int) -> None:
    scores = np.random.default_rng(0).permutation(shares)[None, :].astype(float)
    weights = top_quantile(scores, quantile)[0]
    assert (weights > 0).sum() == held
    np.testing.assert_allclose(weights[np.argsort(scores[0])[-held:]], 1 / held)
    both = long_short(scores, quantile)[0]
    assert both.sum() == pytest.approx(0)
    assert np.abs(both).sum() == pytest.approx(2)


def test_weights_are_those_of_every_order_in_which_ties_could_stand() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        scores = rng.integers(0, 3, 6).astype(float)
        expected = np.zeros(6)
        orders = [order for order in itertools.permutations(range(6)) if sorted_down(scores[list(order)])]
        for order in orders:
            expected[list(order[:2])] += 0.5 / len(orders)
        np.testing.assert_allclose(top_quantile(scores[None, :], 0.3)[0], expected)


@given(
    scores=st_numpy.arrays(
        float, st_numpy.array_shapes(min_dims=2, max_dims=2), elements=st.sampled_from([NAN, 0.0, -0.0, 0.25, 0.5, 1.0])
    ),
    quantile=st.floats(0.01, 0.5),
)
def test_weights_are_those_of_the_ranks_of_pandas(scores: np.ndarray, quantile: float) -> None:
    ranks = [pd.DataFrame(scores).rank(axis=1, method=method, ascending=False) for method in ("min", "max")]
    first, last = (table.to_numpy() for table in ranks)
    count = (~np.isnan(scores)).sum(axis=1)
    places = np.clip(np.floor(quantile * count + 0.5), 1, np.maximum(count // 2, 1))[:, None]
    within = np.clip(places - first + 1, 0, last - first + 1)
    np.testing.assert_array_equal(top_quantile(scores, quantile), np.nan_to_num(within / (last - first + 1) / places))


def sorted_down(values: np.ndarray) -> bool:
    return bool(np.all(np.diff(values) <= 0))


def test_weights_follow_the_shares_into_any_order() -> None:
    rng = np.random.default_rng(2)
    scores = rng.integers(0, 4, (30, 9)).astype(float)
    scores[rng.random((30, 9)) < 0.2] = NAN
    order = rng.permutation(9)
    np.testing.assert_array_equal(long_short(scores[:, order], 0.3), long_short(scores, 0.3)[:, order])


def test_scores_that_all_tie_hold_everything_or_nothing() -> None:
    np.testing.assert_allclose(top_quantile(np.full((2, 5), 0.5), 0.2), 0.2)
    np.testing.assert_allclose(long_short(np.full((2, 5), 0.5), 0.2), 0)


def test_a_share_without_a_score_is_not_held() -> None:
    scores = np.array([[0.9, NAN, 0.1, NAN], [NAN, NAN, 0.3, NAN], [NAN, NAN, NAN, NAN]])
    np.testing.assert_allclose(top_quantile(scores, 0.2), [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(long_short(scores, 0.2), [[1, 0, -1, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    np.testing.assert_allclose(equal_weight(~np.isnan(scores)), [[0.5, 0, 0.5, 0], [0, 0, 1, 0], [0, 0, 0, 0]])


@pytest.mark.parametrize("quantile", [0.0, -0.2, 0.51, 1.0, NAN])
def test_a_quantile_that_is_none_is_refused(quantile: float) -> None:
    with pytest.raises(BacktestError, match=r"quantile .* is not above 0 and up to 0\.5"):
        backtest(random_predictions(), ["coin"], quantile=quantile)


def test_constant_scores_turn_nothing_over_after_the_first_day() -> None:
    constant = [0.9, 0.7, 0.5, 0.4, 0.2, 0.1]
    still = backtest(predictions(np.zeros((50, 6)), model=constant), ["model"]).models["model"]
    # Half of what the first day buys: 2 long and short, 1 long only.
    assert still.long_short.turnover == pytest.approx(1 / 50)
    assert still.long_only.turnover == pytest.approx(0.5 / 50)
    moving = backtest(random_predictions(50, model=constant), ["model"]).models["model"]
    assert moving.long_short.target_turnover == pytest.approx(1 / 50)
    assert moving.long_only.target_turnover == pytest.approx(0.5 / 50)
    assert moving.long_short.turnover > moving.long_short.target_turnover, "what drifts is traded back, and paid for"


def test_a_single_share_that_is_held_alone_does_not_drift() -> None:
    moving = backtest(random_predictions(50, model=[0.9, 0.7, 0.5, 0.4, 0.2, 0.1]), ["model"], quantile=0.1)
    assert moving.models["model"].long_only.turnover == pytest.approx(0.5 / 50)
