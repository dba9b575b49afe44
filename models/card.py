"""What an exported model says of itself. No TensorFlow, so that a model can be named before it is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from models.labels import UP

EXTRA_FOLDER = "assets.extra"
"""The folder of a SavedModel that TensorFlow leaves to its user."""
CARD_FILE = "awesome.json"


@dataclass(frozen=True)
class ModelCard:
    """How a model was made, kept in EXTRA_FOLDER.

    Attributes:
        model: name of the architecture.
        version: of the architecture.
        formatter: name of the DataFormatter.
        horizon: sessions ahead that the probability speaks of.
        seed: of the training.
        global_step: steps trained.
        code: digest of the code that made it.
        parts: package, version and digest of those of its parts that come from outside of the project.
        label: name of the label that the probability is of (models/labels/); models of older versions have but one.
        market: the shares that its day-wide features are made of (models/day_wide); empty where it sees none.
        hyperparameters: those that are not the architecture's own, by name; older versions do not say.
    """

    model: str
    version: int
    formatter: str
    horizon: int
    seed: int
    global_step: int
    code: str
    parts: tuple[str, ...] = ()
    label: str = UP
    market: tuple[str, ...] = ()
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The content of the file."""
        return json.dumps(asdict(self), indent=2) + "\n"


def read_card(saved_model: Path) -> ModelCard:
    """The card of an exported model, from its folder.

    Raises:
        OSError: there is none.
        ValueError: it is no JSON.
        TypeError: it holds something else.
    """
    values = json.loads((saved_model / EXTRA_FOLDER / CARD_FILE).read_text())
    if not isinstance(values, dict):
        raise TypeError(f"a {type(values).__name__} instead of its fields")
    return ModelCard(**values | {name: tuple(values.get(name, ())) for name in ("parts", "market")})
