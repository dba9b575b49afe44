"""`awesome runs`, `awesome compare`: what a workspace holds, and how its runs stand beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line
from pipeline.cli.overview import Group

runs_app = typer.Typer(cls=Group, help="The finished runs of a workspace.", invoke_without_command=True)
app.add_typer(runs_app, name="runs", epilog=example("awesome runs --json"))


@runs_app.callback()
def runs(context: typer.Context, workspace: common.Workspace = None, as_json: common.AsJson = False) -> None:
    """Lists the finished runs of a workspace, the newest first: on what, the best AUC, the verdict."""
    if context.invoked_subcommand is not None:
        context.obj = workspace  # named in front of the subcommand
        return
    from components.records import to_json
    from pipeline.report.listed_runs import list_runs
    from pipeline.report.runs_table import print_runs

    folder = plan_from({"workspace": workspace}).workspace
    found = list_runs(folder)
    if as_json:
        typer.echo(to_json(found))
    elif found:
        print_runs(found, new_console())
    else:
        print_line(f"no finished run in {folder} yet; `awesome run` makes one")


@app.command(epilog=example("awesome compare 2026-11-23T18-30-00 latest"))
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Runs, as folders or names in the workspace; the first is compared with.")
    ],
    model: Annotated[
        str | None, typer.Option(help="The model of all. (default: each run's champion, else its highest AUC)")
    ] = None,
    output: Annotated[Path | None, typer.Option(help="The page. (default: compare.html in the workspace)")] = None,
    as_json: common.AsJson = False,
    workspace: common.Workspace = None,
) -> None:
    """Compares runs with the first one, paired by the test days that they share, and writes the page that shows it.

    No day is looked at that they had not seen: a comparison counts as no try.
    """
    from components.records import to_json
    from pipeline.report.compared_runs import print_compared_runs, render_compared_runs
    from pipeline.runs.folder import COMPARE_HTML, find_run, write_text
    from pipeline.uses.compare import compare_runs

    home = plan_from({"workspace": workspace}).workspace
    with common.status("Comparing"):
        found = compare_runs([find_run(home, run) for run in runs], model)
    if output is None:
        home.mkdir(parents=True, exist_ok=True)  # the runs may all lie elsewhere
    page = output or home / COMPARE_HTML
    write_text(page, render_compared_runs(found))
    if as_json:
        typer.echo(to_json(found))
    else:
        print_compared_runs(found, new_console())
        print_line(f"\nThe page: {page}")


@runs_app.command("prune", epilog=example("awesome runs prune --keep 20 --yes"))
def runs_prune(
    context: typer.Context,
    keep: Annotated[int, typer.Option(min=1, help="How many of the newest runs stay.")] = 20,
    yes: Annotated[bool, typer.Option("--yes", help="Do it; without it, this only shows what would go.")] = False,
    workspace: common.Workspace = None,
) -> None:
    """Takes old runs out of a workspace, with the artifacts that no other run names.

    The latest run stays, the one whose model was pushed last, and the models that the next ones are judged against.
    What was tried stays counted. Runs that were written elsewhere (--output) are not seen: they lose artifacts that
    they share with a run that goes.
    """
    from pipeline.uses.prune import find_prunable, prune

    folder = plan_from({"workspace": workspace or context.obj}).workspace
    with common.status("Looking through the workspace"):
        found = prune(folder, keep) if yes else find_prunable(folder, keep)
    for run in found.runs:
        print_line(f"{'removed' if yes else 'would go'}: {run}")
    what = f"{len(found.runs):,} of {len(found.runs) + found.kept:,} runs, {found.size / 1e6:,.1f} MB"
    if yes:
        print_line(f"removed {what}")
    elif found.runs:
        print_line(f"{what} would go; do it with --yes")
    else:
        print_line(f"nothing to remove: {found.kept:,} runs, and {keep:,} stay")
