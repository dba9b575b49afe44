"""A model as far as its files go, what is pushed of it, and what its manifest says."""

from __future__ import annotations

from pathlib import Path

from components.object_storage import ModelFacts, ModelFolders
from components.records import from_plain

MANIFEST = {
    "format": 1,
    "kind": "model",
    "model": "rnn",
    "version": "20261123T213000Z",
    "architecture_version": 2,
    "formatter": "window_returns",
    "horizon": 1,
    "auc": 0.5125,
    "auc_low": 0.5,
    "auc_high": 0.525,
    "blessed": True,
    "champion": False,
    "created": "2026-11-23T21:30:00+00:00",
    "data_digest": "27a2" + "0" * 60,
    "market": None,
    "code": {"version": "0.1.0", "digest": "0123456789abcdef"},
    "database": "awesome.db",
    "tries": 3,
    "tries_complete": True,
    "parts": ["awesome-example 0.1.0 (89abcdef01234567)"],
    "label": "up",
    "hyperparameters": {"epochs": 9},
}
FACTS = from_plain(ModelFacts, MANIFEST)
ROOT = "models_training/rnn/20261123T213000Z"


def write_model(folder: Path, weights: bytes = b"weights", mark: str = "") -> ModelFolders:
    """A SavedModel, training logs and an evaluation, as far as their files go."""
    files = {
        "model/saved_model.pb": b"graph" + mark.encode(),
        "model/variables/variables.data-00000-of-00001": weights,
        "model/assets.extra/awesome.json": b"{}",
        "run/train/events.out.tfevents.1.v2": b"events",
        "run/history.csv": b"epoch,loss\n",
        "evaluation/metrics-00000-of-00001.tfrecord": b"metrics",
    }
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return ModelFolders(folder / "model", folder / "run", folder / "evaluation", '{"metrics": {}}\n')


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


PUSHED = {
    "saved_model/saved_model.pb": b"graph",
    "saved_model/variables/variables.data-00000-of-00001": b"weights",
    "saved_model/assets.extra/awesome.json": b"{}",
    "tfevents/train/events.out.tfevents.1.v2": b"events",
    "tfevents/history.csv": b"epoch,loss\n",
    "evaluation/metrics-00000-of-00001.tfrecord": b"metrics",
    "evidence.json": b'{"metrics": {}}\n',
}
