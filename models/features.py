"""The names and shapes of what an example carries: the contract between FeatureExampleGen and the models.

| feature | type | meaning |
|---|---|---|
| share_id | bytes [1] | the share |
| time | int64 [1] | its session as YYYYMMDD |
| year | int64 [1] | the session's year, for slices |
| session | int64 [1] | how many windows its share had before: tells which rows of a share have sessions in common |
| closes | float32 [21] | close0 (the latest) to close20, adjusted from the first day on |
| label_h | int64 [1] or none | 1 or 0, as the run's label says of h sessions later; none if undecided or unknown |
| forward_return_h | float32 [1] or none | close h sessions later / close now - 1 |
| excess_return_h | float32 [1] or none | forward_return_h less the level of its day; only of a label that has one |
"""

from __future__ import annotations

WINDOW = 21
"""Closes in a window; one more than its returns."""

NEXT_SESSION = 1
"""The horizon that every example carries a return for, whatever is trained."""

SHARE_ID = "share_id"
TIME = "time"
YEAR = "year"
SESSION = "session"
CLOSES = "closes"


def label_key(horizon: int) -> str:
    """The name of the label `horizon` sessions ahead."""
    return f"label_{horizon}"


def forward_return_key(horizon: int) -> str:
    """The name of the return `horizon` sessions ahead.

    >>> forward_return_key(20)
    'forward_return_20'
    """
    return f"forward_return_{horizon}"


def excess_return_key(horizon: int) -> str:
    """The name of the return `horizon` sessions ahead less what it must exceed on its day (models/labels/)."""
    return f"excess_return_{horizon}"
