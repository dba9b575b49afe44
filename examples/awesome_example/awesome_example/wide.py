"""wide: one wide layer beside a straight way from the values to the answer.

Keras is imported where a model is built: what only lists the models should not wait for TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.architecture import Architecture, Hyperparameters, InputSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class WideHyperparameters(Hyperparameters):
    """Those of every model, and its own.

    Attributes:
        units: width of the layer.
    """

    units: int = 64


def build(inputs: InputSpec, hyperparameters: WideHyperparameters) -> keras.Model:
    """All values at once, a share's own number beside them."""
    import keras

    flat, declared = inputs.flat_input()
    shares, categories = inputs.embedded_categories(1, hyperparameters.category_l2)
    hidden = keras.layers.Dense(hyperparameters.units, activation="relu")(flat)
    together = keras.layers.Concatenate()([flat, hidden, *shares])
    return keras.Model({**declared, **categories}, keras.layers.Dense(1)(together), name="wide")


ARCHITECTURE = Architecture(
    name="wide",
    description="one wide layer beside a straight way",
    versions={1: build},
    default_version=1,
    hyperparameters=WideHyperparameters(),
)
