"""Which column of a file of prices means what.

Two layouts are known, told apart by their headers (upper or lower case alike):

    long    time (or date), share_id (or symbol, ticker), close, and optionally open, high, low, volume and either
            factor or adj_close; further columns are ignored
    wide    time (or date) and one column a share, holding adjusted closes
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from components.errors import ImportFileError
from components.feature_store.arrays import Floats
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
    """What a file's columns mean, by position.

    Attributes:
        kind: long, one share, or wide (the columns name the shares).
        time: Position of the dates.
        share: Position of the column of shares (long), the name of the only share (one share), or None (wide).
        fields: Position of each field: open, high, low, close, volume, factor, adj_close (long, one share).
        shares: Position of each field of each share (wide).
        ignored: Names of the columns left out.
        notes: What was understood and is not plain from the header, for the report; a line each.
        prepare: What to do with a field's numbers before they are checked.
        only: Position of a column and the cells of it whose rows are prices; the other rows are left out.
        rivals: Positions of columns that could be the close as well: if one differs from the close, `rivalry` is
            raised.
        rivalry: What to say then.
    """

    kind: str
    time: int
    share: int | str | None
    fields: Mapping[str, int] = field(default_factory=dict)
    shares: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    prepare: Mapping[str, Callable[[Floats], Floats]] = field(default_factory=dict)
    only: tuple[int, frozenset[str]] | None = None
    rivals: tuple[int, ...] = ()
    rivalry: str = ""


@dataclass(frozen=True)
class LayoutChoice:
    """What a user says about a file's columns; what is None, the file has to tell.

    Attributes:
        share: The name of the only share of a file that names none.
        columns: The column of a role, by name: close, open, high, low, volume, factor, adj_close, time, share.
        kind: long, one or wide.
        prices: Whether the close is raw or adjusted already.
    """

    share: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    kind: str | None = None
    prices: str | None = None


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
    return Layout("long", time, share, numbers, ignored=ignored)


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
    return Layout("wide", time, None, shares={name: {"close": index} for name, index in shares.items()})
