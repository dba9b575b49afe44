"""What the selector lays beside a champion. Neither TensorFlow nor TFX is needed to read it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from models.card import EXTRA_FOLDER

EVIDENCE_FILE = "evidence.json"


def evidence_text(metrics: Mapping[str, float], reason: str) -> str:
    """The content of the file.

    Args:
        metrics: finite numbers by name.
        reason: why the model was blessed.
    """
    return json.dumps({"metrics": dict(metrics), "reason": reason}, indent=2) + "\n"


def read_evidence(saved_model: Path) -> dict[str, float]:
    """The metrics of a pushed model on the test split of its run.

    Args:
        saved_model: its folder.
    """
    text = (saved_model / EXTRA_FOLDER / EVIDENCE_FILE).read_text()
    metrics: dict[str, float] = json.loads(text)["metrics"]
    return metrics
