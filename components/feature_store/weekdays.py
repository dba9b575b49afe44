"""What holds of the days of every exchange: on which weekdays it opens as a rule, and how seldom it surprises."""

from __future__ import annotations

import numpy as np

from components.feature_store.arrays import Booleans, Days

_REGULAR = 4
"""A weekday counts if there is a session on it in at least one of so many weeks: a special Saturday is none."""

_LONGEST_SURPRISE = 3
_SURPRISES_ALWAYS, _SURPRISES_IN = 5, 100


def regular_weekdays(days: Days) -> list[bool]:
    """Tells for Monday to Sunday whether sessions fall on it as a rule.

    >>> regular_weekdays(np.arange("2024-01-01", "2024-03-02", dtype="datetime64[D]")[::7])
    [True, False, False, False, False, False, False]
    """
    counts = np.bincount((days.astype("datetime64[D]").astype(np.int64) + 3) % 7, minlength=7)
    return [bool(count * _REGULAR >= counts.max() > 0) for count in counts]


def may_be_closed(lacking: Booleans) -> Booleans:
    """Tells which sessions that no share has may be days on which the exchange was closed, unknown to its calendar.

    These are few and short: up to three sessions in a row, and one session in a hundred in all, or five. Where more is
    lacking, the shares lack it.

    Args:
        lacking: for each session of the calendar in a row, shape (n,), whether no share has it.

    >>> may_be_closed(np.array([False, True, False])).tolist()
    [False, True, False]
    """
    if np.count_nonzero(lacking) > max(_SURPRISES_ALWAYS, len(lacking) / _SURPRISES_IN):
        return np.zeros_like(lacking)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lacking, [False]])))
    closed = lacking.copy()
    for begin, end in edges.reshape(-1, 2).tolist():
        if end - begin > _LONGEST_SURPRISE:
            closed[begin:end] = False
    return closed
