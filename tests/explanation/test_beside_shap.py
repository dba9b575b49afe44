"""Beside SHAP, which shares a model's output out among its inputs where an importance says what these are worth.

They answer different questions, so sizes differ: a part that moves the output and tells nothing has a SHAP value, and
loses no AUC. Where a model is right about its inputs, both have to rank them alike, and agree on which only work
together.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from known_models import judged, linear_fit, parted, seen_of, table
from needed import needed

from components.explanation.importance import explain
from components.explanation.results import ModelExplanation
from models.features import CLOSES
from models.formatters.window_returns import FORMATTER
from models.operations import VOLATILITY_SCALED_RETURNS, Feature, Kind

shap = needed("shap")

STEPS = 6
SIX = (Feature("returns", CLOSES, VOLATILITY_SCALED_RETURNS, Kind.SEQUENCE, STEPS),)


def losses(found: ModelExplanation) -> np.ndarray[Any, Any]:
    """By step, the oldest first."""
    return np.array([one.lost.value for one in reversed(found.parts)])


def test_a_linear_models_lags_are_ranked_as_by_shap_and_its_closed_form() -> None:
    rng = np.random.default_rng(4)
    weights = np.array([0.05, -0.4, 0.2, -0.1, 0.3, 0.6])
    values = rng.standard_normal((40_000, STEPS))
    positive = values @ weights + rng.standard_normal(40_000) > 0
    rows = judged(positive, np.repeat(np.arange(400), 100))
    found = explain(lambda seen: seen["returns"] @ weights, SIX, {"returns": values}, rows)

    explainer = shap.LinearExplainer((weights, 0.0), shap.maskers.Independent(values, max_samples=len(values)))
    told = np.abs(explainer.shap_values(values[:4000])).mean(axis=0)
    closed = np.abs(weights) * np.abs(values[:4000] - values.mean(axis=0)).mean(axis=0)
    np.testing.assert_allclose(told, closed, rtol=1e-6)
    assert np.argsort(losses(found)).tolist() == np.argsort(told).tolist() == np.argsort(np.abs(weights)).tolist()


def test_the_latest_return_of_a_reversal_comes_first_by_both() -> None:
    (early, rose, _), (seen, positive, days) = parted(*seen_of("reversal_easy", 20, 800, 0), 0.7)
    model = linear_fit(early, rose)
    found = explain(model, FORMATTER.features, seen, judged(positive, days), repeats=2)
    weights = model({name: np.zeros_like(one[:1]) for name, one in seen.items()})
    assert weights == pytest.approx(0)

    columns = table(seen)[:, :-1]
    slopes = np.array([(model(_raised(seen, at)) - model(seen))[0] for at in range(columns.shape[1])])
    explainer = shap.LinearExplainer((slopes, 0.0), shap.maskers.Independent(columns, max_samples=len(columns)))
    told = np.abs(explainer.shap_values(columns)).mean(axis=0)
    assert np.argmax(told) == 19  # the latest step
    [first] = found.helpful[:1]
    assert (first.part.feature, first.part.lag) == ("returns", 1)


def _raised(seen: dict[str, Any], at: int) -> dict[str, Any]:
    """What a model sees with one of its columns higher by 1."""
    raised = {name: one.astype(float) for name, one in seen.items()}
    name, column = ("returns", at) if at < 20 else ("log_volatility", 0)
    raised[name][:, column] += 1
    return raised


def test_what_two_lags_tell_only_together_is_an_interaction_to_shap() -> None:
    rng = np.random.default_rng(5)
    values = rng.standard_normal((20_000, STEPS))

    def model(rows: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.tanh(3 * rows[:, -1]) * np.tanh(3 * rows[:, -2])

    positive = model(values) + rng.standard_normal(20_000) > 0
    rows = judged(positive, np.repeat(np.arange(200), 100))
    found = explain(lambda seen: model(seen["returns"]), SIX, {"returns": values}, rows)

    background = np.concatenate([values[:100], -values[:100]])  # of mean 0, so that no part has an effect of its own
    told = shap.explainers.Exact(model, shap.maskers.Independent(background, max_samples=200))
    shares = np.abs(told(values[:200], interactions=True).values).mean(axis=0)
    together = 2 * shares[-1, -2]
    assert together > 0.7 * shares.sum()
    assert shares[:-2].sum() == pytest.approx(0, abs=1e-9)
    assert losses(found)[:-2].tolist() == [0.0] * (STEPS - 2)
    pair = found.pairs[0]
    assert {part.lag for part in pair.parts} == {1, 2}
    assert pair.shared.value > 0.9 * pair.lost.value
