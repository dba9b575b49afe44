"""`awesome experiments`: the original project's table, repeated under its split and under an honest one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.common import Db, Seed, app, example, new_console, plan_from, print_line


@app.command(epilog=example("awesome experiments --models linear,linear_time --horizons 1"))
def experiments(
    horizons: Annotated[str, typer.Option(help="Sessions ahead, separated by commas.")] = "1,20",
    models: Annotated[str, typer.Option(help="Experiments, separated by commas. (default: all)")] = "",
    data: Annotated[str, typer.Option(help="shipped, market or both.")] = "both",
    seed: Seed = None,
    epochs: Annotated[int, typer.Option(help="Passes over each train split, without early stopping.")] = 20,
    output: Annotated[Path, typer.Option(help="Folder of the page and of finished trainings.")] = Path(
        "runs/experiments"
    ),
    market_shares: Annotated[int, typer.Option(help="Shares of the synthetic market.")] = 50,
    market_sessions: Annotated[int, typer.Option(help="Its sessions.")] = 1000,
    db: Db = None,
) -> None:
    """Repeats the original project's experiments, shuffled and dated, and says which rows leak.

    What is finished is kept: a stopped command goes on where it was.
    """
    plan = plan_from({"seed": seed, "db": db})
    from pipeline.studies.experiments.catalogue import ExperimentError

    try:
        ahead = tuple(dict.fromkeys(int(part) for part in horizons.split(",")))
    except ValueError:
        raise ExperimentError(f"--horizons {horizons}: name whole numbers, separated by commas, such as 1,20") from None
    from pipeline.studies.experiments.results import EXPERIMENTS_HTML
    from pipeline.studies.experiments.run import Options, run_experiments
    from pipeline.studies.experiments.tables import print_experiments

    names = tuple(part.strip() for part in models.split(",") if part.strip())
    options = Options(
        ahead, names, data, plan.settings.seed, epochs, output, market_shares, market_sessions, plan.settings.db
    )
    console = new_console()
    report = run_experiments(options, console)
    console.print()
    print_experiments(report, console)
    print_line(f"\nThe page: {output / EXPERIMENTS_HTML}")
