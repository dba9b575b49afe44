"""`awesome walkforward`: the same pipeline, refit and tested again on each stretch of days that follows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line, warn_of_plan
from pipeline.cli.option_groups import AUDIT, BEAM, PLACES, SPLITS, SUSPECTS, TRAINING, Settings, takes

_NO_SETTINGS = ("folds", "rolling", "first_test", "test_fraction", "more")

_SPLITS = {name: SPLITS[name] for name in ("split_fractions", "embargo")}
"""Where the folds lie is said otherwise."""


@app.command(epilog=example("awesome walkforward --folds 5 --horizons 1,20 --models linear,rnn"))
@takes(_SPLITS, TRAINING, AUDIT, SUSPECTS, PLACES, BEAM)
def walkforward(
    folds: Annotated[int, typer.Option(min=1, help="How often the models are refit and tested.")] = 5,
    rolling: Annotated[
        bool, typer.Option("--rolling", help="Train keeps its length and moves. (default: it grows)")
    ] = False,
    horizons: Annotated[str | None, typer.Option(help="Sessions ahead, separated by commas. (default: 1,20)")] = None,
    models: common.Models = None,
    plugins: common.Plugins = None,
    first_test: Annotated[str | None, typer.Option(help="First day that may be tested, such as 2010-01-04.")] = None,
    test_fraction: Annotated[
        float | None, typer.Option(help="Or the part of the sessions that is tested. (default: 0.5)")
    ] = None,
    db: common.Db = None,
    panel: common.Panel = None,
    shares: common.Shares = None,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    seed: common.Seed = None,
    output: Annotated[Path | None, typer.Option(help="Folder of the result. (default: runs/walkforward/TIME)")] = None,
    workspace: common.Workspace = None,
    market: common.Market = None,
    market_shares: common.MarketShares = None,
    market_sessions: common.MarketSessions = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    cache: common.Cache = None,
    *,
    more: Settings,
) -> None:
    """Trains and tests on one stretch of days after another, and says whether the result holds over the years.

    Each fold is a run of its own, with purge and embargo; nothing is pushed.
    """
    flags = {name: value for name, value in locals().items() if name not in _NO_SETTINGS} | more
    plan = plan_from(flags)
    console = new_console()
    from components.errors import UserError
    from pipeline.studies.walkforward.folds import WalkSettings

    if first_test is not None and test_fraction is not None:
        raise UserError("--first-test and --test-fraction say the same thing; name one of them")
    chosen = WalkSettings(folds, rolling, first_test, 0.5 if test_fraction is None else test_fraction)
    from pipeline.studies.walkforward.running import walk_forward
    from pipeline.studies.walkforward.summary import print_walk

    warn_of_plan(plan)
    walk, folder = walk_forward(plan, chosen, console)
    print_walk(walk, console)
    print_line(f"\nThe page: {folder / 'walkforward.html'}")
