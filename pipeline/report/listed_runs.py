"""The finished runs of a workspace, each in a few facts, from their reports alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from components.evidence.interval import UNKNOWN
from components.records import Number
from pipeline.report.verdict import Tone, assess
from pipeline.runs.folder import LATEST, REPORT_JSON, FinishedRun, check_workspace, open_run
from pipeline.runs.results import ReportError


@dataclass(frozen=True)
class ListedRun:
    """A run in a few facts.

    Attributes:
        name: of its folder.
        folder: where it lies.
        created: its end, ISO 8601 in UTC; empty where the report cannot be read, as all else is then.
        problem: why its report cannot be read; empty where it can.
        database: the file that its data came from, or the synthetic market.
        shares: how many.
        first: first test day, ISO date.
        last: last test day.
        formatter: what its models saw.
        label: what they predicted.
        horizon: sessions ahead.
        best: the model of the highest AUC; empty where there is none.
        auc: of it on the test split.
        auc_low: lower end of its 95 % interval over blocks of days.
        auc_high: upper end.
        verdict: the outcome in a few words.
        tone: plain, good or warning.
        pushed: the model that was pushed; empty for none.
        latest: whether the workspace's link names it.
        id: that tells it from all others, wherever its folder lies.
    """

    name: str
    folder: str
    created: str = ""
    problem: str = ""
    database: str = ""
    shares: int = 0
    first: str = ""
    last: str = ""
    formatter: str = ""
    label: str = ""
    horizon: int = 0
    best: str = ""
    auc: Number = math.nan
    auc_low: Number = math.nan
    auc_high: Number = math.nan
    verdict: str = ""
    tone: Tone = "plain"
    pushed: str = ""
    latest: bool = False
    id: str = ""


def list_runs(workspace: Path) -> list[ListedRun]:
    """The runs of a workspace, the newest first; those whose reports cannot be read last.

    Raises:
        ReportError: there is no such folder.
    """
    check_workspace(workspace)
    latest = (workspace / LATEST).resolve()
    folders = [path.parent for path in workspace.glob(f"*/{REPORT_JSON}")]
    found = [_listed(folder, latest) for folder in folders if not folder.is_symlink()]
    return sorted(found, key=lambda run: (run.created, run.name), reverse=True)


def _listed(folder: Path, latest: Path) -> ListedRun:
    try:
        opened = open_run(folder)
        return _facts(opened, opened.folder.resolve() == latest)
    except ReportError as error:
        return ListedRun(folder.name, str(folder), problem=str(error))


def _facts(run: FinishedRun, latest: bool) -> ListedRun:
    report, test = run.report, run.report.splits.get("test")
    best = run.best
    area = report.models[best].area if best else UNKNOWN
    judged, market = assess(report), report.market
    return ListedRun(
        name=run.folder.name,
        folder=str(run.folder),
        created=report.created,
        database=report.data.database if market is None else f"market {market.scenario}",
        shares=report.data.shares,
        first="" if test is None else test.first,
        last="" if test is None else test.last,
        formatter=report.formatter,
        label=report.label,
        horizon=report.horizon,
        best=best,
        auc=area.value,
        auc_low=area.low,
        auc_high=area.high,
        verdict=judged.label,
        tone=judged.tone,
        pushed=(report.champion or "") if report.pushed else "",
        latest=latest,
        id=report.id,
    )
