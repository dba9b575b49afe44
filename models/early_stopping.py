"""Early stopping that looks at the eval split several times an epoch."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.gradient_steps import AT_ONCE

_BATCH = 8192

EVAL_LOSS = "val_loss"
"""What Keras calls the loss on the eval split."""


class EarlyStopping(keras.callbacks.Callback):
    """Keeps the weights of the lowest loss on the eval split, and ends training where it does not fall any more.

    On daily prices a large network is often at its best before the first epoch is over: Keras's own early stopping,
    which looks at the end of an epoch, would keep weights that have begun to memorise. The loss is the mean
    cross-entropy alone; penalties are there for training, not for judging.

    Training also ends where the loss is no number: there is no way back from weights that are none.

    The loss at the end of an epoch goes into Keras's logs as `val_loss`, so that callbacks after this one see it.

    Attributes:
        checks: of every look, the epochs that were trained until then, with a fraction, and the loss.
        best: the look of the lowest loss; None where no loss was a number.
    """

    def __init__(
        self,
        ask: Callable[[Mapping[str, Any]], Any],
        inputs: Mapping[str, npt.NDArray[Any]],
        label: npt.NDArray[Any],
        steps_per_epoch: int,
        patience: int,
    ) -> None:
        """Takes the eval split.

        Args:
            ask: gives the model's logits, [n, 1], of its inputs; a traced function, as a look comes every 64 steps.
            inputs: the model's inputs by name, [rows, ...].
            label: 0 or 1, [rows].
            steps_per_epoch: gradient steps of an epoch.
            patience: epochs without a lower loss after which training ends, at the end of an epoch.
        """
        super().__init__()
        self._ask = ask
        self._parts = [
            {name: tf.constant(values[begin : begin + _BATCH]) for name, values in inputs.items()}
            for begin in range(0, len(label), _BATCH)
        ]
        self._label = label.astype(np.float64)
        self._steps_per_epoch = steps_per_epoch
        self._patience = patience
        self._best_weights: list[npt.NDArray[Any]] = []
        self.checks: list[tuple[float, float]] = []
        self.best: tuple[float, float] | None = None

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Looks where enough steps have gone by."""
        before = self.checks[-1][0] if self.checks else 0.0
        if (self._epochs() - before) * self._steps_per_epoch >= AT_ONCE - 0.5:
            self._look()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Looks, and ends training where the patience is over."""
        if not self.checks or self.checks[-1][0] < self._epochs():
            self._look()
        epochs, loss = self.checks[-1]
        if logs is not None:
            logs[EVAL_LOSS] = loss
        if self.best is not None and epochs - self.best[0] >= self._patience - 1e-9:
            self.model.stop_training = True

    def on_train_end(self, logs: dict[str, float] | None = None) -> None:
        """Puts the best weights back, if there are any."""
        if self.best is not None:
            self.model.set_weights(self._best_weights)

    def _epochs(self) -> float:
        return int(self.model.optimizer.iterations.numpy()) / self._steps_per_epoch

    def _look(self) -> None:
        # Not with `evaluate`, which would begin the mean of the train loss anew.
        logit = np.concatenate([self._ask(part).numpy()[:, 0] for part in self._parts]).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):  # a diverged one is seen below
            loss = float(np.mean(np.logaddexp(0.0, logit) - self._label * logit))
        self.checks.append((self._epochs(), loss))
        if not math.isfinite(loss):
            self.model.stop_training = True
        elif self.best is None or loss < self.best[1]:
            self._best_weights = self.model.get_weights()
            self.best = self.checks[-1]
