"""The rows of a file of prices by share.

A file is read once where its cells are plain. One that is not UTF-8, or has a number such as 1.234,5, is looked at
whole before it is read: what its cells mean is a matter of the file, not of the cell.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

from components.price_files.date_column import names_of
from components.price_files.files import NotUtf8Error, guess_encoding, open_price_file
from components.price_files.forms import Forms
from components.price_files.found import Found, Refusal, ShareRows
from components.price_files.header import layout_of
from components.price_files.layout import LayoutChoice
from components.price_files.long_rows import read_long
from components.price_files.number_cells import NumberStyle, OtherStyleError, StyleEvidence
from components.price_files.reading import Reader, number_positions
from components.price_files.wide_rows import read_wide

__all__ = ["Found", "Refusal", "ShareRows", "read_rows"]


def read_rows(
    path: Path,
    choice: LayoutChoice | None = None,
    forms: Forms = Forms(),  # noqa: B008  (it is frozen)
    today: dt.date | None = None,
) -> Found:
    """Reads and checks a file of prices, whole.

    Args:
        path: The file.
        choice: What the user says about its columns.
        forms: What the user says of how its cells are written.
        today: The date now, in UTC if None; rows of later days are refused.

    Raises:
        ImportFileError: It cannot be read, its layout is not known, it can be read in two ways, or it holds no daily
            prices.
    """
    today = today or dt.datetime.now(dt.UTC).date()
    try:
        return _read_in_style(path, choice, forms, today)
    except NotUtf8Error as error:
        encoding = guess_encoding(path)
        if encoding is None:
            raise
        found = _read_in_style(path, choice, replace(forms, encoding=encoding), today)
        # Western encodings differ in single letters, and the letter is the share's name.
        names = {share.share_id for share in found.shares} | {refusal.share_id for refusal in found.refused}
        if encoding == "cp1252" and not all(map(str.isascii, names)):
            raise error
        return found


def _read_in_style(path: Path, choice: LayoutChoice | None, forms: Forms, today: dt.date) -> Found:
    style = None if forms.decimal is None else NumberStyle(forms.decimal)
    try:
        return _read(path, choice, forms, style, today)
    except OtherStyleError:
        return _read(path, choice, forms, _style_of(path, choice, forms), today)


def _style_of(path: Path, choice: LayoutChoice | None, forms: Forms) -> NumberStyle:
    """Finds out how a file writes its numbers, from all of them."""
    evidence = StyleEvidence()
    with open_price_file(path, forms) as file:
        layout = layout_of(file.header, path, file.head, choice)
        reader = Reader(file, layout, Found(path, layout), forms, None, dt.date.max)
        fields = [layout.fields, *layout.shares.values()]
        volumes = {one["volume"] for one in fields if "volume" in one}
        shares: dict[str, int] = {}
        for chunk in reader.chunks():
            for position in number_positions(layout):
                title = file.header[position].strip()
                evidence.add(chunk.columns[position], title, path, counts=position in volumes)
            if isinstance(layout.share, int):
                names_of(chunk.columns[layout.share], file.header[layout.share], path, shares)
            reader.dates.add(chunk.columns[layout.time])
            reader.count(chunk.rows, max(1, len(shares)), {})
        return evidence.style(path, file.separator)


def _read(path: Path, choice: LayoutChoice | None, forms: Forms, style: NumberStyle | None, today: dt.date) -> Found:
    with open_price_file(path, forms) as file:
        layout = layout_of(file.header, path, file.head, choice)
        found = Found(path, layout, notes=[layout.headline, *layout.notes, *file.notes])
        if style is not None:
            found.notes.append(str(style))
        reader = Reader(file, layout, found, forms, style, today)
        if layout.share is None:
            read_wide(reader)
        else:
            read_long(reader, layout.share)
    return found
