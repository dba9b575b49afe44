"""members.csv: share, from, to and, where it is known, delisting_return."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from components.errors import UserError
from components.feature_store import Spell
from components.feature_store.dates import is_iso_day
from components.feature_store.rules import is_usable_name
from components.whole_files import write_whole

COLUMNS = ("share", "from", "to", "delisting_return")

MOST_GAINED = 1.0
"""Delisting return above which a file is refused: 30 is 30 % written otherwise, and hardly a gain of 3,000 %."""

_NAMES: Mapping[str, tuple[str, ...]] = {
    "share": ("share", "share_id", "symbol", "ticker"),
    "from": ("from", "first", "start"),
    "to": ("to", "last", "end"),
    "delisting_return": ("delisting_return", "dlret"),
}
_NEEDED = COLUMNS[:3]
_SEPARATORS = ",;\t|"
_GZIP = b"\x1f\x8b"

_Row = tuple[int, list[str]]
"""A row of a file with the number of its line."""


class MembersError(UserError):
    """A file of members that cannot be taken; nothing of it was."""


def read_members(path: Path, last_prices: Mapping[str, dt.date], without_prices: bool = False) -> tuple[Spell, ...]:
    """Reads a file of members, whole or not at all.

    Args:
        path: CSV (also .gz) with a header: share, from, to (empty: it has not ended) and maybe delisting_return.
        last_prices: By share of the database, the day of its last price.
        without_prices: Whether shares that the database has no prices of may be members.

    Returns:
        The spells, by share and day.

    Raises:
        MembersError: The file cannot be read, or a row of it not be taken; the line names the file and the row.
    """
    rows = _rows(path)
    _, header = next(rows, (0, []))
    places = _places(path, header)
    found: dict[str, list[tuple[int, Spell]]] = {}
    for number, cells in rows:
        where = f"{path}, row {number}"
        if len(cells) != len(header):
            raise MembersError(f"{where} has {len(cells)} cells, and the header names {len(header)} columns")
        spell = _spell(where, {name: cells[at].strip() for name, at in places.items()})
        if spell.share_id not in last_prices and not without_prices:
            raise MembersError(
                f"{where}: the database has no prices of {spell.share_id}; import them (awesome prices import), correct"
                " the name, or say --without-prices: then every report says how many members have none"
            )
        found.setdefault(spell.share_id, []).append((number, spell))
    if not found:
        raise MembersError(f"{path} names no share below its header, and a run needs some")
    return tuple(spell for share in sorted(found) for spell in _in_order(path, found[share], last_prices.get(share)))


def write_members_file(path: Path, spells: Iterable[Spell]) -> None:
    """Writes spells as `read_members` reads them; the file appears whole or not at all.

    Raises:
        MembersError: There are no spells, it cannot be written, or is there and holds something else.
    """
    spells = list(spells)
    if not spells:
        raise MembersError(f"{path}: not written, as the database holds no members; see `awesome members import`")
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for one in spells:
        value = "" if one.delisting_return is None else repr(one.delisting_return)
        writer.writerow([one.share_id, one.first, one.last or "", value])
    if path.is_dir():
        raise MembersError(f"{path} is a folder; name a file in it, such as {path / 'members.csv'}")
    try:
        if path.is_file() and not _holds_members(path):
            raise MembersError(f"{path} is something else than a file of members; name another file")
        write_whole(path, text.getvalue())
    except OSError as error:
        raise MembersError(f"{path} cannot be written: {error.strerror}; name another file") from None


def _holds_members(path: Path) -> bool:
    """Whether a file is one that may be replaced: what was written here, or nothing."""
    head = ",".join(COLUMNS).encode()
    with path.open("rb") as stream:
        return stream.read(len(head)) in (head, b"")


def _rows(path: Path) -> Iterator[_Row]:
    """The rows that hold anything, the header first."""
    try:
        content = path.read_bytes()
        if content.startswith(_GZIP):
            content = gzip.decompress(content)
        text = content.decode("utf-8-sig")
    except OSError as error:  # which a broken gzip file is, too
        raise MembersError(f"{path} cannot be read: {error.strerror or error}") from None
    except (EOFError, zlib.error, UnicodeDecodeError):
        raise MembersError(f"{path} is no CSV file in UTF-8; save it as one") from None
    first = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as error:
        raise MembersError(f"{path}, row {reader.line_num}: {error}") from None


def _places(path: Path, header: Sequence[str]) -> dict[str, int]:
    """Where each column stands; others are left alone."""
    names = [name.strip().casefold() for name in header]
    places = {}
    for column, known in _NAMES.items():
        there = [at for at, name in enumerate(names) if name in known]
        if len(there) > 1:
            both = " and ".join(header[at].strip() for at in there)
            raise MembersError(f"{path}: the columns {both} both name the {column}; leave one out")
        if there:
            places[column] = there[0]
        elif column in _NEEDED:
            raise MembersError(
                f"{path}: its first line names no column {column}; it needs {', '.join(_NEEDED)}, and may have "
                f"{COLUMNS[-1]}"
            )
    return places


def _spell(where: str, cells: Mapping[str, str]) -> Spell:
    share = cells["share"]
    if not is_usable_name(share):
        raise MembersError(f"{where} names no share")
    days: dict[str, dt.date | None] = {}
    for name in ("from", "to"):
        if not cells[name] and name == "to":
            days[name] = None
        elif not is_iso_day(cells[name]):
            hint = "; an open end is an empty cell" if name == "to" else ""
            raise MembersError(f"{where}, share {share}: {name} is {cells[name]!r}, not a day such as 2020-01-31{hint}")
        else:
            days[name] = dt.date.fromisoformat(cells[name])
    text = cells.get("delisting_return", "")
    first = days["from"]
    assert first is not None
    try:
        value = float(text) if text else None
    except ValueError:
        raise MembersError(
            f"{where}, share {share}: delisting_return is {text!r}, not a number such as -0.3 for a loss of 30 %"
        ) from None
    if value is not None and value > MOST_GAINED:
        raise MembersError(
            f"{where}, share {share}: delisting_return is {text!r}, a gain of {value:,.0%} after the last price; write "
            "0.3 for 30 %, and leave out what is more than doubled"
        )
    try:
        return Spell(share, first, days["to"], value)
    except ValueError as error:
        raise MembersError(f"{where}, share {share}: {error}") from None


def _in_order(path: Path, found: Sequence[tuple[int, Spell]], last_price: dt.date | None) -> Iterator[Spell]:
    """A share's spells by day."""
    ordered = sorted(found, key=lambda one: (one[1].first, one[0]))
    for (row, spell), (next_row, following) in pairwise(ordered):
        rows = f"{path}, rows {min(row, next_row)} and {max(row, next_row)}, share {spell.share_id}"
        if spell == following:
            raise MembersError(f"{rows}: the same spell stands there twice; leave one out")
        if spell.last is None or following.first <= spell.last:
            end = "does not end" if spell.last is None else f"ends on {spell.last}"
            raise MembersError(
                f"{rows}: the spell from {spell.first} {end}, and the next begins on {following.first}; a day belongs "
                "to one spell"
            )
    for place, (row, spell) in enumerate(ordered):
        if spell.delisting_return is not None:
            _check_delisting(f"{path}, row {row}, share {spell.share_id}", spell, place, len(ordered), last_price)
        yield spell


def _check_delisting(where: str, spell: Spell, place: int, count: int, last_price: dt.date | None) -> None:
    """Refuses the return of a share that is not at its end."""
    if place < count - 1:
        raise MembersError(
            f"{where}: it has a delisting return, and comes back later; only its last spell may have one"
        )
    if last_price is not None and last_price != spell.last:
        raise MembersError(
            f"{where}: it has a delisting return after {spell.last}, and its last price is of {last_price}; `to` is"
            " the session of the last price, which the return follows"
        )
