"""rnn: a recurrent model over the steps of the window, with an embedding of the share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from models.architecture import Architecture, Hyperparameters, InputSpec
from models.basis_expansion import expanded
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
        readout_l1: penalty on the absolute values of what the last state says of the window's weights, in version 3,
            with 200,000 train rows; it grows as the noise does with fewer. With a weight w of a value of deviation 1,
            the loss falls by about w^2 / 8 at most: a weight below half of its noise, then 0.002, is 0.
    """

    learning_rate: float = 1e-2
    members: int = 4
    units: int = 16
    embedding: int = 4
    dropout: float = 0.0
    readout_l1: float = 5e-4


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
    steps, declared = inputs.sequence_input()
    return _readout(steps, declared, inputs, hyperparameters)


def build_expanded_readout(inputs: InputSpec, hyperparameters: RnnHyperparameters) -> keras.Model:
    """Version 3: as version 2, and of every step its size is seen and read as well, and both squashed.

    Four times as many weights would cost more by their noise than the sizes are worth, where the window says little. So
    they are penalised by their absolute values, and those that are worth nothing stay about zero.
    """
    from models.noise_penalty import NoisePenalty

    steps, declared = inputs.sequence_input()
    return _readout(expanded(steps), declared, inputs, hyperparameters, NoisePenalty(hyperparameters.readout_l1))


def _readout(
    steps: Any,
    declared: dict[str, Any],
    inputs: InputSpec,
    hyperparameters: RnnHyperparameters,
    penalty: keras.regularizers.Regularizer | None = None,
) -> keras.Model:
    """The recurrent layer over a Keras tensor, [batch, steps, channels], and what it says of how that is to be read."""
    import keras

    before = keras.layers.Cropping1D((0, 1))(keras.layers.ZeroPadding1D((1, 0))(steps))
    channels = keras.layers.Concatenate()([steps, keras.layers.Multiply()([steps, before])])
    state = keras.layers.SimpleRNN(hyperparameters.units)(channels)
    context, others = _context(inputs, hyperparameters, state)
    window = keras.layers.Flatten()(steps)
    read_by = keras.layers.Dense(
        window.shape[1],
        kernel_initializer="zeros",
        kernel_regularizer=penalty,
        bias_regularizer=penalty,
        name="window_weights",
    )
    weights = read_by(context)
    read = keras.layers.Dot(axes=1)([weights, window])
    logit = keras.layers.Add(name="logit")([read, keras.layers.Dense(1, name="offset")(context)])
    return keras.Model({**declared, **others}, logit, name="rnn")


def _context(inputs: InputSpec, hyperparameters: RnnHyperparameters, state: Any) -> Any:
    """The last state beside the scalars and the share, [batch, values], and the dict of the inputs this adds."""
    import keras

    from models.dropout import Dropout

    scalars, scalar_inputs = inputs.scalar_input()
    embedded, categories = inputs.embedded_categories(hyperparameters.embedding, hyperparameters.category_l2)
    state = Dropout(hyperparameters.dropout)(state)
    others = [*scalars, *embedded]
    context = keras.layers.Concatenate()([state, *others]) if others else state
    return context, {**scalar_inputs, **categories}


ARCHITECTURE = Architecture(
    name="rnn",
    description="recurrent over the steps of the window, with a share embedding",
    versions={1: build_gru, 2: build_readout, 3: build_expanded_readout},
    default_version=3,
    hyperparameters=RnnHyperparameters(),
    order=40,
    search={
        "units": OneOf((8, 16, 32)),
        "embedding": OneOf((2, 4, 8)),
        "dropout": Between(0.0, 0.4),
        "readout_l1": Between(5e-5, 5e-3, log=True),
    },
)
