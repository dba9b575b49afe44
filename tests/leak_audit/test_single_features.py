"""The future canary's look at every single number that a model sees, without TensorFlow."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from made_rows import Floats, rows_of_closes, walk

from components.leak_audit.check import Audited
from components.leak_audit.checks import canary
from components.leak_audit.config import AuditConfig, AuditedModel
from components.leak_audit.results import CheckResult, Status
from models.formatters import get_formatter

ROWS = rows_of_closes(walk(20, 700))


def knowing(part: float, seed: int) -> Floats:
    """A number of each row that tells some of its label."""
    return part * np.maximum(ROWS.labels[1], 0) + np.random.default_rng(seed).normal(size=len(ROWS))


def look(
    monkeypatch: pytest.MonkeyPatch, columns: dict[str, Floats], levels: tuple[str, ...] = (), plausible: float = 0.53
) -> CheckResult:
    # TFDV's part has tests of its own.
    monkeypatch.setattr(canary, "schema_refuses", lambda schema, name: True)
    features: Any = SimpleNamespace(
        formatter=get_formatter("window_returns"),
        seeing_level=levels,
        columns=lambda places=slice(None): {name: values[places] for name, values in columns.items()},
        categories=lambda: (),
    )
    model = AuditedModel("linear", 1, {})
    config = AuditConfig((model,), "window_returns", 1, 0, 21, plausible)
    schema = SimpleNamespace(feature=[])
    return canary.future_canary(Audited(ROWS, features, schema, "", {}, config, model))


def test_levels_that_wander_hide_no_number_that_knows_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    levels = {f"closes[{step}]": knowing(0.4, step) for step in range(4)}

    result = look(monkeypatch, {**levels, "tomorrow": knowing(0.35, 9)}, ("closes",))

    assert result.status is Status.SUSPICIOUS
    assert result.sentence.startswith("The feature tomorrow alone has an AUC of ")
    assert look(monkeypatch, levels, ("closes",)).status is Status.PASSED


@pytest.mark.parametrize(("plausible", "status"), [(0.53, Status.LEAKING), (0.72, Status.PASSED)])
def test_whoever_calls_a_higher_auc_plausible_is_believed_of_a_single_number(
    monkeypatch: pytest.MonkeyPatch, plausible: float, status: Status
) -> None:
    assert look(monkeypatch, {"alone": knowing(0.6, 1)}, plausible=plausible).status is status
