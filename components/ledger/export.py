"""The predictions of a ledger with what came of them, as a CSV or Parquet file."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from components.feature_store.schema import CLOSE_COLUMNS
from components.ledger.columns import BEFORE_PREDICTION
from components.ledger.days import LATEST_OUTCOME, came
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.labels import Labels
from components.whole_files import whole_file

_ROWS_AT_ONCE = 8192

_TEXT, _NUMBER, _WHOLE = pa.string(), pa.float64(), pa.int64()
_PREDICTED = {
    **{"seq": _WHOLE, "share_id": _TEXT, "session": _TEXT, "horizon": _WHOLE, "probability": _NUMBER, "model": _TEXT},
    **{"exchange": _TEXT, "deadline": _TEXT, "written": _TEXT, "late": _WHOLE},
}
_CAME = {"due": _TEXT, "close": _NUMBER, "close_due": _NUMBER, "factor": _NUMBER, "direction": _TEXT}
_SCHEMA = pa.schema(
    {
        **_PREDICTED,
        **_CAME,
        "ahead": _NUMBER,
        "outcomes": _WHOLE,
        **dict.fromkeys(CLOSE_COLUMNS, _NUMBER),
        "hash": _TEXT,
        **{"label": _TEXT, "needed": _NUMBER, "came": _TEXT},
        "columns": _TEXT,
    }
)
"""`label` is that of the model, `needed` the return that `ahead` had to exceed, `came` on which side of it that is;
`columns` are the day-wide ones that the model saw, JSON."""

_CELLS = ", ".join(
    [
        *(f"p.{name}" for name in _PREDICTED),
        *(f"o.{name}" for name in _CAME),
        "o.close_due * o.factor / o.close - 1",
        "(SELECT COUNT(*) FROM OUTCOME WHERE prediction = p.seq)",
        *(f"p.{name}" for name in (*CLOSE_COLUMNS, "hash")),
        "CASE WHEN json_valid(n.text) THEN json_extract(n.text, '$.columns') END",
    ]
)
_HEADER = ",".join(f'"{name}"' for name in _PREDICTED).encode()

FORMATS: dict[str, Callable[..., pa.csv.CSVWriter | pa.parquet.ParquetWriter]] = {
    ".csv": pa.csv.CSVWriter,
    ".parquet": pa.parquet.ParquetWriter,
}
"""By the ending of a file's name, what writes it."""


def export_predictions(ledger: Ledger, path: Path) -> int:
    """Writes a row a prediction, in the order in which they were written, with the latest of its outcomes.

    Args:
        ledger: an open one.
        path: ends in .csv or .parquet; an export that is there is replaced. It appears only when it is whole.

    Returns:
        How many rows.

    Raises:
        LedgerError: the file has another ending, is something else than an export, or cannot be written.
        StoreError: the ledger cannot be read.
    """
    writer = FORMATS.get(path.suffix)
    if writer is None:
        raise LedgerError(f"{path}: name a file that ends in {' or '.join(FORMATS)}")
    count = 0
    try:
        if path.is_dir() or _holds_something_else(path):
            raise LedgerError(f"{path} is something else than an export of predictions; name another file")
        with whole_file(path) as partial, writer(str(partial), _SCHEMA) as stream:
            for batch in _batches(ledger):
                stream.write_batch(batch)
                count += batch.num_rows
    except OSError as error:
        # Arrow's own words name the partial file.
        why = os.strerror(error.errno) if error.errno else error
        raise LedgerError(f"{path} cannot be written: {why}; name another file") from None
    return count


def _batches(ledger: Ledger) -> Iterator[pa.RecordBatch]:
    rows = ledger.stream(
        f"SELECT {_CELLS} FROM {LATEST_OUTCOME} LEFT JOIN NOTE n ON {BEFORE_PREDICTION} ORDER BY p.seq"
    )
    labels = Labels(ledger)
    while part := [(*row[:-1], *_answer(labels, row), row[-1]) for row in itertools.islice(rows, _ROWS_AT_ONCE)]:
        columns = zip(*part, strict=True)
        try:
            arrays = [pa.array(values, kind) for values, kind in zip(columns, _SCHEMA.types, strict=True)]
        except (pa.ArrowInvalid, pa.ArrowTypeError, UnicodeError, TypeError):
            raise LedgerError(f"{ledger.path}: holds what no writer writes; see `awesome ledger verify`") from None
        yield pa.RecordBatch.from_arrays(arrays, schema=_SCHEMA)


def _answer(labels: Labels, row: tuple[Any, ...]) -> tuple[str, float | None, str | None]:
    """The label of a row's model, what its return had to exceed, and how that came; None where that is not known."""
    cells = dict(zip(_SCHEMA.names, row, strict=False))
    label, needed = labels.of(cells["model"]), labels.needed(cells["model"], cells["horizon"], cells["session"])
    known = needed is not None and cells["close"] is not None
    side = (
        came([cells[name] for name in ("close", "close_due", "factor")], needed)
        if needed is not None and known
        else None
    )
    return label, needed, side


def _holds_something_else(path: Path) -> bool:
    if not path.is_file() or not path.stat().st_size:
        return False
    if path.suffix == ".parquet":
        try:
            # One of an earlier version lacks the last columns.
            return pa.parquet.read_schema(path).names[: len(_PREDICTED)] != [*_PREDICTED]
        except (pa.ArrowInvalid, OSError):
            return True
    with path.open("rb") as stream:
        return stream.read(len(_HEADER)) != _HEADER
