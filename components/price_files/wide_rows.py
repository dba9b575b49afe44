"""Wide files of prices: a row a day, the columns of shares."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.feature_store.arrays import Floats, Integers
from components.price_files.date_column import MISSING_DATE
from components.price_files.found import ShareRows, check_numbers, check_range
from components.price_files.reading import Reader
from components.price_files.same_days import sort_days


def read_wide(reader: Reader) -> None:
    """Reads all rows; a blank cell between a share's first and last price is a price that is missing."""
    layout, found = reader.layout, reader.found
    row_parts: list[Integers] = []
    stamp_parts: list[Integers] = []
    parts: dict[str, dict[str, list[Floats]]] = {
        share_id: {name: [] for name in fields} for share_id, fields in layout.shares.items()
    }
    bad_cells: dict[str, dict[int, str]] = {share_id: {} for share_id in layout.shares}
    for chunk in reader.chunks():
        stamp_parts.append(reader.dates.add(chunk.columns[layout.time]))
        row_parts.append(chunk.rows)
        for share_id, fields in layout.shares.items():
            reasons: dict[int, str] = {}
            columns: dict[str, Floats] = {}
            numbers = reader.numbers(chunk, "close", fields["close"])
            unlisted = np.isnan(numbers.values)
            unlisted[list(numbers.unread)] = False
            check_numbers("close", numbers, reasons, may_be_missing=unlisted)
            columns["close"] = numbers.values
            for name, position in fields.items():
                if name != "close":
                    numbers = reader.numbers(chunk, name, position)
                    check_numbers(name, numbers, reasons, may_be_missing=unlisted)
                    columns[name] = numbers.values
            check_range(columns, reasons)
            bad_cells[share_id].update({reader.done + at: reason for at, reason in reasons.items()})
            for name, values in columns.items():
                parts[share_id][name].append(values)
        reader.count(chunk.rows, 1, max(bad_cells.values(), key=len, default={}))
    reader.check_any()
    rows, stamp = np.concatenate(row_parts), np.concatenate(stamp_parts)
    table = reader.read_dates(list(layout.shares), np.zeros(len(rows), dtype=np.int64), stamp, rows)
    days = table.days[stamp]
    no_day = np.array([bool(reason) for reason in table.reasons], dtype=bool)[stamp]
    undated = {at: table.reasons[stamp[at]] for at in np.flatnonzero(no_day).tolist()}
    undated = _without_blank_rows(undated, parts)
    reader.count(rows[:0], 1, undated)
    for at, reason in undated.items():
        found.refuse(rows[at], "", table.text(int(stamp[at])), reason)
    dated = np.flatnonzero(~no_day)
    every, first, number = np.unique(days[dated], return_index=True, return_inverse=True)
    first = dated[first]
    number_of = np.full(len(rows), -1)
    number_of[dated] = number
    differing: list[tuple[str, int, str]] = []
    for share_id, by_field in parts.items():
        values_of = {name: np.concatenate(values) for name, values in by_field.items()}
        close = values_of["close"]
        bad = bad_cells[share_id]
        wrong = np.zeros(len(close), dtype=bool)
        wrong[list(bad)] = True
        listed = dated[~np.isnan(close[dated]) & ~wrong[dated]]
        for at, reason in bad.items():
            if not no_day[at]:  # else its whole row is refused already
                found.refuse(rows[at], share_id, table.text(int(stamp[at])), reason)
        if not len(listed):
            continue
        numbers_by_name = {name: values[listed] for name, values in values_of.items()}
        positions, refused = sort_days(rows[listed], days[listed], numbers_by_name, reader.repeats)
        differing += [(share_id, int(listed[at]), reason) for at, reason in refused]
        # Blank before the first price and after the last one: the share was not listed.
        has = np.zeros(len(every), dtype=bool)
        has[number_of[listed]] = True
        begin, end = np.flatnonzero(has)[[0, -1]]
        has[number_of[dated[wrong[dated]]]] = True
        for day in (begin + np.flatnonzero(~has[begin:end])).tolist():
            found.refuse(rows[first[day]], share_id, table.text(int(stamp[first[day]])), "close is missing")
        if len(positions):
            kept = {name: values[positions] for name, values in numbers_by_name.items()}
            found.shares.append(ShareRows(share_id, rows[listed[positions]], days[listed[positions]], kept))
    reader.check_repeats()
    for share_id, at, reason in differing:
        found.refuse(rows[at], share_id, table.text(int(stamp[at])), reason)


def _without_blank_rows(undated: dict[int, str], parts: Mapping[str, Mapping[str, list[Floats]]]) -> dict[int, str]:
    """Leaves out the rows without a date and without prices: blank lines of a spreadsheet."""
    missing = [at for at, reason in undated.items() if reason == MISSING_DATE]
    for fields in parts.values():
        if not missing:
            return undated
        close = np.concatenate(fields["close"])
        missing = [at for at in missing if np.isnan(close[at])]
    return {at: reason for at, reason in undated.items() if at not in set(missing)}
