"""Files of prices, read in chunks of columns: CSV (plain or gzip) and Parquet.

Which of them a file is, its first bytes tell, not its name. Good cells are converted a whole column at a time; Python
looks at single cells only where one of them is not a number.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TextIO, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import ImportFileError
from components.feature_store.arrays import Floats, Integers
from components.feature_store.dates import day_of
from components.feature_store.header_rows import join_header_rows

NO_DAY = np.iinfo(np.int64).min
_CHUNK_CELLS = 400_000
_HEAD_ROWS = 24
_MISSING = frozenset({"", "nan", "na", "n/a", "#n/a", "null", "none"})
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

Cells: TypeAlias = "Sequence[str] | pa.Array"


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        rows: Their numbers, int64, shape (n,): lines of a CSV file, the header being line 1; rows of a Parquet file,
            from 1.
        columns: The cells of each column of the file, n each.
    """

    rows: Integers
    columns: tuple[Cells, ...]


@dataclass(frozen=True)
class PriceFile:
    """An open file of prices.

    Attributes:
        header: Its column names as written; two rows of a header joined to "('Close', 'AAA')".
        head: The cells of its first rows as texts, empty where missing.
        chunks: Its rows; to be read once, while the file is open.
    """

    header: tuple[str, ...]
    head: tuple[tuple[str, ...], ...]
    chunks: Iterator[Chunk]


@contextmanager
def open_price_file(path: Path) -> Iterator[PriceFile]:
    """Opens a CSV (plain or gzip) or Parquet file.

    Raises:
        ImportFileError: The file is missing, empty, damaged or of another kind; also while its chunks are read. The
            message names the line where there is one.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(16)
            stream.seek(0)
            if not start:
                raise ImportFileError(f"{path} is empty; it needs a header and prices")
            if start[:4] == b"PAR1":
                yield _open_parquet(path, stream)
                return
            if start[:4] in (b"PK\3\4", b"\xd0\xcf\x11\xe0") or start.startswith(b"SQLite format 3"):
                raise ImportFileError(f"{path} is neither CSV nor Parquet; export it as CSV")
            if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
                raise ImportFileError(f"{path}, line 1: the text is UTF-16; save it as UTF-8")
            source: BinaryIO = _unpacked(stream) if start[:2] == b"\x1f\x8b" else stream
            with source, io.TextIOWrapper(source, encoding="utf-8-sig", newline="") as text:
                yield _open_csv(path, text)
    except UnicodeDecodeError as error:
        raise ImportFileError(
            f"{path}, line {_undecodable_line(path)}: the text is not UTF-8; save the file as UTF-8"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ImportFileError(f"{path}: the compressed file is damaged ({error}); fetch it again") from error
    except pa.ArrowException as error:
        raise ImportFileError(f"{path}: the Parquet file cannot be read: {_one_line(error)}") from error
    except FileNotFoundError as error:
        raise ImportFileError(f"{path} does not exist; name a CSV or Parquet file of prices") from error
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror or _one_line(error)}") from error


def _unpacked(stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


# --- CSV


def _open_csv(path: Path, text: TextIO) -> PriceFile:
    first = _first_rows(text)
    reader = csv.reader(text, strict=True)
    try:
        header = tuple(next(reader))
    except StopIteration:
        raise ImportFileError(f"{path} is empty; it needs a header and prices") from None
    except csv.Error as error:
        raise ImportFileError(f"{path}, line {max(1, reader.line_num)}: not a CSV file: {error}") from error
    joined, lines = join_header_rows(first)
    if lines > 1:
        header = joined
        for _ in range(lines - 1):
            next(reader)
    head = tuple(tuple(row) for row in first[lines:] if len(row) == len(header))
    return PriceFile(header, head, _csv_chunks(path, reader, len(header)))


def _first_rows(text: TextIO) -> list[list[str]]:
    """Returns the first rows, the header among them, and goes back to the start of the text."""
    rows: list[list[str]] = []
    try:
        rows.extend(islice(csv.reader(text, strict=True), _HEAD_ROWS))
    except csv.Error:
        pass  # said with its line where the row is read
    text.seek(0)
    return rows


def _csv_chunks(path: Path, reader: csv._reader, width: int) -> Iterator[Chunk]:  # type: ignore[name-defined]
    size = max(1, _CHUNK_CELLS // max(1, width))
    while True:
        before = reader.line_num
        try:
            rows = list(islice(reader, size))
        except csv.Error as error:
            raise ImportFileError(f"{path}, line {reader.line_num}: not a CSV line: {error}") from error
        if not rows:
            return
        if reader.line_num - before == len(rows):
            lines = np.arange(before + 1, reader.line_num + 1)
        else:  # a cell in quotes holds a line break
            counts = [1 + sum(len(_LINE_BREAK.findall(cell)) for cell in row) for row in rows]
            lines = before + np.cumsum([1, *counts[:-1]])
        widths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        ragged = np.flatnonzero((widths != width) & (widths != 0))
        if len(ragged):
            row = int(ragged[0])
            raise ImportFileError(
                f"{path}, line {lines[row]}: {widths[row]} cells, the header has {width}; fix the line"
            )
        if (widths == 0).any():  # blank lines mean nothing
            lines = lines[widths != 0]
            rows = [row for row in rows if row]
        if rows:
            yield Chunk(lines, tuple(zip(*rows, strict=True)))


def _undecodable_line(path: Path) -> int:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        lines: BinaryIO = _unpacked(stream) if packed else stream
        number = 1
        for number, line in enumerate(lines, start=1):  # noqa: B007
            try:
                line.decode("utf-8")
            except UnicodeDecodeError:
                break
        return number


# --- Parquet


def _open_parquet(path: Path, stream: BinaryIO) -> PriceFile:
    file = pq.ParquetFile(stream)
    head: tuple[tuple[str, ...], ...] = ()
    for batch in file.iter_batches(batch_size=_HEAD_ROWS):
        head = tuple(zip(*(_head_cells(column) for column in batch.columns), strict=True))
        break
    return PriceFile(tuple(file.schema_arrow.names), head, _parquet_chunks(path, file))


def _head_cells(column: pa.Array) -> list[str]:
    values = (_value(scalar) for scalar in column)
    return [str(value) for value in values]


def _parquet_chunks(path: Path, file: pq.ParquetFile) -> Iterator[Chunk]:
    done = 0
    size = max(1, _CHUNK_CELLS // max(1, len(file.schema_arrow.names)))
    for batch in file.iter_batches(batch_size=size):
        if batch.num_rows:
            yield Chunk(np.arange(done + 1, done + 1 + batch.num_rows), tuple(batch.columns))
        done += batch.num_rows


# --- cells


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes:
        values: float64, shape (n,); NaN where a cell is missing or no number.
        unread: The texts of the cells that are no numbers, by position.
    """

    values: Floats
    unread: dict[int, str]


def numbers_of(cells: Cells, name: str, path: Path) -> Numbers:
    """Reads a column of numbers; messages name the column and the file.

    Raises:
        ImportFileError: The column of a Parquet file has a type that is no number.
    """
    if isinstance(cells, pa.Array):
        kind = cells.type
        if pa.types.is_dictionary(kind):
            return numbers_of(cells.dictionary_decode(), name, path)
        if pa.types.is_null(kind):
            return Numbers(np.full(len(cells), np.nan), {})
        if pa.types.is_float32(kind) or pa.types.is_float16(kind):
            # Through the shortest text, so that 38.23 stays 38.23 and not 38.22999954.
            short = cells.to_numpy(zero_copy_only=False)
            return Numbers(short.astype("U32").astype(np.float64), {})
        if pa.types.is_decimal(kind):
            # Not by Arrow's cast, which is off in the last bit.
            exact = [np.nan if value is None else float(value) for value in cells.to_pylist()]
            return Numbers(np.array(exact, dtype=np.float64), {})
        if pa.types.is_integer(kind) or pa.types.is_float64(kind):
            return Numbers(np.asarray(cells.to_numpy(zero_copy_only=False), dtype=np.float64), {})
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            raise ImportFileError(f"{path}: the column {name} holds {kind}, not numbers")
        cells = [cell or "" for cell in _texts(cells, name, path)]
    try:
        values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
        joined = "".join(cells)
        if "_" not in joined and joined.isascii():
            return Numbers(values, {})
    except ValueError:
        pass
    unread: dict[int, str] = {}
    values = np.full(len(cells), np.nan)
    for index, cell in enumerate(cells):
        try:
            # Python reads 1_000 and digits of other scripts as numbers too; in a file of prices they are slips.
            if "_" in cell or not cell.isascii():
                raise ValueError
            values[index] = float(cell)
        except ValueError:
            if cell.strip().lower() not in _MISSING:
                unread[index] = cell
    return Numbers(values, unread)


def days_of(cells: Cells, name: str, path: Path, cache: dict[str, int]) -> tuple[Integers, dict[int, str]]:
    """Reads a column of dates; `cache` holds days read before and is filled further.

    Returns:
        Days since 1970-01-01, int64, shape (n,), NO_DAY where there is none; and the texts of those, by position.

    Raises:
        ImportFileError: The column of a Parquet file has a type that is no date.
    """
    if isinstance(cells, pa.Array):
        values, index = _distinct(cells, name, path, "dates")
        days = np.array([_day(value) for value in values] + [NO_DAY], dtype=np.int64)[index]
        texts = [str(value) for value in values] + [""]
        return days, {int(at): texts[index[at]] for at in np.flatnonzero(days == NO_DAY)}
    for cell in set(cells):
        if cell not in cache:
            cache[cell] = _day(cell)
    days = np.fromiter(map(cache.__getitem__, cells), dtype=np.int64, count=len(cells))
    return days, {int(at): cells[at] for at in np.flatnonzero(days == NO_DAY)}


def names_of(cells: Cells, name: str, path: Path, codes: dict[str, int]) -> Integers:
    """Reads a column of names as codes, int64, shape (n,).

    `codes` holds those of the names seen before, blanks around them removed, and is filled further.

    Raises:
        ImportFileError: The column of a Parquet file has a type that is no name.
    """
    if isinstance(cells, pa.Array):
        values, index = _distinct(cells, name, path, "names")
        texts = [str(value).strip() for value in values] + [""]
        return np.array([codes.setdefault(text, len(codes)) for text in texts], dtype=np.int64)[index]
    known = {cell: codes.setdefault(cell.strip(), len(codes)) for cell in dict.fromkeys(cells)}
    return np.fromiter(map(known.__getitem__, cells), dtype=np.int64, count=len(cells))


def _day(value: object) -> int:
    day = day_of(value)
    return NO_DAY if day is None else day


def _distinct(cells: pa.Array, name: str, path: Path, what: str) -> tuple[list[object], Integers]:
    """Returns the distinct values of a column and the position of each cell's among them, -1 for a missing one."""
    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    fits = is_text or pa.types.is_integer(kind) or pa.types.is_null(kind)
    if what == "dates":
        fits = fits or pa.types.is_date(kind) or pa.types.is_timestamp(kind)
    if not fits:
        raise ImportFileError(f"{path}: the column {name} holds {kind}, not {what}")
    if pa.types.is_null(kind):
        return [], np.full(len(cells), -1)
    if not pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_encode()
    index = cells.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    return [_value(scalar) for scalar in cells.dictionary], index


def _value(scalar: pa.Scalar) -> object:
    try:
        value = scalar.as_py()
        return "" if value is None else value
    except (ValueError, OverflowError, KeyError):  # beyond Python's years, an unknown time zone, no UTF-8
        return "(unreadable)"


def _texts(cells: pa.Array, name: str, path: Path) -> list[str | None]:
    try:
        return cells.to_pylist()
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{path}: the column {name} holds text that is not UTF-8") from error
