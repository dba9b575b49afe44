"""linear: logistic regression on the flat features, with an intercept for each share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.architecture import Architecture, Hyperparameters, InputSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class LinearHyperparameters(Hyperparameters):
    """Those of logistic regression.

    Attributes:
        learning_rate: larger than a deep model's, since the problem is convex.
    """

    learning_rate: float = 1e-2


def build(inputs: InputSpec, hyperparameters: LinearHyperparameters) -> keras.Model:
    """One weight a value, one intercept a category."""
    import keras

    flat, declared = inputs.flat_input()
    intercepts, categories = inputs.embedded_categories(1, hyperparameters.category_l2)
    logit = keras.layers.Dense(1, kernel_initializer="zeros", name="weights")(flat)
    logit = keras.layers.Add(name="logit")([logit, *intercepts]) if intercepts else logit
    return keras.Model({**declared, **categories}, logit, name="linear")


ARCHITECTURE = Architecture(
    name="linear",
    description="logistic regression with an intercept for each share",
    versions={1: build},
    default_version=1,
    hyperparameters=LinearHyperparameters(),
    order=10,
)
