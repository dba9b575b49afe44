"""Retrain, when that is due, and say why: a run like any other, whose audit and blessing decide on the push."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.evidence.tried import RETRAINED
from components.feature_store import FeatureStore
from components.live_record import note_once
from components.missing_sessions.found import sessions
from pipeline.daily.day import Day, Told
from pipeline.daily.report import AlertKind
from pipeline.daily.speaking import challengers
from pipeline.uses.predict import finished_runs

RETRAINING = "retraining"
"""The kind of the note that says when and why a retraining was done."""


def retrain(day: Day, told: Told) -> None:
    """Trains anew where that is due; the run counts as a try, and pushes what its audit and blessing let through.

    With `challenger_sessions` a model that would replace a champion predicts beside it first.

    Raises:
        UserError: the run cannot be made of these prices or settings.
    """
    reason = why_due(day)
    if not reason:
        told.idle = True
        told.left_out = day.retrain is False
        told.said.append("it is not wanted (--no-retrain)" if told.left_out else "it is not due")
        return
    plan = day.plan
    champion = day.speaker
    told.said.append(f"due, as {reason}")
    day.console.print(f"  retraining, as {reason}", highlight=False, markup=False, soft_wrap=True)
    challenges = plan.settings.challenger_sessions > 0 and champion is not None and champion.blessed
    from pipeline.job.run import run  # imports of TensorFlow are inside, and only here

    # The prices are there already: what the first step would extract was extracted, and looked at.
    report, folder = run(
        dataclasses.replace(plan, source=None), day.console, RETRAINED, challengers(plan) if challenges else None
    )
    day.retrained = folder
    day.look_again()
    if report.pushed is None:
        result = "no model is blessed, so nothing is pushed"
    elif challenges:
        result = f"{report.champion} challenges the champion for {plan.settings.challenger_sessions} sessions"
    else:
        result = f"{report.champion} is pushed"
        told.alert(AlertKind.PUSHED, f"{report.champion} is pushed: {report.models[report.champion or ''].reason}")
    told.said.append(f"{result}; {folder / 'report.html'}")
    told.alert(AlertKind.RETRAINED, f"retrained, as {reason}: {result}")
    if day.ledger_file.is_file():
        with day.ledger() as ledger:
            note_once(ledger, RETRAINING, f"after {report.data.last}, as {reason}: {result}")


def why_due(day: Day) -> str:
    """Why a retraining is due, as the end of "due, as ..."; empty where it is not.

    Raises:
        StoreError: the database cannot be read.
    """
    if day.retrain is not None:
        return "it was asked for" if day.retrain else ""
    runs = finished_runs(day.plan)
    if day.speaker is None and not runs:
        return "there is no model yet"
    most = day.plan.settings.retrain_sessions
    if not runs or not most:
        return ""
    last = runs[-1].report.data.last
    with FeatureStore.open(day.plan.database) as store:
        known = store.sessions(day.plan.select(store))
    age = int(np.count_nonzero(known > np.datetime64(last, "D")))
    return f"{sessions(age)} have come since the latest training knew the prices" if age >= most else ""
