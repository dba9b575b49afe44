"""What is to be extracted."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

SINCE = dt.date(2010, 1, 1)
"""The first day where none is given."""
FILE_SOURCE = "file"


@dataclass(frozen=True)
class ExtractionPlan:
    """What is to be extracted.

    Attributes:
        source: name of the source; `file:PATH` for a file of prices.
        shares: their names as the source writes them; empty for all that are stored from it (of a file: all it holds).
        since: the first day; None for what a share was asked for before, SINCE where it is new.
        until: the last day; None for the last closed session of each share's exchange.
        best_effort: whether a source that often refuses may be asked.
    """

    source: str
    shares: tuple[str, ...] = ()
    since: dt.date | None = None
    until: dt.date | None = None
    best_effort: bool = False

    @property
    def file(self) -> str | None:
        """Path of the file of prices; None for a source on the internet."""
        name, _, path = self.source.partition(":")
        return path if name == FILE_SOURCE else None
