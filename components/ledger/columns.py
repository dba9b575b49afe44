"""What predictions were made of beside their windows: day-wide columns, and the market that they are made of.

Both stand in notes, which every ledger has, so one of predictions from windows alone is what it always was. What a
model reads is noted before the model is. The columns of a prediction stand in the row directly before its own, written
at the same time: so what the prediction's row holds as `previous` is the hash of what the model saw.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from components.ledger.errors import LedgerError
from components.ledger.file import Ledger, Row
from components.ledger.schema import MODEL, NOTE, PREDICTION
from components.ledger.setting_up import canonical
from components.records import RecordError, from_json

READS, COLUMNS = "reads", "columns"
"""The kinds of such notes: what a model reads, and what it has read for a prediction."""

BEFORE_PREDICTION = f"n.seq = p.seq - 1 AND n.kind = '{COLUMNS}'"
"""What joins a prediction p with the note n of its columns."""

Columns = Mapping[str, npt.NDArray[np.float32]]
"""By name, float32 [n] or [n, width]."""


@dataclass(frozen=True)
class Reads:
    """What a model reads beside windows.

    Attributes:
        model: its digest.
        columns: by name of a day-wide column, how many values of it a prediction is made of.
        market: the shares that they are made of, sorted.
    """

    model: str
    columns: Mapping[str, int]
    market: tuple[str, ...]

    @property
    def text(self) -> str:
        """As a note holds it."""
        return canonical(self)


@dataclass(frozen=True)
class SeenColumns:
    """The columns that one prediction was made of.

    Attributes:
        share_id: the share.
        session: the last of its window, ISO.
        columns: by name their values, single precision, the row's own session the last.
    """

    share_id: str
    session: str
    columns: Mapping[str, tuple[float, ...]]

    @property
    def text(self) -> str:
        """As a note holds it."""
        return canonical(self)


def reads_of(ledger: Ledger, until: int | None = None) -> dict[str, Reads]:
    """By the digest of a model, what it reads; a note that came after the model itself is left out.

    Args:
        ledger: an open one.
        until: the last row that is looked at; None for all.
    """
    installed = dict(ledger.select(f"SELECT digest, MIN(seq) FROM {MODEL.name} GROUP BY digest"))
    found: dict[str, Reads] = {}
    for seq, text in ledger.select(f"SELECT seq, text FROM {NOTE.name} WHERE kind = ? ORDER BY seq", READS):
        reads = _reads(text)
        if reads is not None and seq < installed.get(reads.model, seq + 1) and (until is None or seq <= until):
            found.setdefault(reads.model, reads)
    return found


def keep_reads(ledger: Ledger, reads: Reads) -> bool:
    """Notes what a model reads, before the model is installed; tells whether it was new. Windows alone need no note.

    Raises:
        LedgerError: the model stands in the ledger as one that reads something else.
    """
    with ledger.writing() as batch:
        held = reads_of(ledger).get(reads.model)
        if held == reads or (held is None and not reads.columns):
            return False
        if held is not None or ledger.select("SELECT 1 FROM MODEL WHERE digest = ? LIMIT 1", reads.model):
            raise LedgerError(
                f"{ledger.path}: the model {reads.model[:8]} stands there as one that reads other columns of the day, "
                "or another market"
            )
        batch.add(NOTE.name, (READS, reads.text))
    return True


def seen(share_ids: Sequence[str], sessions: Sequence[str], columns: Columns) -> list[str]:
    """The texts of the notes of some rows, [n]: of each value the shortest decimal that is it in single precision."""
    count = len(share_ids)
    if not count:
        return []
    rows = zip(*(_decimals(values).reshape(count, -1).tolist() for values in columns.values()), strict=True)
    return [
        SeenColumns(share, session, dict(zip(columns, map(tuple, row), strict=True))).text
        for share, session, row in zip(share_ids, sessions, rows, strict=True)
    ]


def widths(columns: Columns) -> dict[str, int]:
    """How many values a row has of each column."""
    return {name: int(np.prod(np.shape(values)[1:])) for name, values in columns.items()}


def of_note(text: str) -> SeenColumns | None:
    """The columns that a note holds; None where no writer writes such a one."""
    try:
        found = json.loads(text)
        columns = {name: tuple(map(float, values)) for name, values in found["columns"].items()}
        made = SeenColumns(found["share_id"], found["session"], columns)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    numbers = np.array([value for values in columns.values() for value in values], float)
    with np.errstate(over="ignore"):
        single = numbers.astype(np.float32)
    right = np.isfinite(single).all() and (_decimals(single) == numbers).all()
    return made if right and made.text == text else None


def columns_of_rows(texts: Iterable[str | None]) -> Columns:
    """The columns of some predictions of one model, of the notes before them: [n] or [n, width].

    Raises:
        LedgerError: one has none, or other ones than the first.
    """
    found = [None if text is None else of_note(text) for text in texts]
    rows = [one for one in found if one is not None]
    if len(rows) < len(found) or len({tuple(_widths(one).items()) for one in rows}) > 1:
        raise LedgerError("a prediction lacks the columns that it was made of; see `awesome ledger verify`")
    shape = _widths(rows[0]) if rows else {}
    values = {name: np.array([one.columns[name] for one in rows], np.float32) for name in shape}
    return {name: of if shape[name] > 1 else of[:, 0] for name, of in values.items()}


def _decimals(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """By value in single precision the double of its shortest decimal; where that is another value's, its own."""
    single = np.asarray(values, np.float32)
    short = np.array(list(map(str, single.ravel())), np.float64).reshape(single.shape)
    return np.where(short.astype(np.float32) == single, short, single.astype(np.float64))


class ColumnRules:
    """What notes of these kinds and predictions must say of one another, judged row by row."""

    def __init__(self, installed: Callable[[str], bool]) -> None:
        """Takes what tells whether a model, by its digest, was written before."""
        self._installed = installed
        self._reads: dict[str, Mapping[str, int]] = {}
        self._before: tuple[Row, SeenColumns] | None = None

    def go_on(self, reads: Mapping[str, Reads]) -> None:
        """Takes what models read by notes that were judged before."""
        self._reads = {model: one.columns for model, one in reads.items()}

    def forget(self) -> None:
        """Takes back what the row before said: it was changed, or is missing."""
        self._before = None

    def broken(self, row: Row, trusting: bool) -> str:
        """The rule that a row breaks, in words; empty where it breaks none.

        Args:
            row: the next one.
            trusting: whether no row before it was changed or is missing.
        """
        before, self._before = self._before, None
        if row.table == PREDICTION.name:
            return self._prediction(row, before, trusting)
        if before is not None and trusting:
            return f"the columns in row {before[0].seq} stand before no prediction"
        return self._note(row) if row.table == NOTE.name else ""

    def unfinished(self) -> str:
        """What is wrong at the end of the rows, in words; empty where nothing is."""
        return "" if self._before is None else "its columns stand before no prediction: what stood there was taken out"

    def _note(self, row: Row) -> str:
        if row["kind"] == READS:
            reads = _reads(row["text"])
            if reads is None or reads.text != row["text"]:
                return "it says no columns that a model reads as a writer writes it"
            if self._installed(reads.model):
                return f"what the model {reads.model[:8]} reads was written after the model"
            self._reads.setdefault(reads.model, reads.columns)
        elif row["kind"] == COLUMNS:
            found = of_note(row["text"])
            if found is None:
                return "it holds no columns as a writer writes them"
            self._before = row, found
        return ""

    def _prediction(self, row: Row, before: tuple[Row, SeenColumns] | None, trusting: bool) -> str:
        if not trusting:
            return ""
        wanted = self._reads.get(row["model"], {})
        if before is None:
            return "the columns that its model reads do not stand before it" if wanted else ""
        note, found = before
        if not wanted:
            return f"the columns in row {note.seq} stand before it, and its model reads none"
        if (found.share_id, found.session, note["written"]) != (row["share_id"], row["session"], row["written"]):
            return f"the columns in row {note.seq} are of another prediction"
        return "" if _widths(found) == wanted else f"the columns in row {note.seq} are not those that its model reads"


def _widths(found: SeenColumns) -> dict[str, int]:
    return {name: len(values) for name, values in found.columns.items()}


def _reads(text: str) -> Reads | None:
    try:
        found = from_json(Reads, text)
    except RecordError:
        return None
    right = found.columns and all(width > 0 for width in found.columns.values())
    return found if right else None
