"""What time the loop takes it to be: the machine's, or a made one for replays, which a ledger never forgets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from components.ledger.instants import present, stamp


@dataclass(frozen=True)
class LoopClock:
    """The present, the same for all parts of a loop where it is made.

    Attributes:
        made: the moment that it is said to be; None for the machine's clock.
    """

    made: dt.datetime | None = None

    def now(self) -> dt.datetime:
        """The present, in UTC."""
        return present() if self.made is None else self.made.astimezone(dt.UTC)

    def __str__(self) -> str:
        """For a report."""
        return "of the machine" if self.made is None else f"made: {stamp(self.made)}"
