"""`awesome live`: what the record of the future has proved."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line, status
from pipeline.cli.option_groups import PLACES, Settings, takes


@app.command(epilog=example("awesome live --output live.html"))
@takes(PLACES)
def live(
    db: common.Db = None,
    shares: common.Shares = None,
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
    storage_url: Annotated[
        str | None, typer.Option(metavar="URL", help="Where heads of the ledger are kept, as in `awesome db push`.")
    ] = None,
    as_json: common.AsJson = False,
    *,
    more: Settings,
) -> None:
    """Says whether the model has proved anything since it went live, and writes the page that shows it.

    What it says of evidence holds however often it is looked at. Exit code 1: the ledger is not as it was written, so
    its figures cannot be trusted; the page says why.
    """
    names = ("db", "label", "formatter", "horizon", "max_missing_sessions", "workspace", "clock", "shares")
    given = locals()
    plan = plan_from({name: given[name] for name in names} | {"storage_url": storage_url} | more)
    from components.records import to_json
    from pipeline.daily.page import record_of
    from pipeline.daily.report import daily_folder
    from pipeline.report.live import LIVE_HTML, write_live
    from pipeline.report.live_summary import print_live
    from pipeline.report.live_words import live_verdict

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
