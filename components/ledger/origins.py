"""Where a model that speaks comes from: whether it was blessed, by which run, and when it was pushed.

It stands in notes, which every ledger has: no row and no table changes, so a ledger that was begun before, its chain
and the heads that were kept of it stay as they are, and what reads ledgers goes on reading this one. A model that had
spoken before its origin was noted has one from then on, and when it was noted stands in the note's row.
"""

from __future__ import annotations

from dataclasses import dataclass

from components.ledger.file import Ledger
from components.ledger.schema import NOTE
from components.records import RecordError, from_json, to_json

ORIGIN = "origin"
"""The kind of such a note."""


@dataclass(frozen=True)
class Origin:
    """Where a model comes from.

    Attributes:
        model: its digest.
        horizon: sessions ahead.
        blessed: whether it passed its thresholds and was pushed; else it is on trial.
        run: the run that trained it, by the name of its folder; empty where it is not known.
        pushed: when it was pushed, UTC; empty where it was not, or nobody knows.
    """

    model: str
    horizon: int
    blessed: bool
    run: str = ""
    pushed: str = ""


class Origins:
    """What a ledger says of the origins of its models."""

    def __init__(self, ledger: Ledger) -> None:
        """Reads the notes; one of a newer version is left out."""
        self._noted: dict[tuple[str, int], list[tuple[int, Origin]]] = {}
        for seq, text in ledger.select("SELECT seq, text FROM NOTE WHERE kind = ? ORDER BY seq", ORIGIN):
            try:
                origin = from_json(Origin, text)
            except RecordError:
                continue
            self._noted.setdefault((origin.model, origin.horizon), []).append((seq, origin))

    def of(self, model: str, horizon: int, row: int | None = None) -> Origin | None:
        """That of a model as it was known when a row was written; the first that was noted, where that was later.

        Args:
            model: its digest.
            horizon: sessions ahead.
            row: number of the row; None for the present.
        """
        noted = self._noted.get((model, horizon), [])
        known = [origin for seq, origin in noted if row is None or seq < row]
        return known[-1] if known else noted[0][1] if noted else None


def keep_origin(ledger: Ledger, origin: Origin) -> bool:
    """Notes the origin of a model where it is not what was noted last; tells whether it was noted.

    One whose run is gone by now says less than what stands there, and is none.
    """
    with ledger.writing() as batch:
        last = Origins(ledger).of(origin.model, origin.horizon)
        if last == origin or (last is not None and last.blessed == origin.blessed and not origin.run):
            return False
        batch.add(NOTE.name, (ORIGIN, to_json(origin, indent=None)))
    return True
