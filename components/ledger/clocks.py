"""Times of the machine's clock and made ones, as of a replay: a ledger has either, from its beginning on."""

from __future__ import annotations

import datetime as dt

from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.instants import stamp
from components.ledger.setting_up import note_once

MADE_CLOCK = "made clock"
"""The kind of the note that says that a ledger's times are made: it proves nothing about the future."""

_SAYS = "the times of this ledger are made, as in a replay: its predictions prove nothing about the future"


def has_made_times(ledger: Ledger) -> bool:
    """Whether a ledger says of itself that its times are made."""
    return bool(ledger.select("SELECT 1 FROM NOTE WHERE kind = ? LIMIT 1", MADE_CLOCK))


def check_clock(ledger: Ledger, made: dt.datetime | None = None) -> None:
    """Keeps made times and real ones apart.

    Args:
        ledger: that is to be written to; one that begins with a made clock is marked, and has to be opened to write.
        made: the moment that it is said to be; None for the machine's clock.

    Raises:
        LedgerError: the ledger has the other kind of times.
    """
    marked = has_made_times(ledger)
    if made is None and marked:
        raise LedgerError(
            f"{ledger.path}: its times are made (--clock), so no real prediction is written beside them; name another "
            "database, or move it away"
        )
    if made is not None and not marked:
        if ledger.head.seq > 1:
            raise LedgerError(
                f"{ledger.path}: holds real predictions, and a made clock (--clock {stamp(made)}) could back-date "
                "others; replay on a copy of the database without its ledger"
            )
        note_once(ledger, MADE_CLOCK, _SAYS)
