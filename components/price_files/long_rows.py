"""Long files of prices: a row a share and day."""

from __future__ import annotations

import numpy as np

from components.feature_store.arrays import Booleans, Floats, Integers
from components.feature_store.rules import is_usable_name
from components.price_files.date_column import MISSING_DATE, DateTable, names_of
from components.price_files.found import ShareRows, check_numbers, check_range
from components.price_files.reading import Reader
from components.price_files.same_days import sort_days
from components.price_files.stamps import day_text


def read_long(reader: Reader, share: int | str) -> None:
    """Reads all rows.

    Args:
        reader: Of the file.
        share: Position of the column of shares, or the name of the only one.
    """
    found, layout = reader.found, reader.layout
    codes: dict[str, int] = {} if isinstance(share, int) else {share: 0}
    parts: list[tuple[Integers, Integers, Integers]] = []
    number_parts: dict[str, list[Floats]] = {name: [] for name in layout.fields}
    unusable: dict[int, str] = {}
    bad_names: dict[int, str] = {}
    bad_numbers: dict[int, str] = {}
    checked = 0
    for chunk in reader.chunks():
        if isinstance(share, int):
            code = names_of(chunk.columns[share], reader.file.header[share], found.path, codes)
        else:
            code = np.zeros(len(chunk.rows), dtype=np.int64)
        for index, name in enumerate(list(codes)[checked:], start=checked):
            if not is_usable_name(name):
                unusable[index] = "share_id is empty" if not name else f"share_id {name!r} is not a usable name"
        checked = len(codes)
        if unusable:
            for at in np.flatnonzero(np.isin(code, list(unusable))).tolist():
                bad_names[reader.done + at] = unusable[int(code[at])]
        stamp = reader.dates.add(chunk.columns[layout.time])
        reasons: dict[int, str] = {}
        columns: dict[str, Floats] = {}
        for name, position in layout.fields.items():
            numbers = reader.numbers(chunk, name, position)
            check_numbers(name, numbers, reasons)
            columns[name] = numbers.values
            number_parts[name].append(numbers.values)
        reader.check_rivals(chunk, columns["close"])
        check_range(columns, reasons)
        bad_numbers.update({reader.done + at: reason for at, reason in reasons.items()})
        parts.append((chunk.rows, code, stamp))
        reader.count(chunk.rows, len(codes), bad_numbers if len(bad_numbers) > len(bad_names) else bad_names)
    names = list(codes)
    reader.check_any()
    rows, code, stamp = (np.concatenate(part) for part in zip(*parts, strict=True))
    table = reader.read_dates(names, code, stamp, rows)
    numbers_by_name = {name: np.concatenate(values) for name, values in number_parts.items()}
    empty = np.array([reason == MISSING_DATE for reason in table.reasons], dtype=bool)[stamp]
    if empty.any():  # rows without a date, a share and numbers are blank lines of a spreadsheet
        nameless = np.isin(code, [at for at, name in enumerate(names) if not name or isinstance(share, str)])
        empty &= nameless & np.logical_and.reduce([np.isnan(values) for values in numbers_by_name.values()])
        for at in np.flatnonzero(empty).tolist():
            bad_names[at] = ""
    good, days = _refuse_rows(reader, table, names, (rows, code, stamp), (bad_names, bad_numbers))
    # A stable sort keeps the file's order within each share.
    order = np.flatnonzero(good)[np.argsort(code[good], kind="stable")]
    differing: list[tuple[str, int, str]] = []
    for group in np.split(order, np.flatnonzero(np.diff(code[order])) + 1):
        if len(group) == 0:
            continue
        share_id = names[code[group[0]]]
        kept = {name: values[group] for name, values in numbers_by_name.items()}
        positions, refused = sort_days(rows[group], days[group], kept, reader.repeats)
        differing += [(share_id, int(group[at]), reason) for at, reason in refused]
        if len(positions):
            kept = {name: values[positions] for name, values in kept.items()}
            found.shares.append(ShareRows(share_id, rows[group[positions]], days[group[positions]], kept))
    reader.check_repeats()
    for share_id, at, reason in differing:
        found.refuse(rows[at], share_id, day_text(int(days[at])), reason)


def _refuse_rows(
    reader: Reader,
    table: DateTable,
    names: list[str],
    columns: tuple[Integers, Integers, Integers],
    bad: tuple[dict[int, str], dict[int, str]],
) -> tuple[Booleans, Integers]:
    """Refuses the rows whose share, date or numbers cannot be taken; tells which are good, and their days."""
    rows, code, stamp = columns
    bad_names, bad_numbers = bad
    days = table.days[stamp]
    no_day = np.array([bool(reason) for reason in table.reasons], dtype=bool)
    reasons = dict(bad_names)
    for at in np.flatnonzero(no_day[stamp]).tolist():
        reasons.setdefault(at, table.reasons[stamp[at]])
    for at, reason in bad_numbers.items():
        reasons.setdefault(at, reason)
    reader.count(rows[:0], len(names), reasons)
    for at, reason in reasons.items():
        if reason:
            reader.found.refuse(rows[at], names[code[at]], table.text(int(stamp[at])), reason)
    good = np.ones(len(days), dtype=bool)
    good[list(reasons)] = False
    return good, days
