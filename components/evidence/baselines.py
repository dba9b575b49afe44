"""What every model has to be compared with: logistic regression and LightGBM on the same rows and features.

Both are untuned, as somebody would try them first. A model that does not beat them is not worth its trouble.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data import Rows
from models.formatters import DataFormatter
from models.operations import Kind

LOGISTIC_REGRESSION = "logistic_regression"
LIGHTGBM = "lightgbm"

_TREES = 500
_PATIENCE = 50


def fit_logistic_regression(
    formatter: DataFormatter, train: Rows, held_out: Rows, seed: int
) -> Callable[[Rows], NDArray[Any]]:
    """scikit-learn's LogisticRegression with its defaults; categories one-hot, an unknown one no column.

    Args:
        formatter: says which features are numbers and which are categories.
        train: rows to learn from.
        held_out: unused; there is nothing to stop early.
        seed: unused; the problem is convex.

    Returns:
        Rows to probabilities [rows].
    """
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import OneHotEncoder

    del held_out, seed
    names = [feature.name for feature in formatter.of_kind(Kind.CATEGORY)]
    encoder = OneHotEncoder(handle_unknown="ignore")

    def categories(rows: Rows) -> NDArray[Any]:
        return np.concatenate([rows.features[name] for name in names], axis=1)

    def table(rows: Rows) -> Any:
        numbers = _numbers(formatter, rows)
        return sparse.hstack([numbers, encoder.transform(categories(rows))], format="csr") if names else numbers

    if names:
        encoder.fit(categories(train))
    model = LogisticRegression(max_iter=1000).fit(table(train), train.label)
    return lambda rows: model.predict_proba(table(rows))[:, 1]


def fit_lightgbm(formatter: DataFormatter, train: Rows, held_out: Rows, seed: int) -> Callable[[Rows], NDArray[Any]]:
    """LightGBM with its defaults but more and slower trees, stopped early on the eval split.

    Args:
        formatter: says which features are numbers and which are categories.
        train: rows to learn from.
        held_out: decide when to stop.
        seed: of LightGBM; with it the model is the same on every machine.

    Returns:
        Rows to probabilities [rows].
    """
    import lightgbm

    names = [feature.name for feature in formatter.of_kind(Kind.CATEGORY)]

    def table(rows: Rows) -> NDArray[Any]:
        parts = [_numbers(formatter, rows), *(rows.features[name].astype(np.float32) for name in names)]
        return np.concatenate(parts, axis=1)

    inputs = table(train)
    columns = list(range(inputs.shape[1] - len(names), inputs.shape[1]))
    data = lightgbm.Dataset(inputs, train.label, categorical_feature=columns or "auto", params={"verbose": -1})
    parameters = {
        "objective": "binary",
        "learning_rate": 0.05,
        "seed": seed % 2**31,  # a C int
        "deterministic": True,
        "force_row_wise": True,
        # More threads wait for each other busily: on a machine that others use as well they cost tenfold.
        "num_threads": 1,
        "verbose": -1,
    }
    with warnings.catch_warnings():
        # LightGBM warns of its own way to hand categories on.
        warnings.filterwarnings("ignore", category=UserWarning, module="lightgbm")
        model = lightgbm.train(
            parameters,
            data,
            num_boost_round=_TREES,
            valid_sets=[data.create_valid(table(held_out), held_out.label)],
            callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
        )
    return lambda rows: model.predict(table(rows), num_iteration=model.best_iteration)


BASELINES: Mapping[str, Callable[[DataFormatter, Rows, Rows, int], Callable[[Rows], NDArray[Any]]]] = MappingProxyType(
    {LOGISTIC_REGRESSION: fit_logistic_regression, LIGHTGBM: fit_lightgbm}
)
"""By name, what fits each."""


def _numbers(formatter: DataFormatter, rows: Rows) -> NDArray[Any]:
    """All sequences and scalars side by side, float32 [rows, values]."""
    kinds = (Kind.SEQUENCE, Kind.SCALAR)
    columns = [rows.features[feature.name] for kind in kinds for feature in formatter.of_kind(kind)]
    return np.concatenate(columns, axis=1).astype(np.float32)
