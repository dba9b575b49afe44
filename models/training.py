"""Trains a model in memory: one network, or several whose mean it is."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_transform as tft

from models.architecture import Fit, Hyperparameters, InputSpec
from models.data import Rows
from models.devices import training_devices
from models.early_stopping import EVAL_LOSS, EarlyStopping
from models.ensemble import mean_of
from models.errors import DivergenceError
from models.fitting import fitted
from models.formatters import DataFormatter
from models.gradient_steps import AT_ONCE, GradientSteps, batches, unrolled
from models.noise_penalty import fit_penalties
from models.operations import Kind, vocabulary_name
from models.registry import ARCHITECTURES, get_architecture
from models.stored import Stored

if TYPE_CHECKING:
    import pandas as pd

_LOG = logging.getLogger(__name__)

EPOCH_ROWS = 1_000_000
"""Rows of an epoch at the most: of more there are to train on, each epoch takes others. A network that has seen so many
without a lower loss has learned what it can, and to go on to the end of a market of fifty million rows takes days."""

Weights: TypeAlias = list[npt.NDArray[Any]]
"""Of all variables of a network, in their order."""


def input_spec(formatter: DataFormatter, transform: tft.TFTransformOutput) -> InputSpec:
    """The formatter's features with the sizes of the vocabularies that Transform found."""
    # One index more than the vocabulary holds: the one for unknown values.
    return InputSpec(
        formatter,
        {f.name: transform.vocabulary_size_by_name(vocabulary_name(f)) + 1 for f in formatter.of_kind(Kind.CATEGORY)},
    )


@dataclass(frozen=True)
class Trained:
    """What a training leaves.

    Attributes:
        model: gives a logit, [n, 1]; the mean of its members' where there are several.
        history: the losses, one row a look: member (counted from 1), epoch (epochs trained until then, with a
            fraction), loss (mean of the epoch that ends there; nan within one) and, with an eval split, val_loss. Of a
            version that is solved, an epoch is a step, and loss is without penalties.
        global_step: steps of all members together.
    """

    model: keras.Model
    history: pd.DataFrame
    global_step: int


def train(
    architecture: str,
    version: int,
    hyperparameters: Hyperparameters,
    inputs: InputSpec,
    rows: Rows,
    held_out: Rows | None,
    seed: int,
    callbacks: Callable[[int], list[keras.callbacks.Callback]] | None = None,
    most_steps: int | None = None,
    devices: int = 1,
) -> Trained:
    """Trains one model in memory, each member until its loss on the eval split has not fallen for `patience` epochs.

    A version that is solved (models/fitting.py) is fitted by its solver instead.

    The balance of the classes is left as it is: the share of rising days is part of what is learned.

    Args:
        architecture: its name.
        version: of the architecture.
        hyperparameters: of its own class.
        inputs: the features.
        rows: the train split.
        held_out: the eval split; None trains for all epochs, to memorise, and keeps the last weights.
        seed: two runs with the same seed on one machine give the same model.
        callbacks: Keras callbacks beside early stopping, for a member by its number, counted from 0.
        most_steps: gradient steps after which each member's training ends; None for the epochs alone.
        devices: that share the rows of each gradient step; see `training_devices`. A solver takes none.

    Returns:
        The model, each member with the weights of its best look at the eval split (the last ones without one).

    Raises:
        DivergenceError: a member never had a loss that is a number.
        DeviceError: there are fewer devices.
        PluginError: the architecture comes from outside, and its builder fails or makes what cannot be trained.
    """
    training = Training(architecture, version, hyperparameters, inputs, seed, devices)
    return training.train(rows, held_out, callbacks, most_steps)


class Training:
    """One architecture that is trained on several sets of rows, each time as if it were the first.

    All members are trained in the place of the first one, and where the next training has as many steps, it is too:
    what TensorFlow has traced is used again, and to trace a step takes longer than to train a small model.
    """

    def __init__(
        self,
        architecture: str,
        version: int,
        hyperparameters: Hyperparameters,
        inputs: InputSpec,
        seed: int,
        devices: int = 1,
    ) -> None:
        """Takes what all trainings share; arguments as in `train`."""
        self._architecture, self._inputs = architecture, inputs
        self._solver = get_architecture(architecture).fits.get(version)
        self._build = partial(get_architecture(architecture).versions[version], inputs, hyperparameters)
        self._hyperparameters = hyperparameters
        self._seed, self._devices = seed, devices
        self._members: list[keras.Model] = []
        self._first: list[Weights] = []
        self._network: _Network | None = None
        self._mean: keras.Model | None = None

    def train(
        self,
        rows: Rows,
        held_out: Rows | None,
        callbacks: Callable[[int], list[keras.callbacks.Callback]] | None = None,
        most_steps: int | None = None,
    ) -> Trained:
        """Trains; arguments and errors as in `train`. The model of the training before is then this one."""
        import pandas as pd

        keras.utils.set_random_seed(self._seed)  # of the first weights and of what is dropped
        if self._solver:
            return self._solved(self._solver, rows, held_out, callbacks(0) if callbacks else [], most_steps)
        histories, last, steps = [], [], 0
        tensors = None
        for number in range(self._hyperparameters.members):
            if number == len(self._members):
                self._add_member()
            network = self._network = self._network or _Network(self._members[0], training_devices(self._devices))
            tensors = tensors or _tensors(network.model, rows)
            fit_penalties(network.model, len(rows.label))
            _give(network.model, self._first[number])
            beside = callbacks(number) if callbacks else []
            rng = np.random.default_rng((self._seed, number))
            history = _fit(network, self._hyperparameters, tensors, held_out, beside, most_steps, rng)
            histories.append(history.assign(member=number + 1))
            last.append(_weights_of(network.model))
            steps += network.steps
        for member, weights in zip(self._members, last, strict=True):
            _give(member, weights)
        losses = pd.concat(histories, ignore_index=True)
        losses.insert(0, "member", losses.pop("member"))
        if self._mean is None:
            self._mean = mean_of(self._members)
        return Trained(self._mean, losses, steps)

    def _solved(
        self,
        fit: Fit,
        rows: Rows,
        held_out: Rows | None,
        callbacks: list[keras.callbacks.Callback],
        most_steps: int | None,
    ) -> Trained:
        if not self._members:
            self._add_member()
        model = self._members[0]
        beside = (callbacks, most_steps)
        with ARCHITECTURES.called(self._architecture):
            history = fitted(fit, model, self._inputs, self._hyperparameters, rows, held_out, *beside)
        history.insert(0, "member", 1)
        return Trained(model, history, len(history))

    def _add_member(self) -> None:
        """Builds one more.

        Raises:
            PluginError: the architecture comes from outside, and its builder fails or makes what cannot be trained.
        """
        with ARCHITECTURES.called(self._architecture):
            model = _checked(self._build(), self._inputs)
            weights = _weights_of(model)
            if self._first and [one.shape for one in weights] != [one.shape for one in self._first[0]]:
                raise ValueError("it builds another network each time: members are to differ in their weights alone")
        self._members.append(model)
        self._first.append(weights)


@dataclass(frozen=True)
class _Tensors:
    """A split as tensors, made once for all members: features by name, [rows, ...], and the label, [rows, 1].

    What lies on disk becomes tensors for a few steps.
    """

    features: dict[str, Any]
    label: Any

    def of(self, order: npt.NDArray[np.int32]) -> tuple[dict[str, Any], Any, npt.NDArray[np.int32]]:
        """Features and labels that hold the rows of some steps, and where they are, [steps, batch]."""
        if not any(isinstance(values, Stored) for values in self.features.values()):
            return self.features, self.label, order
        places = order.reshape(-1)
        some = {
            name: tf.gather(values, places) if tf.is_tensor(values) else tf.constant(values[places])
            for name, values in self.features.items()
        }
        return some, tf.gather(self.label, places), np.arange(order.size, dtype=np.int32).reshape(order.shape)


def _tensors(model: keras.Model, rows: Rows) -> _Tensors:
    known = {tensor.name: rows.features[tensor.name] for tensor in model.inputs}
    features = {name: one if isinstance(one, Stored) else tf.constant(one) for name, one in known.items()}
    return _Tensors(features, tf.constant(rows.label[:, None], tf.float32))


def _weights_of(model: keras.Model) -> Weights:
    """Copies, with dropout's random state."""
    return [variable.numpy() for variable in model.variables]


def _give(model: keras.Model, weights: Weights) -> None:
    for variable, value in zip(model.variables, weights, strict=True):
        variable.assign(value)


class _Network:
    """A network that is trained again and again."""

    def __init__(self, model: keras.Model, devices: Sequence[str]) -> None:
        self.model, self._devices = model, devices
        self._asked: Any = None
        self._for: tuple[float, int] | None = None
        self._steps: GradientSteps | None = None

    def ask(self, features: Mapping[str, Any]) -> Any:
        """Its logits, [n, 1], of its inputs by name, tensors; traced once, for any number of rows."""
        if self._asked is None:
            spec = {name: tf.TensorSpec([None, *value.shape[1:]], value.dtype) for name, value in features.items()}
            self._asked = tf.function(self._answer, autograph=False).get_concrete_function(spec)
        return self._asked(dict(features))

    def _answer(self, features: dict[str, Any]) -> Any:
        with unrolled(self.model):
            return self.model(features, training=False)

    @property
    def steps(self) -> int:
        """Gradient steps of its training."""
        return int(self.model.optimizer.iterations.numpy())

    def ready(self, learning_rate: float, steps: int) -> GradientSteps:
        """Makes it ready to be trained for so many steps; arguments as of `GradientSteps`."""
        if self._steps is None or self._for != (learning_rate, steps):
            self._for = (learning_rate, steps)
            self._steps = GradientSteps(self.model, learning_rate, steps, self._devices)
        else:
            self._steps.forget()
        return self._steps


def _checked(model: Any, inputs: InputSpec) -> keras.Model:
    """What a builder made, if it can be trained.

    Raises:
        ValueError: it is no model, takes what the formatter does not make, or does not give one logit a row.
    """
    if not isinstance(model, keras.Model):
        raise ValueError(f"it builds {type(model).__name__}, not a Keras model")
    known = [feature.name for feature in inputs.formatter.features]
    for tensor in model.inputs:
        if tensor.name not in known:
            raise ValueError(f"its model takes an input {tensor.name!r}; the formatter makes {', '.join(known)}")
    if model.output_shape != (None, 1):
        raise ValueError(f"its model gives {model.output_shape}, not one logit a row, (None, 1)")
    if getattr(model.layers[-1], "activation", None) in (keras.activations.sigmoid, keras.activations.softmax):
        raise ValueError("its model gives a probability, not a logit: leave out the last activation")
    return model


def _fit(
    network: _Network,
    hyperparameters: Hyperparameters,
    rows: _Tensors,
    held_out: Rows | None,
    callbacks: list[keras.callbacks.Callback],
    most_steps: int | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Fits one member; see `train`. Returns its losses, as in `Trained.history`.

    Raises:
        DivergenceError: no look at the eval split (without one, not the last epoch) had a loss that is a number.
    """
    import pandas as pd

    model = network.model
    count = len(rows.label)
    batch_size = hyperparameters.batch_rows(count)
    steps_per_epoch = math.ceil(min(count, EPOCH_ROWS) / batch_size)
    steps = min(steps_per_epoch * hyperparameters.epochs, most_steps or sys.maxsize)
    early = None
    if held_out is not None:
        inputs = {tensor.name: held_out.features[tensor.name] for tensor in model.inputs}
        early = EarlyStopping(network.ask, inputs, held_out.label, steps_per_epoch, hyperparameters.patience)
    taking = network.ready(hyperparameters.learning_rate, steps)
    # The files are in order of time: an epoch in that order would end on the last days each time.
    epochs = batches(count, batch_size, steps_per_epoch, rng)
    everything = keras.callbacks.CallbackList([*([early] if early else []), *callbacks], model=model)
    model.stop_training = False
    everything.on_train_begin()
    ends, losses = [], []
    for epoch in range(math.ceil(steps / steps_per_epoch)):
        everything.on_epoch_begin(epoch)
        order = next(epochs)[: steps - epoch * steps_per_epoch]
        total = 0.0
        for begin in range(0, len(order), AT_ONCE):
            everything.on_train_batch_begin(begin)
            part = order[begin : begin + AT_ONCE]
            total += taking.take(*rows.of(part))
            everything.on_train_batch_end(begin + len(part) - 1, {"loss": total / (begin + len(part))})
            if model.stop_training:
                break
        losses.append(total / (begin + len(part)))
        ends.append(network.steps / steps_per_epoch)
        everything.on_epoch_end(epoch, {"loss": losses[-1]})
        if model.stop_training:
            break
    everything.on_train_end()
    diverged = not math.isfinite(losses[-1]) if early is None else early.best is None
    if diverged:
        rate = hyperparameters.learning_rate
        raise DivergenceError(f"training diverged, its losses are no numbers: lower learning_rate, which is {rate:g}")
    if early is not None and not math.isfinite(early.checks[-1][1]):
        _LOG.warning("training diverged after %.2f epochs; the weights of its best look are kept", early.checks[-1][0])
    found = pd.DataFrame({"epoch": ends, "loss": losses})
    if early is None:
        return found
    looks = pd.DataFrame(early.checks, columns=["epoch", EVAL_LOSS])
    return looks.merge(found, how="outer", on="epoch", sort=True)[["epoch", "loss", EVAL_LOSS]]
