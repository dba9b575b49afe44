"""CSV files as text: their encoding, their separator, and lines that are bounded in length."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, TextIO

from components.errors import ImportFileError
from components.price_files.forms import SEPARATORS
from components.price_files.header_rows import join_header_rows

LONGEST_LINE = 2 * 1024**2  # characters; a line of 100,000 shares is half of that
MOST_COLUMNS = 100_000
LONGEST_CELL = 100_000
_OPEN_QUOTE = re.compile(r'(?:^|[,;\t|])[ ]*"(?:[^"]|"")*\Z')
_SAMPLE_LINES, _SAMPLE_SIZE = 200, 2**18
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)  # Excel's own hint, in place of a header
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def encoding_at(start: bytes) -> str:
    """Tells the encoding of a text by its first bytes: a Unicode one, UTF-8 where nothing speaks for another."""
    for mark, encoding in _BOMS:
        if start.startswith(mark):
            return encoding
    # Separators and digits are a zero byte and another one; no other encoding has zero bytes.
    few = max(2, len(start) // 16)
    even, odd = start[::2].count(0), start[1::2].count(0)
    if even == 0 and odd >= few:
        return "utf-16-le"
    if odd == 0 and even >= few:
        return "utf-16-be"
    return "utf-8-sig"


def legacy_encoding(stream: BinaryIO) -> str | None:
    """Tells the encoding of a text that is not UTF-8, from all of it; None where nothing is plain.

    Chinese sources write GBK, which gb18030 contains: its characters of every day are pairs of bytes that are both
    high. Western text has single high bytes among letters. A text of which parts are UTF-8 is damaged, not another
    encoding.
    """
    chinese = codecs.getincrementaldecoder("gb18030")()
    western = codecs.getincrementaldecoder("cp1252")()
    is_chinese = is_western = True
    runs = unicode_runs = paired = single = low = korean = 0
    rest = head = b""
    while block := stream.read(2**20):
        head = head or block
        is_chinese = is_chinese and _decodes(chinese, block)
        is_western = is_western and _decodes(western, block)
        block = rest + block
        whole = block.rstrip(_HIGH)  # a run of high bytes may go on in the next block
        rest = block[len(whole) :]
        if len(rest) > 2**16:
            whole, rest = block, b""
        for run in _HIGH_RUN.findall(whole):
            runs += 1
            unicode_runs += _decodes(codecs.getincrementaldecoder("utf-8")(), run, final=True)
            paired += len(run) // 2
            single += len(run) % 2
            low += len(run) - len(run.translate(None, _LOW))
            korean += len(run[::2]) - len(run[::2].translate(None, _HANGUL))
    runs, paired, single = runs + bool(rest), paired + len(rest) // 2, single + len(rest) % 2
    if 2 * unicode_runs > runs:
        return None
    if is_chinese and paired >= 2 and paired > 4 * single:
        # Korean and Japanese texts decode as well: the one has syllables only, the other many bytes below A1.
        known = _CHINESE_HEADER.search(head.split(b"\n", 1)[0].decode("gb18030", "ignore"))
        return "gb18030" if known or (low * 10 < paired and korean * 20 < paired * 19) else None
    return "cp1252" if is_western and single > 4 * paired else None


_HIGH = bytes(range(0x80, 0x100))
_LOW, _HANGUL = bytes(range(0x80, 0xA1)), bytes(range(0xB0, 0xC9))
_CHINESE_HEADER = re.compile("日期|时间|代码|收盘|开盘|名称|成交|最高|最低|交易|证券|股票|价")
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def bounded_lines(text: TextIO, path: Path) -> Iterator[str]:
    """Yields the lines of a text opened with newline="".

    Raises:
        ImportFileError: A line, or a cell in quotes that holds line breaks, is longer than any line of prices.
    """
    opened, length = 0, 0
    for number, line in enumerate(iter(partial(text.readline, LONGEST_LINE), ""), start=1):
        if len(line) >= LONGEST_LINE:
            raise ImportFileError(
                f"{path}, line {number}: longer than {LONGEST_LINE:,} characters; is it a file of prices, one day a "
                "line? Write each day on a line of its own"
            )
        if opened or '"' in line:
            if line.count('"') % 2 and (opened or _OPEN_QUOTE.search(line)):
                opened = 0 if opened else number
                length = 0
            if opened:
                length += len(line)
                if length >= LONGEST_CELL:
                    raise ImportFileError(
                        f"{path}, line {opened}: a quote is opened and not closed within {LONGEST_CELL:,} characters"
                    )
        yield line


@dataclass(frozen=True)
class CsvTable:
    """Lines split into cells.

    Attributes:
        header: The names of the columns.
        head: The first rows below it.
        reader: Reads all rows below it.
        before: How many lines stand before those that the reader counts.
        separator: What separates cells.
    """

    header: tuple[str, ...]
    head: tuple[tuple[str, ...], ...]
    reader: csv._reader  # type: ignore[name-defined]
    before: int
    separator: str


def split_lines(lines: Iterator[str], path: Path, separator: str | None) -> CsvTable:
    """Splits lines into cells.

    Args:
        lines: The lines of a file.
        path: For messages.
        separator: What stands between cells; None to find it out.

    Raises:
        ImportFileError: There is no header, no separator is plain, or the header is no line of CSV.
    """
    sample: list[str] = []
    size = 0
    for line in lines:
        sample.append(line)
        size += len(line)
        if len(sample) >= _SAMPLE_LINES or size >= _SAMPLE_SIZE:
            break
    before = 0
    while sample and not sample[0].strip("\r\n"):  # blank lines mean nothing
        before += 1
        del sample[0]
    if sample and (hint := _SEPARATOR_LINE.fullmatch(sample[0])):
        separator, before = separator or hint[1], before + 1
        del sample[0]
    if not sample:
        raise ImportFileError(f"{path} is empty; it needs a header and prices")
    if "\0" in sample[0]:
        raise ImportFileError(f"{path}, line 1: it holds zero bytes; if it is text, say --encoding, such as utf-16")
    if separator is None:
        separator = _separator(sample, path)
    blanks = separator != "\t"  # after a comma they mean nothing
    head: list[tuple[str, ...]] = []
    try:
        head.extend(
            map(tuple, islice(csv.reader(iter(sample), delimiter=separator, skipinitialspace=blanks), 1, _SAMPLE_LINES))
        )
    except csv.Error:
        pass  # said with its line where the row is read
    reader = csv.reader(chain(sample, lines), delimiter=separator, skipinitialspace=blanks, strict=True)
    try:
        header = tuple(next(reader))
    except csv.Error as error:
        raise ImportFileError(f"{path}, line {before + max(1, reader.line_num)}: not a CSV file: {error}") from error
    joined, lines_of_header = join_header_rows([header, *head])
    if lines_of_header > 1:
        header = joined
        del head[: lines_of_header - 1]
        for _ in range(lines_of_header - 1):
            next(reader)
    if len(header) > MOST_COLUMNS:
        raise ImportFileError(f"{path}, line {before + 1}: {len(header):,} columns, more than {MOST_COLUMNS:,}")
    return CsvTable(header, tuple(head), reader, before, separator)


def _separator(sample: list[str], path: Path) -> str:
    """Tells what separates cells: what gives every line as many as the header."""
    heads = {mark: _widths([sample[0]], mark) for mark in SEPARATORS.values() if mark in sample[0]}
    heads = {mark: widths for mark, widths in heads.items() if widths and widths[0] > 1}
    if len(heads) < 2:
        return next(iter(heads), ",")
    fitting = []
    for mark in heads:
        widths = _widths(sample[:-1] if len(sample) > 2 else sample, mark)
        if widths and len(widths) > 1 and set(widths) == {widths[0]}:
            fitting.append(mark)
    if len(fitting) == 1:
        return fitting[0]
    if len(fitting) > 1:
        names = {mark: name for name, mark in SEPARATORS.items()}
        ways = " or ".join(f"{heads[mark][0]} columns with --separator {names[mark]}" for mark in fitting)
        raise ImportFileError(f"{path}, line 1: the cells can be split in more than one way: {ways}; say which")
    return max(heads, key=lambda mark: heads[mark][0])


def _widths(lines: list[str], separator: str) -> list[int]:
    reader = csv.reader(iter(lines), delimiter=separator)
    try:
        return [len(row) for row in islice(reader, _SAMPLE_LINES) if row]
    except csv.Error:
        return []


def as_text(cell: str) -> str:
    """Takes away blanks, and what tells a spreadsheet that a cell is text: '600519 or ="600519".

    >>> as_text("'000001"), as_text('="000001"'), as_text(" IBM ")
    ('000001', '000001', 'IBM')
    """
    cell = cell.strip()
    if len(cell) > 3 and cell.startswith('="') and cell.endswith('"'):
        return cell[2:-1].strip()
    return cell[1:].strip() if cell.startswith("'") else cell


def line_of_bad_byte(stream: BinaryIO, encoding: str) -> int:
    """Returns the number of the first line that does not decode; the last one if all do."""
    decoder = codecs.getincrementaldecoder(encoding)()
    number = 1
    for number, line in enumerate(iter(partial(stream.readline, LONGEST_LINE), b""), start=1):  # noqa: B007
        if not _decodes(decoder, line):
            break
    return number
