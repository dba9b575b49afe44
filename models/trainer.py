"""run_fn: what the Trainer calls."""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from models.architecture import Hyperparameters, InputSpec
from models.card import ModelCard
from models.data import Rows, load_rows
from models.ensemble import mean_of
from models.formatters import DataFormatter, Kind, get_formatter
from models.preprocessing import vocabulary_name
from models.progress import training_progress
from models.registry import get_architecture
from models.serving import ServedModel, export

if TYPE_CHECKING:
    import pandas as pd
    from tfx.components.trainer.fn_args_utils import FnArgs

_LOG = logging.getLogger(__name__)
HISTORY_FILE = "history.csv"


@dataclass(frozen=True)
class TrainingConfig:
    """What one Trainer is told, as TFX's custom config (JSON).

    Attributes:
        model: name of the architecture.
        version: of the architecture.
        hyperparameters: all of them, by name.
        formatter: name of the DataFormatter.
        horizon: the trained one.
        seed: of weights, dropout and the order of rows.
        code: digest of the code, so that TFX's cache sees a change.
    """

    model: str
    version: int
    hyperparameters: dict[str, Any]
    formatter: str
    horizon: int
    seed: int
    code: str

    def to_custom_config(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


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
        histories: the losses of each member, epoch by epoch.
        global_step: gradient steps of all members together.
    """

    model: keras.Model
    histories: tuple[keras.callbacks.History, ...]
    global_step: int

    def history(self) -> pd.DataFrame:
        """The losses as a table: member and epoch, both counted from 1, loss and, with an eval split, val_loss."""
        import pandas as pd

        parts = [
            pd.DataFrame({"member": number, "epoch": np.array(one.epoch) + 1, **one.history})
            for number, one in enumerate(self.histories, start=1)
        ]
        return pd.concat(parts, ignore_index=True)


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
) -> Trained:
    """Trains one model in memory, each member until its loss on the eval split has not fallen for `patience` epochs.

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

    Returns:
        The model, each member with the weights of its best epoch (of the last one without an eval split).
    """
    keras.utils.set_random_seed(seed)  # once: what a member draws follows from what the one before it drew
    build = partial(get_architecture(architecture).versions[version], inputs, hyperparameters)
    members, histories = [], []
    for number in range(hyperparameters.members):
        members.append(build())
        beside = callbacks(number) if callbacks else []
        histories.append(_fit(members[-1], hyperparameters, rows, held_out, beside, most_steps))
    steps = sum(int(member.optimizer.iterations.numpy()) for member in members)
    return Trained(mean_of(members), tuple(histories), steps)


def _fit(
    model: keras.Model,
    hyperparameters: Hyperparameters,
    rows: Rows,
    held_out: Rows | None,
    callbacks: list[keras.callbacks.Callback],
    most_steps: int | None,
) -> keras.callbacks.History:
    """Fits one member; see `train`."""
    batch_size = hyperparameters.batch_rows(len(rows.label))
    steps = math.ceil(len(rows.label) / batch_size) * hyperparameters.epochs
    stopping: list[Any] = []
    if held_out is not None:
        patience = hyperparameters.patience
        stopping.append(keras.callbacks.EarlyStopping("val_loss", patience=patience, restore_best_weights=True))
    if most_steps is not None:
        steps = min(steps, most_steps)
        stopping.append(_StopAfter(steps))
    # The learning rate falls to zero over the steps: a few epochs are enough then.
    schedule = keras.optimizers.schedules.CosineDecay(hyperparameters.learning_rate, steps)
    model.compile(
        optimizer=keras.optimizers.Adam(schedule),
        loss=keras.losses.BinaryCrossentropy(from_logits=True),
        # Callbacks are only asked after as many.
        steps_per_execution=32 if most_steps is None else 1,
        jit_compile=False,
    )

    def inputs_and_labels(split: Rows) -> tuple[dict[str, Any], Any]:
        return {tensor.name: split.features[tensor.name] for tensor in model.inputs}, split.label[:, None]

    return model.fit(
        *inputs_and_labels(rows),
        batch_size=batch_size,
        shuffle=True,  # the files are in order of time: an epoch in that order would end on the last days each time
        validation_data=None if held_out is None else inputs_and_labels(held_out),
        validation_batch_size=8192,
        epochs=hyperparameters.epochs,
        callbacks=[*stopping, *callbacks],
        verbose=0,
    )


class _StopAfter(keras.callbacks.Callback):
    """Ends training after a number of steps, in the middle of an epoch too."""

    def __init__(self, steps: int) -> None:
        super().__init__()
        self._left = steps

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        self._left -= 1
        if self._left == 0:
            self.model.stop_training = True


def run_fn(fn_args: FnArgs) -> None:
    """Trains the architecture named in the custom config and exports it.

    Args:
        fn_args: TFX's; `custom_config` is a TrainingConfig, `train_steps` the steps at most, None for the epochs alone.
    """
    config = TrainingConfig(**fn_args.custom_config)
    formatter = get_formatter(config.formatter)
    defaults = get_architecture(config.model).hyperparameters
    hyperparameters = defaults.updated(config.hyperparameters)
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    layer = transform.transform_features_layer()
    names = [feature.name for feature in formatter.features]

    def transformed(raw: dict[str, Any]) -> dict[str, Any]:
        out = layer(raw)
        return {name: out[name] for name in names}

    rows = load_rows(fn_args.train_files, config.horizon, formatter, transformed)
    held_out = load_rows(fn_args.eval_files, config.horizon, formatter, transformed)
    _LOG.info("%s: %d rows to train, %d for early stopping", config.model, len(rows.label), len(held_out.label))

    with training_progress(config.model, hyperparameters.epochs, hyperparameters.members) as progress:

        def callbacks(member: int) -> list[keras.callbacks.Callback]:
            # TensorBoard shows each folder as a run of its own.
            folder = f"member{member + 1}" if hyperparameters.members > 1 else ""
            board = keras.callbacks.TensorBoard(os.path.join(fn_args.model_run_dir, folder), write_graph=False)
            return [board, progress(member)]

        trained = train(
            config.model,
            config.version,
            hyperparameters,
            input_spec(formatter, transform),
            rows,
            held_out,
            config.seed,
            callbacks,
            fn_args.train_steps,
        )
    history = trained.history()
    with tf.io.gfile.GFile(os.path.join(fn_args.model_run_dir, HISTORY_FILE), "w") as file:
        history.to_csv(file, index=False)
    step = trained.global_step
    card = ModelCard(config.model, config.version, config.formatter, config.horizon, config.seed, step, config.code)
    export(ServedModel(trained.model, transform, formatter, step), card, fn_args.serving_model_dir)
    best = history.loc[history.groupby("member")["val_loss"].idxmin(), "epoch"]
    _LOG.info("%s: best epochs %s, %d steps", config.model, ", ".join(map(str, best)), step)
