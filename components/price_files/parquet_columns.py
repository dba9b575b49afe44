"""Parquet files as columns of plain types, whoever wrote them.

Writers agree on less than the format suggests: Polars writes Categorical as dictionaries with unsigned indices,
DataFusion and DuckDB know string_view, Spark writes INT96, Hive and Impala texts as plain binary. What can be read
without a doubt is; the rest is refused by the name of its column, with what to write instead.
"""

from __future__ import annotations

import base64
import contextlib
import io
import re
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
_PLAIN = re.compile(
    r"u?int(8|16|32|64)$|float$|double$|(large_)?string$|date|timestamp|bool|decimal128|dictionary|null"
)
_INSTEAD = "write dates as date32, names as string and numbers as double"


@contextmanager
def readable(path: Path) -> Iterator[None]:
    """Turns what pyarrow raises on a Parquet file into an ImportFileError."""
    try:
        yield
    except pa.ArrowNotImplementedError as error:
        raise _unknown_type(path, error) from error
    except pa.ArrowException as error:
        raise ImportFileError(f"{path}: the Parquet file cannot be read: {_one_line(error)}") from error
    except OSError as error:
        if error.errno is not None:
            raise
        # pyarrow's own, of what is damaged or newer than it.
        raise _unknown_type(path, error) from error


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
        except pa.ArrowInvalid:
            stream.seek(0)
            file = pq.ParquetFile(stream, metadata=_without_arrow_schema(stream))
            names = file.schema_arrow.names
    if len(names) != len(set(names)):
        twice = next(name for name in names if names.count(name) > 1)
        raise ImportFileError(f"{path}: the column {twice} is there twice; keep one of them")
    return file


def parquet_batches(file: pq.ParquetFile, size: int, positions: Collection[int]) -> Iterator[dict[int, pa.Array]]:
    """Yields the columns at some positions, `size` rows at a time."""
    names = file.schema_arrow.names
    wanted = {names[position]: position for position in positions}
    for batch in file.iter_batches(batch_size=size, columns=list(wanted)):
        # Of a.x pyarrow also reads what is called x in a column a.
        every = zip(batch.schema.names, batch.columns, strict=True)
        yield {wanted[name]: _without_view(column) for name, column in every if name in wanted}


def head_of(file: pq.ParquetFile, rows: int) -> tuple[tuple[str, ...], ...]:
    """Returns the cells of the first rows as texts, empty where missing or of a type that is no cell or unreadable."""
    try:
        for batch in file.iter_batches(batch_size=rows):
            return tuple(zip(*([_text(cell) for cell in column] for column in batch.columns), strict=True))
    except (pa.ArrowException, OSError):  # of one column perhaps, which need not mean anything
        count = min(rows, file.metadata.num_rows)
        columns = [_first_cells(file, name, count) for name in file.schema_arrow.names]
        return tuple(zip(*columns, strict=True))
    return ()


def _first_cells(file: pq.ParquetFile, name: str, count: int) -> list[str]:
    cells: list[str] = []
    with contextlib.suppress(pa.ArrowException, OSError):
        for batch in file.iter_batches(batch_size=count, columns=[name]):
            cells = [_text(cell) for cell in batch.column(batch.schema.get_field_index(name))]
            break
    return [*cells, *[""] * (count - len(cells))]


def _without_view(cells: pa.Array) -> pa.Array:
    """Returns a column of views as one of texts or bytes: `take` does not work on views, for one."""
    plain = {"string_view": pa.large_string, "binary_view": pa.large_binary}.get(str(cells.type))
    return cells if plain is None else cells.cast(plain())


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
    if what == "names" and pa.types.is_floating(cells.type):  # codes, where a cell of pandas' column was missing
        with contextlib.suppress(pa.ArrowInvalid):  # a fraction names no share
            cells, fits = pa.array(cells.to_numpy(zero_copy_only=False), from_pandas=True).cast(pa.int64()), True
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
        if text == "string_view" or _is_bytes(cells.type):
            return cells.cast(pa.large_string())
    except (pa.ArrowException, UnicodeDecodeError) as error:
        raise ImportFileError(
            f"{path}: the column {name} holds {kind} that is no UTF-8 text; {instead(name, 'string')}"
        ) from error
    return cells


def _is_bytes(kind: pa.DataType) -> bool:
    return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind))


def instead(name: str, kind: str) -> str:
    """Says how a column is written so that it is read."""
    return f"write the column {name} as {kind}"


def _without_arrow_schema(stream: BinaryIO) -> pq.FileMetaData:
    """Returns a file's metadata without the schema of Arrow: its key gets another name of the same length."""
    footer, end = _footer(stream)
    return pq.read_metadata(pa.BufferReader(end[4:] + footer.replace(_SCHEMA_KEY, _SCHEMA_KEY.lower()) + end))


def _footer(stream: BinaryIO) -> tuple[bytes, bytes]:
    """Returns a file's metadata as bytes and the eight bytes behind it; empty ones if it is cut off."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(max(0, size - 8))
    end = stream.read(8)
    length = int.from_bytes(end[:4], "little")
    if length > size - 8:
        return b"", end
    stream.seek(size - 8 - length)
    footer = stream.read(length)
    stream.seek(0)
    return footer, end


def _unknown_type(path: Path, error: Exception) -> ImportFileError:
    """Says which column has a type that pyarrow cannot read, as far as the schema of Arrow tells."""
    strange = _strange_columns(path)
    which = f"the column {' or '.join(strange)} has" if strange else "a column has, if the file is not damaged,"
    return ImportFileError(
        f"{path}: the Parquet file cannot be read: {which} a type that pyarrow {pa.__version__} does not know "
        f"({_one_line(error)}); {_INSTEAD}"
    )


def _strange_columns(path: Path) -> list[str]:
    with path.open("rb") as stream:
        match = re.search(_SCHEMA_KEY + rb"[^A-Za-z0-9+/]{1,8}([A-Za-z0-9+/]{32,}={0,2})", _footer(stream)[0])
    if match is None:
        return []
    try:
        schema = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(match[1])))
    except (ValueError, pa.ArrowException):
        return []
    return [f"{field.name} ({field.type})" for field in schema if not _PLAIN.match(str(field.type))]


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
