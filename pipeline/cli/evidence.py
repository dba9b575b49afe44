"""`awesome backtest`: what is known beyond a run's own report."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import (
    Costs,
    Quantile,
    RunFolder,
    Workspace,
    app,
    example,
    new_console,
    print_line,
    run_folder,
    status,
)


@app.command(epilog=example("awesome backtest runs/latest --model linear --costs 5"))
def backtest(
    run: RunFolder = None,
    model: Annotated[
        str | None, typer.Option(help="The one to draw and to judge. (default: the champion, else the first)")
    ] = None,
    costs: Costs = 10.0,
    quantile: Quantile = 0.2,
    workspace: Workspace = None,
) -> None:
    """Trades a run's test split: what its predictions are worth after costs.

    Writes backtest.html and backtest.json into the run's folder.
    """
    from pipeline.report.backtest_summary import print_backtest
    from pipeline.report.suspects import print_excluded, print_suspects
    from pipeline.uses.backtest import backtest_run, write_backtest

    folder = run_folder(run, workspace)
    with status("Trading the test split"):
        made = backtest_run(folder, model, costs, quantile)
        page = write_backtest(made)
    if made.report.prices is not None:
        print_suspects(made.report.prices, new_console(), database=made.report.data.database)
        print_excluded(made.report.prices, new_console())
    print_backtest(made.report, made.result, made.model, new_console())
    print_line(f"\nThe backtest: {page}")
