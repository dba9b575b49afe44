"""What of a run goes to object storage: the facts and folders of its models, and the version of the code."""

from __future__ import annotations

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path

from components.evidence.findings import PREDICTIONS_FILE, flat
from components.evidence.tfma.parting import part_of
from components.model_selector.files import Evidence
from components.object_storage import CodeVersion, ModelFacts, ModelFolders
from components.trials.record import Record, read_record, record_path, render_record
from models.card import ModelCard, read_card
from pipeline.code_digest import code_digest
from pipeline.runs.folder import REPORT_JSON, FinishedRun, open_run
from pipeline.runs.results import ModelResult, ReportError, RunReport
from pipeline.version import own_version


def code_version() -> CodeVersion:
    """The version of the package, and the digest of what makes and reads the feature store."""
    return CodeVersion(own_version(), code_digest(["components/feature_store", "models"]))


def models_to_push(run: Path, model: str | None = None) -> tuple[tuple[ModelFacts, ModelFolders], ...]:
    """Gathers the models of a run, or one of them.

    Raises:
        ReportError: There is no report that can be read, the run has no such model, or its files are gone.
    """
    opened = open_run(run)
    version = version_of(opened.report, run)
    models = opened.models(() if model is None else (model,))
    tries = tries_of(opened)
    return tuple(_gather(opened, name, result, version, tries) for name, result in models.items())


def database_of(run: Path) -> Path | None:
    """The database that a run was made on; None where it is a synthetic market, or is not here.

    Raises:
        ReportError: There is no report that can be read.
    """
    opened = open_run(run)
    return opened.database if opened.report.market is None and opened.database.is_file() else None


def tries_of(run: FinishedRun) -> Record:
    """The tries on the test days of a run, of those that the record beside its database holds.

    Raises:
        TrialsError: the record cannot be read.
    """
    record = read_record(record_path(run.database))
    test = run.report.splits["test"]
    return replace(record, trials=record.between(*(int(day.replace("-", "")) for day in (test.first, test.last))))


def version_of(report: RunReport, run: Path) -> str:
    """What the models of a run are called in a storage: when it ended; `run` is its folder.

    Raises:
        ReportError: The report does not say when.
    """
    try:
        created = dt.datetime.fromisoformat(report.created)
    except ValueError:
        raise ReportError(f"{run}: created is {report.created!r}, not a time; run the pipeline again") from None
    if created.tzinfo is None:
        created = created.replace(tzinfo=dt.UTC)
    return created.astimezone(dt.UTC).strftime("%Y%m%dT%H%M%SZ")


def _gather(
    run: FinishedRun, name: str, result: ModelResult, version: str, tries: Record
) -> tuple[ModelFacts, ModelFolders]:
    report, saved_model = run.report, run.saved_model(name)
    card = _card(saved_model)
    package = report.versions.get("awesome", "unknown")
    if result.blessed and (held := report.held_back.get(name)):
        # Whoever pulls it has no report beside it: what must not be pushed has passed nothing.
        reason = f"{result.reason}; the leak audit holds it back ({', '.join(held)})"
        result = replace(result, blessed=False, reason=reason)
    facts = ModelFacts(
        model=name,
        version=version,
        architecture_version=None if card is None else card.version,
        formatter=report.formatter if card is None else card.formatter,
        horizon=report.horizon if card is None else card.horizon,
        label=report.label if card is None else card.label,
        auc=result.auc,
        auc_low=result.auc_low,
        auc_high=result.auc_high,
        blessed=result.blessed,
        champion=report.champion == name,
        created=report.created,
        data_digest=report.data.digest,
        market=None if report.market is None else report.market.scenario,
        code=CodeVersion(package, code_digest(["models"]) if card is None else card.code),
        database=Path(report.data.database).name,
        tries=len(tries.trials) or None,
        tries_complete=tries.complete,
        parts=() if card is None else card.parts,
        hyperparameters={} if card is None else card.hyperparameters,
    )
    folders = ModelFolders(
        saved_model=saved_model,
        tfevents=Path(result.model_run_uri) if result.model_run_uri else None,
        evaluation=part_of(Path(result.evaluation_uri), name) if result.evaluation_uri else None,
        evidence=_evidence(result),
        tries=render_record(tries) if tries.trials else b"",
        run=_files_of(run) if facts.champion else (),
    )
    return facts, folders


def _files_of(run: FinishedRun) -> tuple[Path, ...]:
    """What a loop elsewhere has to know of a champion: what it claims, and what it was trained on."""
    files = (run.folder / REPORT_JSON, run.folder / PREDICTIONS_FILE)
    return tuple(file for file in files if file.is_file())


def _card(saved_model: Path) -> ModelCard | None:
    """A model of another tool has no card."""
    try:
        return read_card(saved_model)
    except (OSError, ValueError, TypeError):
        return None


def _evidence(result: ModelResult) -> str:
    # The model selector lays the same file beside a champion; it is written here for all, so that none goes without.
    # JSON has no word for NaN.
    metrics = {name: value for name, value in result.metrics.items() if math.isfinite(value)} | flat(result.scores)
    return Evidence(metrics, result.reason, result.blessed, result.twin).to_json()
