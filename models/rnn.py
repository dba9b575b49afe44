"""rnn: a recurrent model over the steps of the window, with an embedding of the share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from models.architecture import Architecture, Hyperparameters, InputSpec

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class RnnHyperparameters(Hyperparameters):
    """Those of the recurrent model.

    Attributes:
        units: size of the recurrent state.
        embedding: numbers a share is turned into.
        dropout: share of the last state that is dropped in training.
    """

    learning_rate: float = 3e-3
    units: int = 32
    embedding: int = 4
    dropout: float = 0.0


def build_gru(inputs: InputSpec, hyperparameters: RnnHyperparameters) -> keras.Model:
    """Version 1: one GRU layer, and a logit from its last state, the scalars and the share.

    Args:
        inputs: the features.
        hyperparameters: sizes.

    Returns:
        A model whose output is a logit, [batch, 1].
    """
    import keras

    steps, declared = inputs.sequence_input()
    state = keras.layers.GRU(hyperparameters.units)(steps)
    return _head(inputs, hyperparameters, state, declared)


def _head(inputs: InputSpec, hyperparameters: RnnHyperparameters, state: object, declared: dict[str, object]) -> keras.Model:
    import keras

    scalars, scalar_inputs = inputs.scalar_input()
    embedded, categories = inputs.embedded_categories(hyperparameters.embedding)
    state = keras.layers.Dropout(hyperparameters.dropout)(state)
    others = [*scalars, *embedded]
    hidden = keras.layers.Concatenate()([state, *others]) if others else state
    logit = keras.layers.Dense(1, name="logit")(hidden)
    return keras.Model({**declared, **scalar_inputs, **categories}, logit, name="rnn")


ARCHITECTURE = Architecture(
    name="rnn",
    description="recurrent over the steps of the window, with a share embedding",
    versions={1: build_gru},
    default_version=1,
    hyperparameters=RnnHyperparameters(),
)
