"""What time the loop takes it to be: the machine's, or a made one for replays, which a ledger never forgets."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.instants import present, stamp
from components.live_record import note_once
from components.live_record.notes import MADE_CLOCK

_SAYS = "the times of this ledger are made, as in a replay: its predictions prove nothing about the future"


@dataclass(frozen=True)
class LoopClock:
    """The present, the same for all parts of a loop where it is made.

    Attributes:
        made: the moment that it is said to be; None for the machine's clock.
    """

    made: dt.datetime | None = None

    def now(self) -> dt.datetime:
        """The present, in UTC."""
        return present() if self.made is None else self.made.astimezone(dt.timezone.utc)

    def __str__(self) -> str:
        """For a report."""
        return "of the machine" if self.made is None else f"made: {stamp(self.made)}"

    def check(self, ledger: Ledger) -> None:
        """Keeps made times and real ones apart: a ledger has either from its beginning on.

        Args:
            ledger: opened to write with this clock; one that begins with a made clock is marked.

        Raises:
            LedgerError: the ledger has the other kind of times.
        """
        marked = bool(ledger.select("SELECT 1 FROM NOTE WHERE kind = ? LIMIT 1", MADE_CLOCK))
        if self.made is None and marked:
            raise LedgerError(
                f"{ledger.path}: its times are made (--clock), so no real prediction is written beside them; name "
                "another database, or move it away"
            )
        if self.made is not None and not marked:
            if ledger.head.seq > 1:
                raise LedgerError(
                    f"{ledger.path}: holds real predictions, and a made clock (--clock {stamp(self.made)}) could "
                    "back-date others; replay on a copy of the database without its ledger"
                )
            note_once(ledger, MADE_CLOCK, _SAYS)
