"""Dates as numbers of days or seconds."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from pathlib import Path

from components.errors import ImportFileError
from components.price_files.stamps import DAY, EPOCH, FIRST_DAY, LAST_DAY, Stamp, iso

_EXCEL_EPOCH = dt.date(1899, 12, 30).toordinal() - EPOCH
_FIRST_YEAR = 1900
_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DIGITS = {5: "days", 9: "s", 10: "s", 12: "ms", 13: "ms", 15: "us", 16: "us", 18: "ns", 19: "ns"}


def counted_dates(
    values: list[int], texts: list[str], name: str, path: Path, dates: str | None, today: dt.date
) -> tuple[list[Stamp | None], str]:
    """Reads whole numbers as days since 1900 or 1970, or as seconds (or parts of them) since 1970.

    Args:
        values: The numbers.
        texts: Them as written.
        name: Of the column, for messages.
        path: Of the file.
        dates: What they count, as `Forms.dates`; None to find out.
        today: They are read only where they count none after it.

    Returns:
        What each says, None where it is no date; and how they were read, for the report.

    Raises:
        ImportFileError: Two readings are possible.
    """
    last = today.toordinal() - EPOCH + 1
    first = dt.date(_FIRST_YEAR, 1, 1).toordinal() - EPOCH
    readings: dict[str, list[Stamp | None]] = {}
    for unit in ("excel", "days", *_UNITS):
        readings[unit] = [_counted(value, unit) for value in values]
    if dates is not None:
        if dates not in readings:
            raise ImportFileError(f"{path}: the column {name} holds numbers such as {texts[0].strip()}, not {dates}")
        return readings[dates], _unit_note(dates)
    by_digits = Counter(_DIGITS.get(len(str(abs(value))), "") for value in values)
    unit, _ = by_digits.most_common(1)[0]
    if not unit:
        return [None] * len(values), ""
    allowed = ("excel", "days") if unit == "days" else (unit,)
    possible = [
        unit
        for unit in allowed
        if sum(stamp is not None and first <= stamp.day <= last for stamp in readings[unit]) >= 0.95 * len(values)
    ]
    if len(possible) > 1:
        ways = " or ".join(f"{iso(_day_of(readings[unit][0]))} (--date-format {unit})" for unit in possible)
        raise ImportFileError(f"{path}: the column {name}: {texts[0].strip()} can be {ways}; say which")
    if not possible:
        return [None] * len(values), ""
    return readings[possible[0]], _unit_note(possible[0])


def _counted(value: int, unit: str) -> Stamp | None:
    if unit in _UNITS:
        day, second = divmod(value // _UNITS[unit], DAY)
        stamp = Stamp(day, second, 0)
    else:
        stamp = Stamp(value + _EXCEL_EPOCH if unit == "excel" else value)
    return stamp if FIRST_DAY <= stamp.day <= LAST_DAY else None


def _day_of(stamp: Stamp | None) -> int | None:
    return None if stamp is None else stamp.day


def _unit_note(unit: str) -> str:
    return f"dates in { ({'excel': 'days of Excel', 'days': 'days since 1970'}.get(unit, f'{unit} since 1970, UTC')) }"
