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

from components.leak_audit.check import Check
from components.leak_audit.reading.rows import TEST, AuditRows
from components.leak_audit.results import CheckResult, Figure, Status
from models.features import WINDOW

NAME = "twins"
_RETURNS = WINDOW - 1
_BITS, _HASHES = 24, 4
"""Two windows that have nothing in common have the same hash once in 17 million pairs."""

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
    telling, moves = _moves(rows)
    pairs = [telling[places] @ np.array([len(rows), 1]) for key in _hashes(moves) for places in _of_same_key(key)]
    like, row = np.divmod(np.unique(np.concatenate(pairs)), max(1, len(rows)))
    other = (rows.share[row] != rows.share[like]) | (rows.session[row] != rows.session[like])
    row, like = row[other], like[other]
    place = np.empty(len(rows), np.int64)
    place[telling] = np.arange(len(telling))
    correlation = np.einsum("ij,ij->i", moves[place[row]], moves[place[like]])
    same = correlation >= _CORRELATION
    row, like, correlation = row[same], like[same], correlation[same]
    tells = np.minimum(_distinct_moves(rows, row), _distinct_moves(rows, like)) >= _DISTINCT_MOVES
    return Twins(row[tells], like[tells], correlation[tells], int(np.count_nonzero(~tells)))


def _moves(rows: AuditRows) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The rows that moved on most days and both ways, by split, and their returns about their mean, of length 1."""
    returns = np.diff(np.log(rows.closes), axis=1)
    moved = np.count_nonzero(returns, axis=1) > _RETURNS // 2
    # What never falls is interest, three days' on a Monday: its weeks are alike, and that tells what all know.
    moved &= np.any(returns > 0, axis=1) & np.any(returns < 0, axis=1)
    places = np.flatnonzero(moved)
    places = places[np.argsort(rows.split[places], kind="stable")]
    returns = returns[places]
    typical = np.median(np.abs(returns), axis=1)[:, None]
    bounded = np.clip(returns / typical, -_LARGEST, _LARGEST)
    # About their mean: funds that earn the same interest each day have nothing else in common.
    bounded -= np.mean(bounded, axis=1)[:, None]
    length = np.linalg.norm(bounded, axis=1)[:, None]
    return places, np.divide(bounded, length, out=np.zeros_like(bounded), where=length > 0)


def _hashes(moves: NDArray[np.float32]) -> Iterator[NDArray[np.int64]]:
    """Each hash of all rows, [rows]: the signs of random sums of their returns."""
    rng = np.random.default_rng(0)
    for _ in range(_HASHES):
        sums = moves @ rng.standard_normal((moves.shape[1], _BITS), np.float32)
        yield ((sums > 0).astype(np.float32) @ np.float32(2) ** np.arange(_BITS, dtype=np.float32)).astype(np.int64)


def _of_same_key(key: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Places with the same key, [pairs, 2]: each row behind the first of its key, and behind some before it."""
    rows = np.arange(len(key))
    key, order = np.divmod(np.sort(key * max(1, len(key)) + rows), max(1, len(key)))
    begins = rows.copy()
    begins[1:][key[1:] == key[:-1]] = 0
    first = np.maximum.accumulate(begins)
    again = np.flatnonzero(first < rows)
    first = first[again]
    for back in range(1, _NEIGHBOURS + 1):
        before = again - back
        yield np.stack([order[before], order[again]], axis=1)[before >= first]
    yield np.stack([order[first], order[again]], axis=1)[first < again - _NEIGHBOURS]


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
