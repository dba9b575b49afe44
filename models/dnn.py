"""dnn: a plain stack of dense layers, 256-128-64, on the flat features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.architecture import Architecture, Hyperparameters, InputSpec
from models.search_space import Between, OneOf

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class DnnHyperparameters(Hyperparameters):
    """Those of the dense stack.

    Attributes:
        members: a single network's order of shares on real prices is mostly its seed's.
        units: width of each layer.
        dropout: share of a layer's outputs that is dropped in training.
        embedding: numbers a share is turned into.
    """

    members: int = 4
    units: tuple[int, ...] = (256, 128, 64)
    dropout: float = 0.1
    embedding: int = 4


def build(inputs: InputSpec, hyperparameters: DnnHyperparameters) -> keras.Model:
    """Dense layers with ReLU and dropout."""
    import keras

    flat, declared = inputs.flat_input()
    embedded, categories = inputs.embedded_categories(hyperparameters.embedding, hyperparameters.category_l2)
    hidden = keras.layers.Concatenate()([flat, *embedded]) if embedded else flat
    for units in hyperparameters.units:
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
        hidden = keras.layers.Dropout(hyperparameters.dropout)(hidden)
    return keras.Model({**declared, **categories}, keras.layers.Dense(1, name="logit")(hidden), name="dnn")


ARCHITECTURE = Architecture(
    name="dnn",
    description="dense layers 256-128-64 with dropout",
    versions={1: build},
    default_version=1,
    hyperparameters=DnnHyperparameters(),
    order=20,
    search={
        "units": OneOf(((64, 32), (128, 64), (256, 128, 64), (512, 256))),
        "dropout": Between(0.0, 0.4),
        "embedding": OneOf((2, 4, 8)),
    },
)
