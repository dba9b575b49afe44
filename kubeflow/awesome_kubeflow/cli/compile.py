"""`awesome kubeflow compile`: the pipeline as a package."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awesome_kubeflow.cli.group import Cluster, kubeflow_app
from components.errors import UserError
from components.whole_files import temporary_folder
from pipeline.cli.common import (
    BestEffort,
    Cache,
    Formatter,
    Horizon,
    Label,
    MaxMissingSessions,
    Plugins,
    Seed,
    Shares,
    Since,
    Source,
    example,
    new_console,
    plan_from,
    print_line,
    status,
)
from pipeline.cli.option_groups import AUDIT, BEAM, SOURCES, SPLITS, SUSPECTS, TRAINING, Settings, takes
from pipeline.cli.run_options import Until

if TYPE_CHECKING:
    from awesome_kubeflow.cluster import ClusterSettings
    from pipeline.plan import Plan

_KIB = 2**10

_BEAM = {name: kind for name, kind in BEAM.items() if name not in ("flink_job_server", "beam_start_seconds")}
"""A pod finds the others in its environment."""


@kubeflow_app.command("compile", epilog=example("awesome kubeflow compile --cluster prod --output prod.yaml"))
@takes(SPLITS, TRAINING, AUDIT, SUSPECTS, SOURCES, _BEAM)
def compile_(
    output: Annotated[Path, typer.Option(help="The package; - for the standard output.")] = Path(
        "awesome-pipeline.yaml"
    ),
    cluster: Cluster = None,
    source: Source = None,
    panel: Annotated[
        str | None,
        typer.Option(metavar="DIR|URL", help="A panel instead of the database; a folder is one of the volume."),
    ] = None,
    shares: Shares = None,
    since: Since = None,
    until: Until = None,
    best_effort: BestEffort = None,
    label: Label = None,
    formatter: Formatter = None,
    models: Annotated[
        str | None, typer.Option(help="Models, separated by commas. (default: linear,dnn,custom_dnn,rnn)")
    ] = None,
    horizon: Horizon = None,
    max_missing_sessions: MaxMissingSessions = None,
    seed: Seed = None,
    cache: Cache = None,
    plugins: Plugins = None,
    *,
    more: Settings,
) -> None:
    """Writes the package that Kubeflow Pipelines takes; what is set here are the defaults of a run's form."""
    flags = {name: value for name, value in locals().items() if name not in ("output", "more")} | more
    from awesome_kubeflow.package.output import check_output

    plan = plan_from(flags)
    if str(output) == "-":
        # Out of a container, whose user need not be able to write a folder of this machine's.
        with temporary_folder("package") as folder:
            package = folder / "awesome-pipeline.yaml"
            write_package(plan, package)
            sys.stdout.write(package.read_text(encoding="utf-8"))
        return
    check_output(output)  # not only after the minute that compiling takes
    chosen = write_package(plan, output)
    print_line(f"{output}: {output.stat().st_size / _KIB:.0f} KiB, for {chosen.context}, image {chosen.image}")


def write_package(plan: Plan, output: Path) -> ClusterSettings:
    """Compiles the package of the plan's cluster and returns that one's own settings.

    Raises:
        UserError: something was decided of the prices, which a package cannot hold.
    """
    if plan.decisions:
        raise UserError(
            f"{plan.decisions[0]}: a package holds no decisions, the database does: `awesome prices suspects` with "
            "--accept or --exclude, then `awesome db push`"
        )
    from importlib.metadata import version

    from awesome_kubeflow.cluster import chosen_cluster, other_tfx
    from awesome_kubeflow.parameters import check_size
    from awesome_kubeflow.sdk import check_kfp
    from pipeline.job.quiet import import_tensorflow, quiet_log

    chosen = chosen_cluster(plan)
    check_size({"shares": ",".join(plan.settings.shares)}, plan.origins)  # the others are short
    check_kfp()
    with quiet_log(), status("Loading TensorFlow and TFX"):
        import_tensorflow()
        from awesome_kubeflow.package.compiler import compile_package
        from awesome_kubeflow.package.pipelines import cluster_pipeline

        compile_package(cluster_pipeline(plan, chosen), chosen, output)
    if warning := other_tfx(version("tfx")):
        new_console(stderr=True).print(warning, style="yellow", highlight=False, markup=False, soft_wrap=True)
    return chosen
