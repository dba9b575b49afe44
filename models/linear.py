"""linear: logistic regression on the flat features, with an intercept for each share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.architecture import Architecture, Hyperparameters, InputSpec, Told
from models.operations import Kind

if TYPE_CHECKING:
    import keras

    from models.data import Rows
    from models.logistic_path import Design

PENALTIES = (10.0, 3.0, 1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5, 1e-6)
"""On the squares of the coefficients, in version 2. With 10, a weight of a value of deviation 1 is an eightieth of what
it were without; features that are nearly alike, as prices of two days are, tell their difference with the last ones.
The intercepts have `category_l2` where that is more: of a hundred shares each has a hundredth of the rows, so that a
large penalty holds them down more than the weights."""

_ALIKE = 1e-7
"""Losses on the eval split that are no further apart are a tie."""


@dataclass(frozen=True)
class LinearHyperparameters(Hyperparameters):
    """Those of logistic regression.

    Attributes:
        learning_rate: larger than a deep model's, since the problem is convex.
    """

    learning_rate: float = 1e-2


def build(inputs: InputSpec, hyperparameters: LinearHyperparameters) -> keras.Model:
    """Version 1: one weight a value, one intercept a category, trained by gradient steps as a network is."""
    import keras

    flat, declared = inputs.flat_input()
    intercepts, categories = inputs.embedded_categories(1, hyperparameters.category_l2)
    logit = keras.layers.Dense(1, kernel_initializer="zeros", name="weights")(flat)
    logit = keras.layers.Add(name="logit")([logit, *intercepts]) if intercepts else logit
    return keras.Model({**declared, **categories}, logit, name="linear")


def build_solved(inputs: InputSpec, hyperparameters: LinearHyperparameters) -> keras.Model:
    """Version 2: the same model, solved exactly, so that no seed and no order of rows decides.

    The mean cross-entropy and a penalty on the squares of the weights and of the categories' intercepts, on these at
    least `category_l2`, are minimised by Newton's method, for each of a short list of penalties; the one with the
    lowest loss on the eval split is kept, the larger one of two that are alike. An epoch of its history is a step, a
    pass over all train rows.
    """
    return build(inputs, hyperparameters)


def solve(
    model: keras.Model,
    inputs: InputSpec,
    hyperparameters: LinearHyperparameters,
    rows: Rows,
    held_out: Rows | None,
    told: Told,
    most_steps: int | None,
) -> None:
    """Fits version 2; arguments as of `models.architecture.Fit`.

    Without an eval split, the smallest penalty is solved.
    """
    from models.logistic_path import mean_loss, path

    train = _design(inputs, rows)
    judged = None if held_out is None else _design(inputs, held_out)
    found = []
    looks = path(train, PENALTIES if judged else PENALTIES[-1:], hyperparameters.category_l2)
    for number, look in enumerate(looks, 1):
        ends = number == most_steps
        losses = {"loss": look.loss}
        if look.solved or ends:
            loss = 0.0 if judged is None else mean_loss(judged, look.coefficients)
            found.append((loss, look.coefficients))
            losses |= {} if judged is None else {"val_loss": loss}
        told(losses)
        if ends:
            break
    lowest = min(loss for loss, _ in found)
    coefficients = next(one for loss, one in found if loss <= lowest + _ALIKE)
    dense, borders = model.get_layer("weights"), train.borders
    dense.set_weights([coefficients[: train.width, None], coefficients[train.width : borders[0]]])
    for feature, begin, end in zip(_categories(inputs), borders[:-1], borders[1:], strict=True):
        model.get_layer(f"{feature}_embedding").set_weights([coefficients[begin:end, None]])


def _categories(inputs: InputSpec) -> list[str]:
    return [feature.name for feature in inputs.formatter.of_kind(Kind.CATEGORY)]


def _design(inputs: InputSpec, rows: Rows) -> Design:
    """The rows as the model sees them: sequences before scalars, as `InputSpec.flat_input` has them."""
    from models.logistic_path import Design

    numbers = [feature for kind in (Kind.SEQUENCE, Kind.SCALAR) for feature in inputs.formatter.of_kind(kind)]
    categories = _categories(inputs)
    return Design(
        [rows.features[feature.name] for feature in numbers],
        [rows.features[name] for name in categories],
        [inputs.categories[name] for name in categories],
        rows.label,
    )


ARCHITECTURE = Architecture(
    name="linear",
    description="logistic regression with an intercept for each share",
    versions={1: build, 2: build_solved},
    default_version=2,
    hyperparameters=LinearHyperparameters(),
    order=10,
    fits={2: solve},
)
