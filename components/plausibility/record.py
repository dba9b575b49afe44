"""Suspects as typed values, and the file that travels with a run's examples. Standard library only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from shlex import quote

from components.errors import UserError
from components.price_panel.flags import flag_of
from components.records import RecordError, from_json, to_json

SUSPECTS_FILE = "suspects.json"
"""In the folder of the examples that were made of the prices."""

_MOST_NAMED = 3


class Grade(StrEnum):
    """How sure it is that a return is none."""

    WRONG = "wrong"
    LARGE = "large"


@dataclass(frozen=True)
class Bounds:
    """From where on a return is a suspect.

    Attributes:
        largest: a return beyond it, up or down; 0.5 is 50 %.
        deviations: robust standard deviations of the share's returns.
    """

    largest: float = 0.5
    deviations: float = 12.0


@dataclass(frozen=True)
class Suspect:
    """A return that does not look like one of a market.

    Attributes:
        share_id: the share.
        day: the session that the return ends on, ISO.
        change: the return of the adjusted close from the session before; 0.5 is 50 %.
        grade: wrong or large.
        cause: what is likely behind it, in words.
        partner: the other session of an error that was taken back, ISO; empty where there is none. To accept one of
            the two is to accept both.
        accepted: whether a person has said that it is right.
    """

    share_id: str
    day: str
    change: float
    grade: Grade
    cause: str
    partner: str = ""
    accepted: bool = False

    @property
    def stops(self) -> bool:
        """Whether nothing may be pushed because of it."""
        return self.grade is Grade.WRONG and not self.accepted

    @property
    def name(self) -> str:
        """As `--accept` takes it."""
        return f"{self.share_id}:{self.day}"

    @property
    def percent(self) -> str:
        """The return as it is written.

        >>> Suspect("A", "2020-08-31", -0.75, Grade.WRONG, "").percent
        '-75.0 %'
        """
        return f"{100 * self.change:+,.1f} %"

    @property
    def line(self) -> str:
        """All of it in one line."""
        decided = "accepted" if self.accepted else self.grade.value
        return f"{decided}: {self.share_id}, {self.day}: {self.percent}; {self.cause}"


@dataclass(frozen=True)
class SuspectRecord:
    """What a look through prices found.

    Attributes:
        suspects: wrong before large, each by share and day.
        left_out: suspects beyond the first thousand, which are counted and not kept.
        excluded: the shares that were left out because a person said so.
        shares: shares that were looked at.
        returns: returns that were looked at.
        bounds: from where on a return is a suspect.
    """

    suspects: tuple[Suspect, ...] = ()
    left_out: int = 0
    excluded: tuple[str, ...] = ()
    shares: int = 0
    returns: int = 0
    bounds: Bounds = Bounds()

    @property
    def stopping(self) -> tuple[Suspect, ...]:
        """Wrong ones that nobody has accepted: while there are any, nothing is pushed."""
        return tuple(one for one in self.suspects if one.stops)

    @property
    def open(self) -> tuple[Suspect, ...]:
        """All that nobody has accepted."""
        return tuple(one for one in self.suspects if not one.accepted)

    @property
    def headline(self) -> str:
        """How many there are, in one line."""
        shares = "1 share" if self.shares == 1 else f"{self.shares:,} shares"
        if not self.suspects:
            return f"All {self.returns:,} returns of {shares} look like a market's."
        wrong, large = len(self.stopping), len(self.open) - len(self.stopping)
        accepted = len(self.suspects) - len(self.open)
        counts = [f"{wrong} wrong"] * bool(wrong) + [f"{large} large"] * bool(large)
        counts += [f"{accepted} accepted"] * bool(accepted)
        counts += [f"{self.left_out:,} more"] * bool(self.left_out)
        found = len(self.suspects) + self.left_out
        do = "does" if found == 1 else "do"
        where = f"Of {self.returns:,} returns of {shares}"
        return f"{where}, {found:,} {do} not look like a market's: {', '.join(counts)}"

    def to_json(self) -> str:
        """The content of the file."""
        return to_json(self) + "\n"


def name_some(suspects: Sequence[Suspect]) -> str:
    """The first of some suspects by share and day, and how many more there are."""
    named = ", ".join(f"{one.share_id} on {one.day} ({one.percent})" for one in suspects[:_MOST_NAMED])
    more = len(suspects) - _MOST_NAMED
    return f"{named} and {more} more" if more > 0 else named


def what_to_do(suspects: Sequence[Suspect], database: str | Path = "") -> str:
    """How a person decides of suspects, with the first of them as the example, as a shell takes it.

    Args:
        suspects: one at least.
        database: that they are in; empty where it is not known.

    >>> what_to_do([Suspect("A B", "2020-08-31", -0.75, Grade.WRONG, "")], "p.db")  # doctest: +NORMALIZE_WHITESPACE
    "correct the prices, or say that they are right (awesome prices suspects --db p.db --accept 'A B:2020-08-31'),
    or leave the share out (--exclude 'A B')"
    """
    first = suspects[0]
    which = f" {flag_of(database)}" if str(database) else ""
    return (
        f"correct the prices, or say that they are right (awesome prices suspects{which} --accept {quote(first.name)}),"
        f" or leave the share out (--exclude {quote(first.share_id)})"
    )


def read_suspects(examples: str | Path) -> SuspectRecord | None:
    """What was found of the prices behind some examples; None where they are of a version that did not look.

    Raises:
        UserError: the file is damaged.
    """
    path = Path(examples) / SUSPECTS_FILE
    if not path.exists():
        return None
    try:
        return from_json(SuspectRecord, path.read_bytes())
    except RecordError as error:
        raise UserError(f"{path}: is no record of suspects ({error}); run again with --no-cache") from None
