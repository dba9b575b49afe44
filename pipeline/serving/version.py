"""A version of a model that may answer: it could be read, and has reproduced its own test examples."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

from components.errors import UserError
from components.model_selector.files import Evidence
from components.model_selector.opening import PushedModel, open_pushed
from models.card import ModelCard
from models.errors import UnknownNameError
from models.features import SHARE_ID, TIME
from models.formatters import get_formatter
from pipeline.serving.signatures import DEFAULT, Signature, read_signatures

PREDICT_CLOSES = "predict_closes"


class Forecaster(Protocol):
    """What answers, without TensorFlow; several threads may ask it at the same time."""

    def forecast(
        self,
        share_ids: Sequence[str],
        closes: npt.NDArray[np.float32],
        *,
        day: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> npt.NDArray[np.floating[npt.NBitBase]]:
        """Probabilities [n] of shares [n] and their last closes [n, 21], the latest first, and day-wide columns.

        They are the same to the last bit whenever they are asked for again, whatever is asked together.
        """
        ...

    def estimate(
        self,
        share_ids: Sequence[str],
        closes: npt.NDArray[np.float32],
        *,
        day: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> npt.NDArray[np.floating[npt.NBitBase]]:
        """The same to 0.000001, in less time."""
        ...


LoadForecaster = Callable[[PushedModel], Forecaster]
"""Reads what answers for a model, once it has reproduced the examples that lie there; else it raises."""


class VersionRefused(UserError):
    """A pushed version that must not answer; the message says why, and what to do."""


@dataclass(frozen=True)
class ServedVersion:
    """A version that answers.

    Attributes:
        number: the name of its folder.
        folder: where it lies.
        card: what it says of itself.
        evidence: what it is worth; None for a model that was pushed without.
        signatures: by name.
        forecaster: what answers.
    """

    number: int
    folder: Path
    card: ModelCard
    evidence: Evidence | None
    signatures: Mapping[str, Signature]
    forecaster: Forecaster

    @property
    def reads_shares(self) -> bool:
        """Whether it needs to know which share a window is of."""
        return SHARE_ID in get_formatter(self.card.formatter).sources

    def unanswered(self, signature: str) -> str:
        """Why a signature is not answered here; empty where it is."""
        formatter = get_formatter(self.card.formatter)
        if formatter.day_columns:
            return (
                f"formatter {formatter.name} reads the other shares of the day, which a request has no place for: ask "
                "/v1/forecast, or TensorFlow Serving"
            )
        if signature not in (PREDICT_CLOSES, DEFAULT):
            return f'signature "{signature}" needs TensorFlow, which this server does without: ask TensorFlow Serving'
        if signature == DEFAULT and TIME in formatter.sources:
            return (
                f"formatter {self.card.formatter} reads the day of an example, which this server cannot give a model; "
                f"ask {PREDICT_CLOSES}, or TensorFlow Serving"
            )
        return ""


def load_version(number: int, folder: Path, load: LoadForecaster) -> ServedVersion:
    """Reads a version, all of it.

    Args:
        number: of the version.
        folder: of its SavedModel.
        load: reads what answers, and proves it.

    Raises:
        UserError: it cannot be read.
        Exception: whatever `load` raises.
    """
    signatures = read_signatures(folder)
    pushed = open_pushed(folder)
    try:
        get_formatter(pushed.card.formatter)
    except UnknownNameError as error:
        raise VersionRefused(f"{folder}: {error}; push it again, or serve it where that formatter is") from None
    return ServedVersion(number, folder, pushed.card, pushed.evidence, signatures, load(pushed))
