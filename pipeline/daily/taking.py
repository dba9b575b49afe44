"""Take from the storage what others have left there: their tries, and a newer champion, as runs on a cluster push it.

The ledger is the loop's alone. Whoever trains elsewhere on the database that the loop pushed counts his tries in the
same storage, and pushes models with the report and the predictions of their run. So a champion that is taken is one
like any other here: what its backtest claims, what it was trained on, and how old it is are known.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
from pathlib import Path

from components.errors import StorageError
from components.evidence.findings import PREDICTIONS_FILE
from components.ledger.setting_up import model_digest
from components.model_selector.files import EVIDENCE_FILE
from components.object_storage import ModelFacts, Storage, list_models, pull_model, pull_tries
from components.object_storage.models import EVIDENCE, RUN
from components.whole_files import scratch_folder
from models.card import EXTRA_FOLDER
from pipeline.daily.challenging import place_version
from pipeline.daily.day import Day, Told
from pipeline.daily.report import AlertKind
from pipeline.daily.speaking import challengers
from pipeline.plan import Plan
from pipeline.runs.folder import REPORT_JSON, read_report, save_report
from pipeline.runs.results import ReportError
from pipeline.uses.predict import finished_runs, pushed_versions
from pipeline.uses.publish import version_of
from pipeline.uses.storage import open_storage


def take(day: Day, told: Told) -> None:
    """Brings the tries that are not known here, and where that is wanted the newest champion.

    Raises:
        StorageError: the storage cannot be read, or what it holds is damaged.
        UserError: the record of tries, or a report, cannot be read.
    """
    plan = day.plan
    if plan.storage is None:
        told.left_out = True
        told.said.append("no storage is named (storage_url)")
        return
    with open_storage(plan) as storage:
        tries = pull_tries(storage, plan.database, of_any_name=False) if plan.database.exists() else 0
        if tries:
            told.said.append(f"{tries:,} {'try' if tries == 1 else 'tries'} that {_were(tries)} not known here")
        champion, unreadable = newest_champion(storage, plan) if plan.settings.take_champion else (None, ())
        if unreadable:
            more = f", and {len(unreadable) - 1:,} more" if len(unreadable) > 1 else ""
            told.wrong.append(f"passed over, as it cannot be read: {unreadable[0]}{more}")
        told.numbers["tries"] = tries
        told.idle = not tries and champion is None
        if champion is None:
            told.said.append("no newer champion" if plan.settings.take_champion else "champions are not taken from it")
            return
        challenges = plan.settings.challenger_sessions > 0 and day.speaker is not None and day.speaker.blessed
        reason = _bring(storage, plan, champion, challengers(plan) if challenges else plan.serving)
    day.look_again()
    text = f"{champion.model} {champion.version} is taken from the storage: {reason}"
    if challenges:
        text += f"; it challenges the champion for {plan.settings.challenger_sessions} sessions"
    told.said.append(text)
    told.alert(AlertKind.PUSHED, text)


def newest_champion(storage: Storage, plan: Plan) -> tuple[ModelFacts | None, tuple[str, ...]]:
    """The latest champion of a run on the same data, label, formatter and horizon, if it is newer than the one here.

    And why others, which may be such, could not be read.

    Raises:
        StorageError: the storage cannot be read.
    """
    runs = finished_runs(plan)
    known = {version_of(run.report, run.folder): run.report.pushed is not None for run in runs}
    wanted = (plan.database.name, plan.label.name, plan.formatter.name, plan.horizon, None)
    listed = list_models(storage, after=max((one for one, pushed in known.items() if pushed), default=""))
    found = [
        one.facts
        for one in listed.models
        if one.facts.champion
        and one.facts.blessed
        and one.facts.version not in known  # it was taken before, and somebody has gone back to an older one
        and _question(one.facts) == wanted
    ]
    return max(found, key=lambda facts: facts.version, default=None), listed.unreadable


def _question(facts: ModelFacts) -> tuple[str, str, str, int, str | None]:
    return facts.database, facts.label, facts.formatter, facts.horizon, facts.market


def _bring(storage: Storage, plan: Plan, facts: ModelFacts, serving: Path) -> str:
    """Makes a pushed version of a stored model, and then its finished run, which is the sign that it was taken.

    Gives the reason why it was blessed.
    """
    folder = plan.workspace / f"{facts.version}-taken"
    with scratch_folder(folder) as scratch:
        pulled = pull_model(storage, facts.model, scratch / "pulled", facts.version)
        made = scratch / "run"
        (made / "model").mkdir(parents=True)
        # As a Trainer leaves it; a model's name says where in a run it lies.
        saved_model = made / "model" / "Format-Serving"
        os.replace(pulled.folder / "saved_model", saved_model)
        try:
            report = read_report(pulled.folder / RUN / REPORT_JSON)
            os.replace(pulled.folder / RUN / PREDICTIONS_FILE, made / PREDICTIONS_FILE)
        except (FileNotFoundError, ReportError):
            report = None
        if report is None or facts.model not in report.models:
            raise StorageError(
                f"{pulled.url}: does not hold its run's report as this version writes it; push it again from "
                "where it was trained (awesome model push)"
            )
        (saved_model / EXTRA_FOLDER).mkdir(exist_ok=True)
        os.replace(pulled.folder / EVIDENCE, saved_model / EXTRA_FOLDER / EVIDENCE_FILE)
        version = _version(serving, saved_model, facts)
        place_version(saved_model, version)
        gone = {name: dataclasses.replace(one, model_uri="") for name, one in report.models.items()}
        here = dataclasses.replace(report.models[facts.model], model_uri=str((folder / "model").absolute()))
        save_report(
            dataclasses.replace(
                report,
                pushed=str(version),
                models=gone | {facts.model: here},
                data=dataclasses.replace(report.data, database=str(plan.database.absolute())),
            ),
            made / REPORT_JSON,
        )
        os.replace(made, folder)
    return here.reason


def _version(serving: Path, saved_model: Path, facts: ModelFacts) -> Path:
    """Where it is pushed to: numbered by its time, as the Pusher does it, and behind all that are there.

    A loop that was killed may have placed it already.
    """
    number = int(dt.datetime.fromisoformat(facts.created).timestamp())
    if versions := pushed_versions(serving):
        if model_digest(versions[-1]) == model_digest(saved_model):
            return versions[-1]
        number = max(number, int(versions[-1].name) + 1)
    return serving / str(number)


def _were(count: int) -> str:
    return "was" if count == 1 else "were"
