"""Label proof: labels and forward returns are those of the closes h sessions later, as other rows hold them.

A label that compares the shares of a day is judged in two parts. By the examples alone: it tells the sign of its own
return, and what that return falls short of the forward return is one number, the level, for all rows of the day. By the
database: that number is made again, with other code, of the stored prices of all shares of the run, and so is the day
that its last price is of, which must not lie in a later split. Where the database is another one by now, or none, only
the first part holds, and the check says so.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from components.feature_example_gen.splits import SPLITS
from components.leak_audit.check import Audited, Check
from components.leak_audit.reading.day_levels import prove_levels
from components.leak_audit.reading.rows import AuditRows
from components.leak_audit.reading.subsets import rows_at
from components.leak_audit.results import CheckResult, Figure, Status
from models.features import WINDOW
from models.labels import get_label

NAME = "label proof"

# Two closes in single precision, their ratio, and that rounded once more.
_ROUNDING = 5e-7


def label_proof(rows: AuditRows) -> CheckResult:
    """Makes the check; that no label could be verified is a leak, but where rows are too few for any proof."""
    counts = {horizon: np.zeros(3, np.int64) for horizon in rows.returns}
    first_wrong: dict[int, int] = {}
    too_close = True
    for block in rows.blocks():
        part = rows_at(rows, block)
        closes = _Closes(part)
        too_close = too_close and _too_close(part)
        for horizon in part.returns:
            verified, wrong = _compare(part, closes, horizon)
            known = np.count_nonzero(~np.isnan(part.returns[horizon]))
            counts[horizon] += verified, known - verified - len(wrong), len(wrong)
            if len(wrong):
                first_wrong.setdefault(horizon, block.start + int(wrong[0]))
    kinds = ("verified", "whose later close no row holds", "that are wrong")
    figures = [
        Figure(f"labels of horizon {horizon} {kind}", int(count))
        for horizon, found in counts.items()
        for kind, count in zip(kinds, found, strict=True)
    ]
    faults = [(horizon, first_wrong[horizon]) for horizon in counts if horizon in first_wrong]
    verified_in_all = sum(int(found[0]) for found in counts.values())
    if faults:
        horizon, row = faults[0]
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"Labels or returns are not those of the closes: the first is {rows.place(row)}, horizon {horizon}.",
            tuple(figures),
            "see where windows end (a window that holds a later close knows its label) and how labels are made",
        )
    if not verified_in_all:
        if too_close:
            return CheckResult(
                NAME,
                Status.NOT_APPLICABLE,
                "No split holds two rows of a share as far apart as a label reaches, so none can hold the later close "
                "of another.",
                tuple(figures),
            )
        return CheckResult(
            NAME,
            Status.LEAKING,
            "No label could be verified: no row holds a close of a later one, so the proof does not hold.",
            tuple(figures),
            "see whether the examples are whole",
        )
    return CheckResult(
        NAME, Status.PASSED, f"{verified_in_all:,} labels and returns are those of the closes.", tuple(figures)
    )


def _too_close(rows: AuditRows) -> bool:
    """Whether the rows of each share and split lie closer together than the shortest label reaches."""
    _, part = np.unique(rows.share * len(SPLITS) + rows.split, return_inverse=True)
    first = np.full(len(rows), np.iinfo(np.int64).max)
    last = np.full(len(rows), -1)
    np.minimum.at(first, part.reshape(-1), rows.session)
    np.maximum.at(last, part.reshape(-1), rows.session)
    return bool(np.all(last - first < min(rows.returns, default=1)))


class _Closes:
    """The close of each share and session, as the windows of all rows hold it."""

    def __init__(self, rows: AuditRows) -> None:
        span = np.full(len(rows.shares), -WINDOW)
        np.maximum.at(span, rows.share, rows.session)
        self._begin = np.concatenate([[0], np.cumsum(span + WINDOW)])
        self._close = np.full(self._begin[-1], np.nan, np.float32)
        at, windows = self._begin[rows.share] + rows.session, rows.closes[:]
        for lag in reversed(range(WINDOW)):
            self._close[at + WINDOW - 1 - lag] = windows[:, lag]

    def at(self, share: NDArray[np.int64], session: NDArray[np.int64]) -> NDArray[np.float64]:
        """The close of a share's session, [rows]; nan where no row holds it."""
        place = self._begin[share] + session + WINDOW - 1
        inside = place < self._begin[share + 1]
        return np.where(inside, self._close[np.where(inside, place, 0)], np.nan).astype(np.float64)


def _compare(rows: AuditRows, closes: _Closes, horizon: int) -> tuple[int, NDArray[np.int64]]:
    """How many labels were verified, and which rows' are wrong."""
    ahead = rows.returns[horizon].astype(np.float64)
    told, label = rows.label_returns(horizon).astype(np.float64), rows.labels[horizon]
    later = closes.at(rows.share, rows.session + horizon)
    expected = later / rows.closes[:, 0].astype(np.float64) - 1
    known = ~np.isnan(later) & ~np.isnan(ahead)
    with np.errstate(invalid="ignore"):
        off = known & (np.abs(ahead - expected) > _ROUNDING * (1 + np.abs(expected)))
        # The sign is that of the return, which tells moves that single precision does not show in the closes.
        wrong_sign = ~np.isnan(told) & (label >= 0) & ((told == 0) | (label != (told > 0)))
    # A label without the return it is made of cannot be right either.
    alone = (label >= 0) & (np.isnan(ahead) | np.isnan(told))
    wrong = np.flatnonzero(off | wrong_sign | alone)
    return int(np.count_nonzero(known)) - int(np.count_nonzero(known[wrong])), wrong


def _proof(audited: Audited) -> CheckResult:
    """The check; of a label that compares the shares of a day, with the levels it compares them with."""
    result, label = label_proof(audited.rows), get_label(audited.config.label)
    if result.status is not Status.PASSED or not label.of_the_day:
        return result
    for horizon, labels in audited.rows.labels.items():
        if horizon not in audited.rows.excess and np.any(labels >= 0):
            sentence = f"Labels of horizon {horizon} show no level, though the label {label.name} compares with one."
            look = "see whether the examples are of that label"
            return CheckResult(NAME, Status.LEAKING, sentence, result.figures, look)
    rows, proof = audited.rows, prove_levels(audited.rows, label, audited.config)
    figures = (
        *result.figures,
        Figure("days whose level was made again", proof.days),
        Figure("rows whose level is wrong", proof.faults),
    )
    for found, words, look in (
        (proof.unequal, "show another level than the other rows of their day", "see how levels come to the rows"),
        (proof.wrong, "have another level than the prices of their day give", "see which shares and prices make it"),
        (
            proof.late,
            "have a level that is made of prices of the next split",
            "see how the purge knows the last price that a level is made of",
        ),
    ):
        if found is not None:
            row, horizon = found
            sentence = f"{proof.faults:,} rows {words}: the first is {rows.place(row)}, horizon {horizon}."
            return CheckResult(NAME, Status.LEAKING, sentence, figures, look)
    if proof.why:
        sentence = f"{result.sentence} The levels of their days were compared with one another alone: {proof.why}."
    else:
        sentence = f"{result.sentence} The levels of {proof.days:,} days are those that all shares' prices give."
    return replace(result, sentence=sentence, figures=figures)


CHECK = Check(
    NAME,
    _proof,
    passes="every label and forward return is that of the closes that other rows hold, and the level of each day, of a "
    "label that has such, is that of the stored prices",
    leaks="one is not: the first is named; or none could be verified",
    order=20,
)
