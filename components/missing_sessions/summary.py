"""What a report says of missing sessions. Nothing heavier than the standard library."""

from __future__ import annotations

from dataclasses import dataclass

MISSING_PROPERTY = "missing_sessions"
"""Of the examples of a run: what their shares lack, a `MissingSummary` as JSON."""


@dataclass(frozen=True)
class MissingSummary:
    """What shares lack.

    Attributes:
        shares: that lack sessions.
        sessions: that they lack, all shares together.
        lines: for people: of exchanges, and of the shares that lack most, with their first days.
    """

    shares: int = 0
    sessions: int = 0
    lines: tuple[str, ...] = ()
