"""What the benchmark of trainings changes: one thing at a time, and nothing that stays."""

from __future__ import annotations

from benchmarks.training_cost import AS_IT_IS, HALF, KERAS_ADAM, LESS, MODELS, MORE, _changes
from models.registry import get_architecture

ROWS = 116_000


def test_every_change_but_the_optimizer_is_another_training() -> None:
    for model in MODELS:
        own = get_architecture(model).hyperparameters
        changed = {what: own.updated(values) for what, values in _changes(model, ROWS)}
        assert changed[AS_IT_IS] == changed[KERAS_ADAM] == own
        assert changed[MORE].epochs - own.epochs == own.epochs - changed[LESS].epochs == 1
        assert 2 * changed[HALF].batch_rows(ROWS) == own.batch_rows(ROWS)
