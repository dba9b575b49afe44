"""Rows of some shares out of the files of a panel: only the row groups that hold them, later files before earlier ones.

Within a file rows stand by share and day. Where two files hold the same share and day, the later one counts if its
manifest says that it replaces rows; otherwise the panel is refused, as nobody can know which is right.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from components.errors import PanelError
from components.feature_store.arrays import Booleans, Days, Floats, Integers
from components.feature_store.rules import impossible
from components.feature_store.schema import BAR_COLUMNS
from components.feature_store.windows import PriceBars
from components.price_panel.manifest import Manifest, PanelFile

NEEDED = ("close", "factor")
"""Columns of numbers that every file has; the others of a bar are there where a price of the file has them."""

ROWS_AT_ONCE = 200_000
"""Prices that are read at once: some tens of megabytes."""

_TYPES = {"share_id": pa.string(), "time": pa.date32(), "source": pa.string(), **dict.fromkeys(NEEDED, pa.float64())}
_NO_DAYS = np.empty(0, "datetime64[D]")


@dataclass(frozen=True, eq=False)
class Block:
    """Prices of some shares, one share after the other, each in order of days.

    Attributes:
        shares: those that have any, sorted, [shares].
        start: where the rows of each begin, and the end of all, [shares + 1].
        time: days, datetime64[D], [rows].
        columns: the numbers that were asked for, float64, [rows]; NaN where unknown.
        sources: where the last price of each share came from, [shares]; empty where nobody asked.
    """

    shares: tuple[str, ...]
    start: Integers
    time: Days
    columns: Mapping[str, Floats]
    sources: tuple[str, ...] = ()

    def of(self, at: int) -> slice:
        """The rows of a share, by its place."""
        return slice(int(self.start[at]), int(self.start[at + 1]))


@dataclass
class _Parts:
    """What was read of one file after the other."""

    code: list[Integers] = field(default_factory=list)
    day: list[Integers] = field(default_factory=list)
    file: list[Integers] = field(default_factory=list)
    columns: dict[str, list[Floats]] = field(default_factory=dict)
    source: list[Integers] = field(default_factory=list)


class PanelFiles:
    """The files of a panel, as its manifest names them."""

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        """Looks whether the files are there, with the sizes that they had.

        Raises:
            PanelError: a file is missing, or of another size.
        """
        self.folder = folder
        self.manifest = manifest
        self._metadata: dict[str, Any] = {}
        self._sources: dict[str, int] = {}
        for one in manifest.files:
            try:
                size = (folder / one.path).stat().st_size
            except OSError as error:
                why = "is missing" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror})"
                raise PanelError(f"{folder / one.path} {why}, and the panel's manifest names it; {_MEND}") from None
            if size != one.size:
                raise PanelError(f"{folder / one.path} has {size:,} bytes, and its manifest says {one.size:,}; {_MEND}")

    def rows_of(self) -> dict[str, int]:
        """By share, how many rows the files have of it, those that are replaced counted too; sorted by share."""
        rows: dict[str, int] = {}
        for one in self.manifest.files:
            file = self._open(one)
            for group in range(file.num_row_groups):
                codes, names = _dictionary(self._group(one, file, group, ["share_id"])["share_id"])
                counted = np.bincount(codes, minlength=len(names)).tolist()
                for name, count in zip(names, counted, strict=True):
                    if count:
                        rows[name] = rows.get(name, 0) + count
        return dict(sorted(rows.items()))

    def read(
        self, shares: Sequence[str], columns: Sequence[str] = NEEDED, since: str = "", sources: bool = False
    ) -> Block:
        """Reads the prices of some shares; of those that the panel does not hold there are none.

        Args:
            shares: sorted and distinct.
            columns: of a bar, which are asked for.
            since: the first day that is read, ISO; empty for all.
            sources: whether to read where prices came from.

        Raises:
            PanelError: a file is damaged, not in order, holds what is no price, or a day that another has as well.
        """
        parts = _Parts(columns={name: [] for name in columns})
        wanted = pa.array(shares, pa.string())
        for number, one in enumerate(self.manifest.files):
            if one.last >= since and _any_between(shares, one.first_share, one.last_share):
                self._read_file(number, one, shares, wanted, columns, since, sources, parts)
        return self._block(shares, parts, sources)

    def _read_file(
        self,
        number: int,
        one: PanelFile,
        shares: Sequence[str],
        wanted: pa.Array,
        columns: Sequence[str],
        since: str,
        sources: bool,
        parts: _Parts,
    ) -> None:
        file = self._open(one)
        there = set(file.schema_arrow.names)
        taken = ["share_id", "time", *(name for name in columns if name in there), *(["source"] if sources else [])]
        begin = np.datetime64(since, "D").astype(np.int32) if since else None
        before = -1
        for group in self._holding(file, shares):
            table = self._group(one, file, group, taken)
            codes, names = _dictionary(table["share_id"])
            places = np.asarray(pc.fill_null(pc.index_in(pa.array(names, pa.string()), wanted), -1), np.int64)
            code = places[codes]
            day = table["time"].combine_chunks().view(pa.int32()).to_numpy(zero_copy_only=False).astype(np.int64)
            kept = code >= 0
            if begin is not None:
                kept &= day >= begin
            if not kept.all():
                code, day = code[kept], day[kept]
            if not len(code):
                continue
            key = np.concatenate([[before], (code << 32) + (day + 2**31)])
            if (key[1:] <= key[:-1]).any():
                at = int(np.argmax(key[1:] <= key[:-1]))
                raise PanelError(
                    f"{self.folder / one.path}: share {shares[int(code[at])]}, {_day(day[at])}: is not in order, or is "
                    f"there twice; {_MEND}"
                )
            before = int(key[-1])
            parts.code.append(code)
            parts.day.append(day)
            parts.file.append(np.full(len(code), number))
            for name, found in parts.columns.items():
                values = table[name].to_numpy() if name in there else np.full(len(kept), np.nan)
                found.append(values if len(code) == len(kept) else values[kept])
            if sources:
                source, said = _dictionary(table["source"])
                known = np.array([self._sources.setdefault(name, len(self._sources)) for name in said], np.int64)
                parts.source.append(known[source[kept]])

    def _block(self, shares: Sequence[str], parts: _Parts, sources: bool) -> Block:
        if not parts.code:
            return Block((), np.zeros(1, np.int64), _NO_DAYS, {name: np.empty(0) for name in parts.columns})
        code, day, file = (np.concatenate(some) for some in (parts.code, parts.day, parts.file))
        columns = {name: np.concatenate(some) for name, some in parts.columns.items()}
        source = np.concatenate(parts.source) if sources else None
        key = (code << 32) + (day + 2**31)
        if (key[1:] <= key[:-1]).any():
            order = np.argsort(key, kind="stable")  # of one day, the later file comes last
            key, file = key[order], file[order]
            last = np.append(key[1:] != key[:-1], True)
            self._check_replaced(shares, key, file, last)
            order = order[last]
            code, day, file = code[order], day[order], file[last]
            columns = {name: values[order] for name, values in columns.items()}
            source = None if source is None else source[order]
        begins = np.flatnonzero(np.append(True, code[1:] != code[:-1]))
        start = np.append(begins, len(code))
        names = tuple(shares[at] for at in code[begins])
        block = Block(names, start, day.astype("datetime64[D]"), columns)
        self._check_numbers(block, file)
        if source is None:
            return block
        texts = list(self._sources)
        return Block(names, start, block.time, columns, tuple(texts[at] for at in source[start[1:] - 1]))

    def _check_replaced(self, shares: Sequence[str], key: Integers, file: Integers, last: Booleans) -> None:
        """Refuses two files with one share's day, unless the later one says that it replaces some."""
        may = np.array([one.replaces > 0 for one in self.manifest.files])
        wrong = np.flatnonzero(~last[:-1] & ~may[file[1:]])
        if len(wrong):
            at = int(wrong[0])
            share, day = shares[int(key[at] >> 32)], _day((key[at] & 0xFFFFFFFF) - 2**31)
            one, two = (self.manifest.files[int(file[at + more])].path for more in (0, 1))
            raise PanelError(
                f"{self.folder}: share {share}, {day}: stands in {one} and in {two}, and no file of them replaces "
                "prices; write the panel anew"
            )

    def _check_numbers(self, block: Block, file: Integers) -> None:
        for name, values in block.columns.items():
            wrong = impossible(name, values)
            if wrong.any():
                at = int(np.argmax(wrong))
                share = block.shares[int(np.searchsorted(block.start, at, side="right")) - 1]
                raise PanelError(
                    f"{self.folder / self.manifest.files[int(file[at])].path}: share {share}, {block.time[at]}: {name} "
                    f"{values[at]} is none that a price can have; {_MEND}"
                )

    def _open(self, one: PanelFile) -> Any:
        path = self.folder / one.path
        try:
            file = pq.ParquetFile(path, metadata=self._metadata.get(one.path), read_dictionary=["share_id", "source"])
        except (pa.ArrowException, OSError) as error:
            raise PanelError(f"{path} is no Parquet file that can be read ({_first_line(error)}); {_MEND}") from None
        if one.path not in self._metadata:
            _check_schema(path, file.schema_arrow)
            self._metadata[one.path] = file.metadata
        return file

    def _group(self, one: PanelFile, file: Any, group: int, columns: list[str]) -> pa.Table:
        try:
            return file.read_row_group(group, columns=columns, use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise PanelError(
                f"{self.folder / one.path} cannot be read to its end ({_first_line(error)}); {_MEND}"
            ) from None

    def _holding(self, file: Any, shares: Sequence[str]) -> Iterator[int]:
        """The row groups that may hold some of the shares."""
        place = file.schema_arrow.names.index("share_id")
        for group in range(file.num_row_groups):
            said = file.metadata.row_group(group).column(place).statistics
            if said is None or not said.has_min_max or _any_between(shares, said.min, said.max):
                yield group


def groups_of(shares: Sequence[str], rows: Callable[[str], int], most: int = ROWS_AT_ONCE) -> Iterator[Sequence[str]]:
    """Cuts a list of shares so that each part has about `most` rows; a share is never cut."""
    begin = count = 0
    for at, share in enumerate(shares):
        if count and count + rows(share) > most:
            yield shares[begin:at]
            begin, count = at, 0
        count += rows(share)
    if begin < len(shares):
        yield shares[begin:]


def bars_of_block(block: Block, at: int) -> PriceBars:
    """The bars of one share of a block that was read with all columns of a bar.

    Raises:
        PanelError: they are none.
    """
    rows = block.of(at)
    try:
        return PriceBars(block.time[rows], **{name: block.columns[name][rows] for name in BAR_COLUMNS})
    except ValueError as error:
        raise PanelError(f"share {block.shares[at]}: {error}; write the panel anew") from None


def file_schema(known: Sequence[str]) -> pa.Schema:
    """The columns of a file, with those of a bar that are known of its prices."""
    numbers = [(name, pa.float64()) for name in BAR_COLUMNS if name in NEEDED or name in known]
    text = pa.dictionary(pa.int32(), pa.string())
    return pa.schema([("share_id", text), ("time", pa.date32()), *numbers, ("source", text)])


_MEND = "bring the file as it was written (awesome panel verify looks at all of them), or write the panel anew"


def _check_schema(path: Path, schema: pa.Schema) -> None:
    for name, kind in {**dict.fromkeys(BAR_COLUMNS, pa.float64()), **_TYPES}.items():
        if name not in schema.names:
            if name in _TYPES:
                raise PanelError(f"{path} has no column {name}: it is no file of a panel; {_MEND}")
            continue
        found = schema.field(name).type
        found = found.value_type if pa.types.is_dictionary(found) else found
        if found != kind:
            raise PanelError(f"{path}: the column {name} holds {found}, not {kind}; {_MEND}")


def _dictionary(column: pa.ChunkedArray) -> tuple[Integers, list[str]]:
    """Codes and what they stand for, of a column of texts."""
    chunks = column.combine_chunks()
    if isinstance(chunks, pa.ChunkedArray):  # of no rows at all
        chunks = pa.concat_arrays(chunks.chunks) if chunks.num_chunks else pa.array([], pa.string())
    if not pa.types.is_dictionary(chunks.type):
        chunks = chunks.dictionary_encode()
    return chunks.indices.to_numpy(zero_copy_only=False).astype(np.int64), chunks.dictionary.to_pylist()


def _any_between(shares: Sequence[str], first: str, last: str) -> bool:
    at = bisect.bisect_left(shares, first)
    return at < len(shares) and shares[at] <= last


def _day(number: int) -> str:
    return str(np.datetime64(int(number), "D"))


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [""])[0]
