"""Trains one experiment in memory and answers the test split. Imports TensorFlow."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from components.feature_example_gen.splits import SPLITS
from components.whole_files import temporary_folder
from models.data import Rows
from models.features import SHARE_ID, TIME
from models.formatters import DataFormatter
from models.in_memory import apply_formatter, fit_formatter
from models.training import input_spec, train
from pipeline.studies.experiments.answers import Answers
from pipeline.studies.experiments.catalogue import Experiment
from pipeline.studies.experiments.panels import PanelRows, Split, rows_of

Epochs = Callable[[int], None]
"""Told how many epochs are done."""


class SplitTrainer:
    """The experiments of one split of one panel: a formatter is fitted once, on the split's own train rows."""

    def __init__(self, rows: PanelRows, kind: Split) -> None:
        """Takes the labelled rows of a panel, and how they are cut."""
        self._rows = rows
        self._places = {part: rows_of(rows, kind, part) for part in SPLITS}
        self._fitted: dict[str, tuple[Any, Rows, Rows]] = {}

    def answers(self, experiment: Experiment, epochs: int, seed: int, on_epoch: Epochs | None = None) -> Answers:
        """Trains on the train rows until the last epoch and answers the test rows.

        The eval split is left alone: no epoch is chosen by it, as nothing kept the original from memorising.
        """
        begin = time.perf_counter()
        inputs, rows, test = self._features(experiment.formatter)
        trained = train(
            experiment.architecture,
            experiment.version,
            experiment.trained_with(epochs),
            inputs,
            rows,
            None,
            seed,
            _epoch_callbacks(on_epoch) if on_epoch else None,
        )
        model = trained.model
        features = {tensor.name: test.features[tensor.name] for tensor in model.inputs}
        logit = model.predict(features, batch_size=8192, verbose=0)[:, 0].astype(np.float64)
        # The rows of each test row's day that were trained on: what a model can know of the day.
        days, counts = np.unique(rows.time, return_counts=True)
        place = np.minimum(np.searchsorted(days, test.time), len(days) - 1)
        return Answers(
            time=test.time,
            share_id=test.share_id.astype(str),
            label=test.label.astype(np.int64),
            probability=_sigmoid(logit),
            known=np.where(days[place] == test.time, counts[place], 0),
            train_rows=len(rows.label),
            global_step=trained.global_step,
            seconds=time.perf_counter() - begin,
        )

    def _features(self, formatter: DataFormatter) -> tuple[Any, Rows, Rows]:
        """The inputs' sizes, the train rows and the test rows."""
        if formatter.name not in self._fitted:
            raw = {part: {name: v[self._places[part]] for name, v in self._rows.raw.items()} for part in SPLITS}
            with temporary_folder("experiments") as folder:
                transform = fit_formatter(raw["train"], formatter, folder / "graph")
                made = {part: apply_formatter(raw[part], formatter, transform) for part in ("train", "test")}
                inputs = input_spec(formatter, transform)
            self._fitted[formatter.name] = (
                inputs,
                self._part("train", made["train"]),
                self._part("test", made["test"]),
            )
        return self._fitted[formatter.name]

    def _part(self, part: str, features: dict[str, npt.NDArray[Any]]) -> Rows:
        places, rows = self._places[part], self._rows
        return Rows(
            features=features,
            label=rows.label[places],
            time=rows.raw[TIME][places].astype(np.int64),
            share_id=rows.raw[SHARE_ID][places],
            forward_return=rows.forward_return[places],
            next_return=rows.next_return[places],
        )


def _epoch_callbacks(on_epoch: Epochs) -> Callable[[int], list[keras.callbacks.Callback]]:
    return lambda member: [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: on_epoch(epoch + 1))]


def _sigmoid(logit: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Both halves are computed without overflow.
    small = np.exp(-np.abs(logit))
    return np.where(logit >= 0, 1.0, small) / (1.0 + small)
