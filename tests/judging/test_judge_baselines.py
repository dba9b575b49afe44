"""Forecasts without a model, by formulas written here once more."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from components.judging import baselines
from components.judging.baselines import Training, forecast


def windows(rows: int, seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    steps = 0.02 * np.random.default_rng(seed).standard_normal((rows, 21))
    return (50 * np.exp(np.cumsum(steps, axis=1))).astype(np.float32)


def training(closes: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> Training:
    """Shares that rose tend to fall."""
    made = Training(1)
    chance = 1 / (1 + np.exp(20 * (closes[:, 0] / closes[:, 1] - 1)))
    labels = (np.random.default_rng(5).random(len(closes)) < chance).astype(np.int64)
    made.add(closes, labels, np.ones(len(closes), bool), np.full(len(closes), len(closes)))
    return made


def test_each_baseline_is_its_formula(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "_ROWS_AT_ONCE", 70)  # parts give what the whole does
    asked, seen = windows(200, 1), training(windows(3000, 2))
    found = forecast(asked, seen)
    closes = asked.astype(np.float64)
    np.testing.assert_allclose(found["momentum_20"], closes[:, 0] / closes[:, 20] - 1)
    np.testing.assert_allclose(found["reversal_1"], -(closes[:, 0] / closes[:, 1] - 1), atol=1e-15)
    np.testing.assert_array_equal(found["base_rate"], np.mean(seen.labels))

    def numbers(
        of: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    ) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        returns = -np.diff(np.log(of.astype(np.float64)), axis=1)
        volatility = np.sqrt((returns**2).mean(axis=1, keepdims=True))
        return np.hstack([returns / volatility, np.log(volatility)])

    scaler = StandardScaler().fit(numbers(seen.closes))
    model = LogisticRegression(max_iter=1000).fit(scaler.transform(numbers(seen.closes)), seen.labels)
    expected = model.predict_proba(scaler.transform(numbers(asked)))[:, 1]
    np.testing.assert_allclose(found["logistic"], expected, atol=1e-5)
    assert np.corrcoef(found["logistic"], found["reversal_1"])[0, 1] > 0.8


def test_without_enough_to_learn_from_only_scores_are_left() -> None:
    assert set(forecast(windows(5, 1), Training(1))) == {"momentum_20", "reversal_1"}
    flat = Training(1)
    few = windows(99, 3)
    flat.add(few, np.arange(99) % 2, np.ones(99, bool), np.full(99, 99))
    assert set(forecast(windows(5, 1), flat)) == {"momentum_20", "reversal_1"}


def test_a_window_without_a_move_is_forecast_as_well() -> None:
    still = np.full((1, 21), 7, np.float32)
    found = forecast(still, training(windows(500, 4)))
    assert 0 < found["logistic"][0] < 1
    assert found["reversal_1"][0] == found["momentum_20"][0] == 0
