"""Penalised logistic regression, against scikit-learn's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from models.errors import DivergenceError
from models.logistic_path import TOLERANCE, Design, mean_loss, path
from models.stored import Storing

ROWS, WIDTH, SIZES = 4000, 6, (30, 7)
CATEGORY_L2 = 3e-3


def design(sizes: tuple[int, ...] = SIZES, scale: float = 0.5, rows: int = ROWS) -> Design:
    rng = np.random.default_rng(5)
    numbers = [rng.normal(size=(rows, 4)).astype(np.float32), rng.normal(size=(rows, WIDTH - 4)).astype(np.float32)]
    # The last index of a category has no row, as that of unknown values.
    categories = [rng.integers(0, size - 1, (rows, 1)) for size in sizes]
    logit = np.concatenate(numbers, axis=1) @ rng.normal(0, scale, WIDTH) + 0.3
    for index, size in zip(categories, sizes, strict=True):
        logit += rng.normal(0, 0.2, size)[index[:, 0]]
    return Design(numbers, categories, sizes, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.float32))


def solutions(data: Design, penalties: tuple[float, ...], category_l2: float = CATEGORY_L2, **how: Any) -> Any:
    looks = path(data, penalties, category_l2, **how)
    return {look.penalty: look for look in looks if look.solved}


def by_scikit_learn(data: Design, penalty: float, category_l2: float) -> tuple[NDArray[np.float64], float]:
    """The coefficients and the mean cross-entropy."""
    category_l2 = max(category_l2, penalty)
    # It has one penalty for all: a column that is smaller by a factor is penalised by its square more.
    factor = np.sqrt(penalty / category_l2)
    hot = [np.eye(size)[index[:, 0]] * factor for index, size in zip(data.categories, data.sizes, strict=True)]
    columns = np.concatenate([*data.numbers, *hot], axis=1).astype(np.float64)
    c = 1 / (2 * penalty * len(data.label))
    # Its lbfgs ends at what the loss can tell, which is some 1e-6 of a coefficient.
    model = LogisticRegression(C=c, tol=1e-10, solver="newton-cholesky").fit(columns, data.label)
    width = data.width
    found = np.concatenate([model.coef_[0, :width], model.intercept_, model.coef_[0, width:] * factor])
    logit = model.decision_function(columns)
    return found, float(np.mean(np.logaddexp(0, logit) - data.label * logit))


@pytest.mark.parametrize("sizes", [(), (30,), (30, 7), (7, 30), (30, 30)])
@pytest.mark.parametrize("scale", [0.05, 1.5])
def test_every_penalty_has_scikit_learns_solution(sizes: tuple[int, ...], scale: float) -> None:
    data = design(sizes, scale)
    found = solutions(data, (1.0, 0.1, 1e-3))
    assert list(found) == [1.0, 0.1, 1e-3]
    for penalty, look in found.items():
        coefficients, loss = by_scikit_learn(data, penalty, CATEGORY_L2)
        np.testing.assert_allclose(look.coefficients, coefficients, atol=1e-6, rtol=0)
        assert look.loss == pytest.approx(loss, abs=1e-9)
        assert mean_loss(data, look.coefficients) == pytest.approx(loss, abs=1e-9)


def test_a_solution_has_no_slope() -> None:
    data = design()
    look = solutions(data, (0.01,))[0.01]
    columns = np.concatenate(
        [
            *data.numbers,
            np.ones((ROWS, 1)),
            *(np.eye(size)[i[:, 0]] for i, size in zip(data.categories, data.sizes, strict=True)),
        ],
        axis=1,
    )
    off = 1 / (1 + np.exp(-columns @ look.coefficients)) - data.label
    l2 = np.concatenate([np.full(WIDTH, 0.01), [0.0], np.full(sum(SIZES), max(CATEGORY_L2, 0.01))])
    assert np.abs(columns.T @ off / ROWS + 2 * l2 * look.coefficients).max() <= TOLERANCE


def test_the_same_rows_give_the_same_bits_and_other_parts_of_them_the_same_but_for_rounding() -> None:
    data = design()
    one, again = (solutions(data, (0.1, 1e-4))[1e-4].coefficients for _ in range(2))
    assert np.array_equal(one, again)
    for at_once in (7, 1000, 3999, ROWS):
        np.testing.assert_allclose(solutions(data, (0.1, 1e-4), at_once=at_once)[1e-4].coefficients, one, atol=1e-12)
    order = np.random.default_rng(0).permutation(ROWS)
    turned = Design(
        [one[order] for one in data.numbers], [one[order] for one in data.categories], SIZES, data.label[order]
    )
    np.testing.assert_allclose(solutions(turned, (0.1, 1e-4))[1e-4].coefficients, one, atol=1e-12)


def test_rows_on_disk_give_the_same_bits() -> None:
    def stored(values: Any) -> Any:
        writing = Storing()
        writing.add(values)
        return writing.whole()

    data = design()
    on_disk = Design([*map(stored, data.numbers)], [*map(stored, data.categories)], SIZES, data.label)
    one, other = (solutions(each, (0.1,), at_once=512)[0.1].coefficients for each in (data, on_disk))
    assert np.array_equal(one, other)


def test_the_larger_the_penalty_the_smaller_the_weights_and_without_rows_an_intercept_is_0() -> None:
    found = solutions(design(), (10.0, 1.0, 0.1, 1e-6))
    sizes = [float(np.linalg.norm(look.coefficients[:WIDTH])) for look in found.values()]
    assert sizes == sorted(sizes)
    assert sizes[0] < sizes[-1] / 20
    begin = WIDTH + 1
    for size in SIZES:
        assert all(look.coefficients[begin + size - 1] == 0 for look in found.values())
        begin += size


def test_one_answer_alone_is_learned_and_ends() -> None:
    data = design((30,))
    up = Design(data.numbers, data.categories, (30,), np.ones(ROWS, np.float32))
    look = solutions(up, (1.0,), category_l2=0.0)[1.0]
    assert look.loss < 1e-6


def test_a_feature_that_is_no_number_is_refused() -> None:
    data = design()
    spoiled = np.array(data.numbers[0])
    spoiled[17, 2] = np.nan
    with pytest.raises(DivergenceError, match="a feature of the train split is none"):
        list(path(replace(data, numbers=[spoiled, data.numbers[1]]), (1.0,), CATEGORY_L2))


def test_many_shares_are_solved_with_as_many_intercepts() -> None:
    shares = 50_000
    data = design((shares,), rows=100_000)
    look = solutions(data, (0.1,))[0.1]
    # An intercept's own equation: what its rows are off is what its penalty holds against it.
    logit = np.concatenate(data.numbers, axis=1) @ look.coefficients[:WIDTH] + look.coefficients[WIDTH]
    intercepts = look.coefficients[WIDTH + 1 :]
    index = data.categories[0][:, 0]
    off = 1 / (1 + np.exp(-(logit + intercepts[index]))) - data.label
    slope = np.bincount(index, off, shares) / len(index) + 2 * 0.1 * intercepts
    assert np.abs(slope).max() <= TOLERANCE
