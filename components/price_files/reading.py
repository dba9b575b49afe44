"""Reads an open file of prices by its layout, and sees to it that none is read without end."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from components.errors import ImportFileError
from components.feature_store.arrays import Floats, Integers
from components.price_files.date_column import DateColumn, DateTable, names_of
from components.price_files.files import Chunk, PriceFile
from components.price_files.forms import Forms
from components.price_files.found import Found
from components.price_files.layout import Layout
from components.price_files.number_cells import Numbers, NumberStyle, OtherStyleError, StyleEvidence, numbers_of
from components.price_files.same_days import Repeats
from components.price_files.stamps import day_text

_MOST_REFUSED = 50_000
_MANY_ROWS, _EACH_DAY_OFTEN = 100_000, 1000
_TIMES_SHOWN = 3


def number_positions(layout: Layout) -> list[int]:
    """Returns where the numbers of a layout stand."""
    by_share = (position for fields in layout.shares.values() for position in fields.values())
    return sorted({*layout.fields.values(), *by_share, *layout.rivals})


def price_chunks(
    file: PriceFile, layout: Layout, positions: Collection[int], left_out: Counter[str] | None = None
) -> Iterator[Chunk]:
    """Yields a file's chunks without the rows that are no prices of shares, and counts those by what they are."""
    if layout.only is None:
        yield from file.chunks(positions)
        return
    at, wanted = layout.only
    for chunk in file.chunks(sorted({*positions, at})):
        codes: dict[str, int] = {}
        code = names_of(chunk.columns[at], file.header[at], Path(), codes)
        names = np.array(list(codes), dtype=object)
        keep = np.isin(code, [code for name, code in codes.items() if name in wanted])
        if left_out is not None:
            left_out.update(names[code[~keep]].tolist())
        if keep.all():
            yield chunk
        elif keep.any():
            yield chunk.only(np.flatnonzero(keep))


@dataclass
class Reader:
    """Reads the cells of an open file by its layout, and sees to it that no file is read without end.

    Attributes:
        file: The file.
        layout: What its columns mean.
        found: What it holds, filled by who uses the reader.
        forms: What is known of how its cells are written.
        style: How it writes numbers; None if no cell so far was other than plain.
        today: The date now.
        dates: Its column of dates.
        repeats: What was seen of days that come twice.
        done: How many rows were read.
    """

    file: PriceFile
    layout: Layout
    found: Found
    forms: Forms
    style: NumberStyle | None
    today: dt.date
    repeats: Repeats = field(default_factory=Repeats)
    done: int = 0
    _first_bad: str = ""

    def __post_init__(self) -> None:
        """Opens the column of dates."""
        self.dates = DateColumn(self.file.header[self.layout.time].strip(), self.found.path)
        self._dots = StyleEvidence() if self.style is None and self.file.separator != "," else None

    def chunks(self) -> Iterator[Chunk]:
        """Yields the rows, in the columns that mean something."""
        share = [self.layout.share] if isinstance(self.layout.share, int) else []
        positions = sorted({self.layout.time, *share, *number_positions(self.layout)})
        left_out: Counter[str] = Counter()
        yield from price_chunks(self.file, self.layout, positions, left_out)
        if left_out and self.layout.only is not None:
            column = self.file.header[self.layout.only[0]].strip()
            what = ", ".join(f"{count} of {name or 'no'}" for name, count in left_out.most_common(8))
            self.found.notes.append(f"rows left out by {column}: {what}{', ...' if len(left_out) > 8 else ''}")

    def numbers(self, chunk: Chunk, name: str, position: int) -> Numbers:
        """Reads the cells of a field."""
        cells, title = chunk.columns[position], self.file.header[position].strip()
        numbers = numbers_of(cells, title, self.found.path, self.style, counts=name == "volume")
        if self._dots is not None and not self._dots.proofs["."]:
            self._dots.add(cells, title, self.found.path, until_proof=True, counts=name == "volume")
        prepare = self.layout.prepare.get(name)
        return numbers if prepare is None else Numbers(prepare(numbers.values), numbers.unread)

    def check_rivals(self, chunk: Chunk, close: Floats) -> None:
        """Refuses a file in which another column could be the close as well and differs from it."""
        for position in self.layout.rivals:
            other = self.numbers(chunk, "close", position).values
            for at in np.flatnonzero((other != close) & ~np.isnan(other) & ~np.isnan(close))[:1].tolist():
                raise ImportFileError(
                    f"{self.found.path}, row {chunk.rows[at]}: {self.layout.rivalry} "
                    f"(here {close[at]:g} and {other[at]:g})"
                )

    def count(self, rows: Integers, shares: int, bad: Mapping[int, str]) -> None:
        """Counts rows that were read, and ends where they cannot be daily prices.

        Args:
            rows: The numbers of those that are new, shape (n,).
            shares: How many shares there are by now.
            bad: Positions, from the first row on, that are refused by now, and why.

        Raises:
            ImportFileError: The same days come again and again, or most rows cannot be taken.
        """
        if bad and not self._first_bad and self.done <= (first := min(bad)) < self.done + len(rows):
            self._first_bad = f"row {rows[first - self.done]}: {bad[first]}"
        self.done += len(rows)
        path = self.found.path
        if self.done > max(_MANY_ROWS, _EACH_DAY_OFTEN * shares * len(self.dates)):
            raise ImportFileError(
                f"{path}: {self.done:,} rows and more for {shares} shares and {len(self.dates)} dates; daily prices "
                "have one row a share and day"
            )
        if len(bad) > _MOST_REFUSED and 2 * len(bad) > self.done:
            raise ImportFileError(
                f"{path}: {len(bad):,} of the first {self.done:,} rows cannot be taken; such as "
                f"{self._first_bad or next(iter(bad.values()))}"
            )

    def read_dates(self, names: list[str], codes: Integers, stamps: Integers, rows: Integers) -> DateTable:
        """Reads the dates once all rows are there.

        Args:
            names: The shares.
            codes: The number of each row's share among them, shape (n,).
            stamps: Its date's code, likewise.
            rows: Its number in the file, likewise.

        Raises:
            ImportFileError: The dates have two readings, or the shares several times a day.
            OtherStyleError: The numbers have two readings.
        """
        if self._dots is not None and self._dots.is_open():
            raise OtherStyleError

        def check(days: Integers, seconds: Integers) -> None:
            if seconds.any():
                self._check_intraday(days, seconds, codes, stamps, rows)

        table = self.dates.read(self.forms, self.today, names, check)
        self.found.notes += table.notes
        self.found.dates = table.example
        return table

    def check_any(self) -> None:
        """Ends where there were no rows."""
        if not self.done:
            raise ImportFileError(f"{self.found.path} has a header but no prices")

    def _check_intraday(
        self, written: Integers, seconds: Integers, codes: Integers, stamps: Integers, rows: Integers
    ) -> None:
        """Ends where shares have several times a day; the message shows some."""
        days = written[stamps]
        pairs = codes * (len(written) + 1) + stamps
        _, first = np.unique(pairs, return_index=True)
        by_day, counts = np.unique(np.stack([codes[first], days[first]]), axis=1, return_counts=True)
        if len(first) <= 1.5 * len(counts):
            return
        code, day = by_day[:, int(np.argmax(counts > 1))]
        at = np.sort(first[(codes[first] == code) & (days[first] == day)])
        times = [f"{second // 3600:02d}:{second // 60 % 60:02d}" for second in seconds[stamps[at]].tolist()]
        raise self._intraday(times, rows[at], int(day))

    def check_repeats(self) -> None:
        """Ends where most days come several times and their rows differ."""
        if self.repeats.are_intraday() and self.repeats.example is not None:
            day, rows = self.repeats.example
            raise self._intraday([], rows, day)

    def _intraday(self, times: list[str], rows: Integers, day: int) -> ImportFileError:
        shown = f" ({', '.join(times[:_TIMES_SHOWN])}{', ...' if len(times) > _TIMES_SHOWN else ''})" if times else ""
        lines = ", ".join(map(str, rows[:_TIMES_SHOWN])) + (", ..." if len(rows) > _TIMES_SHOWN else "")
        return ImportFileError(
            f"{self.found.path}: intraday prices: {len(rows)} rows of {day_text(day)}{shown}, such as rows {lines}; "
            "daily prices have one row a share and day: take the last price of each day, or fetch daily bars"
        )
