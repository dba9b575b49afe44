"""rnn: a recurrent model over the steps of the window, with an embedding of the share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.architecture import Architecture, Hyperparameters, InputSpec
from models.search_space import Between, OneOf

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class RnnHyperparameters(Hyperparameters):
    """Those of the recurrent model.

    Attributes:
        learning_rate: larger than a deep model's; there are few weights.
        members: as many as of dnn.
        units: size of the recurrent state.
        embedding: numbers a share is turned into.
        dropout: share of the last state that is dropped in training.
    """

    learning_rate: float = 1e-2
    members: int = 4
    units: int = 16
    embedding: int = 4
    dropout: float = 0.0


def build_gru(inputs: InputSpec, hyperparameters: RnnHyperparameters) -> keras.Model:
    """Version 1: one GRU layer, and a logit from its last state, the scalars and the share."""
    import keras

    steps, declared = inputs.sequence_input()
    state = keras.layers.GRU(hyperparameters.units)(steps)
    context, others = _context(inputs, hyperparameters, state)
    logit = keras.layers.Dense(1, name="logit")(context)
    return keras.Model({**declared, **others}, logit, name="rnn")


def build_readout(inputs: InputSpec, hyperparameters: RnnHyperparameters) -> keras.Model:
    """Version 2: a plain recurrent layer whose last state says how the window is to be read.

    The layer sees each step and its product with the step before: whether the two agree is what tells a trend from a
    reversal, and a sum of such products is as easy for a plain layer as for a GRU, at a third of the cost. The logit is
    linear in the window, with weights that are linear in the last state, the scalars and the share. So a linear model
    is one special case, and "follow the last move or bet against it, as the window's past suggests" another.
    """
    import keras

    steps, declared = inputs.sequence_input()
    before = keras.layers.Cropping1D((0, 1))(keras.layers.ZeroPadding1D((1, 0))(steps))
    channels = keras.layers.Concatenate()([steps, keras.layers.Multiply()([steps, before])])
    state = keras.layers.SimpleRNN(hyperparameters.units)(channels)
    context, others = _context(inputs, hyperparameters, state)
    window = keras.layers.Flatten()(steps)
    weights = keras.layers.Dense(window.shape[1], kernel_initializer="zeros", name="window_weights")(context)
    read = keras.layers.Dot(axes=1)([weights, window])
    logit = keras.layers.Add(name="logit")([read, keras.layers.Dense(1, name="offset")(context)])
    return keras.Model({**declared, **others}, logit, name="rnn")


def _context(inputs: InputSpec, hyperparameters: RnnHyperparameters, state: Any) -> Any:
    """The last state beside the scalars and the share, [batch, values], and the dict of the inputs this adds."""
    import keras

    scalars, scalar_inputs = inputs.scalar_input()
    embedded, categories = inputs.embedded_categories(hyperparameters.embedding, hyperparameters.category_l2)
    state = keras.layers.Dropout(hyperparameters.dropout)(state)
    others = [*scalars, *embedded]
    context = keras.layers.Concatenate()([state, *others]) if others else state
    return context, {**scalar_inputs, **categories}


ARCHITECTURE = Architecture(
    name="rnn",
    description="recurrent over the steps of the window, with a share embedding",
    versions={1: build_gru, 2: build_readout},
    default_version=2,
    hyperparameters=RnnHyperparameters(),
    order=40,
    search={"units": OneOf((8, 16, 32)), "embedding": OneOf((2, 4, 8)), "dropout": Between(0.0, 0.4)},
)
