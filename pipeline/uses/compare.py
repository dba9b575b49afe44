"""Compares finished runs: their figures, and on the test days that they share the paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from components.evidence.metric import RANK_IC
from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from pipeline.report.verdict import assess
from pipeline.runs.compared import ComparedRun, ComparedRuns
from pipeline.runs.folder import FinishedRun, open_run
from pipeline.runs.results import ReportError, Scalar

_ROW = ["time", "share_id"]
_SAME_RETURN = 1e-6
"""Returns that differ by less are the same price, adjusted from another day on."""


def compare_runs(folders: Sequence[Path], model: str | None = None) -> ComparedRuns:
    """Compares each run with the first one.

    Args:
        folders: of finished runs.
        model: the one that all are compared by; None for each run's champion, else for its highest AUC.

    Raises:
        ReportError: there are fewer than two, one is no run, or lacks the model or its predictions.
    """
    if len(folders) < 2:
        raise ReportError("a comparison needs at least two runs; `awesome runs` lists them")
    runs = [open_run(folder) for folder in folders]
    if len({run.folder.resolve() for run in runs}) < len(runs):
        raise ReportError("a run is named twice; name runs that differ")
    chosen = [_choose(run, model) for run in runs]
    first = runs[0]
    told = [_told(first, *chosen[0])]
    reference = _answers(first, chosen[0][0])
    for run, (name, why) in zip(runs[1:], chosen[1:], strict=True):
        told.append(_compared(_told(run, name, why), run, name, first, reference))
    return ComparedRuns(tuple(told), _different(runs))


def _choose(run: FinishedRun, asked: str | None) -> tuple[str, str]:
    """The model that a run is compared by, and why that one."""
    if asked is not None:
        run.models([asked])
        return asked, "asked for"
    if run.report.champion is not None:
        return run.report.champion, "the champion"
    if not run.best:
        raise ReportError(f"{run.folder} has no model with an AUC to compare; name other runs")
    return run.best, "the highest AUC"


def _told(run: FinishedRun, name: str, why: str) -> ComparedRun:
    report, test = run.report, run.report.splits.get("test")
    return ComparedRun(
        name=run.folder.resolve().name,
        folder=str(run.folder),
        created=report.created,
        model=name,
        chosen=why,
        first="" if test is None else test.first,
        last="" if test is None else test.last,
        rows=report.models[name].rows,
        figures=report.models[name].scores,
        verdict=assess(report).label,
    )


def _answers(run: FinishedRun, name: str) -> pd.DataFrame:
    """What a model answered on the test split: time, share_id, label, forward_return, said."""
    predictions = run.predictions()
    columns = [*_ROW, "label", "forward_return", name]
    if missing := [column for column in columns if column not in predictions]:
        raise ReportError(f"{run.folder}: its predictions lack {', '.join(missing)}; run again to have them")
    return predictions[columns].rename(columns={name: "said"})


def _compared(
    told: ComparedRun, run: FinishedRun, name: str, first: FinishedRun, reference: pd.DataFrame
) -> ComparedRun:
    """With the paired differences, or why there are none."""
    if run.report.horizon != first.report.horizon:
        return replace(told, incomparable=f"it looks {run.report.horizon} sessions ahead, not {first.report.horizon}")
    both = reference.merge(_answers(run, name), on=_ROW, suffixes=("_first", "_own"))
    same = np.isclose(both["forward_return_first"], both["forward_return_own"], rtol=0, atol=_SAME_RETURN)
    rows, days = both[same], both["time"][same].nunique()
    told = replace(told, common_rows=len(rows), common_days=days, revised=int((~same).sum()))
    if not len(rows):
        return replace(told, incomparable="it shares no row of the test split with it")
    blocks = DayBlocks(rows["time"].to_numpy(), horizon=run.report.horizon, seed=_seed(first))
    if not blocks.enough:
        return replace(told, incomparable=f"{days:,} common test days are too few for an interval")
    forward = rows["forward_return_first"].to_numpy()
    mine, its = (
        ScoredModel(rows[f"label_{which}"].to_numpy(), rows[f"said_{which}"].to_numpy(), forward, blocks)
        for which in ("own", "first")
    )
    # Figures of different labels answer different questions; in which order the shares come is the same one.
    alike = run.report.label == first.report.label
    metrics = [metric for metric in mine.values if metric in its.values and (alike or metric == RANK_IC)]
    return replace(told, differences={metric: mine.difference(its, metric) for metric in metrics})


def _seed(run: FinishedRun) -> int:
    seed = run.report.settings.get("seed")
    return seed if isinstance(seed, int) else 0


def _different(runs: Sequence[FinishedRun]) -> dict[str, tuple[str, ...]]:
    """What was not the same in all runs, beside where they wrote."""
    facts: list[dict[str, Scalar]] = []
    for run in runs:
        report = run.report
        data: dict[str, Scalar] = {
            "data": report.data.digest,
            "database": report.data.database,
            "shares": report.data.shares,
            "prices": f"{report.data.first} to {report.data.last}",
        }
        facts.append({**data, **report.settings, **report.versions})
    names = dict.fromkeys(name for one in facts for name in one)
    told = {name: tuple(_text(one.get(name)) for one in facts) for name in names if name not in ("output", "workspace")}
    return {name: values for name, values in told.items() if len(set(values)) > 1}


def _text(value: Scalar) -> str:
    return "" if value is None else str(value)
