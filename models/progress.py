"""A progress bar for training, on a terminal; elsewhere a line in the log for each epoch."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

_LOG = logging.getLogger(__name__)


class _Progress(keras.callbacks.Callback):
    def __init__(self, name: str, before: int, bar: Any, task: Any) -> None:
        super().__init__()
        self._name, self._before, self._bar, self._task = name, before, bar, task

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        said = {"loss": "loss", "val_loss": "eval"}
        text = ", ".join(f"{word} {logs[name]:.5f}" for name, word in said.items() if logs and name in logs)
        if self._bar is not None:
            self._bar.update(self._task, completed=self._before + epoch + 1, losses=text)
        else:
            _LOG.info("%s: epoch %d, %s", self._name, epoch + 1, text)


@contextmanager
def training_progress(
    name: str, epochs: int | None, members: int
) -> Iterator[Callable[[int], keras.callbacks.Callback]]:
    """Shows epochs and losses while the block runs.

    Args:
        name: what is trained.
        epochs: of a member at most; early stopping may end before. None where nobody knows.
        members: how many networks are trained, one after the other.

    Yields:
        A member's number, counted from 0, to the Keras callback that shows its epochs.
    """

    def callback(member: int, bar: Any = None, task: Any = None) -> keras.callbacks.Callback:
        said = f"{name}, member {member + 1} of {members}" if members > 1 else name
        if bar is not None:
            bar.update(task, description=f"{said} (epochs at most)" if epochs else f"{said} (steps)")
        return _Progress(said, member * (epochs or 0), bar, task)

    if not sys.stderr.isatty():
        yield callback
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
        task = bar.add_task(name, total=epochs and epochs * members, losses="")
        yield lambda member: callback(member, bar, task)
