"""`awesome live`: what the record of the future has proved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line, status


@app.command(epilog=example("awesome live --output live.html"))
def live(
    db: common.Db = None,
    ledger: common.LedgerFile = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    horizon: common.Horizon = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    workspace: common.Workspace = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="The page: a file .html, or a folder. (default: WORKSPACE/daily/NAME/live.html; of --ledger: none)"
        ),
    ] = None,
    clock: common.Clock = None,
    as_json: common.AsJson = False,
) -> None:
    """Says whether the model has proved anything since it went live, and writes the page that shows it.

    What it says of evidence holds however often it is looked at. Exit code 1: the ledger is not as it was written, so
    its figures cannot be trusted; the page says why.
    """
    names = ("db", "label", "formatter", "horizon", "max_missing_sessions", "workspace", "clock")
    given = locals()
    plan = plan_from({name: given[name] for name in names})
    from components.errors import UserError
    from components.records import to_json
    from pipeline.daily.page import record_of
    from pipeline.daily.report import daily_folder
    from pipeline.report.live import LIVE_HTML, write_live
    from pipeline.report.live_summary import print_live
    from pipeline.report.live_words import live_verdict

    if ledger is not None and not ledger.is_file():
        raise UserError(f"{ledger} is no file; name the copy of a ledger, or leave --ledger out")
    if ledger is None and plan.database.is_dir():
        from components.feature_store import FeatureStore

        FeatureStore.open(plan.database).close()  # which says that no panel has a ledger
    with status("Reading the ledger", shown=not as_json):
        facts = record_of(plan, ledger, plan.settings.clock)
    if as_json:
        typer.echo(to_json({"verdict": live_verdict(facts), "facts": facts}))
    else:
        print_live(facts, new_console())
    # A copy's page must not take the place of the loop's own.
    if output is not None or not (as_json or ledger):
        path = write_live(facts, output or daily_folder(plan) / LIVE_HTML)
        if not as_json:
            print_line(f"\nThe page: {path}")
    if facts.trust is not None and not facts.trust.sound:
        raise typer.Exit(1)
