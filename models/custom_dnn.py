"""custom_dnn: one small dense stack shared over the steps of the window, then a dense layer over all steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.architecture import Architecture, Hyperparameters, InputSpec
from models.search_space import Between, OneOf

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class CustomDnnHyperparameters(Hyperparameters):
    """Those of the shared stack.

    Attributes:
        epochs: one more than elsewhere; the shared stack is slow to find products of steps.
        members: as many as of dnn.
        step_units: widths of the stack that every step goes through.
        units: width of the layer over all steps; with half of it, one seed in three never finds a product of two steps.
        dropout: share of the last layer's outputs that is dropped in training. None is dropped where the steps meet:
            what depends on two steps at once was never found with it.
        embedding: numbers a share is turned into.
    """

    epochs: int = 6
    members: int = 4
    step_units: tuple[int, ...] = (16, 16)
    units: int = 128
    dropout: float = 0.1
    embedding: int = 4


def build(inputs: InputSpec, hyperparameters: CustomDnnHyperparameters) -> keras.Model:
    """The stack is shared: a step is read alike wherever in the window it stands."""
    import keras

    from models.dropout import Dropout

    steps, declared = inputs.sequence_input()
    scalars, scalar_inputs = inputs.scalar_input()
    embedded, categories = inputs.embedded_categories(hyperparameters.embedding, hyperparameters.category_l2)
    for units in hyperparameters.step_units:
        # A dense layer on [batch, steps, channels] works on the last axis: the same weights for every step.
        steps = keras.layers.Dense(units, activation="relu")(steps)
    hidden = keras.layers.Flatten()(steps)
    others = [*scalars, *embedded]
    hidden = keras.layers.Concatenate()([hidden, *others]) if others else hidden
    hidden = keras.layers.Dense(hyperparameters.units, activation="relu")(hidden)
    hidden = Dropout(hyperparameters.dropout)(hidden)
    logit = keras.layers.Dense(1, name="logit")(hidden)
    return keras.Model({**declared, **scalar_inputs, **categories}, logit, name="custom_dnn")


ARCHITECTURE = Architecture(
    name="custom_dnn",
    description="a dense stack shared over the steps of the window, with dropout",
    versions={1: build},
    default_version=1,
    hyperparameters=CustomDnnHyperparameters(),
    order=30,
    search={
        "step_units": OneOf(((16,), (16, 16), (32, 16), (32, 32))),
        "units": OneOf((64, 128, 256)),
        "dropout": Between(0.0, 0.4),
        "embedding": OneOf((2, 4, 8)),
    },
)
