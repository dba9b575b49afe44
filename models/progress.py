"""A progress bar for training, on a terminal; elsewhere a line in the log for each epoch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras

_LOG = logging.getLogger(__name__)


class _Progress(keras.callbacks.Callback):
    def __init__(self, name: str, bar: Any, task: Any) -> None:
        super().__init__()
        self._name, self._bar, self._task = name, bar, task

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        text = f"loss {logs['loss']:.5f}, eval {logs['val_loss']:.5f}" if logs else ""
        if self._bar is not None:
            self._bar.update(self._task, completed=epoch + 1, losses=text)
        else:
            _LOG.info("%s: epoch %d, %s", self._name, epoch + 1, text)


@contextmanager
def training_progress(name: str, epochs: int) -> Iterator[keras.callbacks.Callback]:
    """A Keras callback that shows epochs and losses while the block runs.

    Args:
        name: what is trained.
        epochs: at most; early stopping may end before.
    """
    if not sys.stderr.isatty():
        yield _Progress(name, None, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[losses]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        yield _Progress(name, bar, bar.add_task(f"{name} (epochs at most)", total=epochs, losses=""))
