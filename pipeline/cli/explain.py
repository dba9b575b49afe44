"""`awesome explain`: what a run's models look at."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import RunFolder, app, example, new_console, new_progress, plan_from, print_line


@app.command(epilog=example("awesome explain runs/latest --models dnn"))
def explain(
    run: RunFolder = None,
    models: Annotated[
        str | None, typer.Option(help="Models to explain, separated by commas. (default: all of the run)")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, max=100, help="Permutations that an importance is the mean of.")] = 5,
    as_json: common.AsJson = False,
    plugins: common.Plugins = None,
    workspace: common.Workspace = None,
) -> None:
    """Says what a run's models look at: the AUC that each loses on the test split when a part of it is permuted.

    By feature, by lag of the returns (lag 1 is the latest session) and by pairs of these. Writes explain.json into the
    run's folder, and a section into its report.html; what stands there of other models stays.
    """
    common.algebra_in_one_thread()
    plan_from({"plugins": plugins})
    from components.records import to_json
    from pipeline.report.explanation import print_explanation
    from pipeline.uses.explain import explain_run

    names = [name.strip() for name in (models or "").split(",") if name.strip()]
    if models is not None and not names:
        raise typer.BadParameter("it names no model; leave it out for all", param_hint="--models")
    with new_progress() as progress:
        bar = progress.add_task("reading the run", total=None)

        def show(name: str, done: int, total: int) -> None:
            progress.update(bar, description=f"permuting what {name} sees", completed=done, total=total)

        made = explain_run(common.run_folder(run, workspace), names, repeats, show)
    if as_json:
        typer.echo(to_json(made.explanation))
        return
    print_explanation(made.explanation, new_console())
    print_line(f"\nThe report: {made.page}" if made.page else f"\nThe report stays as it was: {made.undrawn}")
