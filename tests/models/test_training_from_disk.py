"""A split too large for memory is trained on from disk: the same rows in the same order, and so the same model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

ROWS, STEPS, SHARES = 3000, 20, 5


@pytest.fixture(scope="module")
def rows() -> Any:
    from models.data import Rows
    from models.formatters.window_returns import FORMATTER
    from models.operations import Kind

    rng = np.random.default_rng(0)
    features: dict[str, Any] = {}
    for feature in FORMATTER.features:
        if feature.kind is Kind.CATEGORY:
            features[feature.name] = rng.integers(0, SHARES, (ROWS, 1))
        else:
            steps = 20 if feature.kind is Kind.SEQUENCE else 1
            features[feature.name] = rng.normal(size=(ROWS, steps)).astype(np.float32)
    rises = next(iter(features.values()))[:, 0] + rng.normal(size=ROWS) > 0
    return Rows(features, rises.astype(np.float32))


def trained(rows: Any, model: str, version: int | None = None) -> Any:
    from models.architecture import InputSpec
    from models.formatters.window_returns import FORMATTER
    from models.registry import get_architecture
    from models.training import train

    architecture = get_architecture(model)
    own = architecture.hyperparameters.updated({"epochs": 2, "members": 2})
    at = version or architecture.default_version
    return train(model, at, own, InputSpec(FORMATTER, {"share": SHARES + 1}), rows, None, 3)


@pytest.mark.parametrize("model", ["linear", "dnn"])
def test_features_on_disk_give_the_same_weights_to_the_last_bit(rows: Any, model: str) -> None:
    from models.stored import Storing

    def on_disk(values: Any) -> Any:
        storing = Storing()
        storing.add(values)
        return storing.whole()

    stored = replace(rows, features={name: on_disk(values) for name, values in rows.features.items()})

    one, other = trained(rows, model), trained(stored, model)

    for mine, its in zip(one.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)
    assert one.history.equals(other.history)


def test_epochs_of_many_rows_take_others_in_turn(rows: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import training
    from models.gradient_steps import batches

    monkeypatch.setattr(training, "EPOCH_ROWS", 1000)
    found = trained(rows, "linear", 1)
    batch = 32
    assert found.global_step == 2 * 2 * -(-1000 // batch)

    epochs = batches(ROWS, batch, STEPS, np.random.default_rng(0))
    turns = [next(epochs) for _ in range(ROWS // (batch * STEPS))]
    together = np.concatenate(turns).reshape(-1)
    assert len(np.unique(together)) == len(together)
    # And behind these there is another order of all rows.
    assert not np.array_equal(next(epochs), turns[0])
