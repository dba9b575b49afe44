"""What the audit trains: the audited architecture, logistic regression, and trees that memorise.

Each learns from the features and labels (0 or 1, [rows]) of the train rows, told by the number of each row's split
[rows], and gives scores of the test rows, [rows of the split].
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.leak_audit.config import AuditConfig, AuditedModel
from components.leak_audit.reading.rows import EVAL, TEST, TRAIN
from components.leak_audit.results import AuditError

if TYPE_CHECKING:
    from components.leak_audit.reading.features import AuditFeatures
    from models.training import Training

MODEL_ROWS, LOGISTIC_ROWS, TREE_ROWS = 60_000, 20_000, 12_000
"""Rows of all splits that each learner is given at the most: an audit must not cost more than the run it audits."""

ILLUSTRATED_ROWS = 12_000
"""Rows that a figure is made of which decides nothing, at the most."""

_AT_ONCE = 8192

# Trees deep enough, and enough of them, to know a training set by heart.
_TREES, _LEAVES, _RATE = 60, 255, 0.25


def model_scores(
    model: AuditedModel,
    config: AuditConfig,
    features: AuditFeatures,
    label: NDArray[np.int64],
    split: NDArray[np.int64],
    trainings: dict[str, Training] | None = None,
) -> NDArray[np.float64]:
    """The audited architecture, trained anew; gives logits.

    Args:
        model: the architecture.
        config: of the audit.
        features: of the rows.
        label: [rows].
        split: [rows].
        trainings: what this audit has trained before, by the name of the architecture; takes it in.

    Raises:
        AuditError: the training diverged.
    """
    from models.data import Rows
    from models.errors import DivergenceError
    from models.registry import get_architecture
    from models.training import Training

    def part(number: int) -> Rows:
        places = np.flatnonzero(split == number)
        values = {name: column[places] for name, column in features.values.items()}
        return Rows(values, label[places].astype(np.float32))

    trainings = {} if trainings is None else trainings
    if model.name not in trainings:
        hyperparameters = get_architecture(model.name).hyperparameters.updated(model.hyperparameters)
        trainings[model.name] = Training(model.name, model.version, hyperparameters, features.inputs, config.seed)
    try:
        trained = trainings[model.name].train(part(TRAIN), part(EVAL), most_steps=config.train_steps or None).model
    except DivergenceError as error:
        raise AuditError(f"{model.name} cannot be audited: {error}") from None
    test = part(TEST)
    # Called as it is: tracing a graph for so few rows takes longer than they do.
    parts = [
        np.asarray(trained({one.name: test.features[one.name][rows] for one in trained.inputs}), np.float64)[:, 0]
        for rows in (slice(at, at + _AT_ONCE) for at in range(0, len(test.label), _AT_ONCE))
    ]
    return np.concatenate(parts) if parts else np.empty(0)


def tree_scores(features: AuditFeatures, label: NDArray[np.int64], split: NDArray[np.int64], seed: int) -> NDArray[Any]:
    """LightGBM large enough to memorise."""
    import lightgbm

    train, test = np.flatnonzero(split == TRAIN), np.flatnonzero(split == TEST)
    parameters = {
        "objective": "binary",
        "num_leaves": _LEAVES,
        "min_data_in_leaf": 2,
        "learning_rate": _RATE,
        "max_bin": 63,
        "seed": seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,  # at this size threads mostly wait for each other
        "verbosity": -1,
    }
    data = lightgbm.Dataset(features.matrix(train), label[train])
    booster = lightgbm.train(parameters, data, num_boost_round=_TREES)
    return np.asarray(booster.predict(features.matrix(test), raw_score=True), np.float64)


def logistic_scores(
    features: AuditFeatures,
    label: NDArray[np.int64],
    split: NDArray[np.int64],
    *,
    day: NDArray[np.int64] | None = None,
    extra: NDArray[np.float64] | None = None,
) -> NDArray[np.float64]:
    """Logistic regression: numbers scaled by the train rows, categories and the day one-hot.

    Each row's index in ``day`` [rows] and the number in ``extra`` [rows] are features where they are given.
    """
    from scipy import sparse
    from sklearn.linear_model import LogisticRegression

    train, test = np.flatnonzero(split == TRAIN), np.flatnonzero(split == TEST)
    columns = features.columns()
    categories = [columns.pop(name).astype(np.int64) for name in features.categories()]
    numbers = [*(values.astype(np.float64) for values in columns.values()), *([] if extra is None else [extra])]
    parts: list[Any] = []
    if numbers:
        dense = np.stack(numbers, axis=1)
        spread = np.std(dense[train], axis=0)
        parts.append(sparse.csr_matrix((dense - np.mean(dense[train], axis=0)) / np.where(spread > 0, spread, 1)))
    for index in [*categories, *([] if day is None else [day])]:
        place = (np.arange(len(index)), index)
        parts.append(sparse.csr_matrix((np.ones(len(index)), place), shape=(len(index), int(index.max()) + 1)))
    matrix = sparse.hstack(parts, format="csr")
    model = LogisticRegression(max_iter=200).fit(matrix[train], label[train])
    return np.asarray(model.decision_function(matrix[test]), np.float64)
