"""What every model has to be compared with: logistic regression and LightGBM on the same rows and features.

Both are untuned, as somebody would try them first. A model that does not beat them is not worth its trouble. Of a large
train split LightGBM learns from a million rows at random and logistic regression from 200,000: both need all of them in
memory, and scikit-learn four times over.
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

MOST_LOGISTIC_ROWS = 200_000
"""That logistic regression learns from, which has few coefficients and wants the rows in float64."""

_TREES = 500
_PATIENCE = 50


@dataclass(frozen=True, eq=False)
class Table:
    """Rows as both libraries take them.

    Attributes:
        values: all sequences and scalars side by side, and behind them all categories, float32 [rows, columns].
        categories: how many of the columns are categories.
        label: 0 or 1, float32 [rows].
    """

    values: NDArray[np.float32]
    categories: int
    label: NDArray[np.float32]

    def __len__(self) -> int:
        """The rows."""
        return len(self.values)

    @property
    def numbers(self) -> NDArray[np.float32]:
        """The columns that are no categories."""
        return self.values[:, : self.values.shape[1] - self.categories]

    @property
    def indices(self) -> NDArray[np.float32]:
        """The columns that are categories: whole numbers, which float32 holds up to sixteen million."""
        return self.values[:, self.values.shape[1] - self.categories :]

    def some(self, most: int, seed: int) -> Table:
        """So many rows of it at random, in their order; itself where it has no more."""
        if len(self) <= most:
            return self
        places = np.sort(np.random.default_rng(seed).choice(len(self), most, replace=False))
        return Table(self.values[places], self.categories, self.label[places])


Predict = Callable[[Table], NDArray[Any]]
"""Rows to probabilities, [rows]."""


def table_of(formatter: DataFormatter, batches: Iterable[Rows], expected: int = 0) -> Table:
    """Puts batches below each other.

    Args:
        formatter: says which features are numbers and which are categories.
        batches: at least one.
        expected: about how many rows they have.
    """
    values, label = Column(expected), Column(expected)
    columns = [one.name for kind in (Kind.SEQUENCE, Kind.SCALAR, Kind.CATEGORY) for one in formatter.of_kind(kind)]
    for rows in batches:
        values.add(np.concatenate([rows.features[name] for name in columns], axis=1, dtype=np.float32))
        label.add(rows.label)
    return Table(values.whole(), len(formatter.of_kind(Kind.CATEGORY)), label.whole())


def fit_logistic_regression(train: Table, held_out: Table, seed: int) -> Predict:
    """scikit-learn's LogisticRegression with its defaults; categories one-hot, an unknown one no column.

    Args:
        train: rows to learn from.
        held_out: unused; there is nothing to stop early.
        seed: of the rows that are learned from where there are more than `MOST_LOGISTIC_ROWS`; the problem is convex.
    """
    from sklearn.linear_model import LogisticRegression

    del held_out
    train = train.some(MOST_LOGISTIC_ROWS, seed)
    known = [np.unique(column) for column in train.indices.T]

    def inputs(table: Table) -> Any:
        return _one_hot(table, known) if known else table.numbers

    model = LogisticRegression(max_iter=1000).fit(inputs(train), train.label)
    return lambda table: model.predict_proba(inputs(table))[:, 1]


def _one_hot(table: Table, known: Sequence[NDArray[np.float32]]) -> Any:
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
        place = np.minimum(np.searchsorted(names, table.indices[:, at]), len(names) - 1)
        values[:, numbers + at] = names[place] == table.indices[:, at]  # an unknown value is 0 in all columns
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

    columns = list(range(train.numbers.shape[1], train.values.shape[1]))
    data = lightgbm.Dataset(train.values, train.label, categorical_feature=columns or "auto", params={"verbose": -1})
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
            valid_sets=[data.create_valid(held_out.values, held_out.label)],
            callbacks=[lightgbm.early_stopping(_PATIENCE, verbose=False)],
        )
    return lambda table: model.predict(table.values, num_iteration=model.best_iteration)


BASELINES: Mapping[str, Callable[[Table, Table, int], Predict]] = MappingProxyType(
    {LOGISTIC_REGRESSION: fit_logistic_regression, LIGHTGBM: fit_lightgbm}
)
"""By name, what fits each."""
