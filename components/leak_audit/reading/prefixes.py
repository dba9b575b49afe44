"""A database cut at a day and made into examples again, by the code that made them; and what differs then."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.day_levels import DayLevels
from components.feature_example_gen.examples import LabelledRows
from components.feature_example_gen.splits import SPLITS, SplitPlan
from components.feature_store import WINDOW, FeatureStore, PriceBars
from components.leak_audit.reading.day_columns import DayColumns
from components.leak_audit.reading.rows import AuditRows
from components.missing_sessions.found import ShareGaps
from components.universe.universe import EVERYBODY, Universe
from models.day_wide.columns import single_columns_of
from models.features import CLOSES, SESSION, SHARE_ID, TIME, excess_return_key, forward_return_key, label_key


@dataclass(frozen=True)
class Made:
    """How examples are made of prices.

    Attributes:
        bars: by share, sorted, its prices up to the last session that the run read.
        plan: the borders of the splits.
        gaps: the sessions that shares lack.
        limit: missing sessions that a window may reach across.
        levels: what returns must exceed by day, of all shares (the label proof's matter); None where there is no such.
        universe: who belongs to it when.
        day: the day-wide columns of all shares of the run; None where it has none.
    """

    bars: Mapping[str, PriceBars]
    plan: SplitPlan
    gaps: Mapping[str, ShareGaps]
    limit: int
    levels: DayLevels | None = None
    universe: Universe = EVERYBODY
    day: DayColumns | None = None


@dataclass(frozen=True)
class Prefix:
    """The rows that a database gives which ends on a day.

    Attributes:
        cut: that day.
        rows: all rows, those without a label too.
        windows: by share, in the order of the rows, how many windows it has.
        levels: what returns must exceed by day, as far as it is known then.
    """

    cut: np.datetime64
    rows: LabelledRows
    windows: Mapping[str, int]
    levels: DayLevels | None = None

    def __len__(self) -> int:
        """How many rows there should be."""
        return sum(self.windows.values())

    def whole(self) -> bool:
        """Whether there are as many rows as windows."""
        return all(len(values) == len(self) for values in self.rows.columns.values())

    def undecided(self, horizon: int) -> NDArray[np.bool_]:
        """Whether a row's day has no level that is known by the cut, [rows]; never where the label has none."""
        if self.levels is None:
            return np.zeros(len(self), bool)
        day = np.array([iso(one) for one in self.rows.columns[TIME].tolist()], dtype="datetime64[D]")
        return np.isnan(self.levels.level[horizon][np.searchsorted(self.levels.sessions, day)])

    def blocks(self) -> dict[str, slice]:
        """By share, where its rows stand."""
        ends = np.cumsum([0, *self.windows.values()]).tolist()
        return {share: slice(*ends[at : at + 2]) for at, share in enumerate(self.windows)}


@dataclass(frozen=True)
class Difference:
    """A value that is another one where the days after the cut are not known.

    Attributes:
        share: of the row.
        day: of the row, ISO.
        feature: of the examples, or of what a model sees of them.
        cut: the last day that is known, ISO.
        held: the value that the run has, as text.
        replayed: the value that the cut database gives, as text.
        count: rows that differ in this.
    """

    share: str
    day: str
    feature: str
    cut: str
    held: str
    replayed: str
    count: int

    def words(self) -> str:
        """All of it."""
        return f"{self.share}, {self.day}, {self.feature}: {self.held}, and {self.replayed} of prices up to {self.cut}"


@contextmanager
def cut_database(made: Made) -> Iterator[Replay]:
    """A database of its own that grows from cut to cut, as one does that is extracted every day.

    What is compared with its rows must come from another one, which got all prices at once: a window that was written
    stays, though its own code might make another of it with the prices of today.
    """
    with tempfile.TemporaryDirectory(prefix="awesome-audit-") as folder:
        yield Replay(made, Path(folder) / "cut.db")


class Replay:
    """Examples of ever longer prefixes; `cut_database` makes it."""

    def __init__(self, made: Made, database: Path) -> None:
        """Takes the prices, and a file that is not there yet."""
        self._made, self._database = made, database
        self._written: dict[str, int] = {}

    def until(self, cut: np.datetime64, whole: bool = False) -> Prefix | None:
        """The rows of a database that ends on a day, not before that of the last call; None where it has none.

        Of the whole database, days have the levels that the shares give which go on after the sample's.
        """
        from components.feature_example_gen import executor

        made, windows = self._made, {}
        # Closed before it is read: the driver that reads brings a SQLite of its own, which knows nothing of this one.
        with FeatureStore.create(self._database) as store:
            for share, bars in made.bars.items():
                length = int(np.searchsorted(bars.time, cut, side="right"))
                if length >= WINDOW:
                    self._add(store, share, bars, length)
                    windows[share] = length - WINDOW + 1
        if not windows:
            return None
        levels = made.levels if made.levels is None or whole else made.levels.until(cut)
        universe = made.universe if whole else made.universe.until(cut)
        with FeatureStore.open(self._database) as store:
            # Day-wide columns are compared by themselves, of all shares (`column_difference`): the rows up to a cut at
            # which none differs are those of all sessions.
            day_rows = None if made.day is None else made.day.whole
            asked = (made.plan, made.gaps, made.limit, levels, universe, day_rows)
            rows = executor.labelled_rows(store, list(windows), *asked)
        return Prefix(cut, rows, windows, levels)

    def _add(self, store: FeatureStore, share: str, bars: PriceBars, length: int) -> None:
        begin = self._written.get(share, 0)
        if length > begin:
            store.upsert(share, part_of(bars, begin, length), source="audit")
            self._written[share] = length


def part_of(bars: PriceBars, begin: int, end: int) -> PriceBars:
    """Some of the bars: closes and factors, which is what windows are made of."""
    return PriceBars(bars.time[begin:end], bars.close[begin:end], bars.factor[begin:end])


def column_difference(made: Made, cut: np.datetime64) -> Difference | None:
    """The first day-wide column that a database which ends on a day gives otherwise; None where there is none."""
    found = None if made.day is None else made.day.difference(cut)
    if found is None:
        return None
    day = str(found.day.astype("datetime64[D]"))
    return Difference(found.share, day, found.column, str(cut), *texts(found.held, found.replayed), found.count)


def compare_prefix(prefix: Prefix, whole: Prefix, horizons: Sequence[int]) -> Difference | None:
    """Compares the rows of a cut database with the same ones of the whole; a label may be unknown yet.

    Every row is looked at, those without a label too: what a row knows of the sessions after it shows in the last ones.
    """
    blocks, before = whole.blocks(), prefix.blocks()
    if not prefix.whole() or not whole.whole():
        return Difference(
            "all shares", str(prefix.cut), "rows", str(prefix.cut), "others than the windows", "others", 0
        )
    own = np.concatenate([np.arange(before[share].start, before[share].stop) for share in before])
    other = np.concatenate([blocks[share].start + np.arange(prefix.windows[share]) for share in before])
    # Sessions of its share that each row of the prefix has after it.
    ahead = np.concatenate([np.arange(count)[::-1] for count in prefix.windows.values()])
    later = {key(h): h for h in horizons for key in (label_key, forward_return_key, excess_return_key)}
    undecided = {h: prefix.undecided(h)[own] for h in horizons}
    names = np.repeat(list(before), list(prefix.windows.values()))
    for name, values in prefix.rows.columns.items():
        there = _known(prefix, name)[own]
        held = _known(whole, name)[other]
        before_cut = whole.rows.columns[name][other]
        off = there & held & differ(values[own], before_cut)
        if name not in later:
            off |= there != held
        else:
            due = ahead >= later[name]
            if name != forward_return_key(later[name]):  # another share's return may end later than the row's own
                due &= ~undecided[later[name]]
            off |= (there > held) | (held & ~there & due)
        if off.any():
            row = int(np.argmax(off))
            return Difference(
                str(names[row]),
                iso(prefix.rows.columns[TIME][own[row]]),
                name,
                str(prefix.cut),
                *texts(
                    whole.rows.columns[name][other[row]] if held[row] else None,
                    values[own[row]] if there[row] else None,
                ),
                int(np.count_nonzero(off)),
            )
    return None


def compare_examples(rows: AuditRows, whole: Prefix) -> tuple[Difference | None, int]:
    """Compares a run's examples with what the database gives: all that a formatter reads, labels, returns and splits.

    Returns:
        The first difference, and how many values were compared.
    """
    columns, cut = whole.rows.columns, str(whole.cut)
    replayed = {key: at for at, key in enumerate(zip(columns[SHARE_ID].tolist(), columns[TIME].tolist(), strict=True))}
    mine = rows.of_shares(np.flatnonzero([share in whole.windows for share in rows.shares]))
    names = [share.encode() for share in rows.shares]
    keys = zip(rows.share[mine].tolist(), rows.time[mine].tolist(), strict=True)
    at = np.array([replayed.get((names[share], time), -1) for share, time in keys], dtype=np.int64)
    compared = 0

    def found(row: int, feature: str, held: Any, again: Any, count: int) -> Difference:
        return Difference(rows.shares[rows.share[row]], iso(rows.time[row]), feature, cut, *texts(held, again), count)

    missing = np.flatnonzero(at < 0)
    if len(missing):
        return found(int(mine[missing[0]]), "the row", "is there", None, len(missing)), compared
    split = whole.rows.split[at]
    pairs: list[tuple[str, NDArray[Any], NDArray[Any]]] = [("split", rows.split[mine], split)]
    pairs.append((SESSION, rows.session[mine], columns[SESSION][at]))
    pairs.append((CLOSES, rows.closes[mine], columns[CLOSES][at]))
    for name, values in rows.raw.items():
        if name not in (CLOSES, SHARE_ID, TIME) and name in columns:
            held, again = values[mine], columns[name][at]
            parts = single_columns_of([name])
            several = zip(parts, held.T, again.T, strict=True) if len(parts) > 1 else [(name, held, again)]
            pairs += several
    for horizon in rows.returns:
        label, ahead = label_key(horizon), forward_return_key(horizon)
        if ahead in columns and label in columns:
            again = np.where(_known(whole, label)[at], columns[label][at], -1)
            pairs.append((label, rows.labels[horizon][mine].astype(np.int64), again))
            returned = np.where(_known(whole, ahead)[at], columns[ahead][at], np.float32(np.nan))
            pairs.append((ahead, rows.returns[horizon][mine], returned))
        if (beyond := excess_return_key(horizon)) in columns and horizon in rows.excess:
            returned = np.where(_known(whole, beyond)[at], columns[beyond][at], np.float32(np.nan))
            pairs.append((beyond, rows.excess[horizon][mine], returned))
    for name, held, again in pairs:
        off = differ(held, again)
        compared += held.size
        if off.any():
            row = int(np.argmax(off))
            both = held[row], again[row]
            if name == "split":
                both = (
                    "left out" if held[row] < 0 else SPLITS[held[row]],
                    "left out" if again[row] < 0 else SPLITS[again[row]],
                )
            return found(int(mine[row]), name, *both, int(np.count_nonzero(off))), compared
    return None, compared


def _known(prefix: Prefix, name: str) -> NDArray[np.bool_]:
    missing = prefix.rows.missing.get(name)
    return np.ones(len(prefix), bool) if missing is None else ~missing


def differ(one: NDArray[Any], other: NDArray[Any]) -> NDArray[np.bool_]:
    """Where values are not the same to the bit, [rows]; two that are not there are the same."""
    off = np.asarray(one != other)
    if np.issubdtype(one.dtype, np.floating):
        off &= ~(np.isnan(one) & np.isnan(other.astype(one.dtype)))
    return off if off.ndim == 1 else np.any(off, axis=1)


def texts(one: Any, other: Any) -> tuple[str, str]:
    """Two values as texts, of windows and sequences the first number that differs; None is none."""
    if isinstance(one, np.ndarray) and isinstance(other, np.ndarray) and one.ndim:
        at = int(np.argmax(one != other))
        return f"{one[at]} (number {at})", str(other[at])
    return _text(one), _text(other)


def _text(value: Any) -> str:
    if value is None:
        return "none"
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)


def iso(day: Any) -> str:
    """A day given as YYYYMMDD."""
    text = str(day)
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"
