"""A panel as a feature store: it answers what a database answers, and makes windows of prices where they are asked for.

What people have said of shares (decisions, exchanges, membership) is little, and is asked for as of a database: it
stands in one in memory. Everything else comes out of the files, some shares at a time.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
import pyarrow as pa

from components.errors import PanelError
from components.feature_store import CLOSE_COLUMNS, WINDOW, FeatureStore, LastWindows, PriceBars, ShareSummary
from components.feature_store.arrays import Days, Floats, Integers
from components.feature_store.connection import closed_on_error
from components.feature_store.decisions import Decision, write_decisions
from components.feature_store.listings import Listings
from components.feature_store.members import write_members
from components.feature_store.rules import impossible
from components.feature_store.schema import BAR_COLUMNS, migrate
from components.feature_store.series import PriceSeries
from components.feature_store.summaries import digest_of
from components.feature_store.windows import close_windows
from components.price_panel.blocks import NEEDED, Block, PanelFiles, bars_of_block, groups_of
from components.price_panel.manifest import MANIFEST, Manifest, read_manifest, update_manifest

if TYPE_CHECKING:
    from components.feature_store.summaries import Columns

_FEATURE_SCHEMA = pa.schema(
    [("time", pa.string()), ("share_id", pa.string()), *((column, pa.float64()) for column in CLOSE_COLUMNS)]
)


@dataclass(frozen=True)
class _Index:
    """What the panel holds of each share, sorted by share.

    Attributes:
        rows: prices.
        summaries: of those with a window.
        sources: where the last price came from.
    """

    rows: dict[str, int]
    summaries: dict[str, ShareSummary]
    sources: dict[str, str]


class PanelStore(FeatureStore):
    """The prices of a panel, to be read; make one with `PanelStore.open`."""

    def __init__(self, folder: Path, manifest: Manifest, writable: bool = False) -> None:
        """Takes a panel; use `open` or `create` instead."""
        files = PanelFiles(folder, manifest)  # first, as it may fail
        super().__init__(folder, _said(manifest, str(folder)), writable)
        self.files = files
        self._known: _Index | None = None

    @classmethod
    def open(cls, path: str | os.PathLike[str]) -> PanelStore:
        """Opens a panel as its manifest is now; files that come later are not seen.

        Raises:
            PanelError: the folder is no panel, its manifest is of a later version, or a file is missing or of another
                size.
        """
        folder = Path(path)
        return cls(folder, read_manifest(folder))

    @classmethod
    def create(cls, path: str | os.PathLike[str]) -> PanelStore:
        """Opens a panel, so that what a person decides of its shares is kept; its prices are written by `writing`."""
        folder = Path(path)
        return cls(folder, read_manifest(folder), writable=True)

    @property
    def listings(self) -> PanelListings:
        """On which days the shares have prices, where they are listed, and which belong to the universe when."""
        return PanelListings(self, self._connection, self._path)

    def rows_of(self) -> dict[str, int]:
        """By share, sorted, how many prices it has, those of shares without a window too."""
        return self._index().rows

    # --- writing

    def decide(self, decisions: Iterable[Decision]) -> None:
        """Keeps decisions beside those of before."""
        self._change((), tuple(decisions))

    def forget(self, decisions: Iterable[Decision]) -> int:
        """Takes decisions away again and returns how many were there."""
        gone = set(decisions)
        count = len(gone & set(self.decision_list()))
        self._change(gone, ())
        return count

    def upsert(self, *prices: object, **more: object) -> NoReturn:
        """Prices are not written here."""
        raise PanelError(f"{self._path} is a panel: its prices are written by `awesome panel write`")

    replace = upsert

    def _change(self, gone: Collection[Decision], added: Sequence[Decision]) -> None:
        self._check_writable()
        update_manifest(self._path, lambda manifest: manifest.deciding(gone, added))
        before, self._connection = self._connection, _said(read_manifest(self._path), str(self._path))
        before.close()

    # --- what is stored of a share

    def stored_range(self, share_id: str) -> tuple[dt.date, dt.date] | None:
        """Returns the first and the last session of a share; None if there is none."""
        block = self.files.read([share_id], ())
        return (block.time[0].item(), block.time[-1].item()) if len(block.time) else None

    def shares_of(self, source: str) -> list[str]:
        """Returns the shares whose prices came from a source, sorted."""
        return [share for share, said in self._index().sources.items() if said == source]

    def source_of(self, share_id: str) -> str | None:
        """Returns where a share's prices came from; None if there are none."""
        return self._index().sources.get(share_id)

    def conflicting_source(self, share_id: str, source: str) -> str | None:
        """Returns the source that keeps a share from being extended from `source`; None if nothing does."""
        stored = self.source_of(share_id)
        return None if stored in (None, source) else stored

    def bars(self, share_id: str) -> PriceBars | None:
        """Returns the bars of a share; None if there are none."""
        block = self.files.read([share_id], BAR_COLUMNS)
        return bars_of_block(block, 0) if block.shares else None

    def bars_of(self, shares: Sequence[str]) -> Iterator[tuple[str, PriceBars, str]]:
        """Yields shares with their bars and where these came from, sorted by share; many at a time are read."""
        for block in self._blocks(sorted(set(shares)), BAR_COLUMNS, sources=True):
            for at, share in enumerate(block.shares):
                yield share, bars_of_block(block, at), block.sources[at]

    # --- reading

    def shares(self) -> list[ShareSummary]:
        """Returns what there is of each share that has a window, sorted by share_id."""
        return list(self._index().summaries.values())

    def sessions(self, shares: Sequence[str] | None = None) -> Days:
        """Returns the sorted union of the days of windows of some shares, None for all; datetime64[D], shape (n,)."""
        found = np.empty(0, "datetime64[D]")
        for block in self._blocks(self._listed(shares), ()):
            days = [block.time[block.of(at)][WINDOW - 1 :] for at in range(len(block.shares))]
            found = np.unique(np.concatenate([found, *days]))
        return found

    def digest(self, shares: Sequence[str] | None = None, until: str = "") -> str:
        """Returns the fingerprint that a database with the same prices has; see `FeatureStore.digest`."""

        def parts() -> Iterator[Columns]:
            for block in self._blocks(self._listed(shares), NEEDED):
                table = _windows(block, self._adjusted(block), "", until)
                yield table["share_id"], table["time"], [table[name].to_numpy() for name in CLOSE_COLUMNS]

        return digest_of(parts())

    def read_features(self, shares: Sequence[str], since: str = "") -> pa.Table:
        """Makes the windows of some shares; see `FeatureStore.read_features`.

        Raises:
            PanelError: a share has no window, or a file cannot be used.
        """
        wanted = sorted(set(shares))
        block = self.files.read(wanted)
        table = _windows(block, self._adjusted(block), since)
        enough = {share for at, share in enumerate(block.shares) if block.start[at + 1] - block.start[at] >= WINDOW}
        if missing := [share for share in wanted if share not in enough]:
            raise self._no_share(missing)
        return table

    def price_series(self, shares: Sequence[str], since: str = "", bars: Sequence[str] = ()) -> Iterator[PriceSeries]:
        """Yields the prices of each share that has any, in the order given, with `bars` beside; from an ISO date on."""
        for some in groups_of(list(shares), lambda share: self._index().rows.get(share, 0)):
            block = self.files.read(sorted(set(some)), tuple(dict.fromkeys((*NEEDED, *bars))), since)
            place = {share: at for at, share in enumerate(block.shares)}
            for share in some:
                if share in place:
                    rows = block.of(place[share])
                    close, factor = (block.columns[name][rows] for name in NEEDED)
                    beside = {name: block.columns[name][rows] for name in bars}
                    yield PriceSeries(share, block.time[rows], close, factor, bars=beside)

    def day_ranges(self, share_id: str, since: str = "") -> Floats | None:
        """Returns log(high / low) of sessions, NaN where unknown, None where none is."""
        columns = self.files.read([share_id], ("high", "low"), since).columns
        if not (~np.isnan(columns["high"]) & ~np.isnan(columns["low"])).any():
            return None
        return np.log(columns["high"] / columns["low"])

    def feature_columns(self) -> tuple[str, ...]:
        """Returns the names of the columns of windows."""
        return tuple(_FEATURE_SCHEMA.names)

    def feature_rows(self) -> NoReturn:
        """Windows are not kept, and so not exported."""
        raise PanelError(f"{self._path} is a panel, which keeps prices and no windows; export those of a database")

    def check(self) -> None:
        """Compares each file with its digest, which reads every byte once.

        Raises:
            PanelError: a file is another one than the manifest names.
        """
        for one in self.files.manifest.files:
            digest = hashlib.sha256()
            with (self._path / one.path).open("rb") as stream:
                while chunk := stream.read(2**20):
                    digest.update(chunk)
            if digest.hexdigest() != one.sha256:
                raise PanelError(
                    f"{self._path / one.path} has another sha256 than the panel's manifest says: it was changed or "
                    "damaged after it was written; bring the file as it was, or write the panel anew"
                )

    # --- inside

    def _listed(self, shares: Sequence[str] | None) -> list[str]:
        known = self._index().summaries
        return list(known) if shares is None else [share for share in sorted(set(shares)) if share in known]

    def _blocks(self, shares: Sequence[str], columns: Sequence[str], sources: bool = False) -> Iterator[Block]:
        rows = self._index().rows
        for some in groups_of(shares, lambda share: rows.get(share, 0)):
            yield self.files.read(some, columns, sources=sources)

    def _index(self) -> _Index:
        if self._known is None:
            at_most = self.files.rows_of()
            rows, summaries, sources = dict[str, int](), dict[str, ShareSummary](), dict[str, str]()
            for some in groups_of(list(at_most), at_most.__getitem__):
                block = self.files.read(some, (), sources=True)
                for at, share in enumerate(block.shares):
                    days, source = block.time[block.of(at)], block.sources[at]
                    rows[share], sources[share] = len(days), source
                    if len(days) >= WINDOW:
                        first, last = days[WINDOW - 1].item(), days[-1].item()
                        summaries[share] = ShareSummary(share, len(days) - WINDOW + 1, first, last, source)
            self._known = _Index(rows, summaries, sources)
        return self._known

    def _adjusted(self, block: Block) -> Floats:
        with np.errstate(over="ignore", under="ignore"):
            adjusted = block.columns["close"] * block.columns["factor"]
        wrong = impossible("close", adjusted)
        if wrong.any():
            at = int(np.argmax(wrong))
            share = block.shares[int(np.searchsorted(block.start, at, side="right")) - 1]
            raise PanelError(
                f"{self._path}: share {share}, {block.time[at]}: the factor takes the adjusted close out of range; "
                "write the panel anew"
            )
        return adjusted

    def _no_share(self, missing: Sequence[str]) -> PanelError:
        return PanelError(
            f"{self._path}: the panel has no share {', '.join(missing)}; a share needs {WINDOW} sessions, bring prices "
            "with `awesome panel write`"
        )


class PanelListings(Listings):
    """The names, days, exchanges, membership and last windows of the shares of a panel."""

    def __init__(self, store: PanelStore, connection: sqlite3.Connection, path: Path) -> None:
        """Takes the store, and the connection with what people have said of its shares."""
        super().__init__(connection, path, writable=False)
        self._store = store

    @contextlib.contextmanager
    def one_moment(self) -> Iterator[None]:
        """An open panel is that of one moment."""
        yield

    def days(self, shares: Sequence[str]) -> Iterator[tuple[str, Days]]:
        """Yields shares with the days of their prices, ascending; datetime64[D], shape (n,)."""
        for block in self._store._blocks(sorted(set(shares)), ()):
            for at, share in enumerate(block.shares):
                yield share, block.time[block.of(at)]

    def ends(self, shares: Sequence[str], first: int, last: int) -> Iterator[tuple[str, list[str], list[str]]]:
        """Yields shares with the texts of their first and last days, both ascending; see `Listings.ends`."""
        days = {share: (some[:first].astype(str), some[-last:].astype(str)) for share, some in self.days(shares)}
        for share in shares:
            begin, end = days.get(share, (np.empty(0, str), np.empty(0, str)))
            yield share, begin.tolist(), end.tolist()

    def share_ids(self) -> list[str]:
        """Returns the shares that have a window, sorted."""
        return [one.share_id for one in self._store.shares()]

    def priced(self) -> list[str]:
        """Returns the shares that have prices, sorted."""
        return list(self._store.rows_of())

    def last_windows(self, shares: Sequence[str]) -> LastWindows:
        """Makes the last window of each of some shares, in their order; raises as `Listings.last_windows`."""
        found: dict[str, tuple[str, Floats]] = {}
        for block in self._store._blocks(sorted(set(shares)), NEEDED):
            adjusted = self._store._adjusted(block)
            for at, share in enumerate(block.shares):
                rows = block.of(at)
                if len(windows := close_windows(adjusted[rows][-WINDOW:])):
                    found[share] = str(block.time[rows][-1]), windows[0]
        if missing := [share for share in shares if share not in found]:
            raise self._store._no_share(missing)
        closes = np.array([found[share][1] for share in shares]).reshape(len(shares), WINDOW)
        return LastWindows(tuple(shares), tuple(found[share][0] for share in shares), closes)


def _windows(block: Block, adjusted: Floats, since: str = "", until: str = "") -> pa.Table:
    """The feature table of a block: of each share from its 21st price on, within two ISO dates."""
    count = np.maximum(np.diff(block.start) - (WINDOW - 1), 0)
    place: Integers = np.repeat(np.arange(len(count)), count)
    # The row that each window ends on.
    ends = np.arange(len(place)) + np.repeat(block.start[:-1] + (WINDOW - 1) - np.cumsum(count) + count, count)
    for bound, keeps in ((since, np.greater_equal), (until, np.less_equal)):
        if bound:
            kept = keeps(block.time[ends], np.datetime64(bound, "D"))
            place, ends = place[kept], ends[kept]
    days = pa.array(block.time[ends]).cast(pa.date32()).dictionary_encode()
    time = days.dictionary.cast(pa.string()).take(days.indices)
    share = pa.array(block.shares, pa.string()).take(pa.array(place))
    columns = [pa.array(adjusted[ends - lag]) for lag in range(WINDOW)]
    return pa.table([time, share, *columns], schema=_FEATURE_SCHEMA)


def _said(manifest: Manifest, name: str) -> sqlite3.Connection:
    """A database in memory with what people have said of shares."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    rows = list(manifest.exchanges.items())
    with closed_on_error(connection):
        migrate(connection, name)
        try:
            write_decisions(connection, manifest.decisions)
            write_members(connection, manifest.members)
            connection.executemany("INSERT INTO LISTING (share_id, exchange) VALUES (?, ?)", rows)
        except sqlite3.IntegrityError as error:
            why = f"{name}/{MANIFEST}: says of a share what cannot be ({error}); write the panel anew"
            raise PanelError(why) from None
        connection.execute("PRAGMA query_only = ON")
    return connection
