"""Split proof: no close of a later split's row is shared with an earlier split's beyond what the embargo allows.

An example carries `session`, how many windows its share had before: k. Its window is made of the sessions k - 20 to k,
its labels end at k + h; a formatter that reads day-wide columns may see further back, to k - r. With an embargo of e
sessions that may reach max(0, r - e) sessions behind a border, and a label never across one. The ordinals are not taken
on trust: neighbouring windows overlap, so their closes must be the same ones shifted by the difference of the ordinals,
and windows that should have nothing in common must not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.splits import SPLITS
from components.leak_audit.check import Check
from components.leak_audit.reading.rows import EVAL, TEST, TRAIN, AuditRows
from components.leak_audit.reading.subsets import rows_at
from components.leak_audit.results import CheckResult, Figure, Status
from models.features import WINDOW

NAME = "split proof"
_NEVER = 99999999
"""A day that no row is behind, YYYYMMDD."""

_PAIRS = ((TRAIN, TEST), (EVAL, TEST), (TRAIN, EVAL))

# Windows that should have nothing in common share so many closes only where they are the same sessions.
_SAME_CLOSES, _SAME_DISTINCT = 10, 5


@dataclass(frozen=True)
class Shared:
    """What a later split has in common with an earlier one.

    Attributes:
        rows: rows of the later split that share a session with the earlier split's windows and labels.
        sessions: how many at most.
        reaching: rows of the earlier split with a label that ends on or behind the later one's first row.
        late: rows of the earlier split that are not before the later split's first day.
        worst_row: a row of the later split with the most shared sessions; -1 where there is none.
    """

    rows: int
    sessions: int
    reaching: int
    late: int
    worst_row: int

    def plus(self, other: Shared, begin: int) -> Shared:
        """With what was found of other shares, whose rows begin at a place."""
        worst = other.worst_row + begin if other.sessions > self.sessions else self.worst_row
        return Shared(
            self.rows + other.rows,
            max(self.sessions, other.sessions),
            self.reaching + other.reaching,
            self.late + other.late,
            worst,
        )


@dataclass(frozen=True)
class Ordinals:
    """Whether the ordinals agree with closes and days.

    Attributes:
        verified: neighbouring rows whose windows overlap just as their ordinals say.
        apart: neighbouring rows without a common session, whose closes agree that there is none.
        wrong: neighbouring rows whose closes or days disagree with their ordinals.
        first_wrong: the first of these, -1 where there is none.
    """

    verified: int
    apart: int
    wrong: int
    first_wrong: int

    def plus(self, other: Ordinals, begin: int) -> Ordinals:
        """With what was found of other shares, whose rows begin at a place."""
        first = other.first_wrong + begin if self.wrong == 0 and other.wrong else self.first_wrong
        return Ordinals(self.verified + other.verified, self.apart + other.apart, self.wrong + other.wrong, first)


def split_proof(rows: AuditRows, embargo: int, reach: int = WINDOW - 1) -> CheckResult:
    """Makes the check; a proof that does not hold is a leak.

    Args:
        rows: of the run.
        embargo: that was asked for.
        reach: sessions before its own that a row's features are made of.
    """
    allowed = max(0, reach - embargo)
    begins = [int(np.min(rows.time[rows.split == split], initial=_NEVER)) for split in range(len(SPLITS))]
    shared = dict.fromkeys(_PAIRS, Shared(0, 0, 0, 0, -1))
    twice, ordinals = 0, Ordinals(0, 0, 0, -1)
    for block in rows.blocks():
        part = rows_at(rows, block)
        for earlier, later in _PAIRS:
            found = shared_sessions(part, earlier, later, reach, begins[later])
            shared[earlier, later] = shared[earlier, later].plus(found, block.start)
        twice += rows_in_two_splits(part)
        ordinals = ordinals.plus(prove_ordinals(part), block.start)
    figures = [
        Figure("neighbouring windows that prove their ordinals", ordinals.verified),
        Figure("neighbouring windows without a common close, as their ordinals say", ordinals.apart),
        Figure("neighbouring windows that disagree with their ordinals", ordinals.wrong),
        Figure("rows in more than one split", twice),
        Figure("sessions that may be shared, by the embargo", allowed),
    ]
    faults: list[str] = []
    for (earlier, later), found in shared.items():
        names = f"{SPLITS[later]} rows that share a session with {SPLITS[earlier]}"
        figures += [
            Figure(names, found.rows),
            Figure(f"{names}: sessions at most", found.sessions),
            Figure(f"{SPLITS[earlier]} labels that reach into {SPLITS[later]}", found.reaching),
            Figure(f"{SPLITS[earlier]} rows not before {SPLITS[later]}", found.late),
        ]
        if found.sessions > allowed:
            faults.append(
                f"{found.rows:,} {SPLITS[later]} rows share up to {found.sessions} sessions with {SPLITS[earlier]}, "
                f"and the embargo of {embargo} allows {allowed} (such as {rows.place(found.worst_row)})"
            )
        elif found.reaching:
            faults.append(f"{found.reaching:,} {SPLITS[earlier]} labels reach into {SPLITS[later]}")
        elif found.late:
            faults.append(f"{found.late:,} {SPLITS[earlier]} rows are not before {SPLITS[later]}")
    if twice:
        faults.insert(0, f"{twice:,} rows stand in more than one split")
    if faults:
        look = "see that splits are ranges of dates, and that purge and embargo are as they were asked for"
        sentence = "; ".join(faults[:2])
        return CheckResult(NAME, Status.LEAKING, f"{sentence[0].upper()}{sentence[1:]}.", tuple(figures), look)
    if ordinals.wrong:
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"The sessions of {ordinals.wrong:,} rows do not agree with their closes or days, so the proof does not "
            f"hold (the first is {rows.place(ordinals.first_wrong)}).",
            tuple(figures),
            "see how windows are made: the same session must have the same close in every row of its share",
        )
    most = max(found.sessions for found in shared.values())
    beyond = "No row shares a session with an earlier split's windows or labels"
    if most:
        beyond = f"Rows share up to {most} sessions with an earlier split, and the embargo allows {allowed}"
    return CheckResult(
        NAME, Status.PASSED, f"{beyond}; {ordinals.verified:,} pairs of windows prove it.", tuple(figures)
    )


def label_reach(rows: AuditRows) -> NDArray[np.int64]:
    """Sessions ahead of each row that its longest known label ends, [rows]."""
    reach = np.zeros(len(rows), np.int64)
    for horizon, returns in sorted(rows.returns.items()):
        reach[~np.isnan(returns) | (rows.labels[horizon] >= 0)] = horizon
    return reach


def shared_sessions(
    rows: AuditRows, earlier: int, later: int, back: int = WINDOW - 1, day: int | None = None
) -> Shared:
    """Compares two splits, given by their numbers, share by share; each row reaches `back` sessions back.

    `day` is the first of the later split, YYYYMMDD; that of these rows if None.
    """
    first, second = rows.of(earlier), rows.of(later)
    day = int(np.min(rows.time[second], initial=_NEVER)) if day is None else day
    reach = label_reach(rows)
    # Every share gets a stretch of one line of sessions, long enough for its oldest close and its last label.
    span = np.full(len(rows.shares), -back - 1)
    np.maximum.at(span, rows.share, rows.session + reach)
    start = np.concatenate([[0], np.cumsum(span + back + 1)])
    oldest = start[rows.share] + rows.session  # of session k - back, as each stretch begins so many sessions early
    end = oldest + back + reach + 1
    edges = np.zeros(start[-1] + 1, np.int64)
    np.add.at(edges, oldest[first], 1)
    np.add.at(edges, end[first], -1)
    used = np.concatenate([[0], np.cumsum(np.cumsum(edges) > 0)])
    common = used[end[second]] - used[oldest[second]]

    begins = np.full(len(rows.shares), np.iinfo(np.int64).max)
    np.minimum.at(begins, rows.share[second], rows.session[second])
    into = rows.session[first] + reach[first] >= begins[rows.share[first]]
    into |= (_day_at_least(rows, reach)[first] >= day) & (reach[first] > 0)
    late = rows.time[first] >= day
    return Shared(
        rows=int(np.count_nonzero(common)),
        sessions=int(np.max(common, initial=0)),
        reaching=int(np.count_nonzero(into)),
        late=int(np.count_nonzero(late)),
        worst_row=int(second[np.argmax(common)]) if np.any(common) else -1,
    )


def _day_at_least(rows: AuditRows, reach: NDArray[np.int64]) -> NDArray[np.int64]:
    """A day that each row's longest label ends on or after, [rows]: that of the last row known up to there.

    It sees what the ordinals of one share cannot: a share that was suspended has labels that end long after its rows.
    """
    width = int(np.max(rows.session + reach)) + 2
    key = rows.share * width + rows.session
    last = np.searchsorted(key, key + reach, side="right") - 1
    return rows.time[last]


def rows_in_two_splits(rows: AuditRows) -> int:
    """Rows whose share and session stand in another split too, or twice in the same one."""
    same = (np.diff(rows.share) == 0) & (np.diff(rows.session) == 0)
    return int(np.count_nonzero(same))


def prove_ordinals(rows: AuditRows) -> Ordinals:
    """Compares the windows of each share's neighbouring rows."""
    neighbours = np.flatnonzero(np.diff(rows.share) == 0)
    distance = rows.session[neighbours + 1] - rows.session[neighbours]
    agrees = np.zeros(len(neighbours), dtype=bool)
    for shift in np.unique(distance[distance < WINDOW]).tolist():
        pairs = np.flatnonzero(distance == shift)
        agrees[pairs] = _aligned(rows, neighbours[pairs], shift)
    apart = distance >= WINDOW
    agrees[apart] = ~_overlap(rows, neighbours[apart])
    time = rows.time[neighbours + 1] - rows.time[neighbours]
    agrees &= np.where(distance == 0, time == 0, time > 0)
    wrong = np.flatnonzero(~agrees)
    return Ordinals(
        verified=int(np.count_nonzero(agrees & ~apart & (distance > 0))),
        apart=int(np.count_nonzero(agrees & apart)),
        wrong=len(wrong),
        first_wrong=int(neighbours[wrong[0]] + 1) if len(wrong) else -1,
    )


def _aligned(rows: AuditRows, before: NDArray[np.int64], shift: int) -> NDArray[np.bool_]:
    """Whether the window of the next row is that of this one, `shift` sessions on, [pairs]."""
    same = rows.closes[before + 1][:, shift:] == rows.closes[before][:, : WINDOW - shift]
    return np.all(same, axis=1)


def _overlap(rows: AuditRows, before: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Whether the windows of two rows are the same sessions in part, whatever their ordinals say, [pairs]."""
    found = np.zeros(len(before), dtype=bool)
    for shift in range(WINDOW - _SAME_CLOSES + 1):
        common = rows.closes[before][:, : WINDOW - shift]
        distinct = 1 + np.count_nonzero(np.diff(np.sort(common, axis=1), axis=1), axis=1)
        found |= _aligned(rows, before, shift) & (distinct >= _SAME_DISTINCT)
    return found


CHECK = Check(
    NAME,
    lambda audited: split_proof(
        audited.rows, audited.config.embargo, audited.config.splits.reach if audited.config.splits else WINDOW - 1
    ),
    passes="no session of a row's window or label is shared with an earlier split beyond what the embargo allows",
    leaks="more is shared, a label reaches into a later split, a row stands in two splits, a split is not before the "
    "next, or sessions do not agree with closes, so that the proof does not hold",
    order=10,
)
