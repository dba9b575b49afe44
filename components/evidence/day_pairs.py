"""The AUC of every resample of days at once, from how many pairs each pair of days wins.

A resample only says how often each day counts, so that its AUC needs no rows: where W[a, b] is how many pairs of an
"up" row of day a and a "down" row of day b the score orders rightly, ties counting half, and w says how often each day
counts, the resample wins w' W w pairs. All are whole or half numbers, so both ways give the same digits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.metric import ratio
from components.evidence.pairs import Pairs
from components.evidence.resampling import DayBlocks

_STEP, _MARKS = 32, 2048
"""Rows between two marks, and marks at once: tables that fit into a processor's cache."""

_ROWS_LIKE_A_CELL = 50
"""Resampling a row costs about as much as that many cells of W: with few rows a day, rows are cheaper."""


def resampled_pairs(
    pairs: Pairs, days: NDArray[Any], blocks: DayBlocks
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts pairs in every resample.

    Args:
        pairs: of the rows.
        days: int array [rows], each row's position among the days of the blocks.
        blocks: says how often each day counts.

    Returns:
        Pairs whose "up" row scores higher, ties counting half, and all pairs, [resamples] each.
    """
    count = len(blocks.unique)
    up_days, down_days = days[pairs.up], days[pairs.down]
    if count**2 > _ROWS_LIKE_A_CELL * len(days):
        counted = np.array([pairs.weighed(weight[up_days], weight[down_days]) for weight in blocks.weights])
        return counted[:, 0], counted[:, 1]
    won = _counted_below(up_days, pairs.low, down_days, count)
    if pairs.tied:
        won = (won + _counted_below(up_days, pairs.high, down_days, count)) / 2
    up, down = (np.bincount(one, minlength=count).astype(np.float64) for one in (up_days, down_days))
    weights = blocks.weights
    return np.einsum("rd,rd->r", weights @ won, weights), (weights @ up) * (weights @ down)


def resampled_aucs(pairs: Pairs, blocks: DayBlocks) -> NDArray[np.float64]:
    """The AUC of every resample, [resamples], of the blocks' own rows.

    All nan where there are fewer than two blocks of days.
    """
    if not blocks.enough:
        return np.full(len(blocks.weights), np.nan)
    return ratio(*resampled_pairs(pairs, blocks.index, blocks))


def _counted_below(up: NDArray[Any], places: NDArray[np.intp], down: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Counts, for each "up" row, the days of the "down" rows below it.

    At every mark, `_STEP` rows apart, stands how many rows of each day lie below; the sums of those that the "up" rows
    of a day have passed are a product of matrices. What lies between a mark and a row is counted pair by pair.

    Args:
        up: the day of each "up" row, [rows].
        places: how many "down" rows lie below it, ascending, [rows].
        down: the day of each "down" row, the lowest first.
        count: days.

    Returns:
        Pairs, [days of "up" rows, days of "down" rows].
    """
    from scipy.sparse import csr_matrix

    won, cells = np.zeros((count, count)), []
    most = max((int(np.bincount(one).max()) for one in (up, down) if len(one)), default=0)
    kind = np.float32 if most**2 < 2**24 else np.float64  # the smaller one that holds all these whole numbers
    mark, beyond = np.divmod(places, _STEP)
    table, below = np.zeros((_MARKS, count), kind), np.zeros(count, np.int64)
    for first in range(0, int(mark[-1]) + 1 if len(mark) else 0, _MARKS):
        here = slice(*np.searchsorted(mark, [first, first + _MARKS]))
        days, begin = up[here], first * _STEP
        if not len(days):
            below += np.bincount(down[begin : begin + _MARKS * _STEP], minlength=count)
            continue
        for at in range(_MARKS):
            table[at] = below
            below += np.bincount(down[begin : begin + _STEP], minlength=count)
            begin += _STEP
            if begin > len(down):
                break
        passed = csr_matrix((np.ones(len(days), kind), (days, mark[here] - first)), shape=(count, _MARKS))
        won += passed @ table
        # Beyond its mark each row has a few more, which follow one another.
        more = beyond[here]
        row = np.repeat(np.arange(len(days)), more)
        place = (mark[here] * _STEP)[row] + np.arange(len(row)) - (np.cumsum(more) - more)[row]
        cells.append(days[row] * count + down[place])
        if sum(map(len, cells)) > won.size:  # seldom, as each time all of W is gone through
            won += np.bincount(np.concatenate(cells), minlength=won.size).reshape(won.shape)
            cells = []
    return won + np.bincount(np.concatenate([np.zeros(0, np.int64), *cells]), minlength=won.size).reshape(won.shape)
