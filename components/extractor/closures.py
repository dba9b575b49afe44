"""Days on which an exchange was closed though its calendar has a session: none of its shares has them.

A typhoon, an election, a mourning: calendars learn of them late or never. So what no share of an exchange has is no gap
of any, and no share is behind for it. One share alone proves nothing: it stays behind, and the report says what may be.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from components.extractor.calendar import ExchangeCalendar
from components.extractor.report import ShareOutcome, Status
from components.feature_store.arrays import Days
from components.feature_store.weekdays import may_be_closed

_SHOWN = 5


@dataclass(frozen=True)
class Standing:
    """How a share stands, before it is known what the others of its exchange have.

    Attributes:
        outcome: as if it were behind for nothing.
        calendar: of its exchange.
        gaps: sessions in between that it lacks, datetime64[D].
        late: sessions after its last one that it should have.
        waits: why it is behind where that is the source's own word; empty if it is not.
    """

    outcome: ShareOutcome
    calendar: ExchangeCalendar
    gaps: Days
    late: Days
    waits: str = ""

    def judged(self, closed: Days | None = None, alone: bool = False) -> ShareOutcome:
        """The outcome, where the exchange was closed on some days.

        Args:
            closed: the sessions on which no share traded; None if that is not known.
            alone: whether no other share of the exchange was looked at.
        """
        closed = self.gaps[:0] if closed is None else closed
        gaps = np.setdiff1d(self.gaps, closed)
        late = self.late if self.waits else np.setdiff1d(self.late, closed)
        outcome = replace(self.outcome, gaps=len(gaps), first_gaps=tuple(map(str, gaps[:_SHOWN])))
        reasons = [outcome.reason] if outcome.reason else []
        unknown = np.setdiff1d(self.late, late)
        if len(unknown):
            reasons.insert(0, f"{self.calendar.code} may have been closed on {', '.join(map(str, unknown))}")
        if not len(late):
            return replace(outcome, reason="; ".join(reasons))
        count = "1 session" if len(late) == 1 else f"{len(late)} sessions"
        if self.waits:
            text = f"{count} not taken yet: {self.waits}"
        else:
            text = f"the source ends {count} before {outcome.expected}"
            if alone and may_be_closed(np.ones(len(late), dtype=bool)).all():
                text += f" (or {self.calendar.code} was closed: no other share of it was had)"
        return replace(outcome, status=Status.BEHIND, reason="; ".join([text, *reasons]))


def judge_together(
    standings: Sequence[Standing], done: Mapping[str, Sequence[ShareOutcome]]
) -> tuple[list[ShareOutcome], list[str]]:
    """The outcomes of shares that were had in one extraction.

    Args:
        standings: of all shares that were had.
        done: by exchange, the outcomes of shares that an earlier part of the extraction had, all of them current.

    Returns:
        The outcomes, in the order of the standings, and what to say of each exchange that may have been closed.
    """
    outcomes: dict[str, ShareOutcome] = {}
    said = []
    for code in dict.fromkeys(one.calendar.code for one in standings):
        mine = [one for one in standings if one.calendar.code == code]
        others = done.get(code, ())
        closed = closed_days(mine, others)
        if len(closed):
            days = ", ".join(map(str, closed[-_SHOWN:]))
            said.append(
                f"{code} may have been closed on {'..., ' if len(closed) > _SHOWN else ''}{days}: none of "
                f"{len(mine) + len(others)} shares has a bar"
            )
        alone = len(mine) + len(others) < 2
        outcomes |= {one.outcome.share_id: one.judged(closed, alone) for one in mine}
    return [outcomes[one.outcome.share_id] for one in standings], said


def closed_days(standings: Sequence[Standing], done: Sequence[ShareOutcome]) -> Days:
    """Sessions of an exchange that may have been days off: no share has them, of two or more that could.

    Args:
        standings: of shares of one exchange, at least one.
        done: of further ones, which have all that was expected of them but their gaps.
    """
    calendar = standings[0].calendar
    first = min(one.outcome.first for one in standings)
    last = max(one.outcome.expected for one in standings)
    sessions = calendar.sessions(np.datetime64(first, "D").item(), np.datetime64(last, "D").item())
    could, lacked = np.zeros(len(sessions), dtype=int), np.zeros(len(sessions), dtype=int)
    for one in standings:
        could[np.searchsorted(sessions, np.datetime64(one.outcome.first, "D")) :] += 1
        for days in (one.gaps, one.late[:0] if one.waits else one.late):  # what only waits to be taken is there
            if len(days):
                lacked += np.isin(sessions, days)
    for outcome in done:
        inside = (sessions >= np.datetime64(outcome.first, "D")) & (sessions <= np.datetime64(outcome.last, "D"))
        could += inside
        if outcome.gaps == len(outcome.first_gaps):  # else not all of them are known, and it counts as if it had all
            lacked += np.isin(sessions, np.array(outcome.first_gaps, dtype="datetime64[D]"))
    closed: Days = sessions[may_be_closed((lacked == could) & (could > 1))]
    return closed
