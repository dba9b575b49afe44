"""The tries on a test stretch as they are listed: in a run's report, and by `awesome trials`."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from components.evidence.interval import NORMAL_95
from components.records import Number
from components.trials.found import FALSE_ALARMS, Hurdle, Overfitting
from components.trials.record import Record, Trial


@dataclass(frozen=True)
class Try:
    """One try: a run, a fold of a walk, an experiment.

    Attributes:
        id: of the try.
        time: when, UTC.
        kind: "run", "walk-forward", "experiment", "judged", "retraining", "comparison" or "search".
        asked: what was asked, in words by name.
        horizon: sessions ahead.
        first: its first test day, ISO date.
        last: its last one.
        days: its test days.
        shared: those of them that belong to the stretch.
        best: the model of the highest AUC; empty where no model is known.
        auc: of it, NaN where no model is known.
        auc_low: lower end of the AUC's 95 % interval.
        auc_high: upper end of it.
        blessed: models that were blessed.
    """

    id: str
    time: str
    kind: str
    asked: Mapping[str, str]
    horizon: int
    first: str
    last: str
    days: int
    shared: int
    best: str
    auc: Number
    auc_low: Number
    auc_high: Number
    blessed: tuple[str, ...]


@dataclass(frozen=True)
class Tries:
    """What was tried on a test stretch.

    Attributes:
        first: first day of the stretch, ISO date; empty where there is none.
        last: last one.
        days: of it.
        tries: that saw any of its days, in order of time.
        complete: no try is known to be missing; otherwise their number is a lower bound.
        gaps: why tries may be missing, in words.
        hurdle: what they make a model show; None where nobody asked.
        own: id of the report's own try; empty where there is none.
        overfitting: what the portfolio of the best of all tried models is worth; None where there are too few.
    """

    first: str
    last: str
    days: int
    tries: tuple[Try, ...]
    complete: bool
    gaps: tuple[str, ...] = ()
    hurdle: Hurdle | None = None
    own: str = ""
    overfitting: Overfitting | None = None

    @property
    def left(self) -> float:
        """How much of the stretch's allowance of false alarms is left, a share of one; NaN where nobody asked."""
        return math.nan if self.hurdle is None else self.hurdle.left / FALSE_ALARMS


def list_tries(record: Record, days: Collection[int], hurdle: Hurdle | None = None, own: str = "") -> Tries:
    """Lists what a record says of the days of a stretch, YYYYMMDD."""
    # Reading a report must not import NumPy.
    from components.trials.overfitting import overfitting_of

    stretch = set(days)
    ends = (iso(min(stretch)), iso(max(stretch))) if stretch else ("", "")
    found = sorted(record.on(stretch), key=lambda trial: (trial.time, trial.id))
    tries = tuple(_listed(trial, len(stretch.intersection(trial.days))) for trial in found)
    best = None if hurdle is None else overfitting_of(found, stretch)
    return Tries(*ends, len(stretch), tries, record.complete, record.gaps, hurdle, own, best)


def iso(day: int) -> str:
    """A day as a person writes it.

    >>> iso(20261129)
    '2026-11-29'
    """
    text = f"{day:08d}"
    return f"{text[:4]}-{text[4:6]}-{text[6:]}"


def _listed(trial: Trial, shared: int) -> Try:
    known = [model for model in trial.models if math.isfinite(model.auc)]
    best = max(known, key=lambda model: model.auc, default=None)
    half = math.nan if best is None else NORMAL_95 * best.error
    auc = math.nan if best is None else best.auc
    return Try(
        id=trial.id,
        time=trial.time,
        kind=trial.kind,
        asked=trial.asked,
        horizon=trial.horizon,
        first=iso(trial.days[0]),
        last=iso(trial.days[-1]),
        days=len(trial.days),
        shared=shared,
        best="" if best is None else best.name,
        auc=auc,
        auc_low=max(auc - half, 0.0),
        auc_high=min(auc + half, 1.0),
        blessed=tuple(model.name for model in trial.models if model.blessed),
    )
