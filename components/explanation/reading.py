"""The test split of an Examples artifact, read without TensorFlow."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.explanation.results import ExplanationError
from models.features import SHARE_ID, TIME, label_key
from models.twin.features import Raw

_LENGTH = struct.Struct("<Q")
_CHECKSUM = 4
"""Bytes behind a record's length, and behind the record. They are not checked: what a twin answers is compared with
what the model answered to these rows."""

_BATCH = 20_000


@dataclass(frozen=True, eq=False)
class SplitRows:
    """The test split, by session and share.

    Attributes:
        raw: raw features by name, [rows] or [rows, values].
        positive: bool array [rows], True where the label is 1.
        time: YYYYMMDD [rows].
        share_id: the shares as bytes, [rows].
    """

    raw: Raw
    positive: NDArray[np.bool_]
    time: NDArray[np.int64]
    share_id: NDArray[np.object_]


def read_test_rows(examples: str, sources: Sequence[str], horizon: int) -> SplitRows:
    """Reads the test split.

    Args:
        examples: folder of the Examples artifact.
        sources: the raw features that are wanted.
        horizon: the trained one, whose label every row has.

    Returns:
        All rows.

    Raises:
        ExplanationError: the examples cannot be read, or lack what is wanted.
    """
    from tfx_bsl.coders import example_coder

    folder = Path(examples) / "Split-test"
    wanted = dict.fromkeys([*sources, SHARE_ID, TIME, label_key(horizon)])
    decoder = example_coder.ExamplesToRecordBatchDecoder()
    parts: list[dict[str, NDArray[Any]]] = []
    try:
        for records in _batches(sorted(folder.iterdir())):
            batch = decoder.DecodeBatch(records)
            parts.append({name: _values(name, batch, len(records)) for name in wanted})
        columns = {name: np.concatenate([part[name] for part in parts]) for name in wanted}
    except (OSError, RuntimeError, ValueError, struct.error) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ExplanationError(f"{folder}: the examples cannot be read ({reason}); run again") from None
    order = np.lexsort((columns[SHARE_ID].astype(bytes), columns[TIME]))
    columns = {name: values[order] for name, values in columns.items()}
    return SplitRows(
        raw={name: columns[name] for name in sources},
        positive=columns[label_key(horizon)] == 1,
        time=columns[TIME],
        share_id=columns[SHARE_ID],
    )


def _batches(files: Sequence[Path]) -> Iterator[list[bytes]]:
    """The records of TFRecord files, many at a time."""
    batch: list[bytes] = []
    for file in files:
        for record in _records(file.read_bytes()):
            batch.append(record)
            if len(batch) == _BATCH:
                yield batch
                batch = []
    if batch:
        yield batch


def _records(content: bytes) -> Iterator[bytes]:
    """The records of an uncompressed TFRecord file: length, checksum, record, checksum."""
    at = 0
    while at < len(content):
        (length,) = _LENGTH.unpack_from(content, at)
        at += _LENGTH.size + _CHECKSUM
        if at + length + _CHECKSUM > len(content):
            raise ValueError("a file ends within a record")
        yield content[at : at + length]
        at += length + _CHECKSUM


def _values(name: str, batch: Any, rows: int) -> NDArray[Any]:
    """A feature of which every record has as many values, [rows] or [rows, values]."""
    if name not in batch.schema.names:
        raise ValueError(f"they carry no {name}")
    values: NDArray[Any] = batch.column(name).flatten().to_numpy(zero_copy_only=False)
    if len(values) % rows:
        raise ValueError(f"some carry no {name}")
    values = values.reshape(rows, -1)
    return values[:, 0] if values.shape[1] == 1 else values
