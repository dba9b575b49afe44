"""How many missing sessions a window or a label may reach across."""

from __future__ import annotations

from models.features import WINDOW

DEFAULT_LIMIT = 5
"""Missing sessions that the 20 steps of a window, or of a label of 20 sessions, may reach across."""


def most_missing(limit: int, steps: int) -> int:
    """How many missing sessions so many steps from row to row may reach across: the limit of 20 steps, in proportion.

    So by default a label of the next session is one of the next session of the exchange, and nothing else.

    >>> most_missing(5, 20), most_missing(5, 1), most_missing(5, 60)
    (5, 0, 15)
    """
    return limit * steps // (WINDOW - 1)
