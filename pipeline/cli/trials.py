"""`awesome trials`: what was tried on the test days so far."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from
from pipeline.cli.option_groups import PLACES, SPLITS, Settings, takes


@app.command(epilog=example("awesome trials --days 2020-01-01:2021-12-31"))
@takes(SPLITS, PLACES)
def trials(
    db: common.Db = None,
    panel: common.Panel = None,
    shares: common.Shares = None,
    days: Annotated[
        str,
        typer.Option(metavar="FROM:TO", help="Test days. (default: those that the next run would be tested on)"),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Every try, whatever days it looked at.")] = False,
    horizon: Annotated[int | None, typer.Option(help="Only tries at this horizon, in sessions.")] = None,
    workspace: common.Workspace = None,
    market: common.Market = None,
    market_shares: common.MarketShares = None,
    market_sessions: common.MarketSessions = None,
    seed: common.Seed = None,
    as_json: common.AsJson = False,
    *,
    more: Settings,
) -> None:
    """Lists every run, fold of a walk-forward and experiment that looked at these test days, and what is left of them.

    They come from the record beside the database, which nothing is ever taken out of, and from ML Metadata of the
    workspace; those whose reports were deleted are among them. What was asked a second time with the same answer counts
    once.
    """
    flags = {"db": db, "panel": panel, "shares": shares, "workspace": workspace, "market": market, "seed": seed}
    plan = plan_from(flags | {"market_shares": market_shares, "market_sessions": market_sessions} | more)
    from components.errors import UserError
    from components.records import to_json
    from pipeline.report.tries_table import print_tries
    from pipeline.uses.trials import find_tries

    if every and days:
        raise UserError("--all takes every day, and --days some; name one of them")
    found = find_tries(plan, days, every, horizon)
    if as_json:
        typer.echo(to_json(found))
    else:
        print_tries(found, new_console())
