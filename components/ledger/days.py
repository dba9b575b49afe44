"""A ledger day by day: what counts as evidence, for those who judge it, and what there is, for people.

What counts is a prediction that was on time and that the champion of its horizon made, the first one of its share and
session, with the latest of its outcomes. A row of SETUP begins a series; it ends where the next one stands.
"""

from __future__ import annotations

import bisect
import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Floats
from components.ledger.file import Ledger
from components.ledger.labels import Labels, side_of
from components.ledger.origins import Origin, Origins
from components.ledger.outcomes import direction_of, simple_return
from components.ledger.schema import CHAMPION, DOWN, UNCHANGED, UP
from models import labels as models

LATEST_OUTCOME = "PREDICTION p LEFT JOIN OUTCOME o ON o.seq = (SELECT MAX(seq) FROM OUTCOME WHERE prediction = p.seq)"
"""Each prediction with the outcome that counts, NULL where there is none."""

_LABEL = {UP: 1.0, DOWN: 0.0}


@dataclass(frozen=True)
class LiveSeries:
    """Predictions of one horizon under one set of parameters.

    Attributes:
        setup: the row of the parameters.
        parameters: of the evidence, JSON.
        horizon: sessions ahead.
        end: the first row that is no longer of it; None for the series that goes on.
    """

    setup: int
    parameters: str
    horizon: int
    end: int | None


@dataclass(frozen=True, eq=False)
class LiveDay:
    """What counts of one session, in the order of the shares.

    Attributes:
        session: that the predictions were made after, ISO.
        share_ids: those with an outcome, n of them.
        probability: of what the label asks, [n].
        up: 1 where it came so, 0 where not, NaN where neither, as of an unchanged close, [n].
        ahead: simple return over the horizon, [n].
        pending: predictions of the day that have no outcome yet, or whose day has no level yet: it is not complete.
    """

    session: str
    share_ids: tuple[str, ...]
    probability: Floats
    up: Floats
    ahead: Floats
    pending: int


@dataclass(frozen=True)
class DaySummary:
    """What a ledger holds of one session, horizon and model.

    Attributes:
        session: ISO.
        horizon: sessions ahead.
        model: name of the model, and the first digits of its digest.
        role: of the model today.
        predicted: predictions.
        late: those of them that came too late.
        due: those that have an outcome, late ones among them.
        right: those that came to the side of 1/2 that the probability was on.
        moved: those that came to any side: not those with an unchanged close.
        origin: whether the model was blessed then, by which run, and when it was pushed; None where nobody noted it.
    """

    session: str
    horizon: int
    model: str
    role: str
    predicted: int
    late: int
    due: int
    right: int
    moved: int
    origin: Origin | None = None


def live_series(ledger: Ledger) -> tuple[LiveSeries, ...]:
    """All series of a ledger, in the order in which they began."""
    setups = ledger.select("SELECT seq, horizon, parameters FROM SETUP ORDER BY seq")
    found = []
    for place, (seq, horizon, parameters) in enumerate(setups):
        end = next((int(later) for later, other, _ in setups[place + 1 :] if other == horizon), None)
        found.append(LiveSeries(int(seq), str(parameters), int(horizon), end))
    return tuple(found)


def live_days(ledger: Ledger, series: LiveSeries, label: str = models.UP) -> Iterator[LiveDay]:
    """Yields the days of a series, the earliest session first; those on which nothing counts are left out.

    Days on which all predictions are pending are among them, without shares. What counts is what models of the series'
    label said.
    """
    held = Labels(ledger)
    rows = ledger.stream(
        "SELECT p.session, p.share_id, p.seq, p.model, p.probability, o.close, o.close_due, o.factor "
        f"FROM {LATEST_OUTCOME} WHERE p.horizon = ? AND p.late = 0 AND p.seq > ? AND p.seq < ? "
        "ORDER BY p.session, p.share_id, p.seq",
        series.horizon,
        series.setup,
        math.inf if series.end is None else series.end,
    )
    champions = ledger.select(
        "SELECT seq, digest FROM MODEL WHERE horizon = ? AND role = ? ORDER BY seq", series.horizon, CHAMPION
    )
    begins = [seq for seq, _ in champions]
    for session, of_day in itertools.groupby(rows, key=lambda row: row[0]):
        first: dict[str, tuple[float, ...]] = {}
        needed: float | None = None
        for _, share, seq, model, *numbers in of_day:
            at = bisect.bisect(begins, seq) - 1
            if at >= 0 and champions[at][1] == model and held.of(model) == label:
                first.setdefault(share, tuple(numbers))
                needed = held.needed(model, series.horizon, session)
        if first:
            yield _day(session, first, needed)


def _day(session: str, first: dict[str, tuple[float, ...]], needed: float | None) -> LiveDay:
    known = {} if needed is None else first
    settled = {share: numbers for share, numbers in known.items() if numbers[1] is not None}
    outcomes = [prices for _, *prices in settled.values()]
    return LiveDay(
        session=session,
        share_ids=tuple(settled),
        probability=np.array([probability for probability, *_ in settled.values()], float),
        up=np.array([_LABEL.get(came(prices, needed or 0.0), math.nan) for prices in outcomes], float),
        ahead=np.array([simple_return(*prices) for prices in outcomes], float),
        pending=len(first) - len(settled),
    )


def came(prices: Sequence[float], needed: float) -> str:
    """Whether a return came above what it had to exceed, below, or neither.

    Args:
        prices: close, close_due and factor, as an outcome has them.
        needed: the return; nan where there is no level.
    """
    close, close_due, factor = prices
    # Of the closes themselves where they alone decide: a return is rounded.
    return (
        side_of(simple_return(close, close_due, factor), needed) if needed else direction_of(close, close_due, factor)
    )


@dataclass(frozen=True)
class AnsweredPrediction:
    """A prediction that was on time, and whether it came as the label of its model asks."""

    session: str
    share_id: str
    model: str
    probability: float
    yes: bool


def answered(ledger: Ledger, horizon: int, digests: Sequence[str]) -> Iterator[AnsweredPrediction]:
    """Yields the predictions of some models that were on time and came to a side, in the order they were written in."""
    held, marks = Labels(ledger), ", ".join("?" * len(digests))
    rows = ledger.stream(
        "SELECT p.session, p.share_id, p.model, p.probability, o.close, o.close_due, o.factor "
        f"FROM {LATEST_OUTCOME} WHERE p.horizon = ? AND p.late = 0 AND p.model IN ({marks}) AND o.seq IS NOT NULL "
        "ORDER BY p.seq",
        horizon,
        *digests,
    )
    for session, share, model, probability, *prices in rows:
        needed = held.needed(model, horizon, session)
        side = UNCHANGED if needed is None else came(prices, needed)
        if side != UNCHANGED:
            yield AnsweredPrediction(session, share, model, probability, side == UP)


def day_summaries(ledger: Ledger, last: int) -> tuple[DaySummary, ...]:
    """What a ledger holds of its last sessions, the latest first."""
    rows = ledger.select(
        "SELECT p.session, p.horizon, p.model, MAX(p.seq), COUNT(*), SUM(p.late), COUNT(o.seq), "
        f"SUM((o.direction = '{UP}' AND p.probability > 0.5) OR (o.direction = '{DOWN}' AND p.probability < 0.5)), "
        f"SUM(o.direction IN ('{UP}', '{DOWN}')) FROM {LATEST_OUTCOME} "
        "WHERE p.session IN (SELECT DISTINCT session FROM PREDICTION ORDER BY session DESC LIMIT ?) "
        "GROUP BY p.session, p.horizon, p.model ORDER BY p.session DESC, p.horizon, MIN(p.seq)",
        last,
    )
    roles: dict[tuple[str, int], tuple[str, str]] = {}
    for digest, horizon, name, role in ledger.select("SELECT digest, horizon, name, role FROM MODEL ORDER BY seq"):
        if role == CHAMPION:  # there is one: the one before has been replaced
            roles = {
                key: (named, "replaced" if key[1] == horizon and was == CHAMPION else was)
                for key, (named, was) in roles.items()
            }
        roles[digest, horizon] = (name, role)
    origins, held, found = Origins(ledger), Labels(ledger), []
    for session, horizon, model, row, predicted, late, due, right, moved in rows:
        name, role = roles.get((model, horizon), ("unknown", "unknown"))
        named = f"{name} {model[:8]}"
        if held.compares(model):
            due, right, moved = _compared(ledger, session, horizon, model, held.needed(model, horizon, session))
        counts = predicted, late, due, right or 0, moved or 0
        found.append(DaySummary(session, horizon, named, role, *counts, origins.of(model, horizon, row)))
    return tuple(found)


def _compared(ledger: Ledger, session: str, horizon: int, model: str, needed: float | None) -> tuple[int, int, int]:
    """How many predictions of a session have come due, were right, and came to any side, where shares are compared."""
    if needed is None:
        return 0, 0, 0
    rows = ledger.select(
        f"SELECT p.probability, o.close, o.close_due, o.factor FROM {LATEST_OUTCOME} "
        "WHERE p.session = ? AND p.horizon = ? AND p.model = ? AND o.seq IS NOT NULL",
        session,
        horizon,
        model,
    )
    sides = [(probability, came(prices, needed)) for probability, *prices in rows]
    right = sum((side == UP and said > 0.5) or (side == DOWN and said < 0.5) for said, side in sides)
    return len(sides), right, sum(side != UNCHANGED for _, side in sides)
