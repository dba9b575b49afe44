"""A live record as it stands: what its ledger holds and proves, gathered for a page, a table and programs."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, BacktestError, Panel, make_panel
from components.backtest import trade as traded
from components.backtest.portfolios import equal_weight, held_targets, long_short, top_quantile
from components.errors import UserError
from components.evidence.curves import calibration_curve
from components.feature_store import FeatureStore
from components.feature_store.arrays import Floats
from components.ledger.clocks import has_made_times
from components.ledger.contents import Installed, count, installed, missing, restated
from components.ledger.days import LiveDay, day_summaries, live_series
from components.ledger.file import Ledger
from components.ledger.instants import moment_of, present, stamp
from components.ledger.origins import Origin
from components.ledger.outcomes import find_due
from components.ledger.setting_up import champion_row
from components.ledger.verifying import verify
from components.live_evidence import days_to_proof
from components.live_record import LiveRecord, claim_of, judge_series, only_claim
from components.live_record.notes import ON_TRIAL
from components.masking import masked
from components.records import to_json
from pipeline.plan import Plan
from pipeline.report.ledger import held_in_words
from pipeline.report.live_facts import (
    CalibrationBin,
    DriftDay,
    EvidenceDay,
    LiveEvidence,
    LiveFacts,
    OlderSeries,
    PaperProfit,
    Portfolio,
    Trust,
)
from pipeline.uses.ledger import earlier_look, keep_look, ledger_of, verify_ledger

_FAULTS = 20
_RESTATED = 20
_OVERDUE = 20
_DAYS = 60
_BINS, _ROWS = 5, 20
"""Of the calibration, at most, and what each has at least: a live record is short, and few rows say nothing."""

_MODEL = "probability"


def live_facts(
    plan: Plan,
    ledger: Path | None = None,
    now: dt.datetime | None = None,
    drift: Sequence[DriftDay] = (),
    look: Path | None = None,
    rows_again: int = 0,
    judged: LiveRecord | None = None,
) -> LiveFacts:
    """Gathers what is known of the record of a plan's horizon.

    Args:
        plan: names the database, the storage and the horizon.
        ledger: the file; None for that beside the database.
        now: the present, with a zone; None for the clock, or of made times for when the last row was written.
        drift: what the loops have measured.
        look: the file that says how far the last look has come; None to look at every row.
        rows_again: up to so many rows are all looked at each time (`earlier_look`).
        judged: what was judged of the ledger just now; it counts while nothing was written since.

    Raises:
        UserError: the file is no ledger, or cannot be read.
    """
    path = ledger_of(plan, ledger)
    looked = now or present()
    facts = LiveFacts(ledger=str(path), looked=stamp(looked), horizon=plan.horizon, drift=tuple(drift))
    if not path.exists():
        beside = "" if ledger is not None or plan.database.exists() else f"; {plan.database} does not exist either"
        nothing = f"{path} does not exist: the first `awesome daily` with a model begins it{beside}"
        return replace(facts, nothing=nothing)
    if path.is_file() and not path.stat().st_size:
        return replace(facts, nothing=f"{path} is empty: a loop was stopped while it made it, and the next one goes on")
    trust, notes = _trust(plan, path, look, rows_again)
    facts = replace(facts, trust=trust, notes=notes)
    try:
        with Ledger.open(path) as opened:
            found = _gathered(opened, plan, facts, now, judged)
        to_json(found).encode()  # a text that is none would stop whoever prints or writes it
        return found
    except (UserError, ValueError, TypeError, LookupError, ArithmeticError) as error:
        if trust.sound:
            raise
        return replace(facts, nothing=f"what it holds cannot be read ({' '.join(str(error).split())})")


def _trust(plan: Plan, path: Path, look: Path | None, rows_again: int) -> tuple[Trust, tuple[str, ...]]:
    notes: tuple[str, ...] = ()
    since = None if look is None else earlier_look(look, rows_again)
    try:
        verified = verify_ledger(plan, path, since=since)
        found, storage = verified.verification, verified.storage
        if look is not None:
            keep_look(look, found)
    except UserError as error:
        if plan.storage is None:
            raise
        # The storage does not answer: what the file itself tells is known all the same.
        found, storage = verify(path, since=since), ""
        notes = (f"It was not held against the storage: {masked(str(error))}.",)
    faults = tuple(str(fault) for fault in found.faults[:_FAULTS])
    held = held_in_words(storage, found)
    head = "" if found.head is None else f"{found.head.seq}:{found.head.hash}"
    trust = Trust(
        found.sound,
        faults,
        len(found.faults),
        found.rows,
        held,
        head,
        after=found.after,
        whole=found.whole if found.after else "",
    )
    return trust, (*notes, *found.doubts)


def _gathered(
    ledger: Ledger, plan: Plan, facts: LiveFacts, now: dt.datetime | None, judged: LiveRecord | None
) -> LiveFacts:
    horizon = plan.horizon
    replay = has_made_times(ledger)
    if now is None and replay:
        now = moment_of(ledger.head.time)
    if now is not None:
        present_moment = now
        ledger.clock = lambda: present_moment
    counted = count(ledger, horizon)
    facts = replace(facts, looked=stamp(ledger.clock()), replay=replay, counted=counted)
    if not counted.predicted:
        others = [str(other) for (other,) in ledger.select("SELECT DISTINCT horizon FROM PREDICTION ORDER BY 1")]
        there = f"; it holds predictions {', '.join(others)} ahead (--horizon)" if others else ""
        return replace(facts, nothing=f"{facts.ledger} holds no prediction {_ahead(horizon)} yet{there}")
    notes = [*facts.notes]
    series = [one for one in live_series(ledger) if one.horizon == horizon]
    held = judged if judged is not None and judged.head == ledger.head.hash else None
    records = [held if held is not None and held.series == one else judge_series(ledger, one) for one in series]
    record = records[-1]
    days = record.days
    probability, up = (_joined(days, name) for name in ("probability", "up"))
    known = ~np.isnan(up)
    try:
        lacking = missing(ledger, horizon, ledger.clock())
    except UserError as error:
        lacking = None
        notes.append(f"Whether a session is missing cannot be told: {error}.")
    try:
        profit = _profit(plan, days)
    except UserError as error:
        profit = None
        notes.append(f"Paper profit cannot be told: {error}.")
    noted = ledger.select("SELECT DISTINCT text FROM NOTE WHERE kind = ? ORDER BY 1", ON_TRIAL)
    on_trial = tuple(str(digest) for (digest,) in noted)
    facts = replace(
        facts,
        label=record.parameters.label,
        evidence=_evidence(ledger, record),
        calibration=_calibration(up[known], probability[known]),
        labelled=int(known.sum()),
        profit=profit,
        versions=tuple(_with_origin(one, on_trial, horizon) for one in installed(ledger, horizon)),
        trial=on_trial,
        days=tuple(day for day in day_summaries(ledger, _DAYS) if day.horizon == horizon),
        missing=lacking,
        restated=restated(ledger, horizon, _RESTATED),
        older=tuple(_older(one) for one in records[:-1]),
    )
    return _with_open(ledger, plan, replace(facts, notes=tuple(notes)))


def _with_origin(one: Installed, on_trial: Collection[str], horizon: int) -> Installed:
    """A model of which only that it is on trial was noted, as before its run was, is one of a run that is not known."""
    if one.origin is not None or one.digest not in on_trial:
        return one
    return replace(one, origin=Origin(one.digest, horizon, blessed=False))


def _with_open(ledger: Ledger, plan: Plan, facts: LiveFacts) -> LiveFacts:
    """With what is pending and what is overdue, as the prices say."""
    counted = facts.counted
    if counted is None or not counted.earliest_open:
        return replace(facts, pending=0)
    try:
        with FeatureStore.open(plan.database) as store:
            limit = plan.settings.max_missing_sessions
            settled = find_due(ledger, store, limit, counted.earliest_open, plan.select(store))
    except UserError as error:
        return replace(facts, notes=(*facts.notes, f"What is pending or overdue cannot be told: {error}."))
    overdue = [one for one in settled.overdue if one.horizon == facts.horizon]
    notes = list(facts.notes)
    if unwritten := len(settled.due) + len(settled.levels):
        notes.append(f"{unwritten:,} outcomes are known to the prices and not written yet: awesome daily writes them.")
    return replace(
        facts,
        pending=counted.predicted - counted.due - len(overdue),
        overdue=tuple(f"{one.share_id} after {one.session}: {one.reason}" for one in overdue[:_OVERDUE]),
        overdue_total=len(overdue),
        notes=tuple(notes),
    )


def _evidence(ledger: Ledger, record: LiveRecord) -> LiveEvidence:
    course, parameters = record.course, record.parameters
    e_values = [_e_value(logs) for logs in (course.headline, course.rank_ic, course.log_loss)]
    columns = (record.rank_ics, record.gains, *e_values, course.mean, course.low, course.high)
    champion = champion_row(ledger, parameters.horizon)
    claim = None if champion is None else claim_of(ledger, champion[1], parameters.horizon)
    only = only_claim(ledger, parameters.horizon, parameters.label)
    needed = None
    if claim is not None and course.proved is None:
        log_loss = float(course.log_loss[-1]) if len(record.sessions) else -math.inf
        needed = days_to_proof(claim, parameters, record.rank_ics, log_loss)
    return LiveEvidence(
        series=record.series.setup,
        alpha=parameters.alpha,
        days=tuple(
            EvidenceDay(session, *(float(value) for value in values))
            for session, *values in zip(record.sessions, *columns, strict=True)
        ),
        waiting=record.waiting,
        proved_after=record.proved_after,
        claim=claim,
        refuted=only is not None and record.refutes(only),
        needed="" if needed is None else str(needed),
        needed_sessions=None if needed is None else needed.median,
    )


def _older(record: LiveRecord) -> OlderSeries:
    last = _e_value(record.course.headline)[-1] if len(record.sessions) else 1.0
    return OlderSeries(record.series.setup, len(record.sessions), float(last), record.proved_after)


def _e_value(logs: Floats) -> Floats:
    values: Floats = np.exp(np.minimum(logs, 700.0))
    return values


def _joined(days: Sequence[LiveDay], name: str) -> Floats:
    return np.concatenate([getattr(day, name) for day in days]) if days else np.zeros(0)


def _calibration(up: Floats, probability: Floats) -> tuple[CalibrationBin, ...]:
    curve = calibration_curve(up, probability, max(1, min(_BINS, len(up) // _ROWS)))
    return tuple(
        CalibrationBin(float(predicted), float(observed), int(rows))
        for predicted, observed, rows in zip(curve.predicted, curve.observed, curve.count, strict=True)
    )


def _profit(plan: Plan, days: Sequence[LiveDay]) -> PaperProfit | None:
    """Trades what counted as evidence, as the backtest of a run trades its test split.

    Raises:
        BacktestError: one share, or one session.
        StoreError: the prices cannot be read.
    """
    if not days:
        return None
    panel = _panel(plan, days)
    scores, horizon = panel.scores[_MODEL], plan.horizon
    asked = {
        "long-short": long_short(scores, DEFAULT_QUANTILE),
        "long-only": top_quantile(scores, DEFAULT_QUANTILE),
        "equal weight": equal_weight(panel.present),
    }
    portfolios = []
    for name, targets in asked.items():
        trading = traded(held_targets(targets, horizon), panel.returns)
        before, after = (np.cumprod(1 + trading.net_returns(costs)) for costs in (0.0, DEFAULT_COSTS))
        turnover = float(trading.turnover.mean())
        portfolios.append(Portfolio(name, tuple(before.tolist()), tuple(after.tolist()), turnover, trading.unpriced))
    sessions = tuple(panel.days.astype(str).tolist())
    return PaperProfit(sessions, DEFAULT_COSTS, DEFAULT_QUANTILE, tuple(portfolios))


def _panel(plan: Plan, days: Sequence[LiveDay]) -> Panel:
    sessions = np.repeat([day.session for day in days], [len(day.share_ids) for day in days])
    shares = np.array([share for day in days for share in day.share_ids])
    returns = _joined(days, "ahead") if plan.horizon == 1 else _next_returns(plan, sessions, shares, days[0].session)
    if not len(shares):
        raise BacktestError("no outcome is known")
    return make_panel(sessions.astype("datetime64[D]"), shares, returns, {_MODEL: _joined(days, "probability")})


def _next_returns(plan: Plan, sessions: Sequence[str], shares: Sequence[str], since: str) -> Floats:
    """The return of each row's share to its next session, which a ledger of another horizon than 1 does not hold."""
    found: dict[tuple[str, str], float] = {}
    with FeatureStore.open(plan.database) as store:
        for series in store.price_series(sorted(set(shares)), since):
            level = series.close * series.factor
            days = series.time.astype(str).tolist()
            found |= {
                (series.share_id, day): float(ahead)
                for day, ahead in zip(days[:-1], level[1:] / level[:-1] - 1, strict=True)
            }
    return np.array([found.get((share, day), math.nan) for share, day in zip(shares, sessions, strict=True)], float)


def _ahead(horizon: int) -> str:
    return f"{horizon} session{'' if horizon == 1 else 's'} ahead"
