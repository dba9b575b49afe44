"""How a version is fitted that is solved and not trained by gradient steps. No TensorFlow at import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from models.architecture import InputSpec
    from models.data import Rows

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


def fitted(
    fit: Fit,
    model: keras.Model,
    inputs: InputSpec,
    hyperparameters: Any,
    rows: Rows,
    held_out: Rows | None,
    callbacks: list[keras.callbacks.Callback],
    most_steps: int | None,
) -> pd.DataFrame:
    """Fits a model, a step an epoch of its callbacks.

    Returns:
        Its losses, a row a step: epoch, loss and, with an eval split, val_loss.
    """
    import keras
    import pandas as pd

    model.compile()  # callbacks look for an optimizer
    everything = keras.callbacks.CallbackList(callbacks, model=model)
    steps: list[Mapping[str, float]] = []

    def told(losses: Mapping[str, float]) -> None:
        everything.on_epoch_begin(len(steps))
        steps.append(losses)
        everything.on_epoch_end(len(steps) - 1, dict(losses))

    everything.on_train_begin()
    fit(model, inputs, hyperparameters, rows, held_out, told, most_steps)
    everything.on_train_end()
    history = pd.DataFrame(steps)
    history.insert(0, "epoch", range(1, len(steps) + 1))
    return history
