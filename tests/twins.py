"""Twins written by hand, without TensorFlow."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from models.card import EXTRA_FOLDER
from models.formatters.window_returns import FORMATTER
from models.twin.features import described
from models.twin.files import StepRecord, TwinRecord, twin_files
from models.twin.forecasting import Twin

SHARES = (b"AAA", b"BBB")
MEAN, DEVIATION = -4.0, 0.5


def linear_record() -> TwinRecord:
    """Logistic regression on window_returns with known weights; its example is its own answer."""
    rng = np.random.default_rng(5)
    arrays: dict[str, Any] = {
        "share/vocabulary": np.array(SHARES),
        "log_volatility/mean": np.array([MEAN]),
        "log_volatility/deviation": np.array([DEVIATION]),
        "share_embedding/0": np.array([[0.3], [-0.2], [0.0]], np.float32),
        "weights/0": rng.normal(0, 0.1, (21, 1)).astype(np.float32),
        "weights/1": np.array([0.05], np.float32),
    }
    steps = (
        StepRecord("Concatenate", "concatenate", ("returns", "log_volatility"), {"axis": -1}),
        StepRecord("Dense", "weights", ("concatenate",), {"activation": "linear", "use_bias": True}, 2),
        StepRecord("Embedding", "share_embedding", ("share",), {}, 1),
        StepRecord("Flatten", "flatten", ("share_embedding",)),
        StepRecord("Add", "logit", ("weights", "flatten")),
    )
    return _with_examples(TwinRecord(FORMATTER.name, tuple(map(described, FORMATTER.features)), steps, "logit", arrays))


def dense_record() -> TwinRecord:
    """The mean of two dense networks on window_returns with known weights; its example is its own answer."""
    rng = np.random.default_rng(6)
    units = (25, 192, 64, 1)
    arrays: dict[str, Any] = {
        "share/vocabulary": np.array(SHARES),
        "log_volatility/mean": np.array([MEAN]),
        "log_volatility/deviation": np.array([DEVIATION]),
        "embedding/0": rng.normal(0, 0.3, (3, 4)).astype(np.float32),
    }
    steps = [StepRecord("Embedding", "embedding", ("share",), {}, 1), StepRecord("Flatten", "flat", ("embedding",))]
    steps.append(StepRecord("Concatenate", "seen", ("returns", "log_volatility", "flat"), {"axis": -1}))
    for member in ("one", "two"):
        before = "seen"
        for number, (inputs, outputs) in enumerate(pairwise(units)):
            name = f"{member}_{number}"
            arrays[f"{name}/0"] = rng.normal(0, (2 / inputs) ** 0.5, (inputs, outputs)).astype(np.float32)
            arrays[f"{name}/1"] = rng.normal(0, 0.1, outputs).astype(np.float32)
            settings = {"activation": "relu" if outputs > 1 else "linear", "use_bias": True}
            steps.append(StepRecord("Dense", name, (before,), settings, 2))
            before = name
    steps.append(StepRecord("Average", "logit", ("one_2", "two_2")))
    record = TwinRecord(FORMATTER.name, tuple(map(described, FORMATTER.features)), tuple(steps), "logit", arrays)
    return _with_examples(record)


def _with_examples(record: TwinRecord) -> TwinRecord:
    closes = windows(4)
    asked = {"example/share_id": np.array([b"AAA", b"BBB", b"ZZZ", b"AAA"]), "example/closes": closes}
    answer = Twin(record, "").forecast(["AAA", "BBB", "ZZZ", "AAA"], closes)
    return replace(record, arrays={**record.arrays, **asked, "example/probability": answer})


def windows(rows: int, seed: int = 0) -> Any:
    """Random walks, float32 [rows, 21]; the last one never moves."""
    rng = np.random.default_rng(seed)
    closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, (rows, 21)), axis=1))
    closes[-1] = 50
    return closes.astype(np.float32)


def write_twin(record: TwinRecord, saved_model: Path) -> Path:
    """Lays a twin into a model's folder."""
    extra = saved_model / EXTRA_FOLDER
    extra.mkdir(parents=True, exist_ok=True)
    for name, content in twin_files(record).items():
        (extra / name).write_bytes(content)
    return saved_model
