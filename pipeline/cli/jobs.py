"""`awesome run`, `evaluate`, `tensorboard`: the main job and its result again."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common, run_options
from pipeline.cli.common import app, example, new_console, plan_from, print_line, warn_of_plan
from pipeline.cli.option_groups import AUDIT, BEAM, PLACES, SOURCES, SPLITS, SUSPECTS, TRAINING, Settings, takes


@app.command(epilog=example("awesome run --models linear,rnn --horizon 20"))
@takes(SPLITS, TRAINING, AUDIT, SUSPECTS, SOURCES, PLACES, BEAM)
def run(
    db: common.Db = None,
    panel: common.Panel = None,
    source: common.Source = None,
    shares: common.Shares = None,
    since: common.Since = None,
    until: run_options.Until = None,
    best_effort: common.BestEffort = None,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    compare_formatters: run_options.CompareFormatters = None,
    compare_labels: run_options.CompareLabels = None,
    models: common.Models = None,
    plugins: common.Plugins = None,
    horizon: common.Horizon = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    seed: common.Seed = None,
    output: Annotated[Path | None, typer.Option(help="Folder of this run. (default: runs/TIME)")] = None,
    workspace: common.Workspace = None,
    market: common.Market = None,
    market_shares: common.MarketShares = None,
    market_sessions: common.MarketSessions = None,
    cache: common.Cache = None,
    mlflow: common.Mlflow = None,
    fail_on: Annotated[
        str | None,
        typer.Option(help="Outcomes to exit with 3 for: leaking, suspicious, behind, nothing-pushed. (default: none)"),
    ] = None,
    *,
    more: Settings,
) -> None:
    """Trains, evaluates and reports; pushes the best model that passes.

    With --source, the first step brings the database up to date. With --mlflow, the finished run is logged there as
    well; where that fails, a line says so and the run is complete all the same.
    """
    flags = {name: value for name, value in locals().items() if name not in ("fail_on", "more")} | more
    from pipeline.report.failing import failures, outcomes_named

    failing = outcomes_named(fail_on)
    plan = plan_from(flags)
    console = new_console()
    warn_of_plan(plan)
    from pipeline.job.run import run as run_job

    report, folder = run_job(plan, console)
    from pipeline.report.summary import print_summary

    console.print()
    print_summary(report, console)
    if report.comparison is not None and report.pushed is not None:
        from pipeline.given_flags import command_of

        chosen = ["--formatter", report.formatter, "--label", report.label]
        print_line(f"\nThe model predicts by: {command_of(plan, 'predict', *chosen)}")
    print_line(f"\nThe report: {folder / 'report.html'}")
    if plan.settings.mlflow is not None:
        _log_to_mlflow(folder, plan.settings.mlflow)
    if found := failures(report, failing):
        for line in found:
            new_console(stderr=True).print(line, style="yellow", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(common.PARTIAL)


def _log_to_mlflow(folder: Path, uri: str) -> None:
    """Nothing that goes wrong here is the run's fault, nor hinders what follows it."""
    from components.errors import UserError
    from pipeline.runs.folder import open_run
    from pipeline.uses.tracking import log_run

    try:
        with common.status("Logging to MLflow"):
            said = log_run(open_run(folder), uri)
    except UserError as error:
        later = shlex.join(["awesome", "mlflow", str(folder), "--mlflow", uri])
        text = f"warning: not logged: {error}; later: {later}"
        new_console(stderr=True).print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)
    else:
        print_line(said)


@app.command(epilog=example("awesome evaluate 2026-11-23T18-30-00"))
def evaluate(run: common.RunFolder = None, workspace: common.Workspace = None) -> None:
    """Prints a run's table again."""
    from pipeline.report.summary import print_summary
    from pipeline.runs.folder import read_report

    report, console = read_report(common.run_folder(run, workspace)), new_console()
    if report.comparison is not None:
        from pipeline.report.comparison_table import print_comparison

        print_comparison(report.comparison, console)
        console.print()
    print_summary(report, console)


@app.command(epilog=example("awesome tensorboard 2026-11-23T18-30-00 --port 6007"))
def tensorboard(
    run: common.RunFolder = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0 for one that is free.")] = 6006,
    workspace: common.Workspace = None,
) -> None:
    """Opens a run's training curves in TensorBoard."""
    import os

    from pipeline.runs.folder import open_run

    opened = open_run(common.run_folder(run, workspace))
    logs = ",".join(f"{name}:{opened.training_log(name)}" for name in opened.models())
    from pipeline.job.quiet import quiet_children, quiet_tensorflow

    quiet_tensorflow()
    quiet_children()
    # The module has no entry point of its own that a frozen path would not break.
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir_spec={logs}", f"--port={port}"]
    os.execv(sys.executable, command)
