"""`awesome mlflow`: a finished run to an MLflow tracking server."""

from __future__ import annotations

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, plan_from, print_line, status


@app.command("mlflow", epilog=example("awesome mlflow runs/latest --mlflow http://127.0.0.1:5000"))
def log_to_mlflow(
    run: common.RunFolder = None,
    mlflow: common.Mlflow = None,
    plugins: common.Plugins = None,
    workspace: common.Workspace = None,
) -> None:
    """Logs a finished run to an MLflow server, as `awesome run --mlflow` does: for one that was away.

    Settings, figures with their intervals, report and models; a run that is there already is not logged twice.
    """
    plan = plan_from({"mlflow": mlflow, "plugins": plugins, "workspace": workspace})
    if plan.settings.mlflow is None:
        raise typer.BadParameter("name the server's address, such as http://127.0.0.1:5000", param_hint="--mlflow")
    from pipeline.runs.folder import find_run, open_run
    from pipeline.uses.tracking import log_run

    opened = open_run(find_run(plan.workspace, run))
    with status("Logging to MLflow"):
        said = log_run(opened, plan.settings.mlflow)
    print_line(said)
