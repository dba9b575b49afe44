"""What is found of missing sessions, and how it is told."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from components.feature_store.arrays import Days, Integers
from components.missing_sessions.summary import MissingSummary

_DAYS_SHOWN = 3
_SHARES_SHOWN = 10
_NOTES_SHOWN = 20


@dataclass(frozen=True, eq=False)
class ShareGaps:
    """The sessions that one share lacks.

    Attributes:
        days: Missing sessions between its first and its last price, datetime64[D], ascending, n >= 1.
        opening: The days of its first 20 prices, which no window of FEATURE ends on; datetime64[D].
    """

    days: Days
    opening: Days

    def between(self, first: Days, last: Days) -> Integers:
        """Number of missing sessions between days, each pair's; int64, of the shape of `first` and `last`."""
        return np.searchsorted(self.days, last) - np.searchsorted(self.days, first)


@dataclass(frozen=True)
class MissingSessions:
    """What shares lack.

    Attributes:
        shares: By share, what it lacks; without those that lack nothing.
        said: What is to be said of each group of shares that were compared with one another, a sentence each.
        group: By share, the place of its group in `said`.
        off: By share, days off of its exchange that have a price.
        listed: By share, the place in `said` of the exchange that somebody named for it, in vain: it has prices on so
            many days off that it is hardly listed there.
    """

    shares: Mapping[str, ShareGaps] = field(default_factory=dict)
    said: tuple[tuple[str, ...], ...] = ()
    group: Mapping[str, int] = field(default_factory=dict)
    off: Mapping[str, Days] = field(default_factory=dict)
    listed: Mapping[str, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """Missing sessions of all shares together."""
        return sum(len(gaps.days) for gaps in self.shares.values())

    @property
    def notes(self) -> tuple[str, ...]:
        """What is to be said of exchanges, or of shares whose exchange nobody named, a sentence each."""
        return tuple(sentence for one in self.said for sentence in one)

    def of(self, shares: Iterable[str]) -> MissingSessions:
        """What some shares lack, and what is to be said of them."""
        names = list(shares)
        gaps, off = ({one: values[one] for one in names if one in values} for values in (self.shares, self.off))
        group = {share: self.group[share] for share in names if share in self.group}
        # Of a share that is not compared with its exchange, the word stands with the exchange.
        kept = set(group.values()) | {self.listed[share] for share in names if share in self.listed}
        said = tuple(one if number in kept else () for number, one in enumerate(self.said))
        return replace(self, shares=gaps, said=said, group=group, off=off)

    def summary(self) -> MissingSummary:
        """What a report says of it."""
        return MissingSummary(len(self.shares), self.total, tuple(self.lines()))

    def lines(self, shares_shown: int = _SHARES_SHOWN) -> list[str]:
        """For people: the notes, and a line for each of the shares that lack most; one for the others together."""
        most = sorted(self.shares, key=lambda share: (-len(self.shares[share].days), share))
        said = list(self.notes[:_NOTES_SHOWN])
        if len(self.notes) > _NOTES_SHOWN:
            said.append(f"... and {len(self.notes) - _NOTES_SHOWN} more of this kind")
        for share in most[:shares_shown]:
            days = self.shares[share].days
            said.append(f"{share} lacks {sessions(len(days))}: {some_days(days)}")
        if rest := most[shares_shown:]:
            count = sum(len(self.shares[share].days) for share in rest)
            said.append(f"... and {len(rest)} more shares lack {sessions(count)}")
        return said

    def digest(self, fingerprint: str) -> str:
        """A fingerprint of prices and of what is missing of them: that of the prices alone where nothing is."""
        if not self.shares:
            return fingerprint
        result = hashlib.sha256(fingerprint.encode())
        for share, gaps in sorted(self.shares.items()):
            result.update(share.encode("utf-8", "surrogatepass") + b"\0" + gaps.days.astype("<i8").tobytes())
        return result.hexdigest()


def sessions(count: int) -> str:
    """A number of sessions in words."""
    return "1 session" if count == 1 else f"{count:,} sessions"


def some_days(days: Days) -> str:
    """The first few days, as a text."""
    return ", ".join(map(str, days[:_DAYS_SHOWN])) + (", ..." if len(days) > _DAYS_SHOWN else "")
