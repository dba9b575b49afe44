"""Retrain, when that is due, and say why: a run like any other, whose audit and blessing decide on the push."""

from __future__ import annotations

import dataclasses

import numpy as np

from components.drift.retraining import due
from components.evidence.tried import RETRAINED
from components.feature_store import FeatureStore
from components.live_record import note_once
from components.live_record.notes import RETRAINING
from pipeline.daily.day import Day, Drift, Told
from pipeline.daily.report import AlertKind
from pipeline.daily.speaking import challengers
from pipeline.uses.predict import finished_runs

LEAST_BETWEEN = 20
"""Sessions after a training before drift is a reason for another one."""


def retrain(day: Day, told: Told) -> None:
    """Trains anew where that is due; the run counts as a try, and pushes what its audit and blessing let through.

    With `challenger_sessions` a model that would replace a champion predicts beside it first.

    Raises:
        UserError: the run cannot be made of these prices or settings.
    """
    reason = why_due(day, told)
    if not reason:
        told.idle = True
        told.left_out = day.retrain is False
        told.said.append("it is not wanted (--no-retrain)" if told.left_out else "it is not due")
        return
    plan = day.plan
    with FeatureStore.open(plan.database) as store:  # a run would take the shipped prices where there are none yet
        plan.select(store)
    champion = day.speaker
    told.said.append(f"due, as {reason}")
    day.console.print(f"  retraining, as {reason}", highlight=False, markup=False, soft_wrap=True)
    challenges = plan.settings.challenger_sessions > 0 and champion is not None and champion.blessed
    from pipeline.job.run import run  # imports of TensorFlow are inside, and only here

    # The prices are there already: what the first step would extract was extracted, and looked at. What the ledger
    # keeps predictions of is fixed, so nothing is left to choose.
    again = dataclasses.replace(plan, source=None, candidates=())
    report, folder = run(again, day.console, RETRAINED, challengers(plan) if challenges else None)
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


def why_due(day: Day, told: Told) -> str:
    """Why a retraining is due, as the end of "due, as ..."; empty where it is not.

    Says why one that has a reason has to wait.

    Raises:
        StoreError: the database cannot be read.
    """
    if day.retrain is not None:
        return "it was asked for" if day.retrain else ""
    runs = finished_runs(day.plan)
    if day.speaker is None and not runs:
        return "there is no model yet"
    if not runs:
        return ""
    last = runs[-1].report.data.last
    with FeatureStore.open(day.plan.database) as store:
        known = store.sessions(day.plan.select(store))
    age = int(np.count_nonzero(known > np.datetime64(last, "D")))
    # That of an earlier loop may have pushed nothing, and what it was for still rings.
    drift = day.drift if age >= LEAST_BETWEEN else Drift()
    found = due(age, retrain_after=day.plan.settings.retrain_sessions, features=drift.features, losses=drift.losses)
    reasons = "; ".join(one.words for one in found.reasons)
    if found.reasons and found.held:
        told.wrong.append(f"a retraining has to wait, though {reasons}: the data looks broken: {'; '.join(found.held)}")
    return reasons if found.due else ""
