"""`awesome daily`: what is done after every session."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, enduring_output, example, new_console, plan_from, print_line, warn_of_plan
from pipeline.cli.option_groups import AUDIT, BEAM, PLACES, SOURCES, SPLITS, SUSPECTS, TRAINING, Settings, takes

_NO_SETTINGS = ("only", "retrain", "part_suffices", "as_json", "more")


@app.command(epilog=example("awesome daily --source tencent"))
@takes(SPLITS, TRAINING, AUDIT, SUSPECTS, SOURCES, PLACES, BEAM)
def daily(
    only: Annotated[
        str | None,
        typer.Option(help="Parts to do, separated by commas, such as predict,ledger. (default: all)"),
    ] = None,
    db: common.Db = None,
    source: common.Source = None,
    shares: common.Shares = None,
    since: common.Since = None,
    best_effort: common.BestEffort = None,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    models: common.Models = None,
    plugins: common.Plugins = None,
    horizon: common.Horizon = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    seed: common.Seed = None,
    workspace: common.Workspace = None,
    trial: Annotated[
        bool | None, typer.Option("--trial/--no-trial", help="Let a model predict that was never blessed.")
    ] = None,
    retrain: Annotated[
        bool | None, typer.Option("--retrain/--no-retrain", help="Retrain now, or never. (default: when it is due)")
    ] = None,
    challenger_sessions: Annotated[
        int | None, typer.Option(help="Sessions that a new model predicts beside the champion first. (default: 0)")
    ] = None,
    retrain_sessions: Annotated[
        int | None,
        typer.Option(
            help="Sessions since the latest training after which a retraining is due; 0: never. (default: 250)"
        ),
    ] = None,
    take_champion: Annotated[
        bool | None,
        typer.Option(
            "--take-champion/--no-take-champion",
            help="Take a newer champion that was pushed to --storage-url elsewhere.",
        ),
    ] = None,
    storage_url: Annotated[
        str | None,
        typer.Option(metavar="URL", help="Object storage: file://, s3:// or cos://, as in `awesome db push`."),
    ] = None,
    alert_command: Annotated[
        str | None, typer.Option(metavar="COMMAND", help="That gets the alerts, JSON, on its standard input; no shell.")
    ] = None,
    cache: common.Cache = None,
    clock: common.Clock = None,
    part_suffices: Annotated[
        bool, typer.Option("--part-suffices", help="Exit with 0 instead of 3, for a scheduler that would try again.")
    ] = False,
    as_json: common.AsJson = False,
    *,
    more: Settings,
) -> None:
    """Fetches, predicts, writes the predictions down, scores those of before, and retrains when that is due.

    A retraining is due by age, or as drift rings: measured where nothing had changed, features rang in some 4 of 100
    years, and losses in 5.

    Twice a day does nothing twice. Exit code 0: all is well; 3: a part failed or was done in part, and the others were
    done; 4: every part failed. The report: WORKSPACE/daily/NAME/SESSION.json.
    """
    flags = {name: value for name, value in locals().items() if name not in _NO_SETTINGS} | more
    plan = plan_from(flags)
    warn_of_plan(plan)
    from components.extractor.report import PARTIAL
    from components.records import to_json
    from pipeline.daily.clock import LoopClock
    from pipeline.daily.day import Day
    from pipeline.daily.loop import REPORT, run_daily

    names = tuple(part.strip() for part in (only or "").split(",") if part.strip())
    day = Day(
        plan,
        LoopClock(plan.settings.clock),
        new_console(stderr=as_json),
        trial=plan.settings.trial,
        retrain=retrain,
    )
    with enduring_output():  # the ledger matters more than a log that cannot be written
        report, path = run_daily(day, names)
        if not as_json:
            for line in report.undelivered:
                print_line(f"an alert did not arrive: {line}")
            if report.part(REPORT) is None:  # it could be written
                print_line(f"\nThe report: {path}")
    if as_json:
        typer.echo(to_json(report))
    raise typer.Exit(0 if part_suffices and report.exit_code == PARTIAL else report.exit_code)
