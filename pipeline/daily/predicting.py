"""Predict and write down: what the champion says, and a challenger beside it."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

import numpy as np

from components.errors import UserError
from components.evidence.words import number4
from components.feature_store import FeatureStore
from components.ledger.columns import keep_reads
from components.ledger.file import Ledger
from components.ledger.labels import champions_of, keep_label
from components.ledger.origins import keep_origin
from components.ledger.predictions import Forecasts, WrittenDown, write_predictions
from components.ledger.schema import CHALLENGER, CHAMPION
from components.ledger.setting_up import install
from components.live_record import note_once
from components.live_record.notes import ON_TRIAL
from components.live_record.setting_up import begin, claim_of, keep_claim, parameters_of
from models.labels import UP, words_of
from pipeline.daily.columns import reads_of_card, with_columns
from pipeline.daily.day import Day, Told
from pipeline.daily.proof import first_parameters, say_days_to_proof
from pipeline.daily.report import AlertKind
from pipeline.daily.speaking import Speaker
from pipeline.daily.windows import Forecast, Said, find_wanted, read_said
from pipeline.uses.predict import finished_runs

_SHOWN = 5


def predict(day: Day, told: Told) -> None:
    """Predicts every session that is due: the last one, those that were missed, and those whose bar came late.

    Raises:
        UserError: there is no database, or the model cannot be used.
    """
    speaker = day.speaker
    day.silent = speaker is None
    if speaker is None:
        told.wrong.append(_why_nobody(day))
        return
    what = "" if speaker.card.label == UP else f" {words_of(speaker.card.label).event}"
    told.said.append(f"{speaker.said} predicts{what}")
    made = [_forecast(day, speaker, CHAMPION)]
    if made[0].through_tensorflow:
        told.said.append(f"TensorFlow answers, as there is no twin: {made[0].through_tensorflow}")
    _say_missing(made[0], day, told)
    if day.challenger is not None:
        try:
            made.append(_forecast(day, day.challenger, CHALLENGER))
        except UserError as error:
            told.wrong.append(f"the challenger cannot predict: {error}")
    day.forecasts = tuple(made)
    count = len(made[0].wanted.share_ids)
    told.numbers["predictions"] = count
    told.idle = not any(len(one.wanted.share_ids) for one in made)
    if told.idle:
        told.said.append("no session is left to predict from")
    else:
        sessions = sorted(set(made[0].wanted.sessions))
        after = f" after {_first_and_last(sessions)}" if sessions else ""
        told.said.append(f"{count:,} prediction{'' if count == 1 else 's'}{after}")


def write_down(day: Day, told: Told) -> None:
    """Writes the predictions down; before the first ones the parameters of the evidence, and what the backtest claims.

    Raises:
        LedgerError: the ledger cannot be written, or has times of another kind.
    """
    if day.forecasts is None:
        predict(day, Told())
    forecasts = day.forecasts or ()
    if not any(len(one.wanted.share_ids) for one in forecasts):
        told.idle = True
        told.said.append("there is nothing to write down")
        return
    with day.ledger() as ledger:
        for one in forecasts:
            _begin(day, ledger, one, told)
            if len(one.wanted.share_ids):
                written = write_predictions(ledger, _as_forecasts(one), one.wanted.exchanges)
                _say_written(one, written, told)
    day.forecasts = None


def said_by(ledger: Ledger, speaker: Speaker, role: str) -> list[str]:
    """The digests of the models whose predictions are not made again: for a champion, all champions of its label."""
    if role == CHALLENGER:
        return [speaker.digest]
    return sorted({*champions_of(ledger, speaker.card.horizon, speaker.card.label), speaker.digest})


def _forecast(day: Day, speaker: Speaker, role: str) -> Forecast:
    plan, now = day.plan, day.clock.now()
    said = Said()
    with FeatureStore.open(plan.database) as store:
        shares, exchanges = plan.select(store), day.exchanges(store)
        if day.ledger_file.is_file():
            # To write: a loop that was killed while it made the file may have left an empty one.
            with day.ledger() as ledger:
                models = said_by(ledger, speaker, role)
                said = read_said(ledger, speaker.card.horizon, models, exchanges, now)
        windows = find_wanted(store, shares, exchanges, said, now, plan.settings.max_missing_sessions)
        wanted = with_columns(store, windows, speaker.card, now)
    if not wanted.share_ids:
        return Forecast(speaker, role, wanted, np.zeros(0))
    # In single precision, as it sees them: from what is written down it gives the same answer once more.
    answers, why = speaker.voice
    beside = {"day": wanted.day} if wanted.day else {}
    probability = np.asarray(answers(wanted.share_ids, wanted.closes.astype(np.float32), **beside), float)
    return Forecast(speaker, role, wanted, probability, why)


def _why_nobody(day: Day) -> str:
    """Why there is no model to predict with."""
    nothing = f"there is no model yet: none was pushed to {day.plan.serving}"
    if not day.trial:
        return f"{nothing}, and no other may predict on trial (--no-trial)"
    runs = finished_runs(day.plan)
    held = sorted({check for checks in runs[-1].report.held_back.values() for check in checks}) if runs else []
    if not held:
        return nothing
    return (
        f"{nothing}, and the leak audit holds back the candidates of {runs[-1].folder} ({', '.join(held)}): look into "
        f"it, and run again, or say that you believe them: awesome run --accept-suspicion {shlex.quote(held[0])}"
    )


def _as_forecasts(one: Forecast) -> Forecasts:
    wanted = one.wanted
    return Forecasts(
        one.speaker.digest,
        one.speaker.card.horizon,
        wanted.share_ids,
        wanted.sessions,
        wanted.closes,
        one.probability,
        wanted.day,
    )


def _begin(day: Day, ledger: Ledger, one: Forecast, told: Told) -> None:
    """What has to stand in a ledger before the first prediction of a model; said once, as it stands there once."""
    speaker, horizon = one.speaker, one.speaker.card.horizon
    known = claim_of(ledger, speaker.digest, horizon)
    claim = known or speaker.claim()
    held = parameters_of(ledger, horizon)
    if held is None or held.label != speaker.card.label:
        begin(ledger, first_parameters(day.plan, claim))
        told.said.append("the parameters of the evidence are fixed from here on")
    if held is not None and held.label != speaker.card.label:
        text = (
            f"a new record begins: of {words_of(speaker.card.label).event}, no longer of {words_of(held.label).event}"
        )
        told.said.append(text)
        told.alert(AlertKind.MODEL, text)
    keep_label(ledger, speaker.digest, speaker.card.label)
    keep_reads(ledger, reads_of_card(speaker.digest, speaker.card))
    keep_origin(ledger, speaker.origin)
    if not speaker.blessed and note_once(ledger, ON_TRIAL, speaker.digest):
        told.said.append(f"no model was ever blessed: {speaker.card.model} predicts on trial, as its proof lies ahead")
    new = known is None and claim is not None and keep_claim(ledger, speaker.digest, horizon, claim)
    before = ledger.head.seq
    install(ledger, speaker.live, one.role)
    if ledger.head.seq > before:
        text = f"{speaker.said} is the {one.role} of {horizon} session{'' if horizon == 1 else 's'} ahead from now on"
        told.said.append(text)
        told.alert(AlertKind.MODEL, text)
    if new and claim is not None and one.role == CHAMPION:
        told.said.append(f"its backtest claims a daily rank IC of {number4(claim.mean)}")
        say_days_to_proof(ledger, speaker, told)


def _say_written(one: Forecast, written: WrittenDown, told: Told) -> None:
    who = "" if one.role == CHAMPION else " of the challenger"
    on_time = written.new - written.late
    told.said.append(f"{on_time:,} written down on time{who}, {written.late:,} late, {written.known:,} known before")
    for name, count in (("on_time", on_time), ("late", written.late), ("known", written.known)):
        told.numbers[f"{'' if one.role == CHAMPION else 'challenger_'}{name}"] = count
    if written.late and one.role == CHAMPION:
        told.alert(AlertKind.LATE, f"{written.late:,} predictions came after the next session had opened: no evidence")


def _say_missing(one: Forecast, day: Day, told: Told) -> None:
    wanted, formatter = one.wanted, one.speaker.card.formatter
    compared = ", and what the others are compared with lacks it" if wanted.day else ""
    unknown = (
        "their exchange is not known, so nobody can say until when a prediction is one; import their file once more "
        f"with it: awesome prices import FILE --exchange XNYS --db {shlex.quote(str(day.plan.database))}"
    )
    for shares, why in (
        (wanted.nowhere, unknown),
        (wanted.behind, f"the bar of the last session has not come{compared}"),
        (wanted.across, "their last window reaches across too many missing sessions (--max-missing-sessions)"),
    ):
        if shares:
            text = f"{_some(shares)} not predicted: {why}"
            told.wrong.append(text)
            told.alert(AlertKind.MISSING, text)
    if wanted.short:  # of a share that is new nobody has to be told every evening for a year
        text = f"{_some(wanted.short)} not predicted: too few sessions for the formatter {formatter}"
        (told.said if wanted.share_ids else told.wrong).append(text)
    if wanted.absent:
        text = f"{_some(wanted.absent)} not there, of the market that the model was trained beside: it is another one"
        told.wrong.append(text)
    if wanted.waiting:
        text = f"{_some(wanted.waiting)} not begun: the session after the last bar has opened already"
        told.said.append(text)
        if not wanted.share_ids and len(wanted.waiting) == len(wanted.exchanges):
            told.wrong.append(text)
    told.numbers["missing"] = len({*wanted.nowhere, *wanted.behind, *wanted.across, *wanted.short})


def _some(shares: Sequence[str]) -> str:
    more = len(shares) - _SHOWN
    named = ", ".join(shares[:_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
    return f"{named} {'is' if len(shares) == 1 else 'are'}"


def _first_and_last(sessions: Sequence[str]) -> str:
    return sessions[0] if len(sessions) == 1 else f"{len(sessions)} sessions, {sessions[0]} to {sessions[-1]}"
