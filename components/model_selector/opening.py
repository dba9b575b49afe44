"""Opens models where they lie in a folder: what one says of itself, what it is worth, and its twin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from components.errors import UserError
from components.model_selector.files import Evidence, read_evidence
from components.records import RecordError
from models.card import ModelCard, read_card
from models.twin.forecasting import Twin
from models.twin.proof import Proof
from models.twin.proving import proven_twin


class ModelFolderError(UserError):
    """A folder's model cannot be used."""


@dataclass(frozen=True)
class PushedModel:
    """A model that was pushed.

    Attributes:
        folder: of its SavedModel.
        card: what it says of itself.
        evidence: what it is worth; None where it was pushed without, or where that cannot be read.
    """

    folder: Path
    card: ModelCard
    evidence: Evidence | None

    @property
    def proof(self) -> Proof | None:
        """That its twin answers as it does; None where none is known."""
        return None if self.evidence is None else self.evidence.twin

    @cached_property
    def twin(self) -> Twin:
        """What answers without TensorFlow.

        Raises:
            TwinError: there is none that was proven.
        """
        return proven_twin(self.folder, self.proof)


def open_pushed(folder: Path) -> PushedModel:
    """Opens a pushed model; its twin is read when it is asked for.

    Raises:
        ModelFolderError: what it says of itself cannot be read.
    """
    card = open_card(folder)
    try:
        evidence = read_evidence(folder)
    except (OSError, RecordError):  # whoever predicts does not need it
        evidence = None
    return PushedModel(folder, card, evidence)


def open_card(folder: Path) -> ModelCard:
    """What the model of a folder says of itself.

    Raises:
        ModelFolderError: it cannot be read.
    """
    try:
        return read_card(folder)
    except (OSError, ValueError, TypeError) as error:
        raise ModelFolderError(
            f"{folder}: what the model says of itself cannot be read ({error}); run again, or pull or push it again"
        ) from None
