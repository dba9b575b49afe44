"""No adjustment is no proof that nothing happened: what speaks against taking closes as they were traded."""

from __future__ import annotations

import numpy as np

from components.extractor.sources.base import Doubt
from components.feature_store.arrays import Booleans, Days, Floats

_SIMPLE = np.array([2, 2.5, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50, 100])
_DAY_MOVE = 0.03
"""Log move of the session itself, beside the ratio."""


def unadjusted_doubts(time: Days, close: Floats, events: Booleans, instead: str) -> tuple[Doubt, ...]:
    """Doubts about closes to which no adjustment came.

    Args:
        time: sessions, datetime64[D], shape (n,).
        close: raw, shape (n,).
        events: whether the reply names an event of this day, shape (n,).
        instead: what gives adjusted prices, to be added to a message.

    Returns:
        One for the first event that is named, as the closes before it are of another share than those after it; else
        one for each close that jumps by a simple ratio, as in a split.
    """
    for at in np.flatnonzero(events[1:])[:1] + 1:
        return (Doubt(f"the prices came without adjustments, but a row names an event of {time[at]}{instead}"),)
    move = np.diff(np.log(close))
    large = np.flatnonzero(np.abs(move) > np.log(_SIMPLE[0]) - _DAY_MOVE)
    near = np.abs(np.abs(move[large, None]) - np.log(_SIMPLE)).min(axis=1, initial=np.inf) < _DAY_MOVE
    return tuple(
        Doubt(
            f"the prices came without adjustments, but the close of {time[at + 1]} is {close[at + 1]:g} after "
            f"{close[at]:g}, as in a split{instead}",
            time[at + 1].item(),
        )
        for at in large[near]
    )
