"""The column of dates, and that of shares, as codes of their distinct cells.

A file of a million rows has a few thousand dates. So rows hold the number of their date's cell, and what the cells mean
is decided once all of them are known.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.errors import ImportFileError
from components.feature_store.arrays import Integers
from components.price_files.csv_text import as_text
from components.price_files.date_cells import is_missing, read_dates
from components.price_files.files import Cells
from components.price_files.forms import Forms
from components.price_files.instants import days_of_instants, in_zone, stamp_in
from components.price_files.parquet_columns import distinct_of, instead
from components.price_files.stamps import DAY, FIRST_DAY, LAST_DAY, NO_DAY, Stamp, day_text
from components.price_files.zones import zone_of

WHOLE_FLOAT = re.compile(r"[0-9]+\.0")
MISSING_DATE = "the date is missing"
_FIRST_YEAR = 1600  # no share is older
_MOST_DATES = 400_000
_MOST_NAMES = 1_000_000
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_MISSING = ""


def names_of(cells: Cells, name: str, path: Path, codes: dict[str, int]) -> Integers:
    """Reads a column of names as codes, int64, shape (n,).

    `codes` holds those of the names seen before, blanks around them removed, and is filled further. Whole numbers that
    were written as floats (600519.0), as pandas does where a cell of the column is missing, are names without ".0".

    Raises:
        ImportFileError: The column of a Parquet file has a type that is no name, or it names more shares than there
            are.
    """
    if isinstance(cells, pa.Array):
        values, index = distinct_of(cells, name, path, "names")
        try:
            texts = [_name(str(value)) for value in values.to_pylist()] + [""]
        except UnicodeDecodeError as error:
            raise ImportFileError(f"{path}: the column {name} holds text that is not UTF-8") from error
        found = np.array([codes.setdefault(text, len(codes)) for text in texts], dtype=np.int64)[index]
    else:
        known = {cell: codes.setdefault(_name(as_text(cell)), len(codes)) for cell in dict.fromkeys(cells)}
        found = np.fromiter(map(known.__getitem__, cells), dtype=np.int64, count=len(cells))
    if len(codes) > _MOST_NAMES:
        raise ImportFileError(f"{path}: the column {name} has more than {_MOST_NAMES:,} names; does it name shares?")
    return found


def _name(text: str) -> str:
    name = text.strip()
    return name[:-2] if WHOLE_FLOAT.fullmatch(name) else name


@dataclass(frozen=True)
class DateTable:
    """What the distinct cells of a column of dates mean, by their codes.

    Attributes:
        days: Days since 1970-01-01, int64, NO_DAY where there is none.
        reasons: Why a cell's rows cannot be taken; empty where they can.
        texts: The cells that are no dates, as written.
        notes: How they were read, for the report.
        example: A cell as it is written and as it was read; empty if none is a date.
    """

    days: Integers
    reasons: tuple[str, ...]
    texts: tuple[str, ...]
    notes: tuple[str, ...]
    example: str

    def text(self, code: int) -> str:
        """The date of a code as YYYY-MM-DD, or as it is written if it is none."""
        return day_text(int(self.days[code]), self.texts[code])


def _written(cell: object) -> str:
    if not isinstance(cell, Stamp):
        return str(cell).strip()
    moment = np.datetime64(cell.day * DAY + (cell.second or 0), "s").item()
    return f"{moment:%Y-%m-%d}" if cell.second is None else f"{moment:%Y-%m-%d %H:%M}"


class DateColumn:
    """The cells of a column of dates as they come, chunk by chunk."""

    def __init__(self, name: str, path: Path) -> None:
        """Begins with none; `name` is that of the column and `path` of the file, for messages."""
        self._name, self._path = name, path
        self._codes: dict[object, int] = {}

    def __len__(self) -> int:
        """The number of distinct cells so far."""
        return len(self._codes)

    def add(self, cells: Cells) -> Integers:
        """Takes cells and returns their codes, int64, shape (n,).

        Raises:
            ImportFileError: The column of a Parquet file has a type that is no date, or no file of daily prices has so
                many dates.
        """
        codes = self._codes
        if isinstance(cells, pa.Array):
            keys, index = self._keys(cells)
            found = np.array([codes.setdefault(key, len(codes)) for key in keys], dtype=np.int64)[index]
        else:
            for cell in dict.fromkeys(cells):
                codes.setdefault(cell, len(codes))
            found = np.fromiter(map(codes.__getitem__, cells), dtype=np.int64, count=len(cells))
        if len(codes) > _MOST_DATES:
            raise ImportFileError(
                f"{self._path}: the column {self._name} has more than {_MOST_DATES:,} different dates or times; daily "
                "prices have one a day: keep the last one of each day"
            )
        return found

    def read(
        self,
        forms: Forms,
        today: dt.date,
        shares: Collection[str],
        check: Callable[[Integers, Integers], None] = lambda days, seconds: None,
    ) -> DateTable:
        """Reads all cells together.

        Args:
            forms: What is known of how they are written.
            today: The date now; later ones, but for a day's difference of zones, are refused.
            shares: The names of the file's shares.
            check: Is called with the days as written and the times of day of the cells, before a zone is asked for.

        Raises:
            ImportFileError: Two readings are possible, or a zone is needed.
        """
        plain = self._plain()
        reading = read_dates(plain, self._name, self._path, forms.dates, today)  # type: ignore[arg-type]
        written = np.array([NO_DAY if stamp is None else stamp.day for stamp in reading.stamps], dtype=np.int64)
        seconds = np.array([0 if stamp is None else stamp.second or 0 for stamp in reading.stamps], dtype=np.int64)
        check(written, seconds)
        stamps, note = days_of_instants(reading.stamps, self._name, self._path, forms, shares)
        first = np.datetime64(f"{_FIRST_YEAR}-01-01", "D").astype(np.int64)
        last = np.datetime64(today, "D").astype(np.int64) + 1
        reasons = [
            (MISSING_DATE if is_missing(cell) else "the date is unreadable; write it as 2024-01-31")  # type: ignore[arg-type]
            if stamp is None
            else f"the date is in the future (today is {today})"
            if stamp.day > last
            else f"the date is before {_FIRST_YEAR}; correct its year"
            if stamp.day < first
            else ""
            for cell, stamp in zip(plain, stamps, strict=True)
        ]
        return DateTable(
            np.array([NO_DAY if stamp is None else stamp.day for stamp in stamps], dtype=np.int64),
            tuple(reasons),
            tuple("" if isinstance(cell, Stamp) else str(cell) for cell in plain),
            tuple(filter(None, (reading.note, note))),
            next((f"{_written(cell)} is {day_text(at.day)}" for cell, at in zip(plain, stamps, strict=True) if at), ""),
        )

    def read_stamps(self, forms: Forms, today: dt.date) -> list[Stamp | None]:
        """Reads all cells as days and times of day, in the zone of `forms` where there is one; None if it is no date.

        Raises:
            ImportFileError: Two readings are possible.
        """
        stamps = read_dates(self._plain(), self._name, self._path, forms.dates, today).stamps  # type: ignore[arg-type]
        return stamps if forms.zone in (None, "local") else in_zone(stamps, forms.zone)

    def _plain(self) -> list[object]:
        return [self._stamp(cell) if isinstance(cell, tuple) else cell for cell in self._codes]

    def _keys(self, cells: pa.Array) -> tuple[list[object], Integers]:
        """Returns the distinct cells of a Parquet column: texts, whole numbers, or what tells an instant."""
        values, index = distinct_of(cells, self._name, self._path, "dates")
        kind = values.type
        if pa.types.is_date32(kind):
            keys: list[object] = [("day", day) for day in values.cast(pa.int32()).to_pylist()]
        elif pa.types.is_date64(kind):
            keys = [("day", None if ms is None else ms // 86_400_000) for ms in values.cast(pa.int64()).to_pylist()]
        elif pa.types.is_timestamp(kind):
            if kind.tz is not None and zone_of(kind.tz) is None:
                raise ImportFileError(
                    f"{self._path}: the column {self._name} is in the time zone {kind.tz}, which is not known; "
                    f"{instead(self._name, 'date32')}"
                )
            keys = [(kind.unit, kind.tz, count) for count in values.cast(pa.int64()).to_pylist()]
        elif pa.types.is_floating(kind):
            numbers = values.to_pylist()
            if any(number is not None and number == number and not float(number).is_integer() for number in numbers):
                raise ImportFileError(
                    f"{self._path}: the column {self._name} holds {kind}, not dates; {instead(self._name, 'date32')}"
                )
            keys = [int(number) if number is not None and number == number else _MISSING for number in numbers]
        else:
            try:
                keys = [_MISSING if value is None else value for value in values.to_pylist()]
            except UnicodeDecodeError as error:
                raise ImportFileError(f"{self._path}: the column {self._name} holds text that is not UTF-8") from error
        return [*keys, _MISSING], index

    @staticmethod
    def _stamp(key: tuple[object, ...]) -> Stamp | str:
        """Reads what tells a day or an instant; a text that is no date if it is beyond Python's years."""
        count = key[-1]
        if not isinstance(count, int):
            return _MISSING
        if key[0] == "day":
            stamp: Stamp | None = Stamp(count)
        else:
            tz = key[1]
            stamp = stamp_in(count // _PER_SECOND[str(key[0])], None if tz is None else zone_of(str(tz)))
        return stamp if stamp is not None and FIRST_DAY <= stamp.day <= LAST_DAY else "(unreadable)"
