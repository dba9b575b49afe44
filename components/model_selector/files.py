"""What lies beside a model that is pushed. Neither TensorFlow nor TFX is needed to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from components.records import from_json, to_json
from models.card import EXTRA_FOLDER
from models.twin.proof import Proof

EVIDENCE_FILE = "evidence.json"


@dataclass(frozen=True)
class Evidence:
    """The content of the file.

    Attributes:
        metrics: finite numbers by name, on the test split of the model's run.
        reason: why the model was blessed or was not.
        blessed: whether it was.
        twin: whether its twin answers as it does on the test split; None of an older version.
    """

    metrics: Mapping[str, float]
    reason: str = ""
    blessed: bool = True
    twin: Proof | None = None

    def to_json(self) -> str:
        """The content of the file."""
        return to_json(self) + "\n"


def read_evidence(saved_model: Path) -> Evidence:
    """The evidence of a pushed model, from its folder.

    Raises:
        OSError: there is none.
        RecordError: it is damaged.
    """
    return from_json(Evidence, (saved_model / EXTRA_FOLDER / EVIDENCE_FILE).read_bytes())
