"""The rows of a file of prices by share, and those that cannot be taken, each with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.errors import ImportFileError
from components.feature_store.adjusted_closes import closes_beside_factors, step_evidence
from components.feature_store.arrays import Booleans, Floats, Integers
from components.feature_store.files import (
    NO_DAY,
    Cells,
    Chunk,
    Numbers,
    PriceFile,
    days_of,
    names_of,
    numbers_of,
    open_price_file,
)
from components.feature_store.header import layout_of
from components.feature_store.layout import Layout, LayoutChoice
from components.feature_store.rules import impossible, is_usable_name, outside_range


@dataclass(frozen=True)
class Refusal:
    """A row, or one share's cell of a wide row, that was not taken.

    Attributes:
        row: Line of a CSV file (the header is line 1), or row of a Parquet file (from 1).
        share_id: The share; empty where the whole row is refused and names none.
        time: The date as YYYY-MM-DD, or as it stands in the file if it is no date.
        reason: Why.
        file: The file, where there are several.
    """

    row: int
    share_id: str
    time: str
    reason: str
    file: str = ""


@dataclass
class ShareRows:
    """The good rows of one share in the file's order.

    Attributes:
        share_id: The share.
        rows: Their numbers, int64, shape (n,), as in `Refusal`.
        days: Days since 1970-01-01, int64, ascending, shape (n,).
        numbers: Each field that the file has, float64, shape (n,).
    """

    share_id: str
    rows: Integers
    days: Integers
    numbers: dict[str, Floats]


@dataclass
class Found:
    """What a file holds, and what was refused so far.

    Attributes:
        path: The file.
        layout: What its columns mean.
        shares: Its good rows.
        refused: The others.
        notes: What was understood, for the report.
    """

    path: Path
    layout: Layout
    shares: list[ShareRows] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, row: int, share_id: str, time: str, reason: str) -> None:
        """Notes a row, or one share's cell of it, that is not taken."""
        self.refused.append(Refusal(int(row), share_id, time, reason))


def read_rows(path: Path, choice: LayoutChoice | None = None) -> Found:
    """Reads and checks a file of prices, whole.

    Args:
        path: The file.
        choice: What the user says about its columns.

    Raises:
        ImportFileError: It cannot be read, its layout is not known or it can be read in two ways, or it holds no
            prices.
    """
    with open_price_file(path) as file:
        layout = layout_of(file.header, path, file.head, choice)
        found = Found(path, layout, notes=[layout.headline, *layout.notes])
        left_out: Counter[str] = Counter()
        chunks = _chunks(file, layout, left_out)
        if layout.share is None:
            _read_wide(file, chunks, layout, found)
        else:
            _read_long(file, chunks, layout, layout.share, found)
    _settle_closes(found, choice)
    if left_out and layout.only is not None:
        column = file.header[layout.only[0]].strip()
        what = ", ".join(f"{count} of {name or 'no'}" for name, count in left_out.most_common(8))
        found.notes.append(f"rows left out by {column}: {what}{', ...' if len(left_out) > 8 else ''}")
    return found


def _settle_closes(found: Found, choice: LayoutChoice | None) -> None:
    """Makes closes raw that are adjusted already although a factor stands beside them."""
    given = [share for share in found.shares if "factor" in share.numbers]
    if not given:
        return
    prices = None if choice is None else choice.prices
    if prices is not None:
        adjusted = prices == "adjusted"
    else:
        evidence = [
            step_evidence(share.share_id, share.days, share.numbers["close"], share.numbers["factor"])
            for share in given
        ]
        closes = closes_beside_factors(evidence, expected=found.layout.expects_adjusted)
        if closes.adjusted is None:
            raise ImportFileError(f"{found.path}: {closes.note}; say --prices raw or --prices adjusted")
        adjusted = closes.adjusted
        found.notes.append(closes.note)
        against = {one.share_id: one for one in closes.against}
        for share in given:
            if share.share_id in against:
                one = against[share.share_id]
                found.refuse(
                    share.rows[0],
                    share.share_id,
                    _day_text(one.day or 0),
                    f"its factor does not fit its closes as those of the other shares do ({one.shown}); correct it, or "
                    "import the share alone with --prices",
                )
        found.shares = [share for share in found.shares if share.share_id not in against]
        given = [share for share in given if share.share_id not in against]
    if adjusted:
        for share in given:
            factor = share.numbers["factor"]
            for name in ("open", "high", "low", "close"):
                if name in share.numbers:
                    share.numbers[name] = share.numbers[name] / factor
            if "volume" in share.numbers:
                share.numbers["volume"] = share.numbers["volume"] * factor


def _chunks(file: PriceFile, layout: Layout, left_out: Counter[str]) -> Iterator[Chunk]:
    """Yields a file's chunks without the rows that are no prices of shares, and counts those by what they are."""
    if layout.only is None:
        yield from file.chunks
        return
    at, wanted = layout.only
    for chunk in file.chunks:
        codes: dict[str, int] = {}
        code = names_of(chunk.columns[at], file.header[at], Path(), codes)
        names = np.array(list(codes), dtype=object)
        keep = np.isin(code, [code for name, code in codes.items() if name in wanted])
        left_out.update(names[code[~keep]].tolist())
        if keep.all():
            yield chunk
        elif keep.any():
            where = np.flatnonzero(keep)
            yield Chunk(chunk.rows[where], tuple(_taken(column, where) for column in chunk.columns))


def _taken(cells: Cells, where: Integers) -> Cells:
    return cells.take(pa.array(where)) if isinstance(cells, pa.Array) else [cells[at] for at in where.tolist()]


def _read_long(file: PriceFile, chunks: Iterator[Chunk], layout: Layout, share: int | str, found: Found) -> None:
    codes: dict[str, int] = {} if isinstance(share, int) else {share: 0}
    day_cache: dict[str, int] = {}
    row_parts: list[Integers] = []
    code_parts: list[Integers] = []
    day_parts: list[Integers] = []
    number_parts: dict[str, list[Floats]] = {name: [] for name in layout.fields}
    for chunk in chunks:
        if isinstance(share, int):
            code = names_of(chunk.columns[share], file.header[share], found.path, codes)
        else:
            code = np.zeros(len(chunk.rows), dtype=np.int64)
        days, unread_days = days_of(chunk.columns[layout.time], file.header[layout.time], found.path, day_cache)
        reasons: dict[int, str] = {}
        names = list(codes)
        unusable = [index for index, name in enumerate(names) if not is_usable_name(name)]
        for at in np.flatnonzero(np.isin(code, unusable)).tolist():
            name = names[code[at]]
            reasons[at] = "share_id is empty" if not name else f"share_id {name!r} is not a usable name"
        for at, text in unread_days.items():
            reasons.setdefault(at, _unread_day(text))
        columns: dict[str, Floats] = {}
        for name, index in layout.fields.items():
            numbers = _numbers(file, chunk, layout, name, index, found.path)
            _check_numbers(name, numbers, reasons)
            columns[name] = numbers.values
        _check_rivals(file, chunk, layout, columns["close"], found.path)
        _check_range(columns, reasons)
        for at, reason in reasons.items():
            found.refuse(chunk.rows[at], names[code[at]], _day_text(days[at], unread_days.get(at, "")), reason)
        good = np.ones(len(days), dtype=bool)
        good[list(reasons)] = False
        row_parts.append(chunk.rows[good])
        code_parts.append(code[good])
        day_parts.append(days[good])
        for name, values in columns.items():
            number_parts[name].append(values[good])
    if not row_parts:
        raise ImportFileError(f"{found.path} has a header but no prices")
    rows, code, days = np.concatenate(row_parts), np.concatenate(code_parts), np.concatenate(day_parts)
    numbers_by_name = {name: np.concatenate(parts) for name, parts in number_parts.items()}
    # A stable sort keeps the file's order within each share.
    order = np.argsort(code, kind="stable")
    names = list(codes)
    for group in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        if len(group) == 0:
            continue
        share_id = names[code[group[0]]]
        group = group[_ascending(found, rows[group], days[group], share_id)]
        kept = {name: values[group] for name, values in numbers_by_name.items()}
        found.shares.append(ShareRows(share_id, rows[group], days[group], kept))


def _read_wide(file: PriceFile, chunks: Iterator[Chunk], layout: Layout, found: Found) -> None:
    day_cache: dict[str, int] = {}
    all_rows, all_days = [], []
    parts: dict[str, dict[str, list[Floats]]] = {
        share_id: {name: [] for name in fields} for share_id, fields in layout.shares.items()
    }
    bad_cells: dict[str, dict[int, str]] = {share_id: {} for share_id in layout.shares}
    done = 0
    for chunk in chunks:
        days, unread_days = days_of(chunk.columns[layout.time], file.header[layout.time], found.path, day_cache)
        for at, text in unread_days.items():
            found.refuse(chunk.rows[at], "", text, _unread_day(text))
        for share_id, fields in layout.shares.items():
            reasons: dict[int, str] = {}
            columns: dict[str, Floats] = {}
            numbers = _numbers(file, chunk, layout, "close", fields["close"], found.path)
            unlisted = np.isnan(numbers.values)
            unlisted[list(numbers.unread)] = False
            _check_numbers("close", numbers, reasons, may_be_missing=unlisted)
            columns["close"] = numbers.values
            for name, index in fields.items():
                if name != "close":
                    numbers = _numbers(file, chunk, layout, name, index, found.path)
                    _check_numbers(name, numbers, reasons, may_be_missing=unlisted)
                    columns[name] = numbers.values
            _check_range(columns, reasons)
            bad_cells[share_id].update({done + at: reason for at, reason in reasons.items()})
            for name, values in columns.items():
                parts[share_id][name].append(values)
        all_rows.append(chunk.rows)
        all_days.append(days)
        done += len(days)
    if not done:
        raise ImportFileError(f"{found.path} has a header but no prices")
    rows, days = np.concatenate(all_rows), np.concatenate(all_days)
    dated = np.flatnonzero(days != NO_DAY)
    kept = dated[_ascending(found, rows[dated], days[dated], "")]
    for share_id, by_field in parts.items():
        values_of = {name: np.concatenate(values) for name, values in by_field.items()}
        close = values_of["close"]
        bad = bad_cells[share_id]
        wrong = np.zeros(len(close), dtype=bool)
        wrong[list(bad)] = True
        listed = kept[~np.isnan(close[kept]) & ~wrong[kept]]
        if len(listed):
            # Blank before the first price and after the last one: the share was not listed.
            between = kept[(kept > listed[0]) & (kept < listed[-1])]
            for at in between[np.isnan(close[between]) & ~wrong[between]].tolist():
                bad[at] = "close is missing"
        in_order = set(kept.tolist()) if bad else set()
        for at, reason in bad.items():
            if at in in_order:  # else its whole row is refused already
                found.refuse(rows[at], share_id, _day_text(days[at]), reason)
        if len(listed):
            numbers_by_name = {name: values[listed] for name, values in values_of.items()}
            found.shares.append(ShareRows(share_id, rows[listed], days[listed], numbers_by_name))


def _check_rivals(file: PriceFile, chunk: Chunk, layout: Layout, close: Floats, path: Path) -> None:
    """Refuses a file in which another column could be the close as well and differs from it."""
    for index in layout.rivals:
        other = numbers_of(chunk.columns[index], file.header[index], path).values
        for at in np.flatnonzero((other != close) & ~np.isnan(other) & ~np.isnan(close))[:1].tolist():
            raise ImportFileError(
                f"{path}, row {chunk.rows[at]}: {layout.rivalry} (here {close[at]:g} and {other[at]:g})"
            )


def _numbers(file: PriceFile, chunk: Chunk, layout: Layout, name: str, index: int, path: Path) -> Numbers:
    numbers = numbers_of(chunk.columns[index], file.header[index], path)
    prepare = layout.prepare.get(name)
    return numbers if prepare is None else Numbers(prepare(numbers.values), numbers.unread)


def _check_numbers(
    name: str, numbers: Numbers, reasons: dict[int, str], may_be_missing: Booleans | None = None
) -> None:
    """Adds the reason to each position whose number cannot be taken and that has none yet."""
    values = numbers.values
    for at, text in numbers.unread.items():
        reasons.setdefault(at, f"{name} {text.strip()[:40]!r} is not a number")
    bad = impossible(name, values)
    if may_be_missing is not None:
        bad &= ~(np.isnan(values) & may_be_missing)
    for at in np.flatnonzero(bad).tolist():
        value = values[at]
        what = "missing" if np.isnan(value) else "infinite" if np.isinf(value) else "below 0" if value < 0 else "zero"
        reasons.setdefault(at, f"{name} is {what}")


def _check_range(columns: dict[str, Floats], reasons: dict[int, str]) -> None:
    close = columns["close"]
    unknown = np.full(len(close), np.nan)
    low, high = columns.get("low", unknown), columns.get("high", unknown)
    for at in np.flatnonzero(low > high).tolist():
        reasons.setdefault(at, f"low {low[at]:g} is above high {high[at]:g}")
    for at in np.flatnonzero(outside_range(close, low, high)).tolist():
        reasons.setdefault(at, f"close {close[at]:g} is outside [low {low[at]:g}, high {high[at]:g}]")


def _ascending(found: Found, rows: Integers, days: Integers, share_id: str) -> Booleans:
    """Tells which rows come later than all rows before them; refuses the others."""
    latest = np.maximum.accumulate(days)
    good = np.append(True, days[1:] > latest[:-1])[: len(days)]
    if good.all():
        return good
    _, first, which = np.unique(days, return_index=True, return_inverse=True)
    for at in np.flatnonzero(~good).tolist():
        late = f"the date is out of order: it comes after {_day_text(latest[at - 1])}"
        found.refuse(rows[at], share_id, _day_text(days[at]), "the date comes twice" if first[which[at]] < at else late)
    return good


def _unread_day(text: str) -> str:
    return "the date is missing" if not text.strip() else "the date is unreadable; write it as 2024-01-31"


def _day_text(day: int, text: str = "") -> str:
    return text if day == NO_DAY else str(np.datetime64(int(day), "D"))
