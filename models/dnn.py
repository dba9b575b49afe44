"""dnn: a stack of dense layers, 256-128-64, on the flat features; version 2 sees of each its size as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.architecture import Architecture, Hyperparameters, InputSpec
from models.basis_expansion import expanded
from models.search_space import Between, OneOf

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class DnnHyperparameters(Hyperparameters):
    """Those of the dense stack.

    Attributes:
        epochs: a fifth one costs a quarter more, and finds nothing more on markets whose answer is known.
        members: a single network's order of shares on real prices is mostly its seed's.
        units: width of each layer.
        dropout: share of a layer's outputs that is dropped in training.
        embedding: numbers a share is turned into.
        first_l1: penalty on the absolute values of the first layer's weights, in version 2: an input that is worth less
            than its noise is left out. With ten times as much, what depends on two returns at once is never found.
    """

    epochs: int = 4
    members: int = 4
    units: tuple[int, ...] = (256, 128, 64)
    dropout: float = 0.1
    embedding: int = 4
    first_l1: float = 3e-5


def build_plain(inputs: InputSpec, hyperparameters: DnnHyperparameters) -> keras.Model:
    """Version 1: dense layers with ReLU and dropout."""
    flat, declared = inputs.flat_input()
    return _stack(flat, declared, inputs, hyperparameters)


def build_expanded(inputs: InputSpec, hyperparameters: DnnHyperparameters) -> keras.Model:
    """Version 2: the same layers, which see of every value its size as well, and both squashed.

    What depends on how large two returns are, whatever their signs, the plain stack does not find. The weights of the
    first layer are penalised by their absolute values: most of so many inputs tell nothing. It is not the default: what
    depends on many products of signs, as on the market `regime`, it finds less of than version 1.
    """
    import keras

    flat, declared = inputs.flat_input()
    penalty = keras.regularizers.L1(hyperparameters.first_l1)
    return _stack(expanded(flat), declared, inputs, hyperparameters, penalty)


def _stack(
    hidden: Any,
    declared: dict[str, Any],
    inputs: InputSpec,
    hyperparameters: DnnHyperparameters,
    penalty: keras.regularizers.Regularizer | None = None,
) -> keras.Model:
    """The dense layers over a Keras tensor, [batch, values], and the categories.

    Args:
        hidden: the tensor.
        declared: the inputs that it is made of.
        inputs: the features.
        hyperparameters: of the layers.
        penalty: on the weights of the first one.
    """
    import keras

    from models.dropout import Dropout

    embedded, categories = inputs.embedded_categories(hyperparameters.embedding, hyperparameters.category_l2)
    hidden = keras.layers.Concatenate()([hidden, *embedded]) if embedded else hidden
    for number, units in enumerate(hyperparameters.units):
        first = None if number else penalty
        hidden = keras.layers.Dense(units, activation="relu", kernel_regularizer=first)(hidden)
        hidden = Dropout(hyperparameters.dropout)(hidden)
    return keras.Model({**declared, **categories}, keras.layers.Dense(1, name="logit")(hidden), name="dnn")


ARCHITECTURE = Architecture(
    name="dnn",
    description="dense layers 256-128-64 with dropout",
    versions={1: build_plain, 2: build_expanded},
    default_version=1,
    hyperparameters=DnnHyperparameters(),
    order=20,
    search={
        "units": OneOf(((64, 32), (128, 64), (256, 128, 64), (512, 256))),
        "dropout": Between(0.0, 0.4),
        "embedding": OneOf((2, 4, 8)),
    },
)
