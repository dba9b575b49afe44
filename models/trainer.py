"""run_fn: what the Trainer calls."""

from __future__ import annotations

import logging
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from models.card import ModelCard
from models.data import market_of, row_reader
from models.early_stopping import EVAL_LOSS
from models.formatters import get_formatter
from models.history import HISTORY_FILE
from models.labels import UP, get_label
from models.progress import training_progress
from models.registry import get_architecture, origins_of
from models.serving import ServedModel, export
from models.training import input_spec, train
from models.transform_graph import TransformGraph

if TYPE_CHECKING:
    from tfx.components.trainer.fn_args_utils import FnArgs

_LOG = logging.getLogger(__name__)

IN_MEMORY = 500_000
"""Train rows, about, from which on their features are read from disk for every batch: 42 MB of them at 21 numbers a
row. Of an eval split no more are looked at, at random."""


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
        label: name of the label.
        devices: that share the rows of each gradient step.
    """

    model: str
    version: int
    hyperparameters: dict[str, Any]
    formatter: str
    horizon: int
    seed: int
    code: str
    label: str = UP
    devices: int = 1

    def to_custom_config(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)


def run_fn(fn_args: FnArgs) -> None:
    """Trains the architecture named in the custom config and exports it.

    Args:
        fn_args: TFX's; `custom_config` is a TrainingConfig, `train_steps` the steps at most, None for the epochs alone.
    """
    config = TrainingConfig(**fn_args.custom_config)
    formatter = get_formatter(config.formatter)
    architecture = get_architecture(config.model)
    defaults = architecture.hyperparameters
    hyperparameters = defaults.updated(config.hyperparameters)
    transform = tft.TFTransformOutput(fn_args.transform_graph_path)
    graph = TransformGraph(transform, formatter)
    read = row_reader(config.horizon, formatter, graph, get_label(config.label), to_learn=True)
    rows = read(fn_args.train_files, in_memory=IN_MEMORY)
    held_out = read(fn_args.eval_files, IN_MEMORY, config.seed)
    _LOG.info("%s: %d rows to train, %d for early stopping", config.model, len(rows.label), len(held_out.label))

    most_epochs = architecture.most_epochs(config.version, hyperparameters)
    with training_progress(config.model, most_epochs, hyperparameters.members) as progress:

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
            config.devices,
        )
    history = trained.history
    with tf.io.gfile.GFile(os.path.join(fn_args.model_run_dir, HISTORY_FILE), "w") as file:
        history.to_csv(file, index=False)
    step = trained.global_step
    parts = origins_of([config.model], config.formatter, config.label)
    told = (config.model, config.version, config.formatter, config.horizon, config.seed)
    market = market_of(fn_args.train_files) if formatter.day_columns else ()
    changed = hyperparameters.beside(defaults)
    card = ModelCard(*told, step, config.code, parts, config.label, market, changed)
    export(ServedModel(trained.model, transform, formatter, step, graph), card, fn_args.serving_model_dir)
    best = history.loc[history.groupby("member")[EVAL_LOSS].idxmin(), "epoch"]
    _LOG.info("%s: best after %s epochs, %d steps", config.model, ", ".join(f"{one:.2f}" for one in best), step)
