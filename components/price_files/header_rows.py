"""Headers of two rows, as pandas writes them: one row of fields, one of shares, and perhaps the name of the index.

Price,Close,Close,High,High         Ticker,AAA,AAA,BBB,BBB
Ticker,AAA,BBB,AAA,BBB        or    Price,Open,Close,Open,Close
Date,,,,                            Date,,,,
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from components.price_files.column_names import role_of

_COPY = re.compile(r"\.[0-9]+$")  # what pandas adds to a name that it has read twice
_SHARE_LEVELS = frozenset({"ticker", "tickers", "symbol", "symbols"})
_LEVELS = _SHARE_LEVELS | {"price", "attributes", "field", "fields", "name", "names"}


def join_header_rows(rows: Sequence[Sequence[str]]) -> tuple[tuple[str, ...], int]:
    """Joins the rows of a header to one, whose names are such as "('Close', 'AAA')".

    Args:
        rows: The first rows of a file, the header among them.

    Returns:
        The names, and of how many rows they were made: 1 for a common header, whose names are as they stand.

    >>> join_header_rows([["Price", "Close", "Close"], ["Ticker", "AAA", "BBB"], ["Date", "", ""]])
    (('Date', "('Close', 'AAA')", "('Close', 'BBB')"), 3)
    >>> join_header_rows([["Date", "AAA", "BBB"], ["2024-01-02", "1", "2"]])
    (('Date', 'AAA', 'BBB'), 1)
    """
    if not rows:
        return (), 1
    first = tuple(rows[0])
    if len(first) < 2 or len(rows) < 2 or len(rows[1]) != len(first):
        return first, 1
    upper, lower = _filled(first), [cell.strip() for cell in rows[1]]
    index = _index_columns(upper, lower)
    above, below = upper[index:], lower[index:]
    labelled = any(cell.lower() in _LEVELS for cell in lower[:index])
    if not below or not all(above) or not all(below):
        return first, 1
    if not labelled and any(map(_is_value, lower)):
        return first, 1  # a row of prices
    fields_above, fields_below = all(map(_is_field, above)), all(map(_is_field, below))
    if not fields_above and not fields_below:
        return first, 1
    # Of two rows of fields, as of a share called LOW, the label tells which is which.
    fields_first = fields_above and not (fields_below and upper[index - 1].lower() in _SHARE_LEVELS)
    known = set(above)
    above = [_COPY.sub("", cell) if fields_first or _COPY.sub("", cell) in known else cell for cell in above]
    if not fields_first and not labelled and len(set(above)) == len(above) > 1:
        return first, 1
    names = [str(pair) for pair in zip(above, below, strict=True)]
    lines = 2
    dates = next((cell for cell in (*lower[:index], *upper[:index]) if _is_time(cell)), "")
    if len(rows) > 2 and not any(cell.strip() for cell in rows[2][index:]):
        label = next((cell.strip() for cell in rows[2][:index] if cell.strip() and not cell.strip().isdigit()), "")
        if label and not _is_value(label):
            dates, lines = label, 3
    return (*("" for _ in range(index - 1)), dates, *names), lines


def _filled(cells: Sequence[str]) -> list[str]:
    """Returns a row with the cell before in place of an empty one, as of merged cells."""
    filled: list[str] = []
    for number, cell in enumerate(cells):
        filled.append(cell.strip() or (filled[-1] if number > 1 else ""))
    return filled


def _index_columns(upper: Sequence[str], lower: Sequence[str]) -> int:
    """Returns how many columns stand before the prices: 1, or 2 with the numbers of the rows."""
    if len(lower) < 3:
        return 1
    read_again = lower[1].lower() in _LEVELS and upper[1].lower() in _LEVELS
    return 2 if read_again or (_is_time(upper[1]) and not lower[1]) else 1


def _is_field(cell: str) -> bool:
    role = role_of(_COPY.sub("", cell))
    return role is not None and role.name not in ("time", "share")


def _is_time(cell: str) -> bool:
    role = role_of(cell)
    return role is not None and role.name == "time"


def _is_value(cell: str) -> bool:
    """Tells whether a cell is a number or a date: what a header has not."""
    return bool(re.fullmatch(r"[-+]?[0-9][-0-9.,/:T Z+%]*[MKB]?", cell))
