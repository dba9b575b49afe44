"""FEATURE as a CSV file, byte for byte what the sqlite3 program writes."""

from __future__ import annotations

import os
import re
from pathlib import Path

from components.errors import UserError
from components.feature_store.schema import FEATURE_COLUMNS
from components.feature_store.store import FeatureStore
from components.whole_files import whole_file

# What makes the sqlite3 program put a cell in quotes: control characters, blanks, quotes, commas, all beyond ASCII.
_NEEDS_QUOTES = re.compile("[^!#-&(-+\\--~]")

_LONGEST_LINE = 2**16
_NO_TEXT = (b"SQLi", b"PAR1", b"\x1f\x8b\x08\x00", b"\x1f\x8b\x08\x08")


def export_features(store: FeatureStore, path: str | os.PathLike[str], header: bool = False) -> int:
    r"""Writes the table FEATURE to a CSV file, in the table's order; the file appears only when it is whole.

    The bytes are those of `.mode csv`, `.once FILE`, `SELECT * FROM FEATURE;` in the sqlite3 program: lines end with
    \r\n and numbers have 15 significant digits.

    Args:
        store: An open store.
        path: The file to write; one that exists is replaced, unless it is a database or another table.
        header: Whether the first line names the columns. Off by default, as in the sqlite3 program, so that whatever
            reads that program's output reads this file.

    Returns:
        The number of rows.

    Raises:
        UserError: The file cannot be written, or is a database or another table.
        StoreError: The database cannot be read.
    """
    target = Path(path)
    if target.is_dir():
        raise UserError(f"{target} is a folder; name a file in it, such as {target / 'features.csv'}")
    count = 0
    try:
        if _holds_something_else(target):
            raise UserError(f"{target} is a database or another table than an export of features; name another file")
        with whole_file(target) as part, part.open("w", encoding="utf-8", newline="") as stream:
            if header:
                stream.write(_lines((store.feature_columns(),)))
            for rows in store.feature_rows():
                stream.write(_lines(rows))
                count += len(rows)
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}; name another file") from error
    return count


def _holds_something_else(target: Path) -> bool:
    """Whether a file is a database or another table than an export: somebody's prices, most likely."""
    if not target.is_file():
        return False
    with target.open("rb") as stream:
        start = stream.readline(_LONGEST_LINE)
    is_table = any(sign in start for sign in b",;\t\0") or start[:4] in _NO_TEXT
    return is_table and start.count(b",") < len(FEATURE_COLUMNS) - 1


def _lines(rows: tuple[tuple[str | None, ...], ...]) -> str:
    columns = []
    for column in zip(*rows, strict=True):
        # A column of numbers needs no look at its single cells.
        plain = None not in column and "" not in column and not _NEEDS_QUOTES.search("".join(column))
        columns.append(column if plain else [_cell(cell) for cell in column])
    return "\r\n".join(map(",".join, zip(*columns, strict=True))) + "\r\n"


def _cell(cell: str | None) -> str:
    if cell is None:
        return ""
    if cell == "" or _NEEDS_QUOTES.search(cell):
        return '"' + cell.replace('"', '""') + '"'
    return cell
