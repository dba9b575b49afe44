"""`awesome search`: better hyperparameters for one model, on the eval split alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common, run_options
from pipeline.cli.common import app, example, new_console, plan_from, print_line, warn_of_plan
from pipeline.cli.option_groups import BEAM, PLACES, SOURCES, SPLITS, SUSPECTS, Settings, takes

_NO_SETTINGS = ("model", "trials", "seeds", "metric", "more")
"""Options that are no settings, or under another name."""


@app.command(epilog=example("awesome search --model rnn --trials 30"))
@takes(SPLITS, SUSPECTS, SOURCES, PLACES, BEAM)
def search(
    model: Annotated[str, typer.Option(help="The model; name:version for an older one.")],
    trials: Annotated[int | None, typer.Option(help="How many there are to be in all. (default: 30)")] = None,
    seeds: Annotated[
        int | None, typer.Option(help="That each trial is trained with: a figure is their mean. (default: 1)")
    ] = None,
    metric: Annotated[
        str | None, typer.Option(help="By which they are judged: auc, loss_above_base_rate, ... (default: auc)")
    ] = None,
    hyperparameters: common.HyperparametersFile = None,
    plugins: common.Plugins = None,
    db: common.Db = None,
    panel: common.Panel = None,
    source: common.Source = None,
    since: common.Since = None,
    until: run_options.Until = None,
    best_effort: common.BestEffort = None,
    shares: common.Shares = None,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    horizon: common.Horizon = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    seed: common.Seed = None,
    workspace: common.Workspace = None,
    market: common.Market = None,
    market_shares: common.MarketShares = None,
    market_sessions: common.MarketSessions = None,
    train_steps: common.TrainSteps = None,
    cache: common.Cache = None,
    *,
    more: Settings,
) -> None:
    """Searches for better hyperparameters of a model, on the eval split: the test split is not looked at.

    The first trial has the hyperparameters of the settings; those that awesome.toml names are left as they are. Every
    trial counts as a try. What is finished is kept: the same command goes on where it was, and with more --trials adds
    to them.
    """
    given = {name: value for name, value in locals().items() if name not in _NO_SETTINGS}
    flags = given | more | {"models": model, "search_trials": trials, "search_seeds": seeds, "search_metric": metric}
    plan = plan_from(flags, named={"models": "--model"})
    console = new_console()
    warn_of_plan(plan)
    from pipeline.studies.search.running import how_to_use
    from pipeline.studies.search.running import search as run_search
    from pipeline.studies.search.table import print_search

    report, folder = run_search(plan, console)
    print_search(report, console)
    if use := how_to_use(report):
        print_line(f"\n{use}")
    print_line(f"\nThe page: {Path(folder) / 'search.html'}")
