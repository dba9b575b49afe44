"""What every model has to be compared with: logistic regression and LightGBM on the same rows and features.

Both are untuned, as somebody would try them first. A model that does not beat them is not worth its trouble. Of a train
split of more than a million rows they learn from a million at random: both need all of them in memory.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.data import Column, Rows
from models.formatters import DataFormatter
from models.operations import Kind

LOGISTIC_REGRESSION = "logistic_regression"
LIGHTGBM = "lightgbm"

MOST_ROWS = 1_000_000
"""That either learns from, and that LightGBM is stopped by: as much as two cores fit in a minute."""

_TREES = 500
_PATIENCE = 50


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as both libraries take them.

    Attributes:
        numbers: all sequences and scalars side by side, float32 [rows, values].
        categories: all categories, [rows, categories].
        label: 0 or 1, float32 [rows].
    """

    numbers: NDArray[np.float32]
    categories: NDArray[np.int64]
    label: NDArray[np.float32]


Predict = Callable[[Table], NDArray[Any]]
"""Rows to probabilities, [rows]."""


def table_of(formatter: DataFormatter, batches: Iterable[Rows], expected: int = 0) -> Table:
    """Puts batches below each other.

    Args:
        formatter: says which features are numbers and which are categories.
        batches: at least one.
        expected: about how many rows they have.
    """
    numbers, categories, label = (Column(expected) for _ in range(3))
    for rows in batches:
        numbers.add(_side_by_side(formatter, rows, (Kind.SEQUENCE, Kind.SCALAR), np.float32))
        categories.add(_side_by_side(formatter, rows, (Kind.CATEGORY,), np.int64))
        label.add(rows.label)
    return Table(numbers.whole(), categories.whole(), label.whole())


def _side_by_side(formatter: DataFormatter, rows: Rows, kinds: tuple[Kind, ...], type_: type) -> NDArray[Any]:
    columns = [rows.features[feature.name] for kind in kinds for feature in formatter.of_kind(kind)]
    count = len(next(iter(rows.features.values())))  # rows that are only asked about have no labels
    return np.concatenate([np.empty((count, 0), type_), *columns], axis=1, dtype=type_)


def fit_logistic_regression(train: Table, held_out: Table, seed: int) -> Predict:
    """scikit-learn's LogisticRegression with its defaults; categories one-hot, an unknown one no column.

    Args:
        train: rows to learn from.
        held_out: unused; there is nothing to stop early.
        seed: unused; the problem is convex.
    """
    from sklearn.linear_model import LogisticRegression

    del held_out, seed
    known = [np.unique(column) for column in train.categories.T]

    def inputs(table: Table) -> Any:
        return _one_hot(table, known) if known else table.numbers

    model = LogisticRegression(max_iter=1000).fit(inputs(train), train.label)
    return lambda table: model.predict_proba(inputs(table))[:, 1]


def _one_hot(table: Table, known: Sequence[NDArray[np.int64]]) -> Any:
    """Numbers, and a column for each known value of a category, as a sparse matrix [rows, columns].

    Its three arrays are filled in place: scikit-learn's encoder and SciPy's hstack hold all numbers four times over.
    """
    from scipy import sparse

    rows, numbers = table.numbers.shape
    values = np.empty((rows, numbers + len(known)))
    columns = np.empty(values.shape, np.int32)
    values[:, :numbers], columns[:, :numbers] = table.numbers, np.arange(numbers)
    begin = numbers
    for at, names in enumerate(known):
        place = np.minimum(np.searchsorted(names, table.categories[:, at]), len(names) - 1)
        values[:, numbers + at] = names[place] == table.categories[:, at]  # an unknown value is 0 in all columns
        columns[:, numbers + at] = begin + place
        begin += len(names)
    ends = np.arange(rows + 1, dtype=np.int64) * values.shape[1]
    return sparse.csr_matrix((values.reshape(-1), columns.reshape(-1), ends), shape=(rows, begin))


def fit_lightgbm(train: Table, held_out: Table, seed: int) -> Predict:
    """LightGBM with its defaults but more and slower trees, stopped early on the eval split.

    Args:
        train: rows to learn from.
        held_out: decide when to stop.
        seed: of LightGBM; with it the model is the same on every machine.
    """
    import lightgbm

    def inputs(table: Table) -> NDArray[Any]:
        if not table.categories.shape[1]:
            return table.numbers
        return np.concatenate([table.numbers, table.categories], axis=1, dtype=np.float32)

    known = inputs(train)
    columns = list(range(train.numbers.shape[1], known.shape[1]))
    data = lightgbm.Dataset(known, train.label, categorical_feature=columns or "auto", params={"verbose": -1})
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
            valid_sets=[data.create_valid(inputs(held_out), held_out.label)],
            callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
        )
    return lambda table: model.predict(inputs(table), num_iteration=model.best_iteration)


BASELINES: Mapping[str, Callable[[Table, Table, int], Predict]] = MappingProxyType(
    {LOGISTIC_REGRESSION: fit_logistic_regression, LIGHTGBM: fit_lightgbm}
)
"""By name, what fits each."""
