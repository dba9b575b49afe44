"""The examples of all splits as the audit reads them: every feature that is there, and nothing taken on trust.

What is narrow is in memory, in the smallest integers that hold it; closes and what formatters read beside them lie on
disk (stored.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.splits import SPLITS
from components.leak_audit.reading.records import Columns, check_types, read_columns
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
from models.stored import Storing, Values, in_order

_LABEL, *_RETURNS = (key(0).removesuffix("0") for key in (label_key, forward_return_key, excess_return_key))
_ANSWERS = (_LABEL, *_RETURNS)

TRAIN, EVAL, TEST = range(len(SPLITS))

BLOCK = 50_000
"""About how many rows are looked at at once, where all are."""


@dataclass(frozen=True, eq=False)
class AuditRows:
    """The examples of a run, sorted by share, session and split; all arrays are [rows].

    Those of a whole run have the smallest integers; those that `subsets.rows_at` gives have int64, to reckon with.

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
        raw: further features that a DataFormatter may read, as models/features.py has them, [rows, width].
        excess: by horizon, forward returns less the level of their day, as `returns`; none where the label has none.
    """

    features: tuple[str, ...]
    share: NDArray[np.integer]
    shares: tuple[str, ...]
    time: NDArray[np.integer]
    session: NDArray[np.integer]
    closes: Values
    split: NDArray[np.integer]
    labels: Mapping[int, NDArray[np.integer]]
    returns: Mapping[int, NDArray[np.float32]]
    raw: Mapping[str, Values]
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

    def read(self, sources: Sequence[str], places: Any) -> dict[str, NDArray[Any]]:
        """What a DataFormatter reads of some rows, by source, as models/features.py has it."""
        found: dict[str, NDArray[Any]] = {}
        for source in sources:
            if source == SHARE_ID:
                found[source] = np.array([share.encode() for share in self.shares], object)[self.share[places]]
            elif source == TIME:
                found[source] = self.time[places].astype(np.int64)
            else:
                found[source] = (self.closes if source == CLOSES else self.raw[source])[places]
        return found

    def blocks(self, most: int = BLOCK) -> Iterator[slice]:
        """Rows that follow one another, so many at a time or one share if it has more: no share is in two of them."""
        ends = np.searchsorted(self.share, np.arange(len(self.shares)), side="right").tolist()
        begin = end = 0
        for until in ends:
            if until - begin > most and end > begin:
                yield slice(begin, end)
                begin = end
            end = until
        if end > begin:
            yield slice(begin, end)

    def of_shares(self, shares: NDArray[np.integer]) -> NDArray[np.int64]:
        """Places of the rows of some shares, given by their places among `shares` in order."""
        bounds = np.searchsorted(self.share, np.stack([shares, shares + 1]))
        return np.concatenate([np.empty(0, np.int64), *(np.arange(*ends) for ends in bounds.T.tolist())])

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
    from models.data import record_files

    reading = _Reading(str(examples), tuple(one for one in sources if one not in (SHARE_ID, TIME, CLOSES)))
    for split, name in enumerate(SPLITS):
        pattern, before = f"{examples}/Split-{name}/*", reading.rows
        for file in record_files([pattern]):
            reading.add(*read_columns([file]), split)
        if reading.rows == before:
            raise AuditError(f"{pattern}: there are no examples; the pipeline's cache was removed, run again")
    return reading.whole()


class _Reading:
    """The rows of one file after the other, and then all of them in order."""

    def __init__(self, examples: str, sources: tuple[str, ...]) -> None:
        self._examples, self._sources = examples, sources
        self._types: dict[str, np.dtype[Any]] = {}
        self._codes: dict[bytes, int] = {}
        self._parts: dict[str, list[NDArray[Any]]] = {}
        self._stored = {name: Storing() for name in (CLOSES, *sources)}
        self.rows = 0

    def add(self, columns: Columns, rows: int, split: int) -> None:
        if not rows:
            return
        for name in (SHARE_ID, TIME, SESSION, CLOSES, *self._sources):
            if name not in columns:
                raise AuditError(f"{self._examples}: its examples carry no feature {name}; run again with this version")
        check_types(columns, self._types)
        names, share = np.unique(_values(columns, SHARE_ID, 1).astype(bytes), return_inverse=True)
        codes = np.array([self._codes.setdefault(name, len(self._codes)) for name in names.tolist()], np.int32)
        self._put("share", codes[share.reshape(-1)])
        self._put("split", np.full(rows, split, np.int8))
        for name in (TIME, SESSION):
            self._put(name, _values(columns, name, 1).astype(np.int32))
        for name in {*self._parts, *columns}:
            if name.startswith(_ANSWERS):
                missing, kind = (-1, np.int8) if name.startswith(_LABEL) else (np.nan, np.float32)
                self._parts.setdefault(name, [np.full(self.rows, missing, kind)])
                self._put(name, _optional(columns, name, missing, rows).astype(kind))
        self._stored[CLOSES].add(_values(columns, CLOSES, WINDOW).astype(np.float32))
        for source in self._sources:
            self._stored[source].add(_values(columns, source, width_of(source)))
        self.rows += rows

    def _put(self, name: str, part: NDArray[Any]) -> None:
        self._parts.setdefault(name, []).append(part)

    def whole(self) -> AuditRows:
        columns = {name: np.concatenate(self._parts.pop(name)) for name in list(self._parts)}
        names = sorted(self._codes)
        rank = np.empty(len(names), np.int32)
        rank[[self._codes[name] for name in names]] = np.arange(len(names))
        columns["share"] = rank[columns["share"]]
        order = np.lexsort((columns["split"], columns[SESSION], columns["share"]))
        if not np.array_equal(order, np.arange(len(order))):
            for name in columns:  # one after the other, so that one alone is there twice
                columns[name] = columns[name][order]
        stored = {name: in_order(one.whole(), order) for name, one in self._stored.items()}
        features = sorted(self._types)
        horizons = _horizons(features)
        nothing = np.full(self.rows, -1, np.int8)

        def returns(key: Callable[[int], str]) -> dict[int, NDArray[np.float32]]:
            return {h: columns[key(h)] for h in horizons if key(h) in columns}

        return AuditRows(
            features=tuple(features),
            share=columns["share"],
            shares=tuple(name.decode() for name in names),
            time=columns[TIME],
            session=columns[SESSION],
            closes=stored.pop(CLOSES),
            split=columns["split"],
            labels={h: columns.get(label_key(h), nothing) for h in horizons},
            returns=returns(forward_return_key),
            raw=stored,
            excess=returns(excess_return_key),
        )


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
