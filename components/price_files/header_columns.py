"""The columns of a header: their names, first cells and roles, and which of them hold the dates and the shares."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from components.errors import ImportFileError
from components.price_files.column_names import CLOSE_LIKE, Role, key_of, parts_of, role_of
from components.price_files.date_column import WHOLE_FLOAT
from components.price_files.layout import LayoutChoice, role_named

_HELP = (
    "known layouts are long (time, share_id, close, optionally open, high, low, volume, factor or adj_close), one "
    "share (the same without share_id), wide (time and one column a share) and fields (time, Close_AAA, High_AAA, ...)"
)
_UNNAMED = re.compile(r"|unnamed: ?[0-9]+(_level_[0-9]+)?|__index_level_[0-9]+__|index|level_[0-9]+", re.IGNORECASE)
_DATE = re.compile(
    r"[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}日?(?:[T ].*)?|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ][0-9]{2,4}(?:[T ,].*)?|"
    r"(?:19|20)[0-9]{6}|[0-9]{1,2}[- ][A-Za-z]{3,9}\.?[- ,]+[0-9]{2,4}|[A-Za-z]{3,9}\.? [0-9]{1,2},? [0-9]{4}"
)
_TIME_OF_DAY = re.compile(r"[0-9]{1,2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?|0+|[0-2][0-9]{5}")


def looks_like_date(text: str) -> bool:
    """Tells whether a text is written like a date, in whatever order."""
    return _DATE.fullmatch(text.strip()) is not None


class Columns:
    """The columns of one header.

    Attributes:
        names: Their names.
        cells: The first cells of each that are not empty.
        roles: What each is by its name, as far as known.
        chosen: The column of each role that the user chose; None where the role is to be left out.
        chosen_fields: Of fields of shares, how the one of a role is called, as `key_of` returns it.
        notes: What was concluded, for the report.
    """

    NO_HEADER = "this line holds a date: the file has no header; add one, such as date,open,high,low,close"

    def __init__(
        self, header: tuple[str, ...], path: Path, head: Sequence[Sequence[str]], choice: LayoutChoice
    ) -> None:
        """Takes the names of columns, the cells of the first rows, and what the user says of them."""
        self.path, self.choice = path, choice
        self.names = [_plain(name) for name in header]
        self.cells = [
            [row[index].strip() for row in head if index < len(row) and row[index].strip()]
            for index in range(len(header))
        ]
        self.roles: list[Role | None] = [role_of(name) for name in self.names]
        self.chosen_fields: dict[str, str] = {}
        self.chosen = self._chosen()
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        """Notes what was concluded, once."""
        if text not in self.notes:
            self.notes.append(text)

    def column(self, index: int) -> str:
        """Returns a column's name as it is shown."""
        return repr(self.names[index]) if self.names[index] else f"column {index + 1}, which has no name"

    # --- errors

    def wrong(self, what: str) -> ImportFileError:
        """Returns an error about the header."""
        return ImportFileError(f"{self.path}, line 1: {what}")

    def unknown(self, what: str) -> ImportFileError:
        """Returns an error that shows the columns and the known layouts."""
        shown = ", ".join(repr(name) for name in self.names[:12]) + (", ..." if len(self.names) > 12 else "")
        return self.wrong(f"{what}; the columns are {shown}; {_HELP}")

    def same(self, role: str, indices: Sequence[int]) -> ImportFileError:
        """Returns an error about columns of one meaning."""
        names = " and ".join(self.names[index] for index in indices)
        first = self.names[indices[0]]
        return self.wrong(
            f"the columns {names} mean the same; keep one of them, or choose with --column {role}={first}"
        )

    # --- what the user chose

    def _chosen(self) -> dict[str, int | None]:
        chosen: dict[str, int | None] = {}
        for role, name in self.choice.columns.items():
            role = role_named(role)
            if not name.strip():
                chosen[role] = None
                continue
            found = [index for index, known in enumerate(self.names) if known == name.strip()]
            found = found or [index for index, known in enumerate(self.names) if key_of(known) == key_of(name)]
            fields = {key_of(part.field) for known in self.names for part in parts_of(known)}
            if not found and key_of(name) in fields:
                self.chosen_fields[role] = key_of(name)
                continue
            if len(found) != 1:
                what = "is there twice" if found else "is not there"
                raise self.unknown(f"--column {role}={name}: the column {name} {what}")
            chosen[role] = found[0]
        return chosen

    def dates_or_times(self, index: int) -> bool:
        """Tells whether a column holds dates or times of day, as far as its first cells show."""
        cells = self.cells[index]
        return not cells or all(looks_like_date(cell) or _TIME_OF_DAY.fullmatch(cell) for cell in cells)

    def is_row_number(self, index: int) -> bool:
        """Tells whether a column is the numbers of the rows, which pandas writes unless it is told not to."""
        if not _UNNAMED.fullmatch(self.names[index]) or (not self.names[index] and index):
            return False
        cells = self.cells[index]
        if not cells or not all(re.fullmatch(r"[0-9]+", cell) for cell in cells):
            return False
        numbers = [int(cell) for cell in cells]
        return numbers == list(range(numbers[0], numbers[0] + len(numbers)))

    def time(self) -> int:
        """Returns the column of dates.

        Raises:
            ImportFileError: There is none, or several could be meant.
        """
        chosen = self.chosen.get("time")
        if chosen is not None:
            return chosen
        named = [
            (role.rank, index) for index, role in enumerate(self.roles) if role is not None and role.name == "time"
        ]
        dated = [one for one in named if self.cells[one[1]] and all(map(looks_like_date, self.cells[one[1]]))]
        if dated and len(named) > 1:  # a time of day beside the date, a share that is called DAY
            named = dated
        if named:
            named.sort()
            best = [index for rank, index in named if rank == named[0][0]]
            if named[-1][0] == 2 and len(named) > 1 and named[-1][1] not in best:
                best.append(named[-1][1])
            if len(best) > 1:
                raise self.same("time", sorted(best))
            return best[0]
        dates = [
            index for index, cells in enumerate(self.cells) if cells and all(looks_like_date(cell) for cell in cells)
        ]
        if any(looks_like_date(self.names[index]) for index in dates):
            raise self.wrong(self.NO_HEADER)
        unnamed = [index for index in dates if _UNNAMED.fullmatch(self.names[index])]
        if unnamed:
            return unnamed[0]
        if len(dates) == 1:
            self.notes.append(f"dates: the column {self.names[dates[0]]!r}, as no other holds dates")
            return dates[0]
        if len(dates) > 1:
            shown = " and ".join(repr(self.names[index]) for index in dates)
            raise self.unknown(f"the columns {shown} hold dates; choose with --column time={self.names[dates[0]]}")
        headings = sum(looks_like_date(name) for name in self.names)
        if headings == 1 or (headings and headings < len(self.names) / 2):
            raise self.wrong(self.NO_HEADER)
        if headings:
            raise self.wrong("the dates stand in the header; turn the table round, so that each date has a row")
        alone = len(self.names) == 1 or not any(self.cells)
        before = "; if this line stands before the header, delete it" if alone else ""
        raise self.unknown(f"there is no column time or date{before}")

    def share(self, rest: Sequence[int], must: bool) -> int | None:
        """Returns the column of shares, one of `rest`; None if there is none.

        Raises:
            ImportFileError: Several could be meant, the user named a share although there is one, or there is none and
                one `must` be.
        """
        if "share" in self.chosen:
            return self.chosen["share"]
        named = [
            (role.rank, index)
            for index in rest
            if (role := self.roles[index]) is not None and role.name == "share" and not self._holds_prices(index)
        ]
        for index in rest:
            role = self.roles[index]
            if role is not None and role.name == "share" and self._holds_prices(index):
                self.roles[index] = None  # a share that is called CODE or NAME, in a wide file
        if not named:
            if must:
                raise self.unknown("there is no column share_id, symbol or ticker; choose with --column share=NAME")
            return None
        named.sort()
        best = [index for rank, index in named if rank == named[0][0]]
        if len(best) > 1:
            raise self.same("share", best)
        if self.choice.share is not None:
            raise self.wrong(
                f"the column {self.names[best[0]]} names the shares; leave --share out, or add --column share= "
                "to take the file as one share's"
            )
        return best[0]

    def holds_words(self, index: int) -> bool:
        """Tells whether a column holds neither numbers nor dates, as far as its first cells show."""
        return bool(self.cells[index]) and all(re.match(r"[A-Za-z]", cell) for cell in self.cells[index])

    def _holds_prices(self, index: int) -> bool:
        cells = self.cells[index]
        if any(role is not None and role.name in CLOSE_LIKE for role in self.roles):
            # Beside closes, 600519.0 is the code of a share that went through a column of floats.
            cells = [cell for cell in cells if not WHOLE_FLOAT.fullmatch(cell)]
        return bool(cells) and all(re.fullmatch(r"[0-9]+[.,][0-9]+", cell) for cell in cells)


def _plain(name: str) -> str:
    """Returns a name without blanks around it; of two rows of a header that stand for one column, the one with text."""
    pair = re.fullmatch(r"\(\s*'([^']*)'\s*,\s*''\s*\)", name.strip())
    return (pair.group(1) if pair else name).strip()
