"""Whether a ledger is as it was written: every row, its place in the chain, what it says, and the heads kept elsewhere.

What only the file is there to tell of cannot be told from a chain that somebody has made anew, or that was cut at its
end: that is what heads are for, the number and the hash of the last row at some time, kept where the holder of the file
cannot change them.

Who has looked at every row may go on from there later (`LookedAt`): that row is still the one that it was, and all that
follow are looked at as always. An edit of an earlier row shows only to who looks at all of them again.
"""

from __future__ import annotations

import bisect
import contextlib
import datetime as dt
import itertools
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from components.errors import StoreError
from components.ledger.chain import GENESIS, Head
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger, Row
from components.ledger.instants import present, stamp
from components.ledger.rules import Rules
from components.ledger.schema import MODEL, NOTE, OUTCOME, PREDICTION

_DEVIANT = "it is not as it was written: its content or its hash was changed"


@dataclass(frozen=True)
class Fault:
    """What is wrong with a row, or with some that follow each other.

    Attributes:
        first: the row, or the first of them; 0 for the file as a whole.
        last: the last of them.
        row: what it is, in words.
        why: what is wrong, in words.
    """

    first: int
    last: int
    row: str
    why: str

    def __str__(self) -> str:
        """One line."""
        return f"{self.row}: {self.why}"


@dataclass(frozen=True)
class LookedAt:
    """How far a look at a ledger has come that has found nothing wrong, so that a later one can go on from there.

    Attributes:
        identity: of the ledger.
        seq: of the row that was the last one.
        hash: of that row.
        predictions: how many of the rows up to it are predictions.
        late: of those, how many were late.
        outcomes: how many are outcomes.
        doubts: what could not be checked of them.
        whole: when every row was looked at, UTC; later looks went on from there.
    """

    identity: str
    seq: int
    hash: str
    predictions: int
    late: int
    outcomes: int
    doubts: tuple[str, ...]
    whole: str


@dataclass(frozen=True)
class Verification:
    """What a look at every row has found, or at those behind the ones that were looked at before.

    Attributes:
        faults: what is wrong, in the order of the rows.
        doubts: what could not be checked, or is said otherwise by other calendars.
        rows: how many there are.
        predictions: how many of them are predictions.
        late: of those, how many were late.
        outcomes: how many are outcomes.
        head: the last row; None where none can be read.
        heads: how many heads it was held against.
        held: the last row that a head vouches for; 0 for none.
        after: the last row that an earlier look had come to, and this one did not look at again; 0 where it did.
        whole: when every row was looked at, UTC.
    """

    faults: tuple[Fault, ...]
    doubts: tuple[str, ...]
    rows: int
    predictions: int
    late: int
    outcomes: int
    head: Head | None
    heads: int
    held: int
    after: int = 0
    whole: str = ""

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults

    @property
    def looked_at(self) -> LookedAt | None:
        """Where a later look can go on; None where something is wrong, or there is no row."""
        if self.head is None or not self.sound:
            return None
        counts = (self.predictions, self.late, self.outcomes)
        return LookedAt(self.head.identity, self.head.seq, self.head.hash, *counts, self.doubts, self.whole)


def verify(
    path: str | os.PathLike[str],
    heads: Iterable[Head] = (),
    now: dt.datetime | None = None,
    since: LookedAt | None = None,
) -> Verification:
    """Looks at every row of a ledger; nothing is changed.

    Args:
        path: the file.
        heads: what was kept elsewhere; one without a name of its ledger or without a time is held against rows alone.
        now: the present, with a zone; None for the clock.
        since: how far an earlier look has come: only the rows behind that are looked at, unless anything is wrong.

    Raises:
        LedgerError: it is no ledger.
        StoreError: SQLite cannot open it.
    """
    kept, moment = list(heads), now or present()
    with Ledger.open(path) as ledger:
        found = None if since is None else _further(ledger, kept, moment, since)
        if found is not None and found.sound:
            return found
        return _Verifier(ledger, kept, moment).verification()


def _further(ledger: Ledger, heads: Sequence[Head], now: dt.datetime, since: LookedAt) -> Verification | None:
    """Looks at the rows behind an earlier look; None where the row that it had come to is not what it was."""
    try:
        row = ledger.row(since.seq)
        if row is None or (ledger.identity, row.hash, row.right_hash) != (since.identity, since.hash, since.hash):
            return None
        return _Verifier(ledger, heads, now, since, row).verification()
    except (StoreError, LedgerError, ValueError, TypeError, OverflowError):  # who looks at all rows says what it is
        return None


class _Verifier:
    """Goes through the rows once."""

    def __init__(
        self,
        ledger: Ledger,
        heads: Sequence[Head],
        now: dt.datetime,
        since: LookedAt | None = None,
        last: Row | None = None,
    ) -> None:
        self._ledger = ledger
        self._since = since
        self._heads = sorted(heads, key=lambda head: (head.seq, head.time))
        self._rules = Rules(ledger, now)
        self._faults: list[Fault] = []
        self._counts = {PREDICTION.name: 0, OUTCOME.name: 0}
        self._rows = self._late = 0
        self._last: Row | None = None
        self._others: set[str] = set()
        self._wanted = {head.seq: "" for head in self._heads}  # the hashes that the file has there
        timed = [head for head in self._heads if head.time]
        self._places = [head.seq for head in timed]
        self._until = [*itertools.accumulate((head.time for head in timed), max)]
        self._from = [*itertools.accumulate((head.time for head in reversed(timed)), min)][::-1]
        self._whole = stamp(now)
        if since is not None and last is not None:
            self._go_on(since, last)

    def _go_on(self, since: LookedAt, last: Row) -> None:
        """Takes the state that a look has after the row it had come to."""
        self._whole, self._last = since.whole, last
        self._rows, self._late = since.seq, since.late
        self._counts = {PREDICTION.name: since.predictions, OUTCOME.name: since.outcomes}
        self._wanted |= self._ledger.hashes([seq for seq in self._wanted if seq <= since.seq])
        self._rules.go_on(last)
        self._rules.doubts |= dict.fromkeys(since.doubts)

    def verification(self) -> Verification:
        self._check_file()
        try:
            for row in self._ledger.rows(None if self._since is None else self._since.seq):
                self._check_row(row)
        except (StoreError, TypeError, OverflowError) as error:  # a page that is damaged, a number that is none
            at = 0 if self._last is None else self._last.seq
            self._say(at, f"what follows row {at}", f"it cannot be read ({' '.join(str(error).split())})")
        if self._last is not None and (lacking := self._rules.unfinished()):
            self._say(self._last.seq, name_of(self._last), lacking)
        identity = self._identity()
        for head in self._heads:
            self._check_head(head, identity)
        last, ours = self._last, {head.seq for head in self._heads if self._fits(head)}
        return Verification(
            faults=tuple(sorted(self._faults, key=lambda fault: (fault.first, fault.last))),
            doubts=tuple(self._rules.doubts),
            rows=self._rows,
            predictions=self._counts[PREDICTION.name],
            late=self._late,
            outcomes=self._counts[OUTCOME.name],
            head=None if last is None else Head(identity, last.seq, last.hash, str(last["written"])),
            heads=len(self._heads),
            held=max(ours, default=0),
            after=0 if self._since is None else self._since.seq,
            whole=self._whole,
        )

    def _say(self, first: int, row: str, why: str, last: int = 0) -> None:
        self._faults.append(Fault(first, last or first, row, why))

    def _identity(self) -> str:
        with contextlib.suppress(StoreError, LedgerError, ValueError):
            return self._ledger.identity
        return ""

    def _check_file(self) -> None:
        try:
            for complaint in self._ledger.damage(pages=self._since is None):
                self._say(0, "the file", complaint)
        except StoreError as error:
            self._say(0, "the file", str(error))

    def _check_row(self, row: Row) -> None:
        self._rows += 1
        before = self._last
        at, chained = (0, GENESIS) if before is None else (before.seq, before.hash)
        faults = len(self._faults)
        if row.seq <= at:
            self._say(row.seq, name_of(row), "its number stands twice: a row was put in")
        elif row.seq > at + 1:
            missing = f"row {at + 1}" if row.seq == at + 2 else f"rows {at + 1} to {row.seq - 1}"
            self._say(at + 1, missing, "missing: taken out", row.seq - 1)
        elif row.previous != chained:
            name = f"what stood before row {row.seq}" if before is None else name_of(before)
            self._say(at, name, f"it is not what was there when row {row.seq} was written")
        if row.right_hash != row.hash:
            self._say(row.seq, name_of(row), _DEVIANT)
        if len(self._faults) > faults:
            self._rules.distrust()
        elif broken := self._rules.broken(row):
            self._say(row.seq, name_of(row), broken)
        if row.table in self._counts:
            self._counts[row.table] += 1
        self._late += row.table == PREDICTION.name and row["late"] == 1
        if row.seq in self._wanted:
            self._wanted[row.seq] = row.hash
        self._check_time(row)
        self._last = row

    def _check_time(self, row: Row) -> None:
        """Holds when a row says it was written against the heads: was it there by then or not."""
        written = row["written"]
        if not isinstance(written, str):
            return
        after = bisect.bisect_left(self._places, row.seq)  # of the first head that has the row
        if after < len(self._from) and written > self._from[after]:
            self._say(
                row.seq, name_of(row), f"it was written at {written}, and was there at {self._from[after]} already"
            )
        if after and written < self._until[after - 1]:
            why = f"it was written at {written}, and was not there at {self._until[after - 1]}: back-dated"
            self._say(row.seq, name_of(row), why)

    def _check_head(self, head: Head, identity: str) -> None:
        kept = f"the head of row {head.seq}{f' kept at {head.time}' if head.time else ''}"
        end = 0 if self._last is None else self._last.seq
        if head.identity and head.identity != identity:
            if head.identity not in self._others:
                self._others.add(head.identity)
                why = f"{kept} is of another ledger ({head.identity}): this one has taken its place"
                self._say(1, "row 1, LEDGER", why)
            return
        if self._fits(head):
            return
        # The rows up to the last head before it that fits are as they were.
        first = 1 + max((one.seq for one in self._heads if one.seq < head.seq and self._fits(one)), default=0)
        why = f"not those of {kept}: the chain was made anew"
        if head.seq > end:
            why = f"the file ends with row {end}: what stood behind it by {kept} was taken out, or all was made anew"
        self._say(first, f"row {first}" if first == head.seq else f"rows {first} to {head.seq}", why, head.seq)

    def _fits(self, head: Head) -> bool:
        return self._wanted[head.seq] == head.hash


def name_of(row: Row) -> str:
    """What a row is, for people, such as "row 17, PREDICTION of AAA after 2026-11-23"."""
    said = {
        PREDICTION.name: lambda: f" of {_shown(row['share_id'])} after {_shown(row['session'])}",
        OUTCOME.name: lambda: f" of row {_shown(row['prediction'])}",
        MODEL.name: lambda: f" {_shown(row['name'])}",
        NOTE.name: lambda: f" {_shown(row['kind'])}",
    }
    return f"row {row.seq}, {row.table}{said[row.table]() if row.table in said else ''}"


def _shown(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else ascii(text)
