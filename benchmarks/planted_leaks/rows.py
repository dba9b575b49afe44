"""What planted leaks look up in the rows of FeatureExampleGen, which stand share by share in order of time."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.examples import LabelledRows
from models.features import CLOSES, SHARE_ID, TIME, forward_return_key, label_key

Floats: TypeAlias = NDArray[np.float64]
Places: TypeAlias = NDArray[np.int64]


def with_columns(rows: LabelledRows, **columns: Any) -> LabelledRows:
    """The same rows with other values of some columns."""
    return replace(rows, columns={**rows.columns, **columns})


def without(rows: LabelledRows, gone: NDArray[np.bool_]) -> LabelledRows:
    """The same without some rows, [rows]."""
    return replace(rows, split=np.where(gone, -1, rows.split))


def with_copies(rows: LabelledRows, places: Places, **columns: Any) -> LabelledRows:
    """Rows followed by copies of some of them, the latter with other values of some columns; `split` may be one."""
    split = columns.pop("split", rows.split[places])
    own = {name: columns.get(name, values[places]) for name, values in rows.columns.items()}
    return replace(
        rows,
        split=np.concatenate([rows.split, split]),
        columns={name: np.concatenate([values, own[name]]) for name, values in rows.columns.items()},
        missing={name: np.concatenate([values, values[places]]) for name, values in rows.missing.items()},
    )


def chance(rows: LabelledRows, of: str = "row") -> Floats:
    """A number within [0, 1) by chance for each row, share or day, [rows]: the same, whatever rows are around."""
    share = code_of(rows, lambda name: zlib.crc32(name)) if of != "day" else 0
    day = rows.columns[TIME].astype(np.uint64) if of != "share" else np.uint64(0)
    mixed = np.asarray(share, np.uint64) * np.uint64(0x9E3779B97F4A7C15) + day * np.uint64(0xBF58476D1CE4E5B9)
    for shift in (30, 27, 31):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(0x94D049BB133111EB)
    found = (mixed >> np.uint64(11)).astype(np.float64) / 2**53
    return np.broadcast_to(found, rows.split.shape)


def normal(rows: LabelledRows) -> Floats:
    """Standard normal noise of each row, by chance as above, [rows]."""
    from scipy.special import ndtri

    return np.asarray(ndtri(np.clip(chance(rows), 1e-9, 1 - 1e-9)), np.float64)


def code_of(rows: LabelledRows, number: Callable[[bytes], int]) -> NDArray[np.uint64]:
    """A number for each row's share, [rows]."""
    names, code = np.unique(rows.columns[SHARE_ID].astype(bytes), return_inverse=True)
    return np.array([number(bytes(name)) for name in names], np.uint64)[code]


def number_of_share(rows: LabelledRows) -> NDArray[np.uint64]:
    """Which of twelve shares each row is of, from 0 on, [rows]; the four that are shipped stand for three each."""
    shipped = (b"AAPL", b"GOOG", b"IBM", b"MSFT")
    return code_of(rows, lambda name: 3 * shipped.index(name) if name in shipped else int(name[1:]))


def of_shares(rows: LabelledRows, count: float) -> NDArray[np.bool_]:
    """Rows of so many of twelve shares, [rows]."""
    return number_of_share(rows) < count


def later(rows: LabelledRows, sessions: int) -> Places:
    """The place of the same share's row so many sessions later (before, if negative), its last or first at most."""
    share = rows.columns[SHARE_ID]
    begins = np.flatnonzero(np.append(True, share[1:] != share[:-1]))
    ends = np.append(begins[1:], len(share)) - 1
    which = np.cumsum(np.append(0, share[1:] != share[:-1]))
    return np.clip(np.arange(len(share)) + sessions, begins[which], ends[which])


def move(rows: LabelledRows) -> Floats:
    """The log return of the row's own session, [rows]."""
    closes = rows.columns[CLOSES].astype(float)
    return np.asarray(np.log(closes[:, 0] / closes[:, 1]))


def ahead(rows: LabelledRows, horizon: int = 1) -> Floats:
    """The log return to come, [rows]; nan where it is not known."""
    key = forward_return_key(horizon)
    return np.asarray(np.log1p(np.where(rows.missing[key], np.nan, rows.columns[key]).astype(float)))


def up(rows: LabelledRows, horizon: int = 1) -> Floats:
    """The label, nan where there is none, [rows]."""
    key = label_key(horizon)
    return np.where(rows.missing[key], np.nan, rows.columns[key]).astype(float)


def mean_of(values: Floats, *groups: NDArray[Any]) -> Floats:
    """The mean of each row's group, [rows]; a value that is nan does not count."""
    code = np.zeros(len(values), np.int64)
    for group in groups:
        part = np.unique(group.astype(bytes) if group.dtype == object else group, return_inverse=True)[1]
        code = code * (int(part.max()) + 1) + part
    code = np.unique(code, return_inverse=True)[1]
    known = ~np.isnan(values)
    count = np.bincount(code[known], minlength=code.max() + 1)
    total = np.bincount(code[known], values[known], code.max() + 1)
    return np.asarray((total / np.maximum(count, 1))[code])


def next_market(rows: LabelledRows) -> Floats:
    """The mean log return of all shares on the next session, [rows]."""
    return mean_of(ahead(rows), rows.columns[TIME])
