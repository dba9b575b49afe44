"""The baselines of a run: scikit-learn's logistic regression, and the rows that it learns from."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from components.evidence import baselines
from components.evidence.baselines import Table, fit_logistic_regression


def rows(count: int, seed: int) -> Table:
    """Three numbers and a category of four values, and labels that follow two of them."""
    rng = np.random.default_rng(seed)
    values = rng.standard_normal((count, 4)).astype(np.float32)
    values[:, 3] = rng.integers(0, 4, count)
    chance = 1 / (1 + np.exp(-values[:, 0] - (values[:, 3] == 2)))
    return Table(values, 1, (rng.random(count) < chance).astype(np.float32))


def by_hand(train: Table, asked: Table) -> Any:
    """The same by scikit-learn's own encoder."""
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder

    encoder = ColumnTransformer([("share", OneHotEncoder(handle_unknown="ignore"), [3])], remainder="passthrough")
    model = make_pipeline(encoder, LogisticRegression(max_iter=1000))
    return model.fit(train.values.astype(np.float64), train.label).predict_proba(asked.values.astype(np.float64))[:, 1]


def test_logistic_regression_is_that_of_scikit_learn_and_knows_no_unknown_category() -> None:
    train, asked = rows(3000, 1), rows(200, 2)
    asked.values[:20, 3] = 7
    found = fit_logistic_regression(train, train, 0)(asked)
    np.testing.assert_allclose(found, by_hand(train, asked), atol=1e-3)
    assert np.ptp(found) > 0.3


def test_it_learns_from_some_rows_of_many_the_same_for_the_same_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    train, asked = rows(3000, 1), rows(200, 2)
    whole = fit_logistic_regression(train, train, 0)(asked)
    monkeypatch.setattr(baselines, "MOST_LOGISTIC_ROWS", 2000)
    one, again, other = (fit_logistic_regression(train, train, seed)(asked) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one, again)
    assert 0 < np.max(np.abs(one - whole)) < 0.1
    assert not np.array_equal(one, other)
    assert len(train.some(2000, 3)) == 2000
    assert train.some(3000, 3) is train
