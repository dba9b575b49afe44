"""Twins: the same moves under another name or on another day, whatever the price they start from.

A model that has learned a window in train knows the answer of its twin in test: a share that is listed twice with its
days shifted, a history that repeats itself, copies of test rows under other names. Windows are compared by their log
returns in units of their median move, so a price times any factor, or a share with twice another's moves, is a twin
too. A window is hashed by the signs of 24 random sums of its returns, four times over with other sums: small noise
turns the sign of a sum that is close to zero, but seldom one of each hash. Rows of the same hash are compared return by
return, and are twins where their correlation is at least 0.97. That finds noise on closes, and rounding, of up to a
sixth of a day's usual move. Windows with fewer than 8 distinct moves (constant closes, suspended shares, quotes in
coarse ticks) coincide by chance and are left out, as are windows that only rise (funds that earn interest, three days'
of it on a Monday) or only fall, and fewer than 20 rows accuse nobody. A twin on the same day (a share that is listed
twice) is named and passes: nobody knows its answer before the day ends, and intervals are drawn over whole days, so
that doubled rows do not narrow them. Out of sight: mirrored prices, twins of less than 41 sessions, stronger noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.splits import SPLITS
from components.leak_audit.check import Check
from components.leak_audit.reading.rows import TEST, AuditRows
from components.leak_audit.results import CheckResult, Figure, Status
from models.features import WINDOW
from models.stored import pieces, scattered

NAME = "twins"
_RETURNS = WINDOW - 1
_BITS, _HASHES = 24, 4
"""Two windows that have nothing in common have the same hash once in 17 million pairs."""

_ONES = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1).sum(axis=1, dtype=np.uint8)
"""Bits of every byte that are set."""

_AT_ONCE = 1 << 20
"""Keys that are compared at once."""
_PLACE_BITS = 39
"""Of a row's place, beside its hash in one number: there may be five hundred billion rows."""

_MOST_DIFFERING = 20
"""Bits of all hashes together that may differ before two rows are compared: windows of a correlation of 0.97 differ in
6 of them, by 2.3 more or fewer, windows that have nothing in common in 36, by 4."""

_PAIRS = 20_000
"""That are compared at once."""

_NEIGHBOURS = 3
"""Of rows with the same hash, how many before it a row is compared with, beside the first one."""

_LARGEST = 3.0
"""Returns count as this many median moves at most: one wrong price must not be all that a window is."""

_CORRELATION = 0.97
"""Windows that have nothing in common reach it once in 10^12 pairs."""

_ONE_SHARE = 0.995
"""From here on two shares are taken for one on the same day, on which all shares move together."""

_DISTINCT_MOVES = 8
"""With fewer, chance is enough: a price that goes up or down by one tick or none has 3, and 20 sessions of it coincide
in one of 10^9 cases."""

_SAME_MOVE = 0.02
"""Moves that differ by less, in median moves, are the same one."""

_FEWEST = 20
"""Rows that it takes to accuse somebody: what one pair of windows may have in common is no twin."""

_MOST_NAMED = 3


@dataclass(frozen=True)
class Twins:
    """Rows with the same moves.

    Attributes:
        row: the later of each two by split, [pairs].
        like: the other one, [pairs].
        correlation: of their moves, [pairs].
        coarse: pairs that were left out, as their windows have too few distinct moves.
    """

    row: NDArray[np.int64]
    like: NDArray[np.int64]
    correlation: NDArray[np.float32]
    coarse: int


def twins(rows: AuditRows) -> CheckResult:
    """Makes the check."""
    found = find_twins(rows)
    split, like = rows.split[found.row], rows.split[found.like]
    same_day = rows.time[found.row] == rows.time[found.like]
    known = (split == TEST) & (like != TEST)
    moved = ~known & ~same_day
    doubled = ~known & same_day & (found.correlation >= _ONE_SHARE)
    label = {h: values[found.row] == values[found.like] for h, values in rows.labels.items()}
    count = {name: len(np.unique(found.row[which])) for name, which in _kinds(known, moved, doubled)}
    figures = (
        Figure("test rows whose moves train or eval holds under another name or day", count["known"]),
        *(
            Figure(f"of these, with the same label of horizon {h}", len(np.unique(found.row[known & same])))
            for h, same in label.items()
        ),
        Figure("other rows whose moves another day holds", count["moved"]),
        Figure("rows whose moves another share has on the same day", count["doubled"]),
        Figure("equal windows with too few distinct moves to tell", found.coarse),
    )
    look = "see where these shares come from: an alias, a copy, or dates that are shifted; leave one of each two out"
    if count["known"] >= _FEWEST:
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"{count['known']:,} test rows have the moves of train or eval rows, so their answers were learned: "
            f"{_names(rows, found, known)}.",
            figures,
            look,
        )
    if count["moved"] >= _FEWEST:
        across = np.any(split[moved] != rows.split[found.like][moved])
        where = "another day of train, or of their own split" if across else "another day of their split"
        sentence = f"{count['moved']:,} rows have the moves of {where}: {_names(rows, found, moved)}."
        return CheckResult(NAME, Status.SUSPICIOUS, sentence, figures, look)
    sentence = "No row of test has the moves of a row of train or eval"
    if count["doubled"] >= _FEWEST:
        sentence += (
            f"; {count['doubled']:,} rows move as another share does on the same day, which tells no future: "
            f"{_names(rows, found, doubled)}"
        )
    return CheckResult(NAME, Status.PASSED, f"{sentence}.", figures)


def find_twins(rows: AuditRows) -> Twins:
    """Finds rows with the same moves; of several, each is compared with the first by split and with its neighbour."""
    telling, hashes = _hashed(rows)
    found = [np.empty(0, np.int64)]
    for number in range(_HASHES):
        for places in _of_same_key(hashes[number]):
            like, row = (np.stack([one[places[:, at]] for one in hashes], axis=1) for at in (0, 1))
            differing = _ONES[(like ^ row).view(np.uint8)].sum(axis=1, dtype=np.int64)
            found.append(telling[places[differing <= _MOST_DIFFERING]] @ np.array([len(rows), 1]))
    like, row = np.divmod(np.unique(np.concatenate(found)), max(1, len(rows)))
    other = (rows.share[row] != rows.share[like]) | (rows.session[row] != rows.session[like])
    row, like = row[other], like[other]
    correlation, tells = np.empty(len(row), np.float32), np.empty(len(row), bool)
    for some in pieces(np.arange(len(row)), _PAIRS):
        pair = [scattered(rows.closes, of[some]) for of in (row, like)]
        correlation[some] = np.einsum("ij,ij->i", *(_directions(np.diff(np.log(closes), axis=1)) for closes in pair))
        tells[some] = np.minimum(*map(_distinct_moves, pair)) >= _DISTINCT_MOVES
    same = correlation >= _CORRELATION
    row, like, correlation, tells = row[same], like[same], correlation[same], tells[same]
    return Twins(row[tells], like[tells], correlation[tells], int(np.count_nonzero(~tells)))


def _hashed(rows: AuditRows) -> tuple[NDArray[np.integer], list[NDArray[np.int32]]]:
    """The rows that moved on most days and both ways, by split, and each of their hashes, [rows].

    Nothing of all rows is there twice: each split has its own stretch of the arrays, and gaps are closed in place.
    """
    begins = np.cumsum([0, *np.bincount(rows.split, minlength=len(SPLITS))[:-1]])
    ends = begins.copy()
    telling = np.empty(len(rows), np.int32 if len(rows) <= np.iinfo(np.int32).max else np.int64)
    hashes = [np.empty(len(rows), np.int32) for _ in range(_HASHES)]
    for block in rows.blocks():
        returns = np.diff(np.log(rows.closes[block]), axis=1)
        moved = np.count_nonzero(returns, axis=1) > _RETURNS // 2
        # What never falls is interest, three days' on a Monday: its weeks are alike, and that tells what all know.
        moved &= np.any(returns > 0, axis=1) & np.any(returns < 0, axis=1)
        found = [np.flatnonzero(moved & (rows.split[block] == split)) for split in range(len(SPLITS))]
        stretches = [slice(end, end + len(places)) for end, places in zip(ends, found, strict=True)]
        ends = np.array([one.stop for one in stretches])
        for here, places in zip(stretches, found, strict=True):
            telling[here] = block.start + places
            for one, part in zip(hashes, _hashes(_directions(returns[places])), strict=True):
                one[here] = part
    count = 0
    for begin, end in zip(begins, ends, strict=True):
        for one in (telling, *hashes):
            one[count : count + end - begin] = one[begin:end]
        count += end - begin
    return telling[:count], [one[:count] for one in hashes]


def _directions(returns: NDArray[np.float32]) -> NDArray[np.float32]:
    """The returns of windows about their mean, of length 1, none of them large."""
    typical = np.median(np.abs(returns), axis=1)[:, None]
    bounded = np.clip(returns / typical, -_LARGEST, _LARGEST)
    # About their mean: funds that earn the same interest each day have nothing else in common.
    bounded -= np.mean(bounded, axis=1)[:, None]
    length = np.linalg.norm(bounded, axis=1)[:, None]
    return np.divide(bounded, length, out=np.zeros_like(bounded), where=length > 0)


def _hashes(moves: NDArray[np.float32]) -> Iterator[NDArray[np.int32]]:
    """Each hash of all rows, [rows]: the signs of random sums of their returns."""
    rng = np.random.default_rng(0)
    for _ in range(_HASHES):
        sums = moves @ rng.standard_normal((moves.shape[1], _BITS), np.float32)
        yield ((sums > 0).astype(np.float32) @ np.float32(2) ** np.arange(_BITS, dtype=np.float32)).astype(np.int32)


def _of_same_key(key: NDArray[np.int32]) -> Iterator[NDArray[np.int64]]:
    """Places with the same key, [pairs, 2]: each row behind the first of its key, and behind some before it."""
    ordered = key.astype(np.int64)
    ordered <<= _PLACE_BITS
    parts = [(begin, min(begin + _AT_ONCE, len(key))) for begin in range(0, len(key), _AT_ONCE)]
    for begin, end in parts:
        ordered[begin:end] |= np.arange(begin, end)
    ordered.sort()
    behind = [begin + np.flatnonzero(_same_key(ordered[begin : end + 1])) for begin, end in parts]
    again = 1 + np.concatenate([np.empty(0, np.int64), *behind])
    if not len(again):
        return
    ordered &= (1 << _PLACE_BITS) - 1
    # Rows that follow one another there have one key, and the one before them is the first of it.
    first = np.maximum.accumulate(np.where(np.diff(again, prepend=-1) != 1, again - 1, 0))
    for back in range(1, _NEIGHBOURS + 1):
        far = again - first >= back
        yield np.stack([ordered[again[far] - back], ordered[again[far]]], axis=1)
    far = again - first > _NEIGHBOURS
    yield np.stack([ordered[first[far]], ordered[again[far]]], axis=1)


def _same_key(ordered: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether each place, after the first, has the key of the one before it."""
    return (ordered[1:] ^ ordered[:-1]) >> _PLACE_BITS == 0


def _distinct_moves(windows: NDArray[np.float32]) -> NDArray[np.int64]:
    """Distinct moves of windows, in money and in percent, the fewer of both, [windows]."""
    closes = windows.astype(np.float64)
    fewest = np.full(len(closes), _RETURNS)
    for values in (closes, np.log(closes)):
        moves = np.sort(np.diff(values, axis=1), axis=1)
        step = _SAME_MOVE * np.median(np.abs(moves), axis=1)[:, None]
        fewest = np.minimum(fewest, 1 + np.count_nonzero(np.diff(moves, axis=1) > step, axis=1))
    return fewest


def _kinds(*kinds: NDArray[np.bool_]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    return zip(("known", "moved", "doubled"), kinds, strict=True)


def _names(rows: AuditRows, found: Twins, which: NDArray[np.bool_]) -> str:
    """The first two rows, and the shares that most of them are of, in words."""
    row, like = found.row[which], found.like[which]
    earliest = int(np.lexsort((row, rows.time[row]))[0])
    shares = Counter(zip(rows.share[row].tolist(), rows.share[like].tolist(), strict=True)).most_common()
    most = [f"{rows.shares[a]} like {rows.shares[b]}" for (a, b), _ in shares[:_MOST_NAMED]]
    more = f" and {len(shares) - len(most):,} more pairs of shares" if len(shares) > len(most) else ""
    first = f"the first is {rows.place(int(row[earliest]))}, like {rows.place(int(like[earliest]))}"
    return f"{first} ({', '.join(most)}{more})"


CHECK = Check(
    NAME,
    lambda audited: twins(audited.rows),
    passes="no row has the moves of another day's row; the same day's are named",
    leaks="20 or more test rows have the moves of train or eval rows, under whatever name, day and price; elsewhere "
    "another day's moves are suspicious",
    order=25,
)
