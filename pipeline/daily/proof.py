"""The evidence of a live record: its parameters, what it says today, and how long a proof takes."""

from __future__ import annotations

import numpy as np

from components.evidence.words import low_to_high, number4
from components.feature_store import FeatureStore
from components.ledger.file import Ledger
from components.live_evidence import Claim, Parameters, days_to_proof
from components.live_record import LiveRecord, claim_of, judge, note_once, only_claim, parameters_of
from components.live_record.notes import PROVED, REFUTED
from components.missing_sessions.finding import find_missing
from components.missing_sessions.found import sessions
from components.universe.universe import universe_of
from pipeline.daily.day import Day, Told
from pipeline.daily.report import AlertKind
from pipeline.daily.speaking import Speaker
from pipeline.plan import Plan
from pipeline.report.live_words import e_value as in_words


def first_parameters(plan: Plan, claim: Claim | None) -> Parameters:
    """What a record that begins today is judged by: made for what its model claims, with the rises known so far.

    Raises:
        StoreError: the database cannot be read.
    """
    rate = share_of_yes(plan) if plan.label.of_the_day else _share_of_rises(plan)
    parameters = Parameters(horizon=plan.horizon, base_rate=rate, label=plan.label.name)
    return parameters if claim is None else parameters.for_claim(claim)


def weigh(day: Day, told: Told) -> None:
    """Says what the record has proved so far, and how long a proof takes.

    Raises:
        LedgerError: the ledger cannot be read or written.
    """
    record = None
    if day.ledger_file.is_file():
        with day.ledger() as ledger:
            record = day.judged = judge(ledger, day.plan.horizon)
            if record is not None and len(record.sessions):
                _say_record(ledger, record, told)
                _keep_verdicts(ledger, record, told)
            if day.speaker is not None:
                say_days_to_proof(ledger, day.speaker, told, record)
    if record is None or not len(record.sessions):
        told.idle = True
        told.said.insert(0, "no outcome counts as evidence yet")


def say_days_to_proof(ledger: Ledger, speaker: Speaker, told: Told, record: LiveRecord | None = None) -> None:
    """Says how long a proof takes, or takes from now on, if what the backtest of a model claims is true."""
    horizon = speaker.card.horizon
    claim, parameters = claim_of(ledger, speaker.digest, horizon), parameters_of(ledger, horizon)
    if claim is None or parameters is None:
        return
    if record is not None and record.course.proved is not None:
        return
    lived = record is not None and len(record.sessions) > 0
    if record is not None and lived:
        needed = days_to_proof(claim, parameters, record.rank_ics, float(record.course.log_loss[-1]))
    else:
        needed = days_to_proof(claim, parameters)
    told.said.append(f"days to proof{' from now on' if lived else ''}, if the backtest is right: {needed}")
    if needed.median is not None:
        told.numbers["days_to_proof"] = needed.median


def _say_record(ledger: Ledger, record: LiveRecord, told: Told) -> None:
    course = record.course
    e_value = float(np.exp(min(course.headline[-1], 700.0)))
    needed = 1 / record.parameters.alpha
    told.said.append(
        f"{sessions(len(record.sessions))} judged up to {record.sessions[-1]}: evidence {in_words(e_value)}, and "
        f"{needed:g} is a proof; mean daily rank IC {number4(float(course.mean[-1]))} "
        f"({low_to_high(float(course.low[-1]), float(course.high[-1]), number4)} at all times)"
    )
    told.numbers |= {
        "sessions": len(record.sessions),
        "waiting": record.waiting,
        "e_value": e_value,
        "rank_ic": float(course.mean[-1]),
        "rank_ic_low": float(course.low[-1]),
        "rank_ic_high": float(course.high[-1]),
    }


def _keep_verdicts(ledger: Ledger, record: LiveRecord, told: Told) -> None:
    """Writes a proof, or that a claim is refuted, into the ledger the first time that it is seen, and tells of it."""
    series = f"the predictions {record.parameters.horizon} ahead since row {record.series.setup}"
    if record.course.proved is not None:
        text = f"{series} are proved to be worth something"
        told.said.append(f"{text}: the outcomes of {record.proved_after} were the proof")
        if note_once(ledger, PROVED, text):
            told.alert(AlertKind.PROVED, text)
    claim = only_claim(ledger, record.parameters.horizon, record.parameters.label)
    if claim is not None and record.refutes(claim):
        text = f"{series}: the claim of a daily rank IC of {number4(claim.mean)} is refuted"
        told.said.append(text)
        if note_once(ledger, REFUTED, text):
            told.alert(AlertKind.REFUTED, text)


def _share_of_rises(plan: Plan) -> float:
    """Of all pairs of closes a horizon apart in the database, the part of which the later one is higher."""
    rises = moves = 0
    with FeatureStore.open(plan.database) as store:
        for series in store.price_series(plan.select(store)):
            level = series.close * series.factor
            change = level[plan.horizon :] - level[: -plan.horizon]
            rises += int(np.count_nonzero(change > 0))
            moves += int(np.count_nonzero(change))
    return _rate(rises, moves)


def share_of_yes(plan: Plan) -> float:
    """Of all returns over the horizon in the database, the part that is above the level of its day.

    Raises:
        StoreError: the database cannot be read.
    """
    # Arrow takes a while to be imported.
    from components.feature_example_gen.day_levels import count_sides

    with FeatureStore.open(plan.database) as store:
        chosen = set(plan.select(store))
        shares = [one for one in store.shares() if one.share_id in chosen]
        gaps, limit = find_missing(store).shares, plan.settings.max_missing_sessions
        universe = universe_of(store, store.sessions([one.share_id for one in shares]))
        above, below = count_sides(store, shares, plan.horizon, plan.label, gaps, limit, universe)
    return _rate(above, above + below)


def _rate(part: int, whole: int) -> float:
    # Four digits, so that the parameters are a text that can be read.
    return round((part + 1) / (whole + 2), 4)
