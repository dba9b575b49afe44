"""`awesome audit`: whether a run's evaluation leaks."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import RunFolder, app, example, new_console, new_progress, plan_from

LEAKING = 3
"""Exit code where a check finds a leak."""


@app.command(epilog=example("awesome audit runs/latest --models linear,dnn"))
def audit(
    run: RunFolder = None,
    models: Annotated[
        str | None, typer.Option(help="Models to train again, separated by commas. (default: the run's first)")
    ] = None,
    audit_plausible_auc: Annotated[
        float | None,
        typer.Option(
            "--plausible-auc",
            "--audit-plausible-auc",
            help="An AUC on real prices above which a leak is suspected. (default: the run's)",
        ),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Look at all of the database, not at a sample of it.")] = False,
    plugins: common.Plugins = None,
    workspace: common.Workspace = None,
) -> None:
    """Audits a run for leaks, and writes audit.json into its folder; exits with 3 if it leaks."""
    plan = plan_from({"audit_plausible_auc": audit_plausible_auc, "plugins": plugins, "workspace": workspace})
    auc = None if plan.origins["audit_plausible_auc"] == "default" else plan.settings.audit_plausible_auc
    from pipeline.job.quiet import quiet_log
    from pipeline.report.summary import print_audit
    from pipeline.runs.folder import find_run
    from pipeline.uses.audit import audit_run

    folder = find_run(plan.workspace, run)
    names = [name.strip() for name in (models or "").split(",") if name.strip()]
    with quiet_log(), new_progress() as progress:
        bar = progress.add_task("reading the run", total=None)
        found = audit_run(folder, names, auc, lambda name: progress.update(bar, description=f"audit: {name}"), full)
    print_audit(found, new_console())
    if found.leaks:
        raise typer.Exit(LEAKING)
