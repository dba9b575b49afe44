"""Twins: the same moves under another name or on another day, whatever the price they start from.

A model that has learned a window in train knows the answer of its twin in test: a share that is listed twice with its
days shifted, a history that repeats itself, copies of test rows under other names. Windows are compared by their log
returns, each divided by their typical size, so a price times any factor, or a share with twice another's moves, is a
twin too. Each half of a window is rounded on two grids (a return that lies near a border of one lies inside the other)
and hashed; rows of the same hash are compared return by return. They are twins where no return differs by more than
half of the window's median move: that finds noise on closes and rounding up to about a tenth of a day's usual move.
Windows with fewer than 8 distinct moves (constant closes, suspended shares, quotes in coarse ticks) coincide by chance
and are left out, and fewer than 20 rows accuse nobody. A twin on the same day (a share that is listed twice) is named
and passes: nobody knows its answer before the day ends, and intervals are drawn over whole days, so that doubled rows
do not narrow them. Out of sight: mirrored prices, twins of less than 41 sessions, stronger noise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.leak_audit.check import Check
from components.leak_audit.reading.rows import TEST, AuditRows
from components.leak_audit.results import CheckResult, Figure, Status
from models.features import WINDOW

NAME = "twins"
_RETURNS = WINDOW - 1
_HALVES = (slice(0, _RETURNS // 2), slice(_RETURNS // 2, _RETURNS))

_CELL = 0.75
"""Width of a grid's cells, in mean moves: wide enough that small noise mostly stays inside, and 10 returns still tell
166,000 windows apart but for some hundred pairs."""

_OFFSETS = (0.5, 0.25)
"""Where the grids begin, in cells: an unchanged close lies inside in both."""

_TOLERANCE = 0.5
"""How far returns of twins may differ, in median moves of the window: independent ones do not in one of five cases, so
20 of them in one of 10^14."""

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
        coarse: pairs that were left out, as their windows have too few distinct moves.
    """

    row: NDArray[np.int64]
    like: NDArray[np.int64]
    coarse: int


def twins(rows: AuditRows) -> CheckResult:
    """Makes the check."""
    found = find_twins(rows)
    split, like = rows.split[found.row], rows.split[found.like]
    same_day = rows.time[found.row] == rows.time[found.like]
    known = (split == TEST) & (like != TEST)
    moved = ~known & ~same_day
    doubled = ~known & same_day
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
            f"; {count['doubled']:,} rows are there twice on the same day, which tells no future: "
            f"{_names(rows, found, doubled)}"
        )
    return CheckResult(NAME, Status.PASSED, f"{sentence}.", figures)


def find_twins(rows: AuditRows) -> Twins:
    """Finds rows with the same moves; of several, each is compared with the first by split and with its neighbour."""
    returns = np.diff(np.log(rows.closes.astype(np.float64)), axis=1)
    telling = np.flatnonzero(np.count_nonzero(returns, axis=1) > _RETURNS // 2)
    telling = telling[np.argsort(rows.split[telling], kind="stable")]
    pairs = [
        place[:, 0] * len(rows) + place[:, 1]
        for half in _HALVES
        for key in _hashes(returns[telling, half])
        for place in [telling[_of_same_key(key)]]
    ]
    like, row = np.divmod(np.unique(np.concatenate(pairs)), max(1, len(rows)))
    other = (rows.share[row] != rows.share[like]) | (rows.session[row] != rows.session[like])
    row, like = row[other], like[other]
    first, second = (returns[place] / np.median(np.abs(returns[place]), axis=1)[:, None] for place in (row, like))
    same = np.max(np.abs(first - second), axis=1, initial=0) <= _TOLERANCE
    row, like = row[same], like[same]
    tells = np.minimum(_distinct_moves(rows, row), _distinct_moves(rows, like)) >= _DISTINCT_MOVES
    return Twins(row[tells], like[tells], int(np.count_nonzero(~tells)))


def _hashes(returns: NDArray[np.float64]) -> Iterator[NDArray[np.uint64]]:
    """Hashes of returns that are rounded on each grid, [rows], of [rows, returns]; whatever they are multiplied by."""
    cell = _CELL * np.mean(np.abs(returns), axis=1)
    cells = returns / np.where(cell > 0, cell, 1)[:, None]
    odd = np.random.default_rng(0).integers(1, 1 << 62, returns.shape[1]) * 2 + 1
    for offset in _OFFSETS:
        yield (np.floor(cells + offset).astype(np.int64).astype(np.uint64) * odd.astype(np.uint64)).sum(axis=1)


def _of_same_key(key: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Places with the same key, [pairs, 2]: each behind the first of its key, and each behind the one before it."""
    order = np.argsort(key, kind="stable")
    again = np.flatnonzero(key[order][1:] == key[order][:-1]) + 1
    begins = np.arange(len(key))
    begins[again] = 0
    first = np.maximum.accumulate(begins)[again]
    behind = again - 1 != first
    pairs = [np.stack([first, again], axis=1), np.stack([again - 1, again], axis=1)[behind]]
    return order[np.concatenate(pairs)]


def _distinct_moves(rows: AuditRows, place: NDArray[np.int64]) -> NDArray[np.int64]:
    """Distinct moves of the windows of some rows, in money and in percent, the fewer of both, [places]."""
    closes = rows.closes[place].astype(np.float64)
    fewest = np.full(len(place), _RETURNS)
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
