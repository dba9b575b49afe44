"""What is fixed before predictions: the parameters of the evidence, and which model speaks."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, astuple, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.schema import CHALLENGER, CHAMPION, MODEL, NOTE, SETUP
from models.card import EXTRA_FOLDER


@dataclass(frozen=True)
class LiveModel:
    """A model that predicts, or is to.

    Attributes:
        digest: of what computes its probabilities, see `model_digest`.
        name: of its architecture.
        formatter: what it sees.
        horizon: sessions ahead that it speaks of.
        trained_from: the first session that it was trained on, ISO; empty where that is not known.
        trained_until: the last one.
    """

    digest: str
    name: str
    formatter: str
    horizon: int
    trained_from: str = ""
    trained_until: str = ""


def declare(ledger: Ledger, horizon: int, parameters: Any) -> int:
    """Fixes the parameters of a horizon's evidence; other ones than before begin a new series, which stays visible.

    Args:
        ledger: opened to write.
        horizon: sessions ahead.
        parameters: a dataclass or a mapping of JSON's types.

    Returns:
        The row that holds them; that of before where they are the same.

    Raises:
        LedgerError: a parameter is a number that JSON has no word for.
    """
    text = canonical(parameters)
    with ledger.writing() as batch:
        query = "SELECT seq, parameters FROM SETUP WHERE horizon = ? ORDER BY seq DESC LIMIT 1"
        held = ledger.select(query, horizon)
        if held and held[0][1] == text:
            return int(held[0][0])
        return batch.add(SETUP.name, (horizon, text))


def canonical(parameters: Any) -> str:
    """The one JSON text of a dataclass or a mapping: keys in order, no blanks, nothing beyond ASCII.

    >>> canonical({"b": 1.0, "a": [True, None]})
    '{"a":[true,null],"b":1.0}'

    Raises:
        LedgerError: a parameter is a number that JSON has no word for.
    """
    plain = asdict(parameters) if is_dataclass(parameters) and not isinstance(parameters, type) else parameters
    try:
        return json.dumps(plain, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except ValueError:
        raise LedgerError(f"the parameters of the evidence hold a number that JSON has no word for: {plain}") from None


def install(ledger: Ledger, model: LiveModel, role: str = CHAMPION) -> int:
    """Makes a model the champion of its horizon from now on, or a challenger, which never counts as evidence.

    Returns:
        The row that says so; that of before where nothing changes.

    Raises:
        LedgerError: there is no such role, or the reigning champion would become a challenger.
    """
    if role not in (CHAMPION, CHALLENGER):
        raise LedgerError(f"{role!r} is no role of a model; there are {CHAMPION} and {CHALLENGER}")
    with ledger.writing() as batch:
        reigning = champion_row(ledger, model.horizon)
        if role == CHAMPION and reigning is not None and reigning[1] == model.digest:
            return reigning[0]
        if role == CHALLENGER:
            if reigning is not None and reigning[1] == model.digest:
                raise LedgerError(
                    f"{ledger.path}: {model.name} ({model.digest[:8]}) is the champion; it cannot challenge"
                )
            held = ledger.select(
                "SELECT seq FROM MODEL WHERE digest = ? AND horizon = ? ORDER BY seq", model.digest, model.horizon
            )
            if held:
                return int(held[-1][0])
        return batch.add(MODEL.name, (*astuple(model), role))


def champion_row(ledger: Ledger, horizon: int) -> tuple[int, str] | None:
    """The row and the digest of the champion of a horizon; None where there is none yet."""
    found = ledger.select(
        "SELECT seq, digest FROM MODEL WHERE horizon = ? AND role = ? ORDER BY seq DESC LIMIT 1", horizon, CHAMPION
    )
    return (int(found[0][0]), str(found[0][1])) if found else None


def note(ledger: Ledger, kind: str, text: str) -> int:
    """Writes down what has to be known later, each time it is said."""
    with ledger.writing() as batch:
        return batch.add(NOTE.name, (kind, text))


def note_once(ledger: Ledger, kind: str, text: str) -> bool:
    """Writes a note where it does not stand yet, so that nobody says a thing twice; tells whether it was new."""
    with ledger.writing() as batch:
        if ledger.select("SELECT 1 FROM NOTE WHERE kind = ? AND text = ? LIMIT 1", kind, text):
            return False
        batch.add(NOTE.name, (kind, text))
    return True


def model_digest(saved_model: Path) -> str:
    """The digest of an exported model: SHA-256 over the names and contents of its files.

    What lies in its folder `assets.extra` says something of the model and computes nothing, so it does not count: the
    same model has the same digest as a run's candidate and once it was pushed.

    Raises:
        LedgerError: there is no file.
    """
    files = sorted(path for path in saved_model.rglob("*") if path.is_file())
    files = [path for path in files if path.relative_to(saved_model).parts[0] != EXTRA_FOLDER]
    if not files:
        raise LedgerError(f"{saved_model}: holds no model; run again, or pull it again")
    whole = hashlib.sha256()
    for path in files:
        name = path.relative_to(saved_model).as_posix().encode("utf-8", "surrogateescape")
        whole.update(hashlib.sha256(name).digest() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
