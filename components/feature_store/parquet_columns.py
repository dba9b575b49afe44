"""Parquet files as columns of plain types, whoever wrote them.

Writers agree on less than the format suggests: Polars writes Categorical as dictionaries with unsigned indices,
DataFusion and DuckDB know string_view, Spark writes INT96, Hive and Impala texts as plain binary. What can be read
without a doubt is; the rest is refused by the name of its column, with what to write instead.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import ImportFileError
from components.feature_store.arrays import Integers

_SCHEMA_KEY = b"ARROW:schema"
_INSTEAD = "write dates as date32, names as string and numbers as double"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what pyarrow raises on a Parquet file into an ImportFileError."""
    try:
        yield
    except pa.ArrowException as error:
        raise ImportFileError(f"{path}: the Parquet file cannot be read: {_one_line(error)}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        # pyarrow's own, as of a logical type that is newer than it.
        raise ImportFileError(
            f"{path}: the Parquet file cannot be read: {_one_line(error)}; if it is not damaged, it has a column of a "
            f"type that pyarrow {pa.__version__} does not know (such as float16 or variant): {_INSTEAD}"
        ) from error


def open_parquet(path: Path, stream: BinaryIO) -> pq.ParquetFile:
    """Opens a Parquet file.

    The schema that Arrow's writers keep beside that of Parquet may name types that this pyarrow does not know, as
    string_view before version 16; then Parquet's own says enough.

    Raises:
        ImportFileError: It cannot be read.
    """
    with readable(path):
        try:
            file = pq.ParquetFile(stream)
            names = file.schema_arrow.names
        except pa.ArrowInvalid as error:
            if "ecognized type" not in str(error):
                raise
            stream.seek(0)
            file = pq.ParquetFile(stream, metadata=_without_arrow_schema(stream))
            names = file.schema_arrow.names
        except pa.ArrowNotImplementedError as error:
            raise _unknown_column(path, stream, error) from error
    if len(names) != len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise ImportFileError(f"{path}: the column {twice} is there twice; keep one of them")
    return file


def parquet_batches(file: pq.ParquetFile, size: int, positions: Collection[int]) -> Iterator[dict[int, pa.Array]]:
    """Yields the columns at some positions, `size` rows at a time."""
    names = file.schema_arrow.names
    wanted = {names[position]: position for position in positions}
    for batch in file.iter_batches(batch_size=size, columns=list(wanted)):
        yield {wanted[name]: batch.column(index) for index, name in enumerate(batch.schema.names)}


def head_of(file: pq.ParquetFile, rows: int) -> tuple[tuple[str, ...], ...]:
    """Returns the cells of the first rows as texts, empty where missing or of a type that is no cell."""
    for batch in file.iter_batches(batch_size=rows):
        return tuple(zip(*([_text(cell) for cell in column] for column in batch.columns), strict=True))
    return ()


def distinct_of(cells: pa.Array, name: str, path: Path, what: str) -> tuple[pa.Array, Integers]:
    """Returns the distinct values of a column, and the position of each cell's among them, -1 for a missing one.

    Raises:
        ImportFileError: The column has a type that holds neither names nor dates; `what` says which are looked for.
    """
    cells = plain_column(cells, name, path)
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    fits = pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)
    if what == "dates":
        fits = fits or pa.types.is_date(kind) or pa.types.is_timestamp(kind) or pa.types.is_floating(kind)
    if pa.types.is_null(kind):
        return pa.array([], pa.string()), np.full(len(cells), -1)
    if not fits:
        raise ImportFileError(
            f"{path}: the column {name} holds {kind}, not {what}; "
            f"{instead(name, 'date32' if what == 'dates' else 'string')}"
        )
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    index = cells.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    missing = np.flatnonzero(cells.dictionary.is_null().to_numpy(zero_copy_only=False)) if len(cells.dictionary) else []
    if len(missing):
        index[np.isin(index, missing)] = -1
    return cells.dictionary, index


def _text(cell: pa.Scalar) -> str:
    try:
        value = cell.as_py()
        return "" if value is None else str(value)
    except (ValueError, OverflowError, LookupError):  # beyond Python's years, an unknown time zone, no UTF-8
        return ""


def plain_column(cells: pa.Array, name: str, path: Path) -> pa.Array:
    """Returns a column as one of few types: a dictionary has signed indices, a text is a string.

    Raises:
        ImportFileError: Its type can hold no cell of a file of prices.
    """
    kind = cells.type
    if pa.types.is_dictionary(kind):
        values = plain_column(cells.dictionary, name, path)
        return pa.DictionaryArray.from_arrays(cells.indices.cast(pa.int64()), values)
    text = str(kind)
    try:
        if text.startswith("run_end_encoded"):  # Parquet has none yet
            return plain_column(pa.array(cells.to_pylist(), kind.value_type), name, path)
        if text == "binary_view":
            cells = cells.cast(pa.large_binary())
        if text == "string_view" or "binary" in text:
            return cells.cast(pa.large_string())
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ImportFileError(
            f"{path}: the column {name} holds {kind} that is no UTF-8 text; {instead(name, 'string')}"
        ) from error
    return cells


def instead(name: str, kind: str) -> str:
    """Says how a column is written so that it is read."""
    return f"write the column {name} as {kind}"


def _without_arrow_schema(stream: BinaryIO) -> pq.FileMetaData:
    """Returns a file's metadata without the schema of Arrow: its key gets another name of the same length."""
    stream.seek(-8, io.SEEK_END)
    length, magic = struct.unpack("<I4s", stream.read(8))
    stream.seek(-8 - length, io.SEEK_END)
    footer = stream.read(length).replace(_SCHEMA_KEY, _SCHEMA_KEY.lower())
    stream.seek(0)
    return pq.read_metadata(pa.BufferReader(magic + footer + struct.pack("<I4s", length, magic)))


def _unknown_column(path: Path, stream: BinaryIO, error: Exception) -> ImportFileError:
    stream.seek(0)
    schema = pq.read_metadata(stream).schema
    known = ("NONE", "STRING", "DATE", "TIMESTAMP", "DECIMAL", "TIME")
    unknown = [
        schema.column(index).path
        for index in range(len(schema.names))
        if (logical := schema.column(index).logical_type).type not in known
        and not (logical.type == "INT" and schema.column(index).physical_type in ("INT32", "INT64"))
    ]
    which = f"the column {' or '.join(unknown[:3])} has a type" if unknown else "a column has a type"
    return ImportFileError(f"{path}: {which} that cannot be read ({_one_line(error)}); {_INSTEAD}")


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
