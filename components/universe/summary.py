"""What a report says of the universe of a run. Nothing heavier than the standard library."""

from __future__ import annotations

from dataclasses import dataclass

UNIVERSE_PROPERTY = "universe"
"""Of the examples of a run: who was there, a `UniverseSummary` as JSON."""


@dataclass(frozen=True)
class UniverseSummary:
    """Who was there.

    Attributes:
        shares: of the run.
        members: those of them that have a spell; 0 where all shares belong to the universe always.
        without_prices: members that the database has no prices of, beside those.
        ended: shares of the run whose prices end before the last session.
        delisted: those of them whose return after the last price is known.
        deathless: whether all prices come from synthetic markets in which no share ends.
    """

    shares: int = 0
    members: int = 0
    without_prices: int = 0
    ended: int = 0
    delisted: int = 0
    deathless: bool = False

    @property
    def survivors_only(self) -> bool:
        """Whether no share of the run ever ended, though shares of real markets do."""
        return not self.ended and not self.deathless
