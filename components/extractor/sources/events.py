"""Whether prices show the splits and dividends that a source names: a move that equals the event is no move.

A source that names a 10-for-1 split and leaves the closes before it as they were, or divides them twice, shows a return
of -90 % or +900 % on the split's own day, in adjusted prices. No market does that on that very day, so the return is
told from the event: yfinance #1531, #1543 and #2002 report such replies of Yahoo.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from components.extractor.sources.base import Doubt
from components.feature_store.arrays import Days, Floats

# Of the logarithm: smaller events are not told from what a share does on any day.
_LEAST = 0.02
# An ordinary return of a share is not taken to be smaller than this, nor of one with few sessions.
_LEAST_NOISE, _NOISE_OF_FEW, _FEW = 0.005, 0.03, 20
# In ordinary returns: how far the move is out, and how near to the event.
_FAR, _NEAR = 5, 3
# An event is upside down if the closes move with the factor; a small one may do so by chance.
_LEAST_UPSIDE_DOWN = 0.15
# Elsewhere than on its own day an event is looked for only if it is large, and the move is very much like it.
_LEAST_ELSEWHERE, _FAR_ELSEWHERE, _NEAR_ELSEWHERE = float(np.log(1.9)), 10, 2
# A move as large as this is none of a market's, so that it need not be quite the event.
_HUGE, _PART_OF_HUGE = float(np.log(2.9)), 8


def contradicted_events(time: Days, close: Floats, factor: Floats) -> tuple[Doubt, ...]:
    """Events whose adjusted return is the event itself: the closes do not show it, or twice, or the other way round.

    Args:
        time: sessions, datetime64[D], ascending, shape (n,).
        close: raw, shape (n,).
        factor: that makes closes comparable, shape (n,).

    Returns:
        A doubt for each such day.

    >>> days = np.arange("2024-01-01", "2024-01-21", dtype="datetime64[D]")
    >>> factor = np.where(days < np.datetime64("2024-01-11"), 1.0, 10.0)
    >>> [doubt.day.isoformat() for doubt in contradicted_events(days, np.full(20, 50.0), factor)]
    ['2024-01-11']
    >>> contradicted_events(days, 50.0 / factor, factor)
    ()
    """
    move, event = np.diff(np.log(close * factor)), np.diff(np.log(factor))
    noise = _noise(move, event)
    distance = np.minimum(np.abs(move - event), np.abs(move + event))
    upside_down = np.where(np.abs(event) > _LEAST_UPSIDE_DOWN, np.abs(move - 2 * event), np.inf)
    distance = np.minimum(distance, upside_down)
    size = np.abs(move)
    near = (distance < np.maximum(_NEAR * noise, size / 4)) & (distance < size / 2)
    wrong = (np.abs(event) > _LEAST) & (size > _FAR * noise) & near
    return tuple(
        Doubt(
            f"an event of {time[at + 1]} is named, which multiplies the factor by {np.exp(event[at]):.6g}, but the "
            f"closes do not show it: the return of that day would be {100 * np.expm1(move[at]):+.6g} %",
            time[at + 1].item(),
        )
        for at in np.flatnonzero(wrong)
    )


def splits_elsewhere(time: Days, close: Floats, splits: Mapping[np.datetime64, float]) -> tuple[Doubt, ...]:
    """Moves before a split that equal its ratio: it was applied to a part of the history only, or twice to a part.

    Args:
        time: sessions, datetime64[D], ascending, shape (n,).
        close: split-adjusted up to the last day, shape (n,).
        splits: new shares for each old one by day.
    """
    move = np.diff(np.log(close))
    noise = _noise(move, np.zeros(len(move)))
    doubts = []
    for day, ratio in splits.items():
        event = float(np.log(ratio))
        if abs(event) < _LEAST_ELSEWHERE:
            continue
        distance = np.minimum(np.abs(move - event), np.abs(move + event))
        near = max(_NEAR_ELSEWHERE * noise, abs(event) / _PART_OF_HUGE if abs(event) > _HUGE else 0.0)
        like = (distance < near) & (np.abs(move) > _FAR_ELSEWHERE * noise) & (time[1:] < day)
        doubts += [
            Doubt(
                f"the return of {time[at + 1]}, {100 * np.expm1(move[at]):+.6g} %, is that of the split of {day} "
                f"({ratio:.6g} shares of one), as if it were applied to a part of the closes only",
                time[at + 1].item(),
            )
            for at in np.flatnonzero(like)
        ]
    return tuple(doubts)


def _noise(move: Floats, event: Floats) -> float:
    """An ordinary return of the share, as a standard deviation that large returns do not raise."""
    usual = np.abs(move[(np.abs(event) <= _LEAST) & (move != 0)])
    if len(usual) < _FEW:
        return _NOISE_OF_FEW
    return max(1.4826 * float(np.median(usual)), _LEAST_NOISE)
