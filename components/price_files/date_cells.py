"""Dates as files write them.

A text such as 2024-01-31 tells its day alone. 03/04/2024 does not: whether the day or the month stands first, all
dates of the file decide together, and where they leave two readings nothing is taken. Days since 1900 (Excel) and
seconds since 1970 are read where only one of their readings is a day that has been.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import ImportFileError
from components.price_files.counted_dates import counted_dates
from components.price_files.csv_text import as_text
from components.price_files.number_cells import MISSING
from components.price_files.stamps import EPOCH, Stamp, is_weekend, iso

_CENTURY = 1900  # of two digits that would be a year to come
_SOME = 3
_OTHERS = 0.1  # at most so many of a file's dates may be written in another way than the rest; they are refused by row
_SLIPS = 0.05
_ENOUGH = 10

_MONTHS = {
    name: number
    for number, names in enumerate(
        "jan january|feb february|mar march|apr april|may|jun june|jul july|aug august|sep sept september|"
        "oct october|nov november|dec december".split("|"),
        start=1,
    )
    for name in names.split()
}
_CLOCK = re.compile(
    r"(?P<date>.*?[0-9年月日A-Za-z.])(?:T|,?\s+)"
    r"(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})(?:[.,][0-9]+)?)?"
    r"(?:\s*(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-][0-9]{2}(?::?[0-9]{2}(?::?[0-9]{2})?)?)?(?:\s*UTC)?"
)
_DATE_ZONE = re.compile(r"(?P<date>[0-9]{4}-[0-9]{2}-[0-9]{2})(?:Z|[+-][0-9]{2}:[0-9]{2})")  # as XML Schema has them
_YEAR_FIRST = re.compile(r"([0-9]{4})(?:([-/.])([0-9]{1,2})\2([0-9]{1,2})|年([0-9]{1,2})月([0-9]{1,2})日?)")
_COMPACT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})(?:([0-9]{2})([0-9]{2})([0-9]{2})?)?")
_PARTS = re.compile(r"([0-9]{1,2})([-/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})")
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+", re.IGNORECASE)
_DAY_MONTH = re.compile(r"([0-9]{1,2})(?:st|nd|rd|th)?[\s./-]*([A-Za-z]{3,9})\.?,?[\s./-]*([0-9]{4}|[0-9]{2})")
_MONTH_DAY = re.compile(r"([A-Za-z]{3,9})\.?[\s./-]*([0-9]{1,2})(?:st|nd|rd|th)?(?:,\s*|[\s./-]+)([0-9]{4})")
_YEAR_MONTH = re.compile(r"([0-9]{4})[\s./-]*([A-Za-z]{3,9})\.?[\s./-]*([0-9]{1,2})")
_WHOLE = re.compile(r"([+-]?[0-9]{1,19})(?:\.0*)?")

_ORDERS = {"dmy": "day first", "mdy": "month first", "ymd": "year first"}


@dataclass(frozen=True)
class DateReading:
    """What the distinct cells of a column of dates mean.

    Attributes:
        stamps: One a cell; None if it is no date.
        note: How they were read, for the report; empty if there was nothing to decide.
    """

    stamps: list[Stamp | None]
    note: str = ""


def read_dates(
    cells: Sequence[str | Stamp | int], name: str, path: Path, dates: str | None, today: dt.date
) -> DateReading:
    """Reads the distinct cells of a column of dates together.

    Args:
        cells: Texts, numbers, and what needs no reading.
        name: Of the column, for messages.
        path: Of the file.
        dates: How they are written, as `Forms.dates`; None to find out.
        today: Counts of days and seconds are read only where they mean none after it.

    Raises:
        ImportFileError: Two readings are possible, the dates contradict each other, the message shows both; or many
            cannot be read, so that the others are likely read in a wrong way.
    """
    reading = _read(cells, name, path, dates, today)
    unread = [cell for cell, stamp in zip(cells, reading.stamps, strict=True) if stamp is None and not is_missing(cell)]
    if len(unread) >= _SOME and len(unread) > _OTHERS * len(cells):
        how = "write all dates as 2024-01-31" if dates is None else f"--date-format {dates} does not fit them"
        raise ImportFileError(
            f"{path}: {len(unread)} of {len(cells)} different dates of the column {name} cannot be read, such as "
            f"{str(unread[0]).strip()}; {how}"
        )
    return reading


def _read(cells: Sequence[str | Stamp | int], name: str, path: Path, dates: str | None, today: dt.date) -> DateReading:
    if dates is not None and "%" in dates:
        return DateReading([_by_format(cell, dates) for cell in cells], f"dates by the format {dates}")
    forms = [_form(cell) for cell in cells]
    kinds = Counter(kind for kind, _ in forms if kind)
    if len(kinds) > 1:
        forms = _only_one_way(cells, forms, kinds, name, path)
    kind = max(kinds, key=lambda kind: kinds[kind]) if kinds else "plain"
    stamps: list[Stamp | None] = [value if isinstance(value, Stamp) else None for _, value in forms]
    if kind == "plain":
        return DateReading(stamps)
    members = [at for at, (found, _) in enumerate(forms) if found == kind]
    texts = [str(cells[at]) for at in members]
    values = [forms[at][1] for at in members]
    if kind == "number":
        read, note = counted_dates(values, texts, name, path, dates, today)  # type: ignore[arg-type]
    else:
        read, note = _parts_as_dates(kind, values, texts, name, path, dates, today)  # type: ignore[arg-type]
    for at, stamp in zip(members, read, strict=True):
        stamps[at] = stamp
    return DateReading(stamps, note)


def is_missing(cell: str | Stamp | int) -> bool:
    """Tells whether a cell stands for no date."""
    return isinstance(cell, str) and cell.strip().lower() in MISSING


@dataclass(frozen=True)
class _Parts:
    """Three numbers in an unknown order, and the time of day beside them."""

    first: int
    second: int
    third: int
    time: tuple[int | None, int | None]


def _form(cell: str | Stamp | int) -> tuple[str, Stamp | _Parts | int | None]:
    """Tells in which way a cell is written, and what of it can be read alone; an empty way if it is no date."""
    if isinstance(cell, Stamp):
        return "plain", cell
    text = as_text(str(cell))
    if (whole := _WHOLE.fullmatch(text)) and (len(whole[1]) not in (8, 12, 14) or _compact(whole[1]) is None):
        return ("number", int(whole[1])) if len(whole[1].lstrip("+-")) >= 5 else ("", None)
    if whole:
        return "plain", _compact(whole[1])
    time: tuple[int | None, int | None] = (None, None)
    if clock := _CLOCK.fullmatch(text):
        seconds = _seconds(clock)
        if seconds is None:
            return "", None
        text, time = clock["date"].rstrip(" ,T"), (seconds, _offset(clock["zone"]))
    elif bare := _DATE_ZONE.fullmatch(text):
        text = bare["date"]
    if match := _YEAR_FIRST.fullmatch(text):
        year, _, *rest = match.groups()
        month, day = (int(part) for part in rest if part is not None)
        return _plain(int(year), month, day, time)
    if time[0] is not None and (match := _COMPACT.fullmatch(text)):
        return _plain(int(match[1]), int(match[2]), int(match[3]), time)
    if match := _PARTS.fullmatch(text):
        parts = _Parts(int(match[1]), int(match[3]), int(match[4]), time)
        return ("parts4" if len(match[4]) == 4 else "parts2"), parts
    return _named(_WEEKDAY.sub("", text, count=1), time)


def _named(text: str, time: tuple[int | None, int | None]) -> tuple[str, Stamp | _Parts | None]:
    if (match := _DAY_MONTH.fullmatch(text)) and (month := _MONTHS.get(match[2].lower())):
        if len(match[3]) == 4:
            return _plain(int(match[3]), month, int(match[1]), time)
        return "named2", _Parts(int(match[1]), month, int(match[3]), time)
    if (match := _MONTH_DAY.fullmatch(text)) and (month := _MONTHS.get(match[1].lower())):
        return _plain(int(match[3]), month, int(match[2]), time)
    if (match := _YEAR_MONTH.fullmatch(text)) and (month := _MONTHS.get(match[2].lower())):
        return _plain(int(match[1]), month, int(match[3]), time)
    return "", None


def _plain(year: int, month: int, day: int, time: tuple[int | None, int | None]) -> tuple[str, Stamp | None]:
    number = _day(year, month, day)
    return ("", None) if number is None else ("plain", Stamp(number, *time))


def _compact(digits: str) -> Stamp | None:
    match = _COMPACT.fullmatch(digits)
    if match is None:
        return None
    day = _day(int(match[1]), int(match[2]), int(match[3]))
    if day is None:
        return None
    if match[4] is None:
        return Stamp(day)
    hour, minute, second = int(match[4]), int(match[5]), int(match[6] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    return Stamp(day, hour * 3600 + minute * 60 + second)


def _day(year: int, month: int, day: int) -> int | None:
    try:
        return dt.date(year, month, day).toordinal() - EPOCH
    except ValueError:
        return None


def _seconds(clock: re.Match[str]) -> int | None:
    hour, minute, second = int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)
    if clock["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if clock["half"].lower() == "p" else 0)
    if hour > 23 or minute > 59 or second > 60:
        return None
    return hour * 3600 + minute * 60 + min(second, 59)


def _offset(text: str | None) -> int | None:
    if text is None:
        return None
    if text[0] not in "+-":
        return 0
    digits = re.sub(r"\D", "", text).ljust(6, "0")
    seconds = int(digits[:2]) * 3600 + int(digits[2:4]) * 60 + int(digits[4:])
    return -seconds if text[0] == "-" else seconds


def _by_format(cell: str | Stamp | int, dates: str) -> Stamp | None:
    if isinstance(cell, Stamp):
        return cell
    try:
        moment = dt.datetime.strptime(as_text(str(cell)), dates)
    except ValueError:
        return None
    zone = moment.utcoffset()
    has_time = any(sign in dates for sign in ("%H", "%I", "%X", "%c"))
    second = moment.hour * 3600 + moment.minute * 60 + moment.second
    offset = None if zone is None else int(zone.total_seconds())
    return Stamp(moment.toordinal() - EPOCH, second if has_time else None, offset)


def _only_one_way(
    cells: Sequence[str | Stamp | int],
    forms: list[tuple[str, Stamp | _Parts | int | None]],
    kinds: Counter[str],
    name: str,
    path: Path,
) -> list[tuple[str, Stamp | _Parts | int | None]]:
    """Leaves out the few dates that are written in another way than the rest.

    Raises:
        ImportFileError: They are not few: as after a spreadsheet took some of the texts for dates and turned them.
    """
    main, other = (kind for kind, _ in kinds.most_common(2))
    if kinds[main] < (1 - _OTHERS) * sum(kinds.values()):
        one, two = (str(cells[[kind for kind, _ in forms].index(kind)]).strip() for kind in (main, other))
        raise ImportFileError(
            f"{path}: the column {name} writes dates in two ways, such as {one} and {two}; which of their numbers is "
            "the month is not sure then: write all dates as 2024-01-31"
        )
    return [form if form[0] == main else ("", None) for form in forms]


def _parts_as_dates(
    kind: str, values: list[_Parts], texts: list[str], name: str, path: Path, dates: str | None, today: dt.date
) -> tuple[list[Stamp | None], str]:
    """Reads dates of three numbers in the one order in which all of them exist."""
    allowed = {"parts4": ("dmy", "mdy"), "parts2": ("dmy", "mdy", "ymd"), "named2": ("dmy", "ymd")}[kind]
    readings = {order: [_in_order(parts, order, kind, today) for parts in values] for order in allowed}
    failures = {order: sum(day is None for day in days) for order, days in readings.items()}
    if dates in readings:
        order = dates
    else:
        if dates is not None:
            raise ImportFileError(f"{path}: the column {name} holds dates such as {texts[0].strip()}, not {dates}")
        best = min(failures.values())
        if best == len(values):
            return [None] * len(values), ""
        if best > _SLIPS * len(values):
            raise _contradiction(readings, texts, name, path)
        likely = [order for order in allowed if failures[order] == best]
        if len(likely) > 1 and kind != "parts4":
            likely = _without_weekends(readings, likely) or likely
        alike = all(readings[other] == readings[likely[0]] for other in likely[1:])
        if len(likely) > 1 and not alike:
            raise _two_readings(readings, likely, texts, name, path)
        order = likely[0]
        rest = [failures[other] for other in allowed if other not in likely]
        if best and rest and min(rest) < 4 * best:
            raise _contradiction(readings, texts, name, path)
    read = [
        None if day is None else Stamp(day, *parts.time) for day, parts in zip(readings[order], values, strict=True)
    ]
    years = ", two digits of the year" if kind != "parts4" else ""
    return read, f"dates {_ORDERS[order]}{years}"


def _in_order(parts: _Parts, order: str, kind: str, today: dt.date) -> int | None:
    first, second, third = parts.first, parts.second, parts.third
    year, month, day = {"dmy": (third, second, first), "mdy": (third, first, second), "ymd": (first, second, third)}[
        order
    ]
    if kind != "parts4":
        year += 2000 if 2000 + year <= today.year else _CENTURY
    return _day(year, month, day)


def _without_weekends(readings: dict[str, list[int | None]], likely: list[str]) -> list[str]:
    """Returns the readings that have no day on a weekend, if there are enough days to tell."""
    days = {order: [day for day in readings[order] if day is not None] for order in likely}
    if any(len(found) < _ENOUGH for found in days.values()):
        return []
    return [order for order in likely if not any(is_weekend(day) for day in days[order])]


def _two_readings(
    readings: dict[str, list[int | None]], likely: list[str], texts: list[str], name: str, path: Path
) -> ImportFileError:
    at = next(at for at in range(len(texts)) if len({readings[order][at] for order in likely}) > 1)
    ways = []
    for order in likely:
        days = [day for day in readings[order] if day is not None]
        weekends = sum(map(is_weekend, days))
        more = f", {weekends} of {len(days)} dates on a weekend" if weekends else ""
        ways.append(f"{iso(readings[order][at])} (--date-format {order}{more})")
    return ImportFileError(
        f"{path}: the column {name}: {texts[at].strip()} can be {' or '.join(ways)}, and no other date of the file "
        "tells; say which"
    )


def _contradiction(readings: dict[str, list[int | None]], texts: list[str], name: str, path: Path) -> ImportFileError:
    proofs = []
    for order, days in readings.items():
        at = next((at for at, day in enumerate(days) if day is None), None)
        if at is not None:
            proofs.append(f"{texts[at].strip()} is no date {_ORDERS[order]}")
    return ImportFileError(
        f"{path}: the column {name} contradicts itself: {', '.join(proofs)}; write all dates as 2024-01-31"
    )
