"""What the models of a ledger were asked, and what returns had to exceed where that depends on the other shares.

Both stand in notes, which every ledger has: one of predictions of a higher close alone is what it always was. The label
of a model is noted before the model is, so that nobody can choose it once something is known; without a note it is
`up`. The level of a session is noted when all returns are known that it is made of (levels.py), and once more where
prices say another one: the latest counts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.schema import CHAMPION, DOWN, MODEL, NOTE, UNCHANGED, UP
from components.records import Number, RecordError, from_json, to_json
from models import labels

_T = TypeVar("_T")

LABEL, LEVEL = "label", "level"
"""The kinds of such notes."""

_SAME = 2.0**-21
"""By what part of themselves a return and the level may differ that are the same, made by other arithmetic."""


@dataclass(frozen=True)
class ModelLabel:
    """What a model is asked.

    Attributes:
        model: its digest.
        label: name of its label.
    """

    model: str
    label: str


@dataclass(frozen=True)
class Level:
    """What the returns after a session had to exceed.

    Attributes:
        label: name of the label that says so.
        horizon: sessions ahead.
        session: ISO.
        level: the return; nan where too few shares had one, so that no share has an answer.
        end: the last session that it is made of, ISO; empty where there is no level.
    """

    label: str
    horizon: int
    session: str
    level: Number
    end: str

    @property
    def text(self) -> str:
        """As a note holds it."""
        return to_json(self, indent=None)


class Labels:
    """What a ledger says of the labels of its models, and of the levels of its sessions."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads the notes; one of a newer version is left out."""
        self._of_model: dict[str, str] = {}
        self._levels: dict[tuple[str, int, str], Level] = {}
        installed = dict(ledger.select(f"SELECT digest, MIN(seq) FROM {MODEL.name} GROUP BY digest"))
        for text, seq in ledger.select("SELECT text, seq FROM NOTE WHERE kind = ? ORDER BY seq", LABEL):
            found = _read(ModelLabel, text)
            if found is not None and seq < installed.get(found.model, math.inf):
                self._of_model.setdefault(found.model, found.label)
        for (text,) in ledger.select("SELECT text FROM NOTE WHERE kind = ? ORDER BY seq", LEVEL):
            level = _read(Level, text)
            if level is not None:
                self._levels[level.label, level.horizon, level.session] = level

    def of(self, model: str) -> str:
        """The label of a model, by its digest."""
        return self._of_model.get(model, labels.UP)

    def level(self, label: str, horizon: int, session: str) -> Level | None:
        """The level of a session that counts; None where it is not known yet."""
        return self._levels.get((label, horizon, session))

    def compares(self, model: str) -> bool:
        """Whether the answer to a prediction of a model depends on the day's other shares."""
        return self.of(model) != labels.UP and _compares(self.of(model))

    def compared(self) -> list[str]:
        """The digests of the models for which `compares` holds."""
        return [model for model in self._of_model if self.compares(model)]

    def needed(self, model: str, horizon: int, session: str) -> float | None:
        """What a return had to exceed for a model to be right that said so; None where that is not known yet."""
        if not self.compares(model):
            return 0.0
        found = self.level(self.of(model), horizon, session)
        return None if found is None else found.level


def champions_of(ledger: Ledger, horizon: int, label: str) -> list[str]:
    """The digests of all that were ever champion of a horizon with a label, in no order."""
    query = "SELECT DISTINCT digest FROM MODEL WHERE horizon = ? AND role = ?"
    held = Labels(ledger)
    return [str(digest) for (digest,) in ledger.select(query, horizon, CHAMPION) if held.of(digest) == label]


def keep_label(ledger: Ledger, model: str, label: str) -> bool:
    """Notes the label of a model before the model is installed; tells whether it was new. `up` needs no note.

    Raises:
        LedgerError: the model stands in the ledger with another label.
    """
    with ledger.writing() as batch:
        held = Labels(ledger).of(model)
        if held == label:
            return False
        if held != labels.UP or ledger.select("SELECT 1 FROM MODEL WHERE digest = ? LIMIT 1", model):
            raise LedgerError(
                f"{ledger.path}: the model {model[:8]} stands there with the label {held}, and {label} is another one"
            )
        batch.add(NOTE.name, (LABEL, to_json(ModelLabel(model, label), indent=None)))
    return True


def side_of(ahead: float, level: float) -> str:
    """Whether a return is above what it had to exceed, below, or neither, as where there is no level."""
    if math.isnan(level) or abs(ahead - level) <= _SAME * max(abs(ahead), abs(level)):
        return UNCHANGED
    return UP if ahead > level else DOWN


def broken(kind: str, text: str, models: Iterable[str]) -> str:
    """The rule that a note of one of these kinds breaks, in words; empty where it breaks none.

    Args:
        kind: of the note.
        text: of it.
        models: the digests of the models that were written before it.
    """
    if kind == LABEL:
        found = _read(ModelLabel, text)
        if found is None:
            return "it is no label of a model as a writer writes it"
        if found.model in models:
            return f"the label of the model {found.model[:8]} was written after the model"
    if kind == LEVEL:
        level = _read(Level, text)
        known = level is not None and not math.isnan(level.level)
        if level is None or level.text != text or (level.end > level.session) != known:
            return "it is no level of a session as a writer writes it"
    return ""


def _compares(label: str) -> bool:
    """Whether a label depends on the day's other shares; one of a package that is not here is taken to."""
    return label not in labels.LABELS or labels.LABELS[label].of_the_day


def _read(kind: type[_T], text: str) -> _T | None:
    try:
        return from_json(kind, text)
    except RecordError:
        return None
