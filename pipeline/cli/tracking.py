"""`awesome mlflow`: a finished run to an MLflow tracking server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import LATEST_RUN, app, example, plan_from, print_line, status


@app.command("mlflow", epilog=example("awesome mlflow runs/latest --mlflow http://127.0.0.1:5000"))
def log_to_mlflow(
    run: Annotated[Path, typer.Argument(help="The run's folder, or its report.json.")] = LATEST_RUN,
    mlflow: common.Mlflow = None,
    plugins: common.Plugins = None,
) -> None:
    """Logs a finished run to an MLflow server, as `awesome run --mlflow` does: for one that was away.

    Settings, figures with their intervals, report and models; a run that is there already is not logged twice.
    """
    plan = plan_from({"mlflow": mlflow, "plugins": plugins})
    if plan.settings.mlflow is None:
        raise typer.BadParameter("name the server's address, such as http://127.0.0.1:5000", param_hint="--mlflow")
    from pipeline.runs.folder import open_run
    from pipeline.uses.tracking import log_run

    opened = open_run(run)
    with status("Logging to MLflow"):
        said = log_run(opened, plan.settings.mlflow)
    print_line(said)
