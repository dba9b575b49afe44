"""Tables of prices as DuckDB, Spark or Arrow leave them: a folder of Parquet files, cut by share, by day or not at all.

Rows may stand in any order. They are dealt into piles by ranges of shares first, so that memory is that of one pile,
however many there are. A share's name stays the text that it is: in a folder `share_id=000001` it is 000001 and no
number.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from components.errors import PanelError
from components.feature_store import PriceBars
from components.feature_store.schema import BAR_COLUMNS
from components.price_panel.blocks import groups_of
from components.price_panel.writing import FILE_ROWS, Progress, SharePrices, Written, write_prices
from components.whole_files import temporary_folder

_SHARE = ("share_id", "share", "ticker", "symbol", "code")
_DAY = ("time", "date", "day", "trade_date")
_ADJUSTED = ("adj_close", "adjusted_close")
_FACTOR = "adj_close"
_PILE_ROWS = 2_000_000
_HIDDEN = ("_", ".")


@dataclass(frozen=True)
class _Layout:
    """Which column is what.

    Attributes:
        share: the share.
        day: the session.
        numbers: columns of a bar by what they are, and _FACTOR where a column has adjusted closes in its place.
    """

    share: str
    day: str
    numbers: dict[str, str]

    @property
    def adjusted(self) -> bool:
        """Whether a column has adjusted closes, of which factors are made."""
        return _FACTOR in self.numbers


def is_table(path: Path) -> bool:
    """Whether a folder holds Parquet files, in it or in folders within."""
    return path.is_dir() and next(_files(path), None) is not None


def write_table(
    folder: Path, table: Path, source: str, file_rows: int = FILE_ROWS, progress: Progress | None = None
) -> Written:
    """Writes a table of prices into a panel.

    Columns: a share (share_id, share, ticker, symbol or code), a day (time, date, day or trade_date), close as it was
    traded, and a factor that makes it comparable, or adj_close. Open, high, low and volume are taken where they are
    there. Without a word on splits and dividends a table is refused.

    Args:
        folder: of the panel, which is made where it is missing.
        table: a folder of Parquet files; parts of their path such as share_id=000001 are columns, read as texts.
        source: what to call the origin of the prices.
        file_rows: prices of a file, about.
        progress: told of each share.

    Raises:
        PanelError: the table cannot be read, says too little, or contradicts the panel; nothing was written.
    """
    rows = _open(table)
    layout = _layout(table, rows.schema)
    with temporary_folder("panel") as scratch:
        counts = _count(table, rows, layout)
        piles = list(groups_of(list(counts), counts.__getitem__, _PILE_ROWS))
        _deal(table, rows, layout, scratch, piles)
        return write_prices(folder, _prices(table, scratch, piles, layout, source), len(counts), file_rows, progress)


def _files(path: Path) -> Iterator[Path]:
    """Files of a table: what writers keep beside (_SUCCESS, .crc) is none."""
    for one in sorted(path.rglob("*.parquet")):
        if one.is_file() and not any(part.startswith(_HIDDEN) for part in one.relative_to(path).parts):
            yield one


def _open(table: Path) -> ds.Dataset:
    files = list(_files(table))
    if not files:
        raise PanelError(f"{table} holds no Parquet file; name a folder that DuckDB, Spark or Arrow has written")
    for one in files:
        parts = one.relative_to(table).parts[:-1]
        if strange := [part for part in parts if "=" not in part and any("=" in other for other in parts)]:
            raise PanelError(
                f"{one}: the folder {strange[0]} says of no column what it holds: a name with a slash in it, which its "
                "writer did not escape; write the share as a column instead"
            )
    keys = [part.partition("=")[0] for part in files[0].relative_to(table).parts[:-1] if "=" in part]
    # Declared as texts: from the folders' names alone Arrow, like all others, would make numbers of 000001.
    schema = pa.schema([(key, pa.string()) for key in keys])
    try:
        partitioning = ds.partitioning(schema, flavor="hive") if keys else None
        return ds.dataset(
            [str(one) for one in files], format="parquet", partitioning=partitioning, partition_base_dir=str(table)
        )
    except (pa.ArrowException, OSError, ValueError) as error:
        raise PanelError(f"{table} cannot be read: {(str(error).splitlines() or [''])[0]}") from None


def _layout(table: Path, schema: pa.Schema) -> _Layout:
    by_name = {name.lower(): name for name in schema.names}

    def first(names: Sequence[str], what: str) -> str:
        for name in names:
            if name in by_name:
                return by_name[name]
        raise PanelError(f"{table} has no column of {what}: name it {' or '.join(names)}")

    share, day = first(_SHARE, "shares"), first(_DAY, "days")
    kind = schema.field(share).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise PanelError(
            f"{table}: the column {share} holds {kind}, and a share's name is a text: as a number, 000001 has lost its "
            "zeros; write it as a text"
        )
    bars = {name: by_name[name] for name in BAR_COLUMNS if name in by_name}
    if "close" not in bars:
        raise PanelError(f"{table} has no column close, the price as it was traded")
    adjusted = next((by_name[name] for name in _ADJUSTED if name in by_name), "")
    if "factor" not in bars and not adjusted:
        raise PanelError(
            f"{table} has neither factor nor adj_close, so nobody can say what splits and dividends it holds; add a "
            "column factor (1 where there are none)"
        )
    return _Layout(share, day, bars if "factor" in bars else {**bars, _FACTOR: adjusted})


def _count(table: Path, rows: ds.Dataset, layout: _Layout) -> dict[str, int]:
    """By share, sorted, how many rows there are of it."""
    counts: dict[str, int] = {}
    for batch in _batches(table, rows, [layout.share]):
        texts = _texts(table, batch, layout.share).dictionary_encode()
        names = texts.dictionary.to_pylist()
        found = np.bincount(texts.indices.to_numpy(), minlength=len(names)).tolist()
        for name, count in zip(names, found, strict=True):
            counts[name] = counts.get(name, 0) + count
    return dict(sorted(counts.items()))


def _deal(table: Path, rows: ds.Dataset, layout: _Layout, scratch: Path, piles: Sequence[Sequence[str]]) -> None:
    """Writes the rows to a file a pile."""
    place = {name: number for number, pile in enumerate(piles) for name in pile}
    wanted = [layout.share, layout.day, *layout.numbers.values()]
    with contextlib.ExitStack() as stack:
        writers: dict[int, pa.ipc.RecordBatchFileWriter] = {}
        for batch in _batches(table, rows, wanted):
            plain = _plain(table, batch, layout)
            texts = plain.column(0).dictionary_encode()
            pile = np.array([place[name] for name in texts.dictionary.to_pylist()])[texts.indices.to_numpy()]
            for number in np.unique(pile).tolist():
                if number not in writers:
                    file = stack.enter_context(pa.OSFile(str(_pile(scratch, number)), "wb"))
                    writers[number] = stack.enter_context(pa.ipc.new_file(file, plain.schema))
                writers[number].write_batch(plain.filter(pa.array(pile == number)))


def _prices(
    table: Path, scratch: Path, piles: Sequence[Sequence[str]], layout: _Layout, source: str
) -> Iterator[SharePrices]:
    """Each share's prices, in order of their names."""
    for number, names in enumerate(piles):
        with pa.memory_map(str(_pile(scratch, number))) as file:
            rows = pa.ipc.open_file(file).read_all().sort_by([("share_id", "ascending"), ("time", "ascending")])
        share = rows["share_id"].combine_chunks().dictionary_encode()
        if isinstance(share, pa.ChunkedArray):
            share = share.combine_chunks()
        start = np.searchsorted(share.indices.to_numpy(), np.arange(len(names) + 1))
        days = rows["time"].to_numpy().astype("datetime64[D]")
        numbers = {name: rows[name].to_numpy() for name in rows.column_names[2:]}
        for at, name in enumerate(names):
            one = slice(int(start[at]), int(start[at + 1]))
            bars = {role: values[one] for role, values in numbers.items()}
            if layout.adjusted:
                factor = bars.pop(_FACTOR) / bars["close"]
                bars["factor"] = factor / factor[0]
            try:
                yield SharePrices(name, PriceBars(days[one], **bars), source, begins=layout.adjusted)
            except ValueError as error:
                raise PanelError(f"{table}: share {name}: {error}") from None


def _pile(scratch: Path, number: int) -> Path:
    return scratch / f"{number}.arrow"


def _batches(table: Path, rows: ds.Dataset, columns: list[str]) -> Iterator[pa.RecordBatch]:
    try:
        for batch in rows.to_batches(columns=columns):
            if batch.num_rows:
                yield batch
    except (pa.ArrowException, OSError) as error:
        raise PanelError(f"{table} cannot be read: {(str(error).splitlines() or [''])[0]}") from None


def _texts(table: Path, batch: pa.RecordBatch, name: str) -> pa.Array:
    texts = batch.column(batch.schema.get_field_index(name)).cast(pa.string())
    if texts.null_count:
        raise PanelError(f"{table}: a row has no {name}")
    return texts


def _plain(table: Path, batch: pa.RecordBatch, layout: _Layout) -> pa.RecordBatch:
    """Shares as texts, days as dates, numbers as float64."""
    share = _texts(table, batch, layout.share)
    day = batch.column(batch.schema.get_field_index(layout.day))
    if day.null_count:
        raise PanelError(f"{table}: a row of share {share[0]} or another one has no {layout.day}")
    try:
        day = _days(day)
    except _InstantsError as error:
        raise PanelError(
            f"{table}: the column {layout.day} holds instants such as {error}, and whose days these are is not said; "
            "write it with CAST(... AS DATE), or bring the files in with `awesome prices import --timezone ZONE`"
        ) from None
    except pa.ArrowException:
        raise PanelError(
            f"{table}: the column {layout.day} holds {day.type} that are no days such as 2024-01-31"
        ) from None
    numbers = []
    for name in layout.numbers.values():
        column = batch.column(batch.schema.get_field_index(name))
        try:
            numbers.append(column.cast(pa.float64()))
        except pa.ArrowException:
            raise PanelError(f"{table}: the column {name} holds {column.type}, and prices are numbers") from None
    return pa.RecordBatch.from_arrays([share, day, *numbers], ["share_id", "time", *layout.numbers])


class _InstantsError(Exception):
    """Times of a day in UTC: midnight in Shanghai is 16:00 of the day before."""


def _days(column: pa.Array) -> pa.Array:
    if pa.types.is_integer(column.type):  # Arrow would take 20240131 as microseconds since 1970
        raise pa.ArrowInvalid("integers")
    if pa.types.is_timestamp(column.type) and column.type.tz in (None, "UTC", "Etc/UTC", "+00:00"):
        column = column.cast(pa.timestamp("us"), safe=False)
        inside = pc.not_equal(pc.floor_temporal(column, unit="day"), column)
        if pc.any(inside).as_py():
            raise _InstantsError(f"{column.filter(inside)[0].as_py():%Y-%m-%d %H:%M} UTC")
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        # Its own zone's day: midnight in Shanghai is still the day before in UTC, as which a cast reads it.
        column = pc.strftime(column, format="%Y-%m-%d")
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = pc.strptime(column, format="%Y-%m-%d", unit="s")
    return column.cast(pa.timestamp("us")).cast(pa.date32(), safe=False)
