"""Runs the folds of a walk, each through the very pipeline of `awesome run`, and joins what they predicted."""

from __future__ import annotations

import datetime
import hashlib
import json
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import UserError
from components.evidence.tried import WALK_FORWARD
from components.price_panel.opening import open_prices
from components.trials.record import merge, read_record, record_path
from pipeline.job.prices import ensure_prices, say_idle
from pipeline.job.run import run
from pipeline.job.workspace import WALKS, check_writable, output_folder, point_latest, workspace_lock
from pipeline.plan import Plan, resolve
from pipeline.runs.folder import FinishedRun
from pipeline.runs.results import RunReport
from pipeline.studies.walkforward.folds import Fold, WalkSettings, plan_folds
from pipeline.studies.walkforward.page import render_walk
from pipeline.studies.walkforward.results import FoldRun, Walk, write_walk
from pipeline.studies.walkforward.scores import FOLD, HORIZON, HorizonScores, model_columns, score_horizon
from pipeline.studies.walkforward.summary import print_plan

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

_REPORTED = (
    "shares",
    "label",
    "formatter",
    "models",
    "horizons",
    "embargo",
    "seed",
    "train_steps",
    "audit_plausible_auc",
)
"""Settings that all folds have in common and that belong in the report."""


def walk_forward(plan: Plan, walk: WalkSettings, console: Console) -> tuple[Walk, Path]:
    """Plans all folds, runs them one after the other, and gives the result, which is also written, and its folder.

    Every fold runs in a workspace of the walk's own, below WORKSPACE/walkforward: it shares its cache with repetitions
    of the same walk and nothing with any other run. A walk that was stopped is taken up by the next one, as finished
    steps are in TFX's cache.

    The plan's `horizons` are walked; its horizon, the bounds and dates of its splits and its source are not looked at.

    Raises:
        UserError: something the user can fix; before the first fold runs, if it can be known by then.
    """
    if not plan.settings.horizons:
        raise UserError("horizons: name at least one")
    plan.check_single()
    plan.check_folders()
    home = plan.workspace / WALKS
    check_writable(home)
    common = _common(plan)
    inner = _changed(common, workspace=home / "folds" / workspace_name(common))
    check_writable(inner.workspace)
    with workspace_lock(home), output_folder(home, plan.settings.output, "walkforward") as output:
        ensure_prices(inner, console)
        with open_prices(inner.database) as store:
            shares = inner.select(store)
            say_idle(inner, store, shares, console)
            folds = plan_folds(store.sessions(shares), walk, inner.splits)
        _share_tries(plan, inner)
        print_plan(folds, inner.settings.horizons, walk.rolling, console)
        runs: list[FoldRun] = []
        reports: list[RunReport] = []
        frames: list[pd.DataFrame] = []
        for horizon in inner.settings.horizons:
            for fold in folds:
                console.print(
                    f"\n[bold]horizon {horizon}, fold {fold.number} of {len(folds)}[/]: "
                    f"test {fold.test.first} to {fold.test.last}",
                    highlight=False,
                )
                begin = time.perf_counter()
                report, folder = run(_fold_plan(inner, fold, horizon), console, WALK_FORWARD)
                _share_tries(plan, inner)
                runs.append(_fold_run(fold, horizon, report, os.path.relpath(folder, output), begin))
                reports.append(report)
                frames.append(_predictions(FinishedRun(folder, report), fold, horizon))
        import pandas as pd

        with console.status("Scoring the folds"):
            predictions = pd.concat(frames, ignore_index=True)
            result = _join(inner, walk, folds, runs, reports, predictions)
        write_walk(result, render_walk(result), predictions, output)
        point_latest(home, output)
    return result, output


def _share_tries(plan: Plan, inner: Plan) -> None:
    """Lets a synthetic market have one record: a walk has a copy of it, of the same prices and so the same tries."""
    outside, inside = record_path(plan.database), record_path(inner.database)
    if outside.resolve() == inside.resolve():
        return
    if outside.exists():
        merge(inside, read_record(outside))
    outside.parent.mkdir(parents=True, exist_ok=True)
    merge(outside, read_record(inside), complete=not plan.database.exists())


def _changed(plan: Plan, **settings: Any) -> Plan:
    return resolve(plan.settings.model_copy(update=settings), plan.origins)


def _common(plan: Plan) -> Plan:
    """What all folds have in common."""
    horizons = plan.settings.horizons
    return _changed(
        plan,
        horizon=horizons[0],
        horizons=tuple(dict.fromkeys(horizons)),
        # Prices must not change between two folds.
        source=None,
        output=None,
        split_dates=None,
        split_start=None,
        split_end=None,
    )


def workspace_name(plan: Plan) -> str:
    """One folder for all walks whose folds may share a cache: their figures depend on the same settings.

    The cut into folds is not among them, since each cut has a pipeline of its own, nor are the names of the models:
    each kind has its own predecessors. Of one kind, though, another version would become this one's predecessor.
    """
    settings, data = plan.settings, plan.database
    decisive = {
        "data": data.name if settings.market is not None else str(data.absolute()),
        **{
            name: getattr(settings, name)
            for name in ("shares", "horizons", "max_missing_sessions", "seed", "train_steps")
        },
        "embargo": plan.splits.embargo,
        "hyperparameters": settings.hyperparameters,
        "versions": sorted(model for model in settings.models if ":" in model),
    }
    digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode()).hexdigest()[:8]
    return f"{settings.market or data.stem}-{digest}"


def _fold_plan(plan: Plan, fold: Fold, horizon: int) -> Plan:
    splits = fold.splits
    bounds = {"split_start": splits.start, "split_dates": splits.dates, "split_end": splits.end}
    # What was decided is in the database: no fold has to say it again.
    return _changed(plan, horizon=horizon, accept=(), exclude=(), **bounds)


def _fold_run(fold: Fold, horizon: int, report: RunReport, folder: str, begin: float) -> FoldRun:
    return FoldRun(
        fold=fold.number,
        horizon=horizon,
        folder=folder,
        train_rows=report.splits["train"].rows,
        test_rows=report.splits["test"].rows,
        seconds=time.perf_counter() - begin,
        trained=tuple(name for name in report.models if f"Trainer.{name}" not in report.cached),
        audit=None if report.audit is None else report.audit.verdict,
        wrong_prices=tuple(one.name for one in report.wrong_prices),
    )


def _predictions(run: FinishedRun, fold: Fold, horizon: int) -> pd.DataFrame:
    """The test predictions of a fold; models in the order they were asked for, then the baselines."""
    frame, models = run.predictions(), list(run.report.models)
    columns = [*models, *(name for name in model_columns(frame) if name not in models)]
    frame = frame[[*(name for name in frame.columns if name not in columns), *columns]]
    frame.insert(0, HORIZON, horizon)
    frame.insert(1, FOLD, fold.number)
    return frame


def _join(
    plan: Plan,
    walk: WalkSettings,
    folds: Sequence[Fold],
    runs: Sequence[FoldRun],
    reports: Sequence[RunReport],
    predictions: pd.DataFrame,
) -> Walk:
    if len({report.data.digest for report in reports}) > 1:
        raise UserError(f"{reports[0].data.database} changed while the folds ran; the same command runs them anew")
    horizons: list[HorizonScores] = []
    for horizon in plan.settings.horizons:
        market = next(report.market for run, report in zip(runs, reports, strict=True) if run.horizon == horizon)
        best = None if market is None else market.best_auc
        horizons.append(score_horizon(predictions[predictions[HORIZON] == horizon], horizon, plan.settings.seed, best))
    last = reports[-1]
    return Walk(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        rolling=walk.rolling,
        folds=tuple(folds),
        horizons=tuple(horizons),
        runs=tuple(runs),
        settings={name: last.settings[name] for name in _REPORTED if name in last.settings},
        market=None if last.market is None else last.market.scenario,
        digest=last.data.digest,
        database=last.data.database,
        sources=last.data.sources,
    )
