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

_ROWS_LIKE_A_CELL = 8
"""Resampling a row costs about as much as that many cells of W: with few rows a day, rows are cheaper."""


def resampled_pairs(
    positive: NDArray[Any], scores: NDArray[Any], days: NDArray[Any], blocks: DayBlocks
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Counts pairs in every resample.

    Args:
        positive: bool array [rows], True for "up".
        scores: array [rows].
        days: int array [rows], each row's position among the days of the blocks.
        blocks: says how often each day counts.

    Returns:
        Pairs whose "up" row scores higher, ties counting half, and all pairs, [resamples] each.
    """
    count = len(blocks.unique)
    if count**2 > _ROWS_LIKE_A_CELL * len(scores):
        rows = Pairs(positive, scores)
        counted = np.array([rows.counted(weight.astype(np.float64)[days]) for weight in blocks.weights])
        return counted[:, 0], counted[:, 1]
    won = _won(positive, scores, days, count)
    up, down = (np.bincount(days[rows], minlength=count).astype(np.float64) for rows in (positive, ~positive))
    weights = blocks.weights.astype(np.float64)
    return np.einsum("rd,rd->r", weights @ won, weights), (weights @ up) * (weights @ down)


def resampled_aucs(positive: NDArray[Any], scores: NDArray[Any], blocks: DayBlocks) -> NDArray[np.float64]:
    """The AUC of every resample, [resamples]; arguments as in `resampled_pairs`, of the blocks' own rows.

    All nan where there are fewer than two blocks of days.
    """
    if not blocks.enough:
        return np.full(len(blocks.weights), np.nan)
    return ratio(*resampled_pairs(positive, scores, blocks.index, blocks))


def _won(positive: NDArray[Any], scores: NDArray[Any], days: NDArray[Any], count: int) -> NDArray[np.float64]:
    """Pairs that each pair of days wins, [days of "up" rows, days of "down" rows]."""
    order = np.argsort(scores, kind="stable")
    up, day, score = positive[order], days[order], scores[order]
    won, below = np.zeros((count, count)), np.zeros(count)
    first = np.flatnonzero(np.concatenate([[True], score[1:] != score[:-1]]))
    if len(first) == len(score):  # no ties, the usual case
        for rises, place in zip(up.tolist(), day.tolist(), strict=True):
            if rises:
                won[place] += below
            else:
                below[place] += 1
        return won
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(score)], strict=True):
        rises = up[begin:end]
        tied = np.bincount(day[begin:end][~rises], minlength=count)
        if end - begin > count:  # a score of few values: each day at once
            won += np.bincount(day[begin:end][rises], minlength=count)[:, None] * (below + tied / 2)
        else:
            np.add.at(won, day[begin:end][rises], below + tied / 2)
        below += tied
    return won
