"""Pushed models as they lie on the disk, without TensorFlow, and what answers for them."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from components.errors import UserError
from components.model_selector.files import EVIDENCE_FILE, Evidence
from components.model_selector.opening import PushedModel
from models.card import CARD_FILE, EXTRA_FOLDER, ModelCard
from pipeline.serving.messages import DType, SavedModel
from pipeline.serving.signatures import PREDICT

MODEL = "awesome-window_returns-h1"
STEP = 515
Array = Any

EXAMPLES = 5


class Sloped:
    """Gives a share's last return a slope, which stands in a file of the folder, and its rank of the day another."""

    def __init__(self, slope: float) -> None:
        self.slope = slope
        self.answering = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def forecast(self, share_ids: Sequence[str], closes: Array, *, day: Any = None) -> Array:
        assert len(share_ids) == len(closes)
        self.answering.set()
        assert self.go_on.wait(20)
        returns = np.log(np.asarray(closes, np.float64))
        ranks = 0.0 if day is None else np.asarray(day["day_rank_1"], np.float64)
        return 1 / (1 + np.exp(self.slope * (returns[:, 0] - returns[:, 1]) + ranks))

    def estimate(self, share_ids: Sequence[str], closes: Array, *, day: Any = None) -> Array:
        return self.forecast(share_ids, closes, day=day)


class NotReproducedError(UserError):
    """The examples of a folder have other answers."""


def load_sloped(pushed: PushedModel) -> Sloped:
    folder = pushed.folder
    found = Sloped(float((folder / "slope").read_text()))
    made = Sloped(float((folder / "made_by").read_text()))
    shares, closes = names(EXAMPLES), windows(EXAMPLES)
    if not np.allclose(found.forecast(shares, closes), made.forecast(shares, closes), rtol=0, atol=1e-6):
        raise NotReproducedError(f"{folder}: its answers to its own examples differ")
    return found


def windows(count: int, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    return np.exp(rng.normal(3, 1, (count, 1)) + rng.normal(0, 0.02, (count, 21)).cumsum(axis=1)).astype(np.float32)


def names(count: int) -> list[str]:
    return [f"S{number:04d}" for number in range(count)]


def _info(info: Any, name: str, dtype: DType, *shape: int) -> None:
    info.name, info.dtype = f"{name}:0", dtype
    for size in shape:
        info.tensor_shape.dim.add(size=size)


def _saved_model() -> bytes:
    """The signatures of models/serving.py."""
    saved = SavedModel()
    signatures = saved.meta_graphs.add().signature_def
    default = signatures["serving_default"]
    default.method_name = PREDICT
    _info(default.inputs["examples"], "serving_default_examples", DType.DT_STRING, -1)
    _info(default.outputs["probability"], "StatefulPartitionedCall_1", DType.DT_FLOAT, -1, 1)
    _info(default.outputs["global_step"], "StatefulPartitionedCall_2", DType.DT_INT64, -1, 1)
    closes = signatures["predict_closes"]
    closes.method_name = PREDICT
    _info(closes.inputs["share_id"], "predict_closes_share_id", DType.DT_STRING, -1)
    _info(closes.inputs["closes"], "predict_closes_closes", DType.DT_FLOAT, -1, 21)
    _info(closes.outputs["probability"], "StatefulPartitionedCall", DType.DT_FLOAT, -1, 1)
    signatures["__saved_model_init_op"].outputs["__saved_model_init_op"].tensor_shape.unknown_rank = True
    other = signatures["embed"]
    other.method_name = PREDICT
    _info(other.inputs["closes"], "embed_closes", DType.DT_FLOAT, -1, 21)
    _info(other.outputs["vector"], "StatefulPartitionedCall_3", DType.DT_FLOAT, -1, 8)
    return bytes(saved.SerializeToString())


def push(
    base: Path, number: int, slope: float = 10, *, answers_of: float | None = None, formatter: str = "window_returns"
) -> Path:
    """A pushed version; with `answers_of` another slope made its test examples than answers."""
    folder = base / f".{number}"
    (folder / EXTRA_FOLDER).mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(_saved_model())
    (folder / "slope").write_text(str(slope))
    extra = folder / EXTRA_FOLDER
    (extra / CARD_FILE).write_text(ModelCard("linear", 1, formatter, 1, 0, STEP, "c0de").to_json())
    metrics = {"auc": 0.6371, "auc_low": 0.6267, "auc_high": 0.6475}
    (extra / EVIDENCE_FILE).write_text(Evidence(metrics, "better than chance").to_json())
    (folder / "made_by").write_text(str(slope if answers_of is None else answers_of))
    place = base / str(number)
    shutil.move(folder, place)
    return place
