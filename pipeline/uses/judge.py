"""Judges anybody's forecasts as a run's models are judged: from a file and the database's prices, no TensorFlow."""

from __future__ import annotations

import datetime as dt
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, Backtest, BacktestError, check_trading
from components.evidence.accuracy import accuracy, majority
from components.evidence.auc import auc_by_group
from components.evidence.comparing import compare
from components.evidence.counting import count_try
from components.evidence.findings import PREDICTIONS_FILE, Findings, withheld
from components.evidence.interval import UNKNOWN
from components.evidence.metric import AUC, METRICS, RANK_IC
from components.evidence.tried import JUDGED, days_of, judged
from components.feature_store import FeatureStore
from components.judging import baselines
from components.judging.forecast_columns import ColumnChoice
from components.judging.forecast_file import read_forecasts
from components.judging.forecasts import JudgingError, Sieve
from components.judging.outcomes import Outcomes, Question, look_up
from components.missing_sessions.finding import find_missing
from components.missing_sessions.summary import MissingSummary
from components.plausibility.search import search, within
from components.price_files import Forms
from components.records import to_json
from components.trials.record import Record, Trial, read_record, record_path
from components.universe.survivorship import summarise
from components.whole_files import whole_file
from models.labels import LABELS, UP
from pipeline.job.gathered_tries import gather_workspace
from pipeline.plan import Plan
from pipeline.report.backtest import trade
from pipeline.report.judgement_page import render_judgement
from pipeline.runs.folder import REPORT_JSON, save_report, write_text
from pipeline.runs.judged import JUDGEMENT_HTML, JUDGEMENT_JSON, JudgedFile, Judgement
from pipeline.runs.results import DataSummary, GroupScore, ModelResult, RunReport, SplitResult
from pipeline.runs.tries import list_tries
from pipeline.version import PACKAGE, own_version

_COLUMNS = ("time", "share_id", "label", "forward_return", "next_return")


@dataclass(frozen=True)
class Asked:
    """What a user asks of a file.

    Attributes:
        columns: which column is what.
        forms: how cells are written.
        known_until: the last day that a model may have been trained on; None where nobody says.
        ignore_case: whether shares may be written in other letters.
        costs: basis points of what is traded.
        quantile: share of a day's shares on each side of a portfolio.
    """

    columns: ColumnChoice = field(default_factory=ColumnChoice)
    forms: Forms = field(default_factory=Forms)
    known_until: dt.date | None = None
    ignore_case: bool = False
    costs: float = DEFAULT_COSTS
    quantile: float = DEFAULT_QUANTILE


@dataclass(frozen=True, eq=False)
class JudgedForecasts:
    """A judgement, and the rows it is made of: as `predict_split` gives those of a run."""

    judgement: Judgement
    predictions: pd.DataFrame


def judge_file(plan: Plan, path: Path, asked: Asked = Asked()) -> JudgedForecasts:
    """Judges the forecasts of a file, and counts them as a try on their days.

    Args:
        plan: names the database, the label, the horizon, the seed, and how many missing sessions labels may reach
            across.
        path: of the file.
        asked: what the user says.

    Raises:
        JudgingError: the file holds no forecasts that can be read.
        ImportFileError: likewise.
        StoreError: the database cannot be read.
        TrialsError: the record of tries cannot be read.
        BacktestError: costs or quantile cannot be used.
    """
    check_trading(asked.costs, asked.quantile)
    reserved = {*_COLUMNS, *baselines.BASELINES}
    sieve = read_forecasts(path, asked.columns, asked.forms, reserved)
    limit = plan.settings.max_missing_sessions
    question = Question(plan.horizon, limit, asked.known_until, asked.ignore_case, plan.label)
    with FeatureStore.open(plan.database) as store:
        missing = find_missing(store)
        outcomes = look_up(store, sieve, question, missing.shares)
        predictions = _predictions(sieve, outcomes)
        file = _file(sieve, outcomes, asked)
        if not len(predictions):
            return JudgedForecasts(Judgement(file), predictions)
        shares = sorted(predictions["share_id"].unique())
        first, last = (np.datetime64(day, "D").item() for day in (predictions["time"].min(), outcomes.last))
        prices = search(store, shares, plan.bounds, within(first, last))
        judged_ones = frozenset(shares)
        summaries = [one for one in store.shares() if one.share_id in judged_ones]
        there = summarise(store, summaries)
    models = list(sieve.forecasts.values)
    rivals = [name for name in predictions.columns if name not in (*_COLUMNS, *models)]
    scores = sieve.forecasts.scores | baselines.SCORES
    words = {"models": ", ".join(models), "file": path.name}
    if plan.label.name != UP:
        words["label"] = plan.label.name
    parts = tuple(dict.fromkeys((*LABELS.origins(plan.label.name), *METRICS.origins())))
    told = words | {"parts": ", ".join(parts)} if parts else words

    def judge_after(record: Record) -> tuple[Findings, Trial]:
        compared, trial = compare(predictions, models, rivals, plan.horizon, plan.settings.seed, record, scores)
        found = withheld(compared, prices)
        return found, judged(trial, found, told, JUDGED)

    record = record_path(plan.database)
    gather_workspace(plan.workspace, plan.database)
    findings, trial = count_try(record, judge_after)
    known = read_record(record).counting(trial)
    days = days_of(predictions)
    report = RunReport(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        models={name: _model(name, findings, predictions, name in scores) for name in models},
        splits={"test": _split(predictions, sieve)},
        champion=None,
        pushed=None,
        seconds={},
        cached=(),
        data=DataSummary(
            shares=len(shares),
            sessions=len(trial.days),
            digest=trial.rows,
            first=str(first),
            last=str(predictions["time"].max().date()),
            share_ids=tuple(shares),
            database=str(plan.database),
            sources=tuple(sorted({one.source or "unknown" for one in summaries})),
        ),
        settings={
            "formatter": "",
            "label": plan.label.name,
            "horizon": plan.horizon,
            "seed": plan.settings.seed,
            **words,
        },
        market=None,
        versions={"python": platform.python_version(), PACKAGE: own_version()},
        baselines=findings.baselines,
        universe=there,
        missing=MissingSummary() if not missing.shares else missing.of(shares).summary(),
        prices=prices,
        tries=list_tries(known, [int(day) for day in days], findings.hurdle, trial.id),
        parts=parts,
    )
    result, why = _backtest(report, predictions, asked)
    return JudgedForecasts(Judgement(file, report, result, why), predictions)


def check_output(folder: Path) -> None:
    """Refuses, with a JudgingError, a file, and a folder that holds a run: its report would be lost."""
    if folder.is_file():
        raise JudgingError(f"--output {folder} is a file; name a folder")
    if (folder / REPORT_JSON).exists() and not (folder / JUDGEMENT_JSON).exists():
        raise JudgingError(f"--output {folder}: there is the report of a run; name another folder")


def write_judgement(made: JudgedForecasts, folder: Path) -> None:
    """Writes judgement.html, judgement.json, and report.json and predictions.parquet in the form of a run's.

    Each is written whole or not at all.

    Raises:
        JudgingError: there is nothing that was judged.
        ReportError: a file cannot be written.
    """
    report = made.judgement.report
    if report is None:
        raise JudgingError(f"no forecast of {made.judgement.file.path} can be judged, so nothing is written")
    page = render_judgement(made.judgement, made.predictions)
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(folder / PREDICTIONS_FILE) as partial:
        made.predictions.to_parquet(partial, index=False)
    write_text(folder / JUDGEMENT_HTML, page)
    write_text(folder / JUDGEMENT_JSON, to_json(made.judgement, indent=1) + "\n")
    save_report(report, folder / REPORT_JSON)


def _predictions(sieve: Sieve, outcomes: Outcomes) -> pd.DataFrame:
    """What is judged, a row a forecast: the columns of a run's predictions, the models and the baselines."""
    given, at = sieve.forecasts, outcomes.places
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(given.days[at].astype("datetime64[D]")),
            "share_id": outcomes.share_id,
            "label": outcomes.label,
            "forward_return": outcomes.forward_return,
            "next_return": outcomes.next_return,
            **{name: values[at] for name, values in given.values.items()},
            **baselines.forecast(outcomes.closes, outcomes.training),
        }
    )
    return frame.sort_values(["time", "share_id"], ignore_index=True)


def _file(sieve: Sieve, outcomes: Outcomes, asked: Asked) -> JudgedFile:
    given = sieve.forecasts
    return JudgedFile(
        path=str(given.path),
        rows=len(given),
        judged=len(outcomes.places),
        left_out=tuple(sieve.left_out),
        scores=tuple(name for name in given.values if name in given.scores),
        known_until="" if asked.known_until is None else asked.known_until.isoformat(),
        dated=given.written is not None,
        training=len(outcomes.training),
        notes=given.notes,
    )


def _split(predictions: pd.DataFrame, sieve: Sieve) -> SplitResult:
    counts = {one.why: one.count for one in sieve.left_out}
    time = predictions["time"]
    return SplitResult(
        first=str(time.min().date()),
        last=str(time.max().date()),
        rows=len(predictions),
        purged=0,
        unlabelled=counts.get("unchanged", 0) + counts.get("pending", 0),
        sessions=time.nunique(),
        labels_across=counts.get("across", 0),
        alone=counts.get("alone", 0),
    )


def _model(name: str, findings: Findings, predictions: pd.DataFrame, is_score: bool) -> ModelResult:
    found = findings.models[name]
    label, values = predictions["label"].to_numpy(), predictions[name].to_numpy()
    area, ranks = found.scores[AUC], found.scores.get(RANK_IC, UNKNOWN)

    def by(groups: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Mapping[str, GroupScore]:
        return {str(one.group): GroupScore(one.auc, one.rows) for one in auc_by_group(label, values, groups)}

    return ModelResult(
        auc=area.value,
        auc_low=area.low,
        auc_high=area.high,
        auc_standard_error=area.standard_error,
        accuracy=float("nan") if is_score else accuracy(label, values),
        majority=majority(label),
        rank_ic=ranks.value,
        rank_ic_low=ranks.low,
        rank_ic_high=ranks.high,
        blessed=found.blessed,
        reason=found.reason,
        rows=len(predictions),
        by_year=by(predictions["time"].dt.year.to_numpy()),
        by_share=by(predictions["share_id"].to_numpy(str)),
        scores=found.scores,
        differences=found.differences,
    )


def _backtest(report: RunReport, predictions: pd.DataFrame, asked: Asked) -> tuple[Backtest | None, str]:
    try:
        return trade(report, predictions, asked.costs, asked.quantile), ""
    except BacktestError as error:
        return None, str(error)
