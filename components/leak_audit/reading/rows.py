"""The examples of all splits as the audit reads them: every feature that is there, and nothing taken on trust."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.splits import SPLITS
from components.leak_audit.reading.records import Columns, concatenated, read_columns
from components.leak_audit.results import AuditError
from models.day_wide.columns import width_of
from models.features import (
    CLOSES,
    SESSION,
    SHARE_ID,
    TIME,
    WINDOW,
    excess_return_key,
    forward_return_key,
    label_key,
)

TRAIN, EVAL, TEST = range(len(SPLITS))


@dataclass(frozen=True, eq=False)
class AuditRows:
    """The examples of a run, sorted by share, session and split; all arrays are [rows].

    Attributes:
        features: the names of all features that the examples carry.
        share: index into `shares`.
        shares: the shares.
        time: YYYYMMDD.
        session: how many windows the share had before.
        closes: float32 [rows, 21], close0 (the latest) first.
        split: 0, 1, 2 for train, eval, test.
        labels: by horizon: 0 or 1, -1 where there is none.
        returns: forward returns by horizon, float32, nan where there is none.
        raw: the features that a DataFormatter may read, as models/features.py has them: [rows] or [rows, width].
        excess: by horizon, forward returns less the level of their day, as `returns`; none where the label has none.
    """

    features: tuple[str, ...]
    share: NDArray[np.int64]
    shares: tuple[str, ...]
    time: NDArray[np.int64]
    session: NDArray[np.int64]
    closes: NDArray[np.float32]
    split: NDArray[np.int64]
    labels: Mapping[int, NDArray[np.int64]]
    returns: Mapping[int, NDArray[np.float32]]
    raw: Mapping[str, NDArray[Any]]
    excess: Mapping[int, NDArray[np.float32]] = field(default_factory=dict)

    def __len__(self) -> int:
        """Examples of all splits."""
        return len(self.share)

    def of(self, split: int) -> NDArray[np.int64]:
        """Places of the rows of a split, [rows of the split]."""
        return np.flatnonzero(self.split == split)

    def both_classes(self, horizon: int) -> bool:
        """Whether train and test each hold rises and falls, without which nothing can be learned or judged."""
        return all(len(np.unique(self.labels[horizon][self.of(split)])) > 1 for split in (TRAIN, TEST))

    def label_returns(self, horizon: int) -> NDArray[np.float32]:
        """The returns that the labels tell the signs of, [rows]; nan where there is none."""
        return self.excess.get(horizon, self.returns[horizon])

    def place(self, row: int) -> str:
        """Share and day of a row, in words."""
        day = str(self.time[row])
        return f"{self.shares[self.share[row]]}, {day[:4]}-{day[4:6]}-{day[6:]}"

    def rank_of_day(self) -> NDArray[np.int64]:
        """The position of each row's day among all days, [rows]."""
        return np.unique(self.time, return_inverse=True)[1].reshape(-1)


def read_rows(examples: str | Path, sources: Sequence[str] = ()) -> AuditRows:
    """Reads an Examples artifact.

    Args:
        examples: its folder, with Split-train, Split-eval and Split-test.
        sources: further raw features that the formatter reads.

    Raises:
        AuditError: a split is missing or empty, or a feature that the audit needs is.
    """
    parts = [_read_split(Path(examples), name) for name in SPLITS]
    joined, _ = concatenated(parts)
    features = sorted(joined)
    for name in (SHARE_ID, TIME, SESSION, CLOSES):
        if name not in features:
            raise AuditError(f"{examples}: its examples carry no feature {name}; run again with this version")
    split = np.repeat(np.arange(len(SPLITS)), [rows for _, rows in parts])
    names, share = np.unique(_values(joined, SHARE_ID, 1).astype(bytes), return_inverse=True)
    time, session = _values(joined, TIME, 1), _values(joined, SESSION, 1)
    order = np.lexsort((split, session, share))
    rows = len(order)
    horizons = _horizons(features)
    raw = {SHARE_ID: names.astype(object)[share][order], TIME: time[order]}
    raw[CLOSES] = _values(joined, CLOSES, WINDOW).astype(np.float32)[order]
    for source in sources:
        if source not in raw:
            raw[source] = _values(joined, source, width_of(source))[order]
    return AuditRows(
        features=tuple(features),
        share=share[order],
        shares=tuple(name.decode() for name in names),
        time=time[order],
        session=session[order],
        closes=raw[CLOSES],
        split=split[order],
        labels={h: _optional(joined, label_key(h), -1, rows)[order].astype(np.int64) for h in horizons},
        returns={h: _optional(joined, forward_return_key(h), np.nan, rows)[order].astype(np.float32) for h in horizons},
        raw=raw,
        excess={
            h: _optional(joined, excess_return_key(h), np.nan, rows)[order].astype(np.float32)
            for h in horizons
            if excess_return_key(h) in features
        },
    )


def _read_split(examples: Path, split: str) -> tuple[Columns, int]:
    files = f"{examples}/Split-{split}/*"
    columns, rows = read_columns([files])
    if not rows:
        raise AuditError(f"{files}: there are no examples; the pipeline's cache was removed, run again")
    return columns, rows


def _horizons(features: Sequence[str]) -> tuple[int, ...]:
    prefix = forward_return_key(0).removesuffix("0")
    return tuple(sorted(int(name.removeprefix(prefix)) for name in features if name.startswith(prefix)))


def _values(columns: Columns, name: str, width: int) -> NDArray[Any]:
    """A feature that every row has `width` values of: [rows] or [rows, width]."""
    column = columns[name]
    if np.any(column.counts != width):
        raise AuditError(f"the examples do not all carry {width} value(s) of {name}; run again with this version")
    return column.values if width == 1 else column.values.reshape(-1, width)


def _optional(columns: Columns, name: str, missing: float, rows: int) -> NDArray[Any]:
    """A feature that rows have one value of, or none, [rows]."""
    values = np.full(rows, missing)
    if name in columns:
        column = columns[name]
        if np.any(column.counts > 1):
            raise AuditError(f"the examples carry more than one value of {name}; run again with this version")
        values[column.counts == 1] = column.values
    return values
