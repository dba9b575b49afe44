"""The days of a ledger as the arrays that evidence is made of, and the evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Floats
from components.ledger.days import LiveDay, LiveSeries, live_days, live_series
from components.ledger.file import Ledger
from components.ledger.levels import PATIENCE
from components.live_evidence import Claim, Course, Parameters, daily_gains, daily_rank_ics, evaluate
from components.live_record.setting_up import read_parameters


@dataclass(frozen=True, eq=False)
class LiveRecord:
    """A series of predictions whose outcomes are known, and what they prove.

    Attributes:
        series: of the ledger.
        parameters: that it is judged by.
        sessions: the sessions that are judged, ISO, n of them: those on which something counts and all has come due. A
            session that was missed is none of them, so that bets are never closer than the horizon.
        rank_ics: daily rank IC, [n]; nan where a session has none.
        gains: daily gain over the base rate, [n]; nan likewise.
        course: the evidence after each of them.
        days: what counted on each of them, [n].
        waiting: sessions on which something counts and that are not judged yet.
        head: hash of the ledger's last row then; while that is the last one, whoever judges finds the same.
    """

    series: LiveSeries
    parameters: Parameters
    sessions: tuple[str, ...]
    rank_ics: Floats
    gains: Floats
    course: Course
    days: tuple[LiveDay, ...]
    waiting: int
    head: str

    @property
    def proved_after(self) -> str:
        """The session whose outcomes were the proof, ISO; empty where there is none."""
        return "" if self.course.proved is None else self.sessions[self.course.proved]

    def refutes(self, claim: Claim) -> bool:
        """Whether the confidence sequence was ever below a claim of a rank IC above 0; `only_claim` says which."""
        high = self.course.high[~np.isnan(self.course.high)]
        return claim.mean > 0 and bool(np.any(high < claim.mean))


def judge(ledger: Ledger, horizon: int) -> LiveRecord | None:
    """Judges the latest series of a horizon; None where it has not begun.

    Raises:
        LedgerError: its parameters cannot be read.
    """
    found = [one for one in live_series(ledger) if one.horizon == horizon]
    if not found:
        return None
    return judge_series(ledger, found[-1])


def judge_series(ledger: Ledger, series: LiveSeries) -> LiveRecord:
    """Judges one series.

    Raises:
        LedgerError: its parameters cannot be read.
    """
    parameters, head = read_parameters(ledger, series.parameters), ledger.head.hash
    days = list(live_days(ledger, series, parameters.label))
    due = days[: _due(days)]
    count = len(due)
    at = np.repeat(np.arange(count), [len(day.share_ids) for day in due])
    probability, up, ahead = (_joined([getattr(day, name) for day in due]) for name in ("probability", "up", "ahead"))
    rank_ics = daily_rank_ics(probability, ahead, at, count)
    gains = daily_gains(up, probability, at, count, parameters)
    return LiveRecord(
        series=series,
        parameters=parameters,
        sessions=tuple(day.session for day in due),
        rank_ics=rank_ics,
        gains=gains,
        course=evaluate(rank_ics, gains, parameters),
        days=tuple(due),
        waiting=len(days) - count,
        head=head,
    )


def _due(days: Sequence[LiveDay]) -> int:
    """How many of the days, from the first on, are complete or have waited long enough."""
    settled = np.array([bool(day.share_ids) for day in days], bool)
    for at, day in enumerate(days):
        if day.pending and settled[at + 1 :].sum() < PATIENCE:
            return at
    return len(days)


def _joined(parts: Sequence[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)
