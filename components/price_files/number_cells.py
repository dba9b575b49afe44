"""Cells to numbers: decimal signs, thousands, currency signs, and what stands for no number.

`1,234` is a thousand or a bit more than one: no cell by itself says which. What a file means is decided from all of
its cells: the first one that is no plain number (`1234.5`) makes the reader go through all of them before it goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from components.errors import ImportFileError
from components.feature_store.arrays import Floats
from components.price_files.csv_text import as_text
from components.price_files.parquet_columns import instead, plain_column

MISSING = frozenset(
    {"", "nan", "na", "n/a", "n.a.", "n/d", "#n/a", "#n/a n/a", "null", "none", "<na>", "nat", "\\n"}
    | {".", "-", "--", "---", "\u2013", "\u2014"}
)
_SPACES = " \u00a0\u2007\u2009\u202f"
_APOSTROPHES = "'\u2019"
_CURRENCY = re.compile(r"(?:[A-Z]{1,2})?[$€£¥￥₹₩]\s?")
_MULTIPLES = {"k": 3, "m": 6, "b": 9, "t": 12, "万": 4, "亿": 8}
_LOCAL = re.compile(rf"[+\-\u2212]?(?:[A-Z]{{0,2}}[$€£¥￥₹₩]\s?)?\d[\d.,{_SPACES}{_APOSTROPHES}]*\s?[a-zA-Z万亿€£$]?")
_SURE = re.compile("[0-9]+([.,])(?:[0-9]{1,2}|[0-9]{4,})")  # most cells, in one look
# A price with this many digits is off by up to 0.05 %: a year's returns are half of it noise.
_COARSE = "halffloat"


@dataclass(frozen=True)
class NumberStyle:
    """How a file writes its numbers.

    Attributes:
        decimal: The sign before the decimals.
        thousands: The signs that separate groups of digits, for the report; empty if there are none.
    """

    decimal: str
    thousands: str = ""

    def __str__(self) -> str:
        """Says what was read, for the report."""
        if not self.thousands:
            return f"decimal sign {self.decimal!r}"
        signs = " and ".join("blanks" if sign in _SPACES else repr(sign) for sign in self.thousands)
        return f"decimal sign {self.decimal!r}, thousands by {signs}"


class OtherStyleError(Exception):
    """A cell is a number, but no plain one: the file's style has to be found out."""


@dataclass(frozen=True)
class Numbers:
    """A column of numbers.

    Attributes:
        values: float64, shape (n,); NaN where a cell is missing or no number.
        unread: The texts of the cells that are no numbers, by position.
    """

    values: Floats
    unread: dict[int, str]


def numbers_of(
    cells: pa.Array | tuple[str, ...], name: str, path: Path, style: NumberStyle | None, counts: bool = False
) -> Numbers:
    """Reads a column of numbers; messages name the column and the file.

    Args:
        cells: The column.
        name: Of the column.
        path: Of the file.
        style: How the file writes numbers; None if no cell so far was other than plain.
        counts: Whether 1.2M is a number: volumes are written so, prices are not.

    Raises:
        OtherStyleError: A cell is a number only in another style, and `style` is None.
        ImportFileError: The column of a Parquet file has a type that is no number.
    """
    if isinstance(cells, pa.Array):
        cells = plain_column(cells, name, path)
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        kind = cells.type
        if pa.types.is_null(kind):
            return Numbers(np.full(len(cells), np.nan), {})
        if pa.types.is_float32(kind):
            # Through the shortest text, so that 38.23 stays 38.23 and not 38.22999954.
            short = cells.to_numpy(zero_copy_only=False)
            return Numbers(short.astype("U32").astype(np.float64), {})
        if str(kind).startswith("decimal"):
            # Not by Arrow's cast, which is off in the last bit.
            exact = [np.nan if value is None else float(value) for value in cells.to_pylist()]
            return Numbers(np.array(exact, dtype=np.float64), {})
        if pa.types.is_integer(kind) or pa.types.is_float64(kind):
            return Numbers(np.asarray(cells.to_numpy(zero_copy_only=False), dtype=np.float64), {})
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            why = ", whose three digits are too few for prices" if str(kind) == _COARSE else ", not numbers"
            raise ImportFileError(f"{path}: the column {name} holds {kind}{why}; {instead(name, 'double')}")
        cells = texts_of(cells, name, path)
    joined = "".join(cells)
    # Python reads 1_000 and digits of other scripts as numbers too; in a file of prices they are slips.
    if "_" not in joined and joined.isascii():
        plain: Iterable[str] | None = cells
        if style is not None and style.decimal == ",":
            plain = None if "." in joined else (cell.replace(",", ".") for cell in cells)
        if plain is not None:
            try:
                return Numbers(np.fromiter(map(float, plain), dtype=np.float64, count=len(cells)), {})
            except ValueError:
                pass
    unread: dict[int, str] = {}
    values = np.full(len(cells), np.nan)
    for index, cell in enumerate(cells):
        value = _number(cell, style, counts)
        if value is not None:
            values[index] = value
        elif cell.strip().lower() not in MISSING:
            if style is None and _is_local(cell):
                raise OtherStyleError
            unread[index] = cell
    return Numbers(values, unread)


def texts_of(cells: pa.Array, name: str, path: Path) -> tuple[str, ...]:
    """Returns the texts of a column of strings, empty where there is none.

    Raises:
        ImportFileError: One is not UTF-8.
    """
    try:
        return tuple(cell or "" for cell in cells.to_pylist())
    except UnicodeDecodeError as error:
        raise ImportFileError(f"{path}: the column {name} holds text that is not UTF-8") from error


def _number(cell: str, style: NumberStyle | None, counts: bool) -> float | None:
    decimal = "." if style is None else style.decimal
    if decimal == "." and "_" not in cell and cell.isascii():
        try:
            return float(cell)
        except ValueError:
            pass
    text = _CURRENCY.sub("", as_text(cell).replace("\u2212", "-"), count=1).strip()
    match = _pattern(decimal, style is not None).fullmatch(text)
    if match is None:
        return None
    sign, whole, decimals, exponent, multiple = match.group("sign", "whole", "decimals", "exponent", "multiple")
    if multiple and not counts:
        return None
    whole = re.sub(r"\D", "", whole)
    exponent = int(exponent or 0) + _MULTIPLES.get((multiple or "").lower(), 0)
    return float(f"{sign}{whole or '0'}.{decimals or '0'}e{exponent}")


@lru_cache
def _pattern(decimal: str, grouped: bool) -> re.Pattern[str]:
    """The form of a number: digits, in groups of three (in India the higher ones of two) if `grouped`, decimals."""
    whole = "[0-9]+"
    if grouped:
        signs = re.escape(("," if decimal == "." else ".") + _SPACES + _APOSTROPHES)
        whole += rf"|[0-9]{{1,3}}(?:(?P<group>[{signs}])[0-9]{{3}}(?:(?P=group)[0-9]{{3}})*)"
        if decimal == ".":
            whole += "|[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}"
    sign = re.escape(decimal)
    whole += rf"|(?={sign}[0-9])"
    return re.compile(
        rf"(?P<sign>[+-]?)(?:(?P<whole>{whole})(?:{sign}(?P<decimals>[0-9]*))?)"
        rf"(?:[eE](?P<exponent>[+-]?[0-9]{{1,3}}))?\s?(?P<multiple>[kKmMbBtT万亿]?)"
    )


def _is_local(cell: str) -> bool:
    text = as_text(cell)
    return bool(_LOCAL.fullmatch(text)) and any(sign in text for sign in "," + _SPACES + _APOSTROPHES + ".")


def _is_grouped(text: str, sign: str) -> bool:
    groups = text.split(sign)
    inner = {len(group) for group in groups[1:-1]}
    return 1 <= len(groups[0]) <= 3 and len(groups[-1]) == 3 and (inner <= {3} or (sign == "," and inner == {2}))


# --- the style of a whole file


@dataclass
class StyleEvidence:
    """What the number cells of a file say about its style.

    Attributes:
        proofs: For each decimal sign, how many cells can be read with no other, and the first of them.
        open: For each sign that may separate decimals or thousands, the first such cell.
        counts: The same of volumes.
        thousands: The signs that separate groups of digits.
    """

    proofs: dict[str, int] = field(default_factory=lambda: {".": 0, ",": 0})
    first: dict[str, str] = field(default_factory=dict)
    open: dict[str, tuple[str, str]] = field(default_factory=dict)
    counts: dict[str, tuple[str, str]] = field(default_factory=dict)
    thousands: dict[str, None] = field(default_factory=dict)

    def add(
        self,
        cells: pa.Array | tuple[str, ...],
        name: str,
        path: Path,
        until_proof: bool = False,
        counts: bool = False,
    ) -> None:
        """Looks at a column's cells; those of a Parquet file only if they are texts.

        Args:
            cells: The column.
            name: Its name, for messages.
            path: Of the file, for messages.
            until_proof: Whether the first proof is enough.
            counts: Whether they are volumes: no file has three decimals of a share in each.
        """
        if isinstance(cells, pa.Array):
            cells = plain_column(cells, name, path)
            if pa.types.is_dictionary(cells.type):
                cells = cells.cast(cells.type.value_type)
            if not (pa.types.is_string(cells.type) or pa.types.is_large_string(cells.type)):
                return
            cells = texts_of(cells, name, path)
        for cell in dict.fromkeys(cells):
            if sure := _SURE.fullmatch(cell):
                self._prove(sure[1], cell, "")
            elif not cell.isdecimal():
                self._look(cell, name, counts)
            if until_proof and (self.proofs["."] or self.proofs[","]):
                return

    def _look(self, cell: str, name: str, counts: bool) -> None:
        text = as_text(cell)
        if not _LOCAL.fullmatch(text):
            return
        body = text.strip("+-\u2212$€£¥￥₹₩ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz万亿" + _SPACES)
        groups = {sign for sign in body if sign in _SPACES + _APOSTROPHES}
        self.thousands.update(dict.fromkeys(sorted(groups)))
        dots, commas = body.count("."), body.count(",")
        if not dots and not commas:
            return
        if dots and commas:
            last = "." if body.rindex(".") > body.rindex(",") else ","
            other = "," if last == "." else "."
            if body.count(last) == 1 and _is_grouped(body[: body.index(last)], other):
                self._prove(last, text, other)
            return
        sign = "." if dots else ","
        whole, _, decimals = body.partition(sign)
        if dots + commas > 1:
            if _is_grouped(body, sign):
                self._prove("," if sign == "." else ".", text, sign)
        elif groups or len(decimals) != 3 or not 1 <= len(whole) <= 3 or whole.startswith("0"):
            self._prove(sign, text, "")
        else:
            (self.counts if counts else self.open).setdefault(sign, (name, text))

    def _prove(self, decimal: str, cell: str, thousands: str) -> None:
        self.proofs[decimal] += 1
        self.first.setdefault(decimal, cell)
        if thousands:
            self.thousands[thousands] = None

    def style(self, path: Path, separator: str) -> NumberStyle:
        """Decides.

        Raises:
            ImportFileError: Two readings are possible, or parts of the file speak for either.
        """
        dot, comma = self.proofs["."], self.proofs[","]
        if min(dot, comma) * 20 > max(dot, comma):
            raise ImportFileError(
                f"{path}: {self.first['.']!r} has a decimal point and {self.first[',']!r} a decimal comma; write all "
                "numbers alike, or say --decimal . or --decimal , and the others are refused by row"
            )
        if dot != comma:
            decimal = "." if dot > comma else ","
        elif self.thousands and len(self.open) == 1:
            # Digits are grouped by a third sign, so this one is for decimals.
            decimal = next(iter(self.open))
        elif "," in self.open or ("." in self.open and separator != ","):
            name, cell = self.open.get(",", self.open.get(".", ("", "")))
            sign = "," if "," in cell else "."
            other = "." if sign == "," else ","
            as_decimal, as_thousands = cell.replace(sign, "."), cell.replace(sign, "")
            raise ImportFileError(
                f"{path}: {name} {cell!r} can be {as_decimal} (--decimal {sign}) or {as_thousands} "
                f"(--decimal {other}), and no other number of the file tells; say which"
            )
        else:
            decimal = "," if "." in self.counts and "," not in self.counts and separator != "," else "."
        other = "," if decimal == "." else "."
        found = [sign for sign in self.thousands if sign != decimal]
        if (other in self.open or other in self.counts) and other not in found:
            found.append(other)
        return NumberStyle(decimal, "".join(found))

    def is_open(self) -> bool:
        """Tells whether dots were seen, each of them before three digits."""
        return ("." in self.open or "." in self.counts) and not self.proofs["."]
