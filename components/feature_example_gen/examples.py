"""Rows of the feature table as Arrow batches of labelled examples: NumPy and Arrow, never a Python object a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from components.feature_example_gen.day_levels import DayLevels
from components.feature_example_gen.look_ahead import FeatureRows
from components.feature_example_gen.splits import SPLITS, SplitPlan
from components.missing_sessions.found import ShareGaps
from components.missing_sessions.limit import DEFAULT_LIMIT
from components.universe.universe import EVERYBODY, Universe
from models.day_wide.rows import DayRows
from models.features import CLOSES, SESSION, SHARE_ID, TIME, YEAR, excess_return_key, forward_return_key, label_key

BATCH_ROWS = 8192
"""Rows of one Arrow batch: large enough to amortise a call, small enough to stay in the processor's cache."""


@dataclass(frozen=True)
class SplitCounts:
    """What became of the rows of one split.

    Attributes:
        rows: examples written.
        purged: rows left out because their longest label reaches into the next split.
        unlabelled: rows left out because the trained horizon has no label: the close is unchanged (its return is that
            of the day's level) or not yet known.
        windows_across: rows left out because their window reaches across more missing sessions than is allowed.
        labels_across: rows left out because the label of the trained horizon does.
        first: the first session written as YYYYMMDD, 0 where none was.
        last: the last one.
        alone: rows left out because on their day too few shares have a return for a label that compares them.
        outside: rows left out because their share does not belong to the universe on their day.
        short: rows left out because their share has too few sessions before them for what a formatter reads.
    """

    rows: int = 0
    purged: int = 0
    unlabelled: int = 0
    windows_across: int = 0
    labels_across: int = 0
    first: int = 0
    last: int = 0
    alone: int = 0
    outside: int = 0
    short: int = 0

    def plus(self, other: SplitCounts) -> SplitCounts:
        """The counts of two disjoint sets of shares together."""
        firsts = [day for day in (self.first, other.first) if day]
        return SplitCounts(
            self.rows + other.rows,
            self.purged + other.purged,
            self.unlabelled + other.unlabelled,
            self.windows_across + other.windows_across,
            self.labels_across + other.labels_across,
            min(firsts, default=0),
            max(self.last, other.last),
            self.alone + other.alone,
            self.outside + other.outside,
            self.short + other.short,
        )


@dataclass(frozen=True)
class LabelledRows:
    """The rows of one shard with their labels, and where each goes.

    Attributes:
        counts: by split name.
        columns: what each example carries, flat arrays of equal length; `closes` is [rows, 21].
        missing: for a label or a return, True where it has none.
        split: 0, 1, 2 for train, eval, test; -1 for rows that are left out.
    """

    counts: Mapping[str, SplitCounts]
    split: npt.NDArray[np.int64]
    columns: Mapping[str, npt.NDArray[np.generic]]
    missing: Mapping[str, npt.NDArray[np.bool_]] = field(default_factory=dict)

    def batches(self, split: str) -> Iterator[pa.RecordBatch]:
        """The examples of one split in order of time, as Arrow batches of list columns (what tfx_bsl encodes)."""
        rows = np.flatnonzero(self.split == SPLITS.index(split))
        time = self.columns[TIME]
        rows = rows[np.argsort(time[rows], kind="stable")]
        for begin in range(0, len(rows), BATCH_ROWS):
            part = rows[begin : begin + BATCH_ROWS]
            arrays = [
                _lists(values[part], self.missing[name][part] if name in self.missing else None)
                for name, values in self.columns.items()
            ]
            yield pa.RecordBatch.from_arrays(arrays, list(self.columns))


def label_rows(
    features: pa.Table,
    plan: SplitPlan,
    gaps: Mapping[str, ShareGaps] | None = None,
    most_missing_sessions: int = DEFAULT_LIMIT,
    levels: DayLevels | None = None,
    universe: Universe = EVERYBODY,
    day_rows: DayRows | None = None,
) -> LabelledRows:
    """Gives each row of the feature table its labels and its split.

    A label that reaches across more missing sessions than `most_missing` allows is none, as the close of a share's
    h-th next row is not that of h sessions later; a row whose window does is left out.

    Args:
        features: time (ISO), share_id, close0 ... close20, sorted by share_id and time; whole shares only.
        plan: the borders.
        gaps: the sessions that shares lack; shares that are not there lack none.
        most_missing_sessions: that 20 steps may reach across.
        levels: what returns must exceed on each day, for a label that has such; None for whether the close rises.
        universe: who belongs to it when; a row of a day on which its share does not is left out.
        day_rows: the day-wide columns that examples carry (models/day_wide); None for none. A row that lacks a value of
            one is left out.

    Returns:
        The rows, labelled and assigned.
    """
    table = FeatureRows(features, gaps, universe)
    days, position = table.days, table.position
    session: npt.NDArray[np.int64] = np.asarray(np.searchsorted(plan.sessions, days))

    year = days.astype("datetime64[Y]")
    month = days.astype("datetime64[M]")
    number = (
        (year.astype(np.int64) + 1970) * 10_000
        + ((month - year).astype(np.int64) + 1) * 100
        + ((days - month).astype(np.int64) + 1)
    )
    columns: dict[str, npt.NDArray[np.generic]] = {
        SHARE_ID: _bytes(table.shares),
        TIME: number,
        YEAR: number // 10_000,
        SESSION: table.ordinal,
        CLOSES: table.closes.astype(np.float32),
    }
    short = np.zeros(len(table), bool)
    for name, values in {} if day_rows is None else day_rows.look_up(table.shares.to_pylist(), days).items():
        columns[name] = values
        short |= np.isnan(values).reshape(len(table), -1).any(axis=1)
    missing: dict[str, npt.NDArray[np.bool_]] = {}
    label_end = session
    window_across = table.windows_across(most_missing_sessions)
    label_across, alone = np.zeros((2, len(table)), bool)
    for horizon in plan.horizons:
        ahead = table.ahead(horizon, most_missing_sessions)
        # Where a share ends before its longest label does, a shorter one may still reach into the next split.
        end = np.searchsorted(plan.sessions, table.ends(ahead)) if ahead.delisted.any() else session[ahead.later]
        label_end = np.maximum(label_end, np.where(ahead.known, end, 0))
        if levels is None:
            columns[label_key(horizon)] = ahead.rises
            missing[label_key(horizon)] = ~ahead.known | ahead.unchanged
        else:
            excess, undecided = levels.excess(horizon, ahead, session)
            columns[label_key(horizon)] = (excess > 0).astype(np.int64)
            missing[label_key(horizon)] = undecided | (excess == 0)
            columns[excess_return_key(horizon)], missing[excess_return_key(horizon)] = excess, undecided
            # A level is made of all shares of the day, of which one may reach further than the row's own.
            label_end = np.maximum(label_end, levels.end[horizon][session])
            if horizon == plan.horizon:
                alone = ahead.known & undecided
        if horizon == plan.horizon:
            label_across = ahead.across
        columns[forward_return_key(horizon)] = ahead.change
        missing[forward_return_key(horizon)] = ~ahead.known

    before = position - plan.lookback
    oldest = np.where(before >= table.start, session[np.maximum(before, 0)], -1)
    split, purged = plan.assign(session, oldest, label_end)
    unlabelled = missing[label_key(plan.horizon)]
    counts = {}
    for index, name in enumerate(SPLITS):
        ours = (split == index) & table.member
        mine = ours & ~window_across & ~short
        kept = number[mine & ~unlabelled]
        counts[name] = SplitCounts(
            rows=len(kept),
            purged=int(np.count_nonzero((purged == index) & table.member)),
            unlabelled=int(np.count_nonzero(mine & unlabelled & ~label_across & ~alone)),
            windows_across=int(np.count_nonzero(ours & window_across)),
            labels_across=int(np.count_nonzero(mine & label_across)),
            first=int(kept.min()) if len(kept) else 0,
            last=int(kept.max()) if len(kept) else 0,
            alone=int(np.count_nonzero(mine & alone)),
            outside=int(np.count_nonzero((split == index) & ~table.member)),
            short=int(np.count_nonzero(ours & ~window_across & short)),
        )
    gone = unlabelled | window_across | short | ~table.member
    return LabelledRows(counts, np.where(gone, -1, split), columns, missing)


def _bytes(shares: pa.Array) -> npt.NDArray[np.generic]:
    encoded = shares.dictionary_encode()
    values = np.array([value.encode() for value in encoded.dictionary.to_pylist()], dtype=object)
    return values[encoded.indices.to_numpy()]


def _lists(values: npt.NDArray[np.generic], missing: npt.NDArray[np.bool_] | None) -> pa.Array:
    """One list a row: of 21 closes, of one value, or of none where it is missing."""
    width = values.shape[1] if values.ndim == 2 else 1
    if missing is None:
        offsets = np.arange(0, (len(values) + 1) * width, width, dtype=np.int32)
        flat = values.reshape(-1)
    else:
        offsets = np.concatenate([[0], np.cumsum(~missing)]).astype(np.int32)
        flat = values[~missing]
    flat_type = pa.binary() if flat.dtype == object else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat, type=flat_type))
