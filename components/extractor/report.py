"""What an extraction did, share by share."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

from components.records import to_json, to_plain

ALL_WELL, PARTIAL, NOTHING = 0, 3, 4
"""Exit codes."""


class Status(StrEnum):
    """How a share stands after an extraction."""

    NEW = "new"
    """Sessions were added or corrected."""
    UNCHANGED = "unchanged"
    """The store had all of it."""
    READJUSTED = "readjusted"
    """Fetched again from the start; the reason says why."""
    BEHIND = "behind"
    """The source gave what it has, but not the last closed session, which other shares of the exchange have."""
    FAILED = "failed"
    """Nothing was changed; the reason says why."""


@dataclass(frozen=True)
class ShareOutcome:
    """What became of one share.

    Attributes:
        share_id: the share.
        status: see Status.
        reason: why, in words; empty where there is nothing to say.
        new: sessions that were not stored before.
        changed: sessions that were stored and differed.
        first: first session stored now, ISO; empty if none is.
        last: last one.
        expected: the last closed session that the share should have, ISO; empty where it is not known.
        gaps: sessions of the exchange between `first` and `last` that are not stored, without those that no share of
            it has.
        first_gaps: the first of them, ISO.
        off_calendar: bars that came of days which are no sessions of the exchange; they were left out.
    """

    share_id: str
    status: Status
    reason: str = ""
    new: int = 0
    changed: int = 0
    first: str = ""
    last: str = ""
    expected: str = ""
    gaps: int = 0
    first_gaps: tuple[str, ...] = ()
    off_calendar: int = 0


@dataclass(frozen=True)
class ExtractionReport:
    """What an extraction did.

    Attributes:
        source: that was asked.
        database: that was brought up to date.
        since: the first day that was asked for, None for that of before.
        started: when, ISO, UTC.
        seconds: that it took.
        shares: one outcome a share, in the order they were asked for.
        warnings: about the whole.
        resumed: shares that were done by an earlier extraction which this one resumed.
    """

    source: str
    database: str
    since: dt.date | None
    started: str
    seconds: float
    shares: tuple[ShareOutcome, ...]
    warnings: tuple[str, ...] = ()
    resumed: int = 0

    JSON_FIRST: ClassVar = (
        *("source", "database", "since", "started", "seconds", "counts", "exit_code", "resumed", "warnings"),
    )

    @property
    def counts(self) -> dict[str, int]:
        """Number of shares by status, in the order of Status."""
        found = Counter(outcome.status for outcome in self.shares)
        return {status.value: found[status] for status in Status}

    @property
    def exit_code(self) -> int:
        """0: all shares are current. 3: some failed or are behind. 4: nothing could be had."""
        if all(outcome.status is Status.FAILED for outcome in self.shares):
            return NOTHING
        if any(outcome.status in (Status.FAILED, Status.BEHIND) for outcome in self.shares):
            return PARTIAL
        return ALL_WELL

    def to_dict(self) -> dict[str, Any]:
        """The report in JSON's types."""
        return to_plain(self) | {"seconds": round(self.seconds, 3)}

    def to_json(self) -> str:
        """The report as JSON, one object."""
        return to_json(self.to_dict())
