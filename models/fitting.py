"""How a version is fitted that is solved and not trained by gradient steps. No TensorFlow at import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from models.architecture import Fit, InputSpec

if TYPE_CHECKING:
    import keras
    import pandas as pd

    from models.data import Rows


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

    model.optimizer = None  # TensorBoard looks for one
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
