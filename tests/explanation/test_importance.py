"""Permutation importance against closed forms, scikit-learn's, and resamples of the rows themselves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from known_models import STEPS, judged, linear_fit, parted, seen_of, table
from scipy.stats import norm
from sklearn.inspection import permutation_importance
from sklearn.metrics import roc_auc_score

from components.evidence.day_pairs import resampled_aucs
from components.evidence.pairs import Pairs
from components.explanation.importance import evaluations, explain
from components.explanation.results import ModelExplanation, Part
from models.features import CLOSES
from models.formatters.window_returns import FORMATTER
from models.operations import VOLATILITY_SCALED_RETURNS, Feature, Kind

THREE = (Feature("returns", CLOSES, VOLATILITY_SCALED_RETURNS, Kind.SEQUENCE, 3),)


def lost(found: ModelExplanation, lag: int) -> float:
    return next(one.lost.value for one in found.parts if one.part == Part("returns", lag))


def gaussian_auc(rho: float) -> float:
    """Of a score and a return that are jointly Gaussian with that correlation."""
    return 0.5 + 2 / math.pi * math.asin(rho / math.sqrt(2))


def test_a_linear_models_importances_are_those_of_the_closed_form() -> None:
    rng = np.random.default_rng(1)
    truth, weights = np.array([0.0, 0.2, 0.4]), np.array([0.5, -0.5, 1.0])  # the oldest step first
    values = rng.standard_normal((60_000, 3))
    positive = values @ truth + rng.standard_normal(60_000) > 0
    rows = judged(positive, np.repeat(np.arange(600), 100))
    found = explain(lambda seen: seen["returns"] @ weights, THREE, {"returns": values}, rows, repeats=3)

    def area(left: tuple[int, ...]) -> float:
        known = sum(weights[step] * truth[step] for step in left)
        return gaussian_auc(known / (np.linalg.norm(weights) * math.sqrt(1 + truth @ truth)))

    whole = area((0, 1, 2))
    assert found.auc == pytest.approx(whole, abs=0.006)
    expected = {1: whole - area((0, 1)), 2: whole - area((0, 2)), 3: whole - area((1, 2))}
    for one in found.parts:
        assert one.part.lag is not None
        assert one.lost.low < expected[one.part.lag] < one.lost.high
        assert one.lost.value == pytest.approx(expected[one.part.lag], abs=4 * one.lost.standard_error)
    assert expected[2] < 0 < expected[1]
    assert [one.part.lag for one in found.helpful] == [1]
    assert [one.part.lag for one in found.harmful] == [2]
    [feature] = found.features
    assert feature.lost.low < whole - 0.5 < feature.lost.high


def test_what_two_parts_lose_adds_up_where_neither_needs_the_other() -> None:
    rng = np.random.default_rng(2)
    values = rng.standard_normal((40_000, 3))
    positive = values @ [0.3, 0.3, 0.0] + rng.standard_normal(40_000) > 0
    rows = judged(positive, np.repeat(np.arange(400), 100))
    found = explain(lambda seen: seen["returns"] @ [1.0, 1.0, 0.0], THREE, {"returns": values}, rows)
    [pair] = [one for one in found.pairs if {part.lag for part in one.parts} == {2, 3}]
    assert pair.lost.value == pytest.approx(lost(found, 2) + lost(found, 3) - pair.shared.value)
    assert pair.lost.value > 0.1
    assert abs(pair.shared.value) < 0.02 * pair.lost.value + 4 * pair.shared.standard_error
    shares = {one.part.lag: one.attributed for one in found.parts}
    assert shares == {1: 0, 2: pytest.approx(0.5, abs=0.02), 3: pytest.approx(0.5, abs=0.02)}


def test_of_a_product_each_part_is_worth_all_and_the_pair_no_more() -> None:
    rng = np.random.default_rng(3)
    values = rng.standard_normal((20_000, 3))
    product = np.sign(values[:, 2] * values[:, 1])
    positive = 0.3 * product + rng.standard_normal(20_000) > 0
    rows = judged(positive, np.repeat(np.arange(200), 100))

    def predict(seen: Any) -> Any:
        return np.sign(seen["returns"][:, 2] * seen["returns"][:, 1]) + 1e-3 * seen["returns"][:, 0]

    found = explain(predict, THREE, {"returns": values}, rows)
    # Two leans of which the score tells which: AUC - 1/2 is half of how much oftener the one rises.
    whole = (norm.cdf(0.3) - norm.cdf(-0.3)) / 2
    for lag in (1, 2):
        assert lost(found, lag) == pytest.approx(whole, abs=0.015)
    first = found.pairs[0]
    assert {part.lag for part in first.parts} == {1, 2}
    assert first.shared.low > 0
    assert first.shared.value == pytest.approx(first.lost.value, rel=0.1)
    assert all(one.shared.low <= 0 <= one.shared.high for one in found.pairs[1:])


def test_importances_are_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(4)
    seen = {
        "returns": rng.standard_normal((5000, STEPS)),
        "log_volatility": rng.standard_normal((5000, 1)),
        "share": rng.integers(0, 10, (5000, 1)),
    }

    class Known:
        """As scikit-learn asks for an estimator."""

        def fit(self, *_: Any) -> Known:
            return self

        def decision_function(self, values: Any) -> Any:
            return values[:, 19] - 0.5 * values[:, 5] * values[:, 20] + (values[:, 21] > 6)

    known = Known()
    positive = 0.4 * known.decision_function(table(seen)) + rng.standard_normal(5000) > 0
    found = explain(
        lambda some: known.decision_function(table(some)),
        FORMATTER.features,
        seen,
        judged(positive, np.repeat(np.arange(100), 50)),
        repeats=20,
    )
    expected = permutation_importance(
        known,
        table(seen),
        positive,
        scoring=lambda model, values, labels: roc_auc_score(labels, model.decision_function(values)),
        n_repeats=20,
        random_state=0,
    )
    mine = {str(one.part): one.lost.value for one in found.parts}
    names = [*(f"returns, lag {STEPS - step}" for step in range(STEPS)), "log_volatility", "share"]
    for at, name in enumerate(names):
        # Of twenty permutations each.
        assert mine[name] == pytest.approx(expected.importances_mean[at], abs=expected.importances_std[at] + 1e-12)
    assert mine["returns, lag 1"] > 0.05
    assert min(mine["returns, lag 15"], mine["log_volatility"], mine["share"]) > 0.01


def test_intervals_are_those_of_resampled_rows() -> None:
    seen, positive, days = seen_of("reversal_easy", 10, 220, 0)
    rows = judged(positive, days)
    predict = linear_fit(seen, positive)
    found = explain(predict, FORMATTER.features, seen, rows, repeats=1, seed=7)
    order = np.random.default_rng([7, 0]).permutation(len(positive))
    whole = resampled_aucs(Pairs(rows.positive, predict(seen)), rows.blocks)
    for lag in (1, 2, 9):
        permuted = seen["returns"].copy()
        permuted[:, STEPS - lag] = permuted[order, STEPS - lag]
        drawn = whole - resampled_aucs(Pairs(rows.positive, predict(seen | {"returns": permuted})), rows.blocks)
        [one] = [one for one in found.parts if one.part.lag == lag]
        exact = rows.blocks.summarise(one.lost.value, drawn, found.level)
        assert one.lost.standard_error == pytest.approx(exact.standard_error, rel=0.05)
        reach = rows.blocks.quantile(1 - 0.05 / 23) * one.lost.standard_error  # 22 parts and the returns as a whole
        assert (one.lost.low, one.lost.high) == pytest.approx((one.lost.value - reach, one.lost.value + reach))


def test_what_is_alike_for_all_shares_of_a_day_is_seen_and_so_is_what_is_alike_on_all_days() -> None:
    rng = np.random.default_rng(5)
    days, shares = 400, 30
    market, drift = rng.standard_normal((days, 1)), rng.standard_normal(shares)
    positive = (0.5 * market + 0.5 * drift + rng.standard_normal((days, shares)) > 0).ravel()
    seen = {
        "log_volatility": np.repeat(market.ravel(), shares).reshape(-1, 1),
        "share": np.tile(np.arange(shares), days).reshape(-1, 1),
    }
    found = explain(
        lambda some: some["log_volatility"][:, 0] + drift[some["share"][:, 0]],
        FORMATTER.features[1:],
        seen,
        judged(positive, np.repeat(np.arange(days), shares)),
    )
    assert found.features == found.parts
    assert {one.part.feature for one in found.helpful} == {"log_volatility", "share"}


def test_reversal_is_attributed_to_the_latest_return() -> None:
    (early, rose, _), (seen, positive, days) = parted(*seen_of("reversal", 60, 1500, 0), 0.7)
    found = explain(linear_fit(early, rose), FORMATTER.features, seen, judged(positive, days))
    [first] = found.helpful
    assert first.part == Part("returns", 1)
    assert first.attributed >= 0.9
    assert first.lost.value > 0.02


def test_xor_is_attributed_to_the_latest_two_together() -> None:
    from lightgbm import LGBMClassifier

    (early, rose, _), (seen, positive, days) = parted(*seen_of("xor", 60, 1500, 0), 0.7)
    model = LGBMClassifier(n_estimators=40, num_leaves=8, min_child_samples=300, n_jobs=1, verbose=-1, random_state=0)
    model.fit(table(early), rose)

    def predict(some: Any) -> Any:
        return model.booster_.predict(table(some), num_threads=1)

    found = explain(predict, FORMATTER.features, seen, judged(positive, days), repeats=2)
    assert sum(one.attributed for one in found.parts if one.part.lag in (1, 2)) >= 0.9
    assert {one.part for one in found.helpful} >= {Part("returns", 1), Part("returns", 2)}
    first = found.pairs[0]
    assert set(first.parts) == {Part("returns", 1), Part("returns", 2)}
    assert first.shared.low > 0.02


def test_without_a_signal_intervals_contain_0() -> None:
    cases, whole = [], []
    for seed in range(30):
        (early, rose, _), (seen, positive, days) = parted(*seen_of("market_factor", 12, 400, seed), 0.5)
        found = explain(linear_fit(early, rose), FORMATTER.features, seen, judged(positive, days), repeats=2)
        contain = [one.lost.low <= 0 <= one.lost.high for one in (*found.features, *found.parts)]
        cases += contain
        whole.append(all(contain) and all(pair.lost.low <= 0 for pair in found.pairs))
    assert np.mean(cases) >= 0.95
    # The intervals are of 95 % for all parts of a model together; of 30 models 5 or more leave 0 once in sixty times.
    assert sum(whole) >= 26


def test_the_same_seed_gives_the_same_and_progress_counts_what_was_asked() -> None:
    seen, positive, days = seen_of("reversal_easy", 4, 120, 0)
    predict, asked = linear_fit(seen, positive), []

    def again(seed: int) -> ModelExplanation:
        return explain(
            predict, FORMATTER.features, seen, judged(positive, days), repeats=2, seed=seed,
            progress=lambda: asked.append(1),
        )  # fmt: skip

    first = again(3)
    count = len(asked)
    assert 2 * 23 <= count <= evaluations(FORMATTER.features, 2)
    assert (again(3), again(4) == first) == (first, False)


def test_a_part_that_the_model_does_not_use_loses_exactly_nothing() -> None:
    seen, positive, days = seen_of("reversal_easy", 4, 120, 0)
    found = explain(lambda some: -some["returns"][:, -1], FORMATTER.features, seen, judged(positive, days))
    assert [(one.lost.value, one.lost.low, one.lost.high) for one in found.parts[1:]] == [(0, 0, 0)] * 21
    assert [one.part for one in found.helpful] == [Part("returns", 1)]
    assert found.harmful == ()
    assert found.parts[0].attributed == 1
    assert found.pairs == ()


def test_of_too_few_days_there_is_no_interval_and_nothing_is_said_to_help() -> None:
    seen, positive, days = seen_of("reversal_easy", 200, 21, 0)
    found = explain(linear_fit(seen, positive), FORMATTER.features, seen, judged(positive, days), repeats=1)
    assert math.isnan(found.parts[0].lost.low)
    assert found.helpful == found.harmful == ()
