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
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeAlias, cast

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import ImportFileError
from components.feature_store.arrays import Integers
from components.price_files.csv_text import (
    bounded_lines,
    encoding_at,
    legacy_encoding,
    line_of_bad_byte,
    split_lines,
)
from components.price_files.forms import SEPARATORS, Forms
from components.price_files.parquet_columns import head_of, open_parquet, parquet_batches, readable

_CHUNK_CELLS = 200_000
_ROWS_ALIVE = 500  # of more than that, Python's garbage collector looks at each again and again, which takes longest
_MOST_BLANK_LINES = 200_000
_HEAD_ROWS = 24
_START = 64  # bytes that tell what a file is
# Workbooks, SQLite and Feather; web pages and JSON.
_OTHERS = (b"PK\3\4", b"\xd0\xcf\x11\xe0", b"SQLite format 3", b"ARROW1")
_MARKED_UP = (b"<!", b"<html", b"<?xml", b"{", b"[{")
_LINE_BREAK = re.compile(r"\r\n|\r|\n")

Cells: TypeAlias = "tuple[str, ...] | pa.Array"


class NotUtf8Error(ImportFileError):
    """The text of a CSV file is not UTF-8, and nobody said what it is."""


@dataclass(frozen=True)
class Chunk:
    """Some rows of a file.

    Attributes:
        rows: Their numbers, int64, shape (n,): lines of a CSV file, the header being line 1; rows of a Parquet file,
            from 1.
        columns: The cells of the columns by position, n each.
    """

    rows: Integers
    columns: Mapping[int, Cells]

    def only(self, where: Integers) -> Chunk:
        """Returns the rows at some positions."""
        taken: dict[int, Cells] = {
            at: cells.take(pa.array(where))
            if isinstance(cells, pa.Array)
            else tuple(map(cells.__getitem__, where.tolist()))
            for at, cells in self.columns.items()
        }
        return Chunk(self.rows[where], taken)


@dataclass(frozen=True)
class PriceFile:
    """An open file of prices.

    Attributes:
        header: Its column names as written; of a header of several rows, joined.
        head: The cells of its first rows as texts, empty where missing.
        separator: What separates its cells; a comma where that means nothing.
        notes: How its text was read where that is not plain, for the report.
        chunks: Its rows, of the columns at some positions; to be read once, while the file is open.
    """

    header: tuple[str, ...]
    head: tuple[tuple[str, ...], ...]
    separator: str
    notes: tuple[str, ...]
    chunks: Callable[[Collection[int]], Iterator[Chunk]]


@contextmanager
def open_price_file(path: Path, forms: Forms = Forms()) -> Iterator[PriceFile]:  # noqa: B008  (it is frozen)
    """Opens a CSV (plain or gzip) or Parquet file.

    Args:
        path: The file.
        forms: What is known of how it is written.

    Raises:
        NotUtf8Error: The text is in an encoding that is not known.
        ImportFileError: The file is missing, empty, damaged or of another kind; also while its chunks are read. The
            message names the line where there is one.
    """
    try:
        with path.open("rb") as stream:
            start = stream.read(_START)
            stream.seek(0)
            if not start:
                raise ImportFileError(f"{path} is empty; it needs a header and prices")
            if start[:4] == b"PAR1":
                with readable(path):
                    yield _open_parquet(path, stream)
                return
            if start.startswith(_OTHERS) or start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_MARKED_UP):
                raise ImportFileError(f"{path} is neither CSV nor Parquet; export it as CSV")
            if start[:2] == b"\x1f\x8b":
                source = _unpacked(stream)
                start = source.read(_START)
                source.seek(0)
            else:
                source = stream
            encoding = forms.encoding or encoding_at(start)
            with source, io.TextIOWrapper(source, encoding=encoding, newline="") as text:
                yield _open_csv(path, text, forms, encoding)
    except UnicodeError as error:
        encoding = getattr(error, "encoding", "utf-8")
        line = f"{path}, line {_undecodable_line(path, encoding)}"
        if forms.encoding or not encoding.lower().startswith("utf-8"):
            raise ImportFileError(f"{line}: the text is not {forms.encoding or encoding}; say --encoding") from error
        raise NotUtf8Error(
            f"{line}: the text is not UTF-8; save the file as UTF-8, or say what it is: --encoding, such as gb18030 or "
            "cp1252"
        ) from error
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ImportFileError(f"{path}: the compressed file is damaged ({error}); fetch it again") from error
    except FileNotFoundError as error:
        raise ImportFileError(f"{path} does not exist; name a CSV or Parquet file of prices") from error
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror or _one_line(error)}") from error


def guess_encoding(path: Path) -> str | None:
    """Returns the encoding of a CSV file that is not UTF-8; None if all of it does not tell."""
    with _opened(path) as stream:
        return legacy_encoding(stream)


def _undecodable_line(path: Path, encoding: str) -> int:
    with _opened(path) as stream:
        return line_of_bad_byte(stream, encoding)


@contextmanager
def _opened(path: Path) -> Iterator[BinaryIO]:
    with path.open("rb") as stream:
        packed = stream.read(2) == b"\x1f\x8b"
        stream.seek(0)
        yield _unpacked(stream) if packed else stream


def _unpacked(stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream))


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


# --- CSV


def _open_csv(path: Path, text: io.TextIOWrapper, forms: Forms, encoding: str) -> PriceFile:
    table = split_lines(bounded_lines(text, path), path, forms.separator)
    notes = []
    if forms.encoding or not encoding.startswith("utf-8"):
        notes.append(f"text read as {encoding}")
    if table.separator != ",":
        names = {sign: name for name, sign in SEPARATORS.items()}
        notes.append(f"separator {names.get(table.separator, table.separator)}")
    head = tuple(row for row in table.head if len(row) == len(table.header))
    return PriceFile(
        table.header,
        head[:_HEAD_ROWS],
        table.separator,
        tuple(notes),
        lambda positions: _csv_chunks(path, table.reader, len(table.header), table.before, positions),
    )


def _csv_chunks(
    path: Path,
    reader: csv._reader,  # type: ignore[name-defined]
    width: int,
    before: int,
    positions: Collection[int],
) -> Iterator[Chunk]:
    size = max(1, _CHUNK_CELLS // max(1, width))
    lines: list[Integers] = []
    columns: dict[int, list[str]] = {at: [] for at in positions}
    count = 0
    for some, cells in _csv_rows(path, reader, width, before, min(size, _ROWS_ALIVE)):
        lines.append(some)
        for at, column in columns.items():
            column += cells[at]
        count += len(some)
        if count >= size:
            yield Chunk(np.concatenate(lines), {at: tuple(column) for at, column in columns.items()})
            lines, columns, count = [], {at: [] for at in positions}, 0
    if count:
        yield Chunk(np.concatenate(lines), {at: tuple(column) for at, column in columns.items()})


def _csv_rows(
    path: Path,
    reader: csv._reader,  # type: ignore[name-defined]
    width: int,
    before: int,
    size: int,
) -> Iterator[tuple[Integers, Sequence[tuple[str, ...]]]]:
    """Yields the line numbers and the columns of some rows at a time."""
    blank = seen = 0
    while True:
        last = reader.line_num + before
        try:
            rows = list(islice(reader, size))
        except csv.Error as error:
            raise ImportFileError(f"{path}, line {reader.line_num + before}: not a CSV line: {error}") from error
        if not rows:
            return
        if reader.line_num + before - last == len(rows):
            lines = np.arange(last + 1, last + 1 + len(rows))
        else:  # a cell in quotes holds a line break
            counts = [1 + sum(len(_LINE_BREAK.findall(cell)) for cell in row) for row in rows]
            lines = last + np.cumsum([1, *counts[:-1]])
        widths = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
        ragged = np.flatnonzero((widths != width) & (widths != 0))
        if len(ragged):
            row = int(ragged[0])
            hint = ", or put cells that hold a separator in quotes" if widths[row] > width else ""
            raise ImportFileError(
                f"{path}, line {lines[row]}: {widths[row]} cells, the header has {width}; fix the line{hint}"
            )
        if (widths == 0).any():  # blank lines mean nothing
            lines = lines[widths != 0]
            blank += len(rows) - len(lines)
            rows = [row for row in rows if row]
            if blank > max(_MOST_BLANK_LINES, seen + len(rows)):
                raise ImportFileError(f"{path}, line {reader.line_num}: {blank:,} blank lines; is it a file of prices?")
        seen += len(rows)
        if rows:
            yield lines, list(zip(*rows, strict=True))


# --- Parquet


def _open_parquet(path: Path, stream: BinaryIO) -> PriceFile:
    file = open_parquet(path, stream)
    head = head_of(file, _HEAD_ROWS)
    return PriceFile(
        tuple(file.schema_arrow.names), head, ",", (), lambda positions: _parquet_chunks(path, file, positions)
    )


def _parquet_chunks(path: Path, file: pq.ParquetFile, positions: Collection[int]) -> Iterator[Chunk]:
    done = 0
    size = max(1, _CHUNK_CELLS // max(1, len(positions)))
    for columns in parquet_batches(file, size, positions):
        count = len(next(iter(columns.values())))
        if count:
            yield Chunk(np.arange(done + 1, done + 1 + count), columns)
        done += count
