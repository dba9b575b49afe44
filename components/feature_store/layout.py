"""Which column of a file of prices means what.

Two layouts are known, told apart by their headers (upper or lower case alike):

    long    time (or date), share_id (or symbol, ticker), close, and optionally open, high, low, volume and either
            factor or adj_close; further columns are ignored
    wide    time (or date) and one column a share, holding adjusted closes
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from components.errors import ImportFileError
from components.feature_store.rules import is_usable_name

_TIME = ("time", "date")
_SHARE = ("share_id", "symbol", "ticker")
_ADJUSTED = ("adj_close", "adjclose", "adjusted_close")
_NUMBERS = {
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "volume": ("volume",),
    "factor": ("factor",),
    "adj_close": _ADJUSTED,
}
_HELP = (
    "known layouts are long (time, share_id, close, optionally open, high, low, volume, factor or adj_close) "
    "and wide (time and one column a share)"
)


@dataclass(frozen=True)
class Layout:
    """Where a file's columns stand.

    Attributes:
        time: Position of the dates.
        share: Position of the share; None in a wide file.
        numbers: Position of each field (long), or of each share (wide).
        ignored: Names of the columns left out.
    """

    time: int
    share: int | None
    numbers: dict[str, int]
    ignored: tuple[str, ...] = ()


def layout_of(header: tuple[str, ...], path: Path) -> Layout:
    """Finds out what a file's columns mean by its header.

    Raises:
        ImportFileError: Neither layout fits, or two columns mean the same.
    """
    names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in header]

    def only(accepted: tuple[str, ...]) -> int | None:
        found = [index for index, name in enumerate(names) if name in accepted]
        if len(found) > 1:
            twice = " and ".join(header[index].strip() for index in found)
            raise ImportFileError(f"{path}, line 1: the columns {twice} mean the same; keep one of them")
        return found[0] if found else None

    def unknown(what: str) -> ImportFileError:
        columns = ", ".join(repr(name.strip()) for name in header[:12]) + (", ..." if len(header) > 12 else "")
        return ImportFileError(f"{path}, line 1: {what}; the columns are {columns}; {_HELP}")

    time, share = only(_TIME), only(_SHARE)
    if time is None:
        raise unknown("there is no column time or date")
    if share is None:
        if "close" in names or any(name in _ADJUSTED for name in names):
            raise unknown("there is a close but no column share_id, symbol or ticker")
        return _wide_layout(header, time, unknown)
    numbers = {field_: at for field_, accepted in _NUMBERS.items() if (at := only(accepted)) is not None}
    if "close" not in numbers:
        raise unknown("there is no column close")
    if "factor" in numbers and "adj_close" in numbers:
        raise ImportFileError(f"{path}, line 1: both factor and adj_close are given; keep one of them")
    used = {time, share, *numbers.values()}
    ignored = tuple(name.strip() for index, name in enumerate(header) if index not in used)
    return Layout(time, share, numbers, ignored)


def _wide_layout(header: tuple[str, ...], time: int, unknown: Callable[[str], ImportFileError]) -> Layout:
    shares: dict[str, int] = {}
    for index, name in enumerate(header):
        share_id = name.strip()
        if index == time:
            continue
        if not is_usable_name(share_id):
            raise unknown(f"column {index + 1} has no usable name")
        if share_id in shares:
            raise unknown(f"the column {share_id} is there twice")
        shares[share_id] = index
    if not {name.lower() for name in shares} - set(_NUMBERS):
        raise unknown("there is no column of closes")
    return Layout(time, None, shares)
