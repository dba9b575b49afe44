"""What a finished training answered on its test rows, and where that is kept: an interrupted command takes it up."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from components.whole_files import write_whole
from pipeline.code_digest import code_digest
from pipeline.studies.experiments.catalogue import Experiment
from pipeline.studies.experiments.panels import Panel, Split, split_settings

_CODE = (
    "models",
    "components/feature_example_gen",
    "components/feature_store",
    "components/synthetic_market",
    "pipeline/studies/experiments/answers.py",
    "pipeline/studies/experiments/panels.py",
    "pipeline/studies/experiments/training.py",
)
"""What decides the answers beside the data and the settings."""


@dataclass(frozen=True, eq=False)
class Answers:
    """A model's answers on the test rows; all arrays are [rows].

    Attributes:
        time: YYYYMMDD.
        share_id: the shares.
        label: 0 or 1.
        probability: that the close is higher after the horizon.
        known: rows of the same day that the model was trained on.
        train_rows: rows it was trained on.
        global_step: steps it was trained.
        seconds: the training took, the fit of the features included where it was the first to need it.
    """

    time: npt.NDArray[np.int64]
    share_id: npt.NDArray[np.str_]
    label: npt.NDArray[np.int64]
    probability: npt.NDArray[np.float64]
    known: npt.NDArray[np.int64]
    train_rows: int
    global_step: int
    seconds: float


def answers_key(panel: Panel, horizon: int, kind: Split, experiment: Experiment, epochs: int, seed: int) -> str:
    """A name for answers, equal where all is equal that decides them."""
    decides: Mapping[str, Any] = {
        "data": panel.identity,
        "splits": asdict(split_settings(horizon)),
        "kind": kind,
        "architecture": [experiment.architecture, experiment.version],
        "hyperparameters": asdict(experiment.trained_with(epochs)),
        "formatter": experiment.formatter.name,
        "seed": seed,
        "code": code_digest(_CODE),
        "libraries": {name: version(name) for name in ("keras", "numpy", "tensorflow", "tensorflow-transform")},
    }
    return hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:24]


def write_answers(answers: Answers, path: Path) -> None:
    """Writes a file whole or not at all."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{field.name: getattr(answers, field.name) for field in fields(answers)})
    write_whole(path, buffer.getvalue())


def read_answers(path: Path) -> Answers | None:
    """Reads what `write_answers` wrote; None where there is no file, or one that cannot be read."""
    try:
        with path.open("rb") as whole, np.load(whole, allow_pickle=False) as file:
            values = {field.name: file[field.name] for field in fields(Answers)}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return Answers(**{name: value.item() if value.ndim == 0 else value for name, value in values.items()})
