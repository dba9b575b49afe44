"""Prices into a panel: what is new or has changed becomes a file, what is there already is never rewritten.

The manifest is written last. Until then readers see the panel as it was, and what a killed writer left is taken away by
the next one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from components.errors import PanelError
from components.feature_store import FeatureStore, PriceBars
from components.feature_store.arrays import Booleans
from components.feature_store.rules import is_usable_name
from components.feature_store.schema import BAR_COLUMNS
from components.price_panel.blocks import PanelFiles, bars_of_block, file_schema
from components.price_panel.manifest import (
    MANIFEST,
    Manifest,
    PanelFile,
    is_file_name,
    read_manifest,
    write_manifest,
    writing,
)
from components.price_panel.store import PanelStore
from components.whole_files import clear_left, whole_file

FILE_ROWS = 1_000_000
"""Prices of a file: some ten megabytes, a few seconds of a worker."""

_GROUP_SHARES = 256
_GROUP_ROWS = (4_096, 65_536)
"""A row group holds some shares whole where they are long, and never so little that Parquet does not pay."""

Progress = Callable[[int, int], None]
"""Called with how many shares have been looked at, of how many."""


@dataclass(frozen=True)
class SharePrices:
    """Prices of one share, from one source.

    Attributes:
        share_id: the share.
        bars: its bars.
        source: where they came from.
        whole: whether these are all sessions of the share, so that one that the panel has besides is a contradiction.
        begins: whether factors are told from the first of these sessions on, which therefore is the first of the share.
    """

    share_id: str
    bars: PriceBars
    source: str
    whole: bool = False
    begins: bool = False


@dataclass(frozen=True)
class Written:
    """What became of prices that were to be written.

    Attributes:
        files: those that were added.
        new: prices that were not there.
        replaced: prices that stand in the place of others.
        unchanged: prices that were there already.
        shares: shares that came.
        manifest: of the panel now.
        refused: what was not taken of files, a line each.
    """

    files: tuple[PanelFile, ...]
    new: int
    replaced: int
    unchanged: int
    shares: int
    manifest: Manifest
    refused: tuple[str, ...] = ()


def write_store(
    folder: Path,
    store: FeatureStore,
    shares: Sequence[str] = (),
    file_rows: int = FILE_ROWS,
    progress: Progress | None = None,
) -> Written:
    """Writes the prices of a database, and what people have said of its shares, into a panel.

    Args:
        folder: of the panel, which is made where it is missing.
        store: the database, or another panel.
        shares: those that are taken; empty for all.
        file_rows: prices of a file, about.
        progress: told of each share.

    Raises:
        PanelError: the panel contradicts the database, or cannot be written.
        StoreError: the database cannot be read, lacks a share, or holds windows without prices.
    """
    priced = store.listings.priced()
    if only := sorted(set(store.listings.share_ids()) - set(priced)):
        raise PanelError(
            f"{store.path}: holds windows of {only[0]} without the prices they are made of, and a panel keeps prices; "
            "import prices with `awesome prices import FILE`"
        )
    if unknown := sorted(set(shares) - set(priced)):
        raise PanelError(f"{store.path} has no share {', '.join(unknown)}")
    chosen = sorted(set(shares)) or priced

    def prices() -> Iterator[SharePrices]:
        if isinstance(store, PanelStore):
            for share, bars, source in store.bars_of(chosen):
                yield SharePrices(share, bars, source, whole=True)
            return
        for share in chosen:
            if (stored := store.bars(share)) is not None:
                yield SharePrices(share, stored, store.source_of(share) or "unknown", whole=True)

    def said(manifest: Manifest) -> Manifest:
        members = store.listings.members()
        return replace(
            manifest.deciding((), store.decision_list()),
            exchanges=dict(sorted({**manifest.exchanges, **store.listings.exchanges()}.items())),
            members=members or manifest.members,
        )

    return write_prices(folder, prices(), len(chosen), file_rows, progress, said)


def write_prices(
    folder: Path,
    prices: Iterable[SharePrices],
    shares: int,
    file_rows: int = FILE_ROWS,
    progress: Progress | None = None,
    said: Callable[[Manifest], Manifest] = lambda manifest: manifest,
) -> Written:
    """Writes prices into a panel, which is made where it is missing.

    Args:
        folder: of the panel.
        prices: a share at a time, sorted by share.
        shares: how many there are, for the progress.
        file_rows: prices of a file, about; a share is never cut.
        progress: told of each share.
        said: adds to the manifest what people have said of shares.

    Raises:
        PanelError: the prices contradict those of the panel, or it cannot be written.
    """
    with writing(folder):
        manifest = _begin(folder)
        before, files = PanelFiles(folder, manifest), _Files(folder, len(manifest.files), file_rows)
        try:
            seen = _take(prices, before, files, shares, progress)
            added = files.close()
            after = said(replace(manifest, files=(*manifest.files, *added)))
            if after != manifest or not (folder / MANIFEST).is_file():
                write_manifest(folder, after)
            (folder / _FIRST).unlink(missing_ok=True)
        except BaseException as error:
            files.remove()
            if isinstance(error, OSError):
                raise PanelError(f"{error.filename or folder} cannot be written: {error.strerror}") from None
            raise
    replaced = sum(one.replaces for one in added)
    new = sum(one.rows for one in added) - replaced
    return Written(added, new, replaced, files.unchanged, seen, after)


_FIRST = ".panel.first"
"""Stands in a folder until its first manifest does: files without one were left by a killed writer, and are no loss."""


def _begin(folder: Path) -> Manifest:
    """The manifest of a panel, an empty one of a new folder; what a killed writer left is taken away.

    Raises:
        PanelError: it is the folder of something else, or of a panel whose manifest was lost.
    """
    clear_left(folder)
    there = [one.name for one in folder.iterdir() if not one.name.startswith(".")]
    if MANIFEST in there:
        manifest = read_manifest(folder)
    elif strange := [name for name in there if not is_file_name(name)]:
        raise PanelError(f"{folder} holds {strange[0]} and no {MANIFEST}, so it is no panel; name a new folder")
    elif there and not (folder / _FIRST).exists():
        raise PanelError(
            f"{folder} holds {there[0]} and no {MANIFEST}: bring that back, or move the files away, as nothing says "
            "which of them count"
        )
    else:
        manifest = Manifest()
        (folder / _FIRST).touch()
    known = {one.path for one in manifest.files}
    for name in there:
        if is_file_name(name) and name not in known:
            (folder / name).unlink()
    return manifest


def _take(
    prices: Iterable[SharePrices], before: PanelFiles, files: _Files, shares: int, progress: Progress | None
) -> int:
    done, last = 0, ""
    for some in _together(prices):
        since = min(str(one.bars.time[0]) for one in some)
        whole = any(one.whole or one.begins for one in some)
        stored = before.read([one.share_id for one in some], BAR_COLUMNS, "" if whole else since, sources=True)
        place = {share: at for at, share in enumerate(stored.shares)}
        for one in some:
            if one.share_id <= last and last:
                raise PanelError(f"share {one.share_id} comes after {last}: shares have to come in order, each once")
            if not is_usable_name(one.share_id):
                raise PanelError(f"{one.share_id!r} cannot be the name of a share: it is empty or holds odd characters")
            last = one.share_id
            at = place.get(one.share_id)
            if at is None:
                files.add(one, np.ones(len(one.bars), bool), 0)
            else:
                if stored.sources[at] != one.source:
                    raise PanelError(
                        f"{before.folder}: the prices of {one.share_id} come from the source {stored.sources[at]!r}, "
                        f"not {one.source!r}; two sources are never mixed in one share: write a new panel"
                    )
                differs, changed = _differing(one, bars_of_block(stored, at), before.folder)
                files.add(one, differs, changed)
            done += 1
            if progress is not None:
                progress(done, shares)
    return done


def _together(prices: Iterable[SharePrices]) -> Iterator[list[SharePrices]]:
    """Shares whose stored prices are read at once."""
    some: list[SharePrices] = []
    rows = 0
    for one in prices:
        some.append(one)
        rows += len(one.bars)
        if rows >= 100_000 or len(some) >= 5_000:
            yield some
            some, rows = [], 0
    if some:
        yield some


def _differing(one: SharePrices, stored: PriceBars, folder: Path) -> tuple[Booleans, int]:
    """Which bars are not stored as they are, and how many of these are stored otherwise."""
    at = np.minimum(np.searchsorted(stored.time, one.bars.time), len(stored) - 1)
    there = stored.time[at] == one.bars.time
    if one.whole and int(there.sum()) < len(stored):
        gone = stored.time[~np.isin(stored.time, one.bars.time)][0]
        raise PanelError(
            f"{folder}: share {one.share_id}, {gone}: the panel has this session, and the database no longer does; a "
            "panel takes no session away: write a new one"
        )
    if one.begins and one.bars.time[0] != stored.time[0]:
        raise PanelError(
            f"{folder}: share {one.share_id}: adjusted closes from {one.bars.time[0]} on do not say how they go on "
            f"from those of the panel, from {stored.time[0]} on; give a factor, or the whole past"
        )
    same = there.copy()
    for name in BAR_COLUMNS:
        given, known = one.bars.column(name), stored.column(name)[at]
        same &= (given == known) | (np.isnan(given) & np.isnan(known))
    return ~same, int(np.count_nonzero(there & ~same))


class _Files:
    """Collects rows and writes a file whenever there are enough of them."""

    def __init__(self, folder: Path, number: int, rows: int) -> None:
        self.unchanged = 0
        self._folder = folder
        self._number = number
        self._most = rows
        self._written: list[PanelFile] = []
        self._some: list[tuple[SharePrices, Booleans]] = []
        self._rows = self._replaces = 0

    def add(self, one: SharePrices, differs: Booleans, changed: int) -> None:
        count = int(np.count_nonzero(differs))
        self.unchanged += len(one.bars) - count
        if not count:
            return
        self._some.append((one, differs))
        self._rows += count
        self._replaces += changed
        if self._rows >= self._most:
            self._flush()

    def close(self) -> tuple[PanelFile, ...]:
        """Writes what is left, and gives all files."""
        if self._rows:
            self._flush()
        return tuple(self._written)

    def remove(self) -> None:
        """Takes away what was written and no manifest will name."""
        for one in self._written:
            (self._folder / one.path).unlink(missing_ok=True)

    def _flush(self) -> None:
        table, days = _table(self._some)
        shares = [one.share_id for one, _ in self._some]
        partial_name = f"prices-{self._number:06d}"
        per_share = -(-self._rows // len(shares)) * _GROUP_SHARES
        group = min(max(per_share, _GROUP_ROWS[0]), _GROUP_ROWS[1])
        path = self._folder / f".{partial_name}.parquet"
        with whole_file(path, sync=True) as partial:
            numbers = [name for name in table.column_names if name in BAR_COLUMNS]
            with partial.open("wb") as stream:  # Arrow would take a name such as a:b for a URI
                pq.write_table(
                    table,
                    stream,
                    compression="zstd",
                    use_dictionary=["share_id", "source", "factor"],
                    use_byte_stream_split=[name for name in numbers if name != "factor"],
                    row_group_size=group,
                )
            content = partial.read_bytes()
            digest = hashlib.sha256(content).hexdigest()
        name = f"{partial_name}-{digest[:12]}.parquet"
        path.rename(self._folder / name)
        self._written.append(
            PanelFile(
                path=name,
                size=len(content),
                sha256=digest,
                rows=self._rows,
                shares=len(shares),
                first_share=shares[0],
                last_share=shares[-1],
                sessions=len(days),
                first=str(days[0]),
                last=str(days[-1]),
                replaces=self._replaces,
            )
        )
        self._number += 1
        self._some, self._rows, self._replaces = [], 0, 0


def _table(some: Sequence[tuple[SharePrices, Booleans]]) -> tuple[pa.Table, np.ndarray]:
    """The rows of a file, and their days."""
    count = [int(np.count_nonzero(differs)) for _, differs in some]
    days = np.concatenate([one.bars.time[differs] for one, differs in some])
    columns: dict[str, pa.Array] = {}
    for name in BAR_COLUMNS:
        values = np.concatenate([one.bars.column(name)[differs] for one, differs in some])
        if not np.isnan(values).all():
            columns[name] = pa.array(values)
    schema = file_schema(list(columns))
    sources = sorted({one.source for one, _ in some})
    place = {source: at for at, source in enumerate(sources)}
    columns |= {
        "share_id": _repeated([one.share_id for one, _ in some], np.arange(len(some)), count),
        "source": _repeated(sources, np.array([place[one.source] for one, _ in some]), count),
        "time": pa.array(days).cast(pa.date32()),
    }
    return pa.table([columns[name] for name in schema.names], schema=schema), np.unique(days)


def _repeated(texts: Sequence[str], codes: np.ndarray, count: Sequence[int]) -> pa.Array:
    indices = pa.array(np.repeat(codes, count).astype(np.int32))
    return pa.DictionaryArray.from_arrays(indices, pa.array(texts, pa.string()))
