"""What every architecture shares: inputs, hyperparameters, and how a name leads to it. No TensorFlow at import."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Protocol

from models.errors import HyperparameterError
from models.formatters import DataFormatter
from models.operations import Kind
from models.plugins import LAST
from models.search_space import Between, OneOf, Space

if TYPE_CHECKING:
    import keras

    from models.data import Rows


@dataclass(frozen=True)
class Hyperparameters:
    """What every architecture is trained with; each adds its own.

    Attributes:
        learning_rate: of Adam in the first step; it falls to 0 along half a cosine over all steps.
        batch_size: rows of a step, at most: see `batch_rows`.
        epochs: at most; early stopping may end sooner.
        patience: epochs without a lower loss on the eval split before training ends.
        category_l2: penalty on the squares of what a category's index is turned into. With N training rows it is a
            normal prior of variance 1 / (2 N category_l2): 3e-3 and 170,000 rows say that shares differ by about 0.03
            in their logits, a Sharpe ratio of 0.3 a year. Without it, the noise of 100 intercepts costs a tenth of the
            skill.
        members: networks that are trained one after the other, alike but for their first weights and the order of
            rows; the model is the mean of their logits. Where there is little to learn, what a single network adds is
            mostly its seed.
    """

    learning_rate: float = 5e-3
    batch_size: int = 2048
    epochs: int = 5
    patience: int = 3
    category_l2: float = 3e-3
    members: int = 1

    def batch_rows(self, rows: int) -> int:
        """Rows of a step where there are `rows` to train on.

        `batch_size`, or less where an epoch would have under 64 steps: few rows need their steps all the same. At least
        32, a power of 2 where it is less than `batch_size`.
        """
        largest = rows // 64
        return min(self.batch_size, max(32, 1 << (largest.bit_length() - 1) if largest else 0))

    def updated(self, values: Mapping[str, Any]) -> Hyperparameters:
        """A copy with some values changed.

        Args:
            values: by name; lists stand for tuples, as JSON has none.

        Raises:
            HyperparameterError: a name that does not exist, or a value of another type or out of range.
        """
        known = {one.name: getattr(self, one.name) for one in fields(self)}
        _check_names(values, known, known)
        for name, value in values.items():
            known[name] = _checked(name, type(known[name]), value)
        return replace(self, **known)

    def beside(self, others: Hyperparameters) -> dict[str, Any]:
        """Those that differ from others of the same class, by name."""
        return {name: value for name, value in vars(self).items() if value != getattr(others, name)}


def _check_names(values: Iterable[str], known: Collection[str], offered: Iterable[str]) -> None:
    for name in values:
        if name not in known:
            raise HyperparameterError(f"hyperparameter {name!r} does not exist; there are {', '.join(offered)}")


def _checked(name: str, wanted: Any, value: Any) -> Any:
    if wanted is tuple:
        if not isinstance(value, (list, tuple)) or not value:
            raise HyperparameterError(f"hyperparameter {name} must be a list of whole numbers, not {value!r}")
        return tuple(_checked(name, int, item) for item in value)
    # A bool is an int to Python, and none is meant by it here.
    accepted = (int, float) if wanted is float else wanted
    if isinstance(value, bool) or not isinstance(value, accepted):
        raise HyperparameterError(f"hyperparameter {name} must be {_KINDS.get(wanted, wanted.__name__)}, not {value!r}")
    if wanted is int and value < 1:
        raise HyperparameterError(f"hyperparameter {name} must be at least 1, not {value!r}")
    if wanted is float and not (math.isfinite(value) and value >= 0):
        raise HyperparameterError(f"hyperparameter {name} must be a finite number and not negative, not {value!r}")
    if (name == "dropout" and value >= 1) or (name == "learning_rate" and value == 0):
        raise HyperparameterError(f"hyperparameter {name} must be {'below 1' if value else 'above 0'}, not {value!r}")
    return wanted(value)


_KINDS = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}

OF_GRADIENT_STEPS = ("learning_rate", "batch_size", "epochs", "patience", "members")
"""Hyperparameters that mean nothing to a version that is solved."""


def common_space(defaults: Hyperparameters) -> dict[str, Between | OneOf]:
    """Where what every model has is looked for: around a model's own values.

    Its other common ones are a matter of cost (`members`), or decide little once these are chosen.
    """
    found: dict[str, Between | OneOf] = {"epochs": Between(max(1, defaults.epochs // 2), 2 * defaults.epochs)}
    for name, factor in (("learning_rate", 5), ("category_l2", 10)):
        if (value := getattr(defaults, name)) > 0:
            low, high = (float(f"{end:.3g}") for end in (value / factor, value * factor))
            found[name] = Between(low, high, log=True)
    return found


def _check_space(space: Space, defaults: Hyperparameters) -> None:
    """Checks a declared space beside the hyperparameters that it is of.

    Raises:
        TypeError: it is no mapping, or holds something else than `Between` and `OneOf`.
        ValueError: it names what does not exist, leaves out the default, or holds what no model can be trained with.
    """
    if not isinstance(space, Mapping):
        raise TypeError(f"search is of type {type(space).__name__}, not dict")
    for name, where in space.items():
        if not isinstance(where, (Between, OneOf)):
            raise TypeError(f"search of {name} is of type {type(where).__name__}, not Between or OneOf")
        for value in where.values if isinstance(where, OneOf) else (where.low, where.high):
            defaults.updated({name: value})
        if not where.holds(default := getattr(defaults, name)):
            raise ValueError(f"search of {name}: its default {default!r} is not within {where.words}")


@dataclass(frozen=True)
class InputSpec:
    """The features a model may take, with what only the data tells: how large each vocabulary is.

    Attributes:
        formatter: declares the features.
        categories: number of indices of each category, the one for unknown values included.
    """

    formatter: DataFormatter
    categories: Mapping[str, int]

    def _declared(self, *kinds: Kind) -> dict[str, Any]:
        """Keras inputs [batch, steps] of all features of these kinds, by name."""
        import keras

        features = [feature for kind in kinds for feature in self.formatter.of_kind(kind)]
        return {feature.name: keras.Input((feature.steps,), name=feature.name) for feature in features}

    def sequence_input(self) -> Any:
        """A Keras tensor [batch, steps, channels] of all sequences, and the dict of declared inputs."""
        import keras

        declared = self._declared(Kind.SEQUENCE)
        channels = [keras.layers.Reshape((tensor.shape[1], 1))(tensor) for tensor in declared.values()]
        return channels[0] if len(channels) == 1 else keras.layers.Concatenate(axis=-1)(channels), declared

    def flat_input(self) -> Any:
        """A Keras tensor [batch, values] of all sequences and scalars, and the dict of declared inputs."""
        import keras

        declared = self._declared(Kind.SEQUENCE, Kind.SCALAR)
        tensors = list(declared.values())
        return tensors[0] if len(tensors) == 1 else keras.layers.Concatenate()(tensors), declared

    def scalar_input(self) -> Any:
        """Keras tensors [batch, 1], or [batch, parts], of the scalars, and the dict of declared inputs."""
        declared = self._declared(Kind.SCALAR)
        return list(declared.values()), declared

    def embedded_categories(self, width: int, l2: float) -> Any:
        """Keras tensors [batch, width], one for each category, and the dict of declared inputs.

        Embeddings begin at zero, so a share that was never seen in training changes nothing.

        Args:
            width: numbers an index is turned into.
            l2: penalty on their squares.
        """
        import keras

        declared, embedded = {}, []
        for feature in self.formatter.of_kind(Kind.CATEGORY):
            declared[feature.name] = keras.Input((1,), dtype="int64", name=feature.name)
            size = self.categories[feature.name]
            table = keras.layers.Embedding(
                size,
                width,
                embeddings_initializer="zeros",
                embeddings_regularizer=keras.regularizers.L2(l2),
                name=f"{feature.name}_embedding",
            )
            embedded.append(keras.layers.Flatten()(table(declared[feature.name])))
        return embedded, declared


Told = Callable[[Mapping[str, float]], None]
"""Takes the losses after a step: `loss` of the train split and, where it is known, `val_loss` of the eval split."""


class Fit(Protocol):
    """Puts the weights of a solution into a model."""

    def __call__(
        self,
        model: keras.Model,
        inputs: InputSpec,
        hyperparameters: Any,
        rows: Rows,
        held_out: Rows | None,
        told: Told,
        most_steps: int | None,
    ) -> None:
        """Fits.

        Args:
            model: as its builder made it, or as it was fitted before: nothing of that may decide.
            inputs: the features.
            hyperparameters: of the architecture's own class.
            rows: the train split; its features may lie on disk.
            held_out: the eval split; None to fit the train split as closely as the version can.
            told: is called after each step.
            most_steps: after which it ends, solved or not; None for as many as it takes.

        Raises:
            DivergenceError: there is no solution.
        """


@dataclass(frozen=True)
class Architecture:
    """One kind of model.

    Attributes:
        name: as in `--models`.
        description: one line for people.
        versions: its builders by version; each turns inputs and hyperparameters into a Keras model whose output is a
            logit, [batch, 1]: one member of several where there are.
        default_version: the version used where none is named.
        hyperparameters: the defaults.
        order: its place among the models.
        search: where `awesome search` looks for better hyperparameters, beside `common_space`.
        fits: by version, how it is fitted where that is not by gradient steps (`Fit`).
    """

    name: str
    description: str
    versions: Mapping[int, Callable[[InputSpec, Any], keras.Model]]
    default_version: int
    hyperparameters: Hyperparameters
    order: int = LAST
    search: Space = field(default_factory=dict)
    fits: Mapping[int, Fit] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Checks what would fail where nobody looks for it.

        Raises:
            TypeError: versions, hyperparameters or search are of another type.
            ValueError: the default version is none, fits names another, or search does not fit the hyperparameters.
        """
        if not isinstance(self.versions, Mapping):
            raise TypeError(f"model {self.name}: versions is of type {type(self.versions).__name__}, not dict")
        if not isinstance(self.hyperparameters, Hyperparameters):
            wrong = type(self.hyperparameters).__name__
            raise TypeError(f"model {self.name}: hyperparameters is of type {wrong}, not Hyperparameters")
        if self.default_version not in self.versions:
            there = ", ".join(map(str, self.versions))
            raise ValueError(
                f"model {self.name}: default_version {self.default_version} is none of the versions {there}"
            )
        if not isinstance(self.fits, Mapping) or not self.fits.keys() <= self.versions.keys():
            raise ValueError(f"model {self.name}: fits names what is no version: {self.fits!r}")
        try:
            _check_space(self.search, self.hyperparameters)
        except (TypeError, ValueError) as error:
            raise type(error)(f"model {self.name}: {error}") from None

    def changed(self, version: int, values: Mapping[str, Any]) -> Hyperparameters:
        """The hyperparameters of a version, with some values changed; errors as of `Hyperparameters.updated`.

        Raises:
            HyperparameterError: also where a value would change nothing, as the version is solved.
        """
        # Not those of all versions: whoever misspells a name is offered none that would be refused next.
        _check_names(values, vars(self.hyperparameters), self.used(version))
        found = self.hyperparameters.updated(values)
        if version in self.fits and (idle := [name for name in OF_GRADIENT_STEPS if name in values]):
            stepping = [str(one) for one in self.versions if one not in self.fits]
            another = f" or train {self.name}:{stepping[-1]}" if stepping else ""
            raise HyperparameterError(
                f"hyperparameter {idle[0]} does nothing: version {version} of {self.name} is solved, not trained by "
                f"gradient steps; leave it out{another}"
            )
        return found

    def used(self, version: int | None = None, values: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The hyperparameters that mean something to a version (None is the default one), by name.

        Args:
            version: of the architecture.
            values: those that differ from the architecture's own; errors as of `Hyperparameters.updated`.
        """
        found = vars(self.hyperparameters.updated(values or {}))
        solved = (self.default_version if version is None else version) in self.fits
        return {name: value for name, value in found.items() if not (solved and name in OF_GRADIENT_STEPS)}

    def most_epochs(self, version: int, hyperparameters: Hyperparameters) -> int | None:
        """Epochs of a member at most; None where a solver takes as many steps as it needs."""
        return None if version in self.fits else hyperparameters.epochs

    @property
    def space(self) -> Space:
        """Where each hyperparameter of the default version is looked for."""
        return self.space_of(self.default_version)

    def space_of(self, version: int) -> Space:
        """Where each hyperparameter of a version is looked for."""
        found = {**common_space(self.hyperparameters), **self.search}
        idle = OF_GRADIENT_STEPS if version in self.fits else ()
        return {name: where for name, where in found.items() if name not in idle}
