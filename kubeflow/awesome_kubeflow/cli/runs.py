"""`awesome kubeflow upload`, `run`, `runs`, `terminate`, `schedule`: packages and runs, over the API of KFP."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from awesome_kubeflow.cli.compile import write_package
from awesome_kubeflow.cli.group import Cluster, kubeflow_app
from awesome_kubeflow.errors import ApiError
from components.whole_files import temporary_folder
from pipeline.cli.common import example, new_console, plan_from, print_line, status

if TYPE_CHECKING:
    from awesome_kubeflow.server.api import PipelinesApi
    from awesome_kubeflow.server.records import Run, State, StoredPipeline
    from pipeline.plan import Plan

Endpoint = Annotated[
    str | None, typer.Option(help="Address of Kubeflow Pipelines. (default: endpoint of the cluster's settings)")
]
PipelineName = Annotated[
    str | None, typer.Option("--pipeline", help="Name or id. (default: the settings' formatter and horizon)")
]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--parameter", metavar="NAME=VALUE", help="One of the pipeline's inputs; may be repeated."),
]

_STATES = {"SUCCEEDED": "green", "SKIPPED": "cyan", "FAILED": "red", "CANCELED": "yellow", "CANCELING": "yellow"}


def _api(plan: Plan, endpoint: str | None) -> PipelinesApi:
    """The API of the plan's cluster, or of an endpoint that is named instead."""
    from awesome_kubeflow.server.api import connect

    return connect(plan, endpoint)


def _chosen(api: PipelinesApi, plan: Plan, name: str | None) -> StoredPipeline:
    """The pipeline of that name or id; without one, that of the plan."""
    from awesome_kubeflow.cluster import chosen_cluster
    from awesome_kubeflow.package.pipelines import cluster_plan

    if name is None:
        name = cluster_plan(plan, chosen_cluster(plan)).name
    return api.find_pipeline(name)


def _now() -> dt.datetime:
    """The present, in UTC."""
    return dt.datetime.now(dt.UTC)


@kubeflow_app.command("upload", epilog=example("awesome kubeflow upload --cluster stage"))
def upload(
    package: Annotated[
        Path | None, typer.Argument(help="A .yaml package. (default: that of the settings, compiled now)")
    ] = None,
    cluster: Cluster = None,
    endpoint: Endpoint = None,
) -> None:
    """Uploads a package: the first one of its name makes a pipeline, every later one adds a version to it."""
    plan = plan_from({"cluster": cluster})
    api = _api(plan, endpoint)
    with temporary_folder("package") as folder:
        if package is None:
            package = folder / "awesome-pipeline.yaml"
            # Not only after the minute that compiling takes: is there somebody to upload it to?
            next(api.pipelines(), None)
            write_package(plan, package)
        with status("Uploading"):
            version = api.upload(package, _now())
    print_line(f"pipeline {version.pipeline.name}, version {version.name}")
    print_line(api.pipeline_link(version))


@kubeflow_app.command("run", epilog=example("awesome kubeflow run --parameter horizon=5 --wait"))
def run(
    pipeline: PipelineName = None,
    parameter: Parameters = None,
    wait: Annotated[bool, typer.Option("--wait", help="Follow it to its end; fails if the run fails.")] = False,
    every: Annotated[float, typer.Option(min=0.05, help="Seconds between two looks, with --wait.")] = 5,
    cluster: Cluster = None,
    endpoint: Endpoint = None,
) -> None:
    """Starts a run of a pipeline's newest version."""
    plan = plan_from({"cluster": cluster})
    from awesome_kubeflow.server.inputs import split_pairs, typed

    texts = split_pairs(parameter or ())
    api = _api(plan, endpoint)
    version = api.newest_version(_chosen(api, plan, pipeline))
    started = api.create_run(version, typed(version.inputs, texts), _now())
    print_line(f"run {started.id} of {version.name}")
    print_line(api.run_link(started))
    if wait:
        _follow(api, started.id, every)


def _follow(api: PipelinesApi, run_id: str, every: float) -> None:
    from awesome_kubeflow.server.records import SUCCEEDED

    try:
        with status("Waiting"):
            ended = api.follow(run_id, every, _print_change)
    except KeyboardInterrupt:
        raise ApiError(
            f"run {run_id}: goes on; `awesome kubeflow runs --run {run_id}` shows it, "
            f"`awesome kubeflow terminate {run_id}` ends it"
        ) from None
    if ended.state != SUCCEEDED:
        failed = [f"{one.name}: {one.error or one.state}" for one in ended.tasks if one.state == "FAILED"]
        why = "; ".join(([ended.error] if ended.error else []) + failed)
        raise ApiError(f"run {run_id}: ended as {ended.state}{f' ({why})' if why else ''}; see {api.run_link(ended)}")


def _print_change(change: State) -> None:
    from rich.text import Text

    console = new_console()
    state = Text(f"{change.state:10}", style=_STATES.get(change.state, ""))
    rest = f" {change.name or 'the run'}{f': {change.error}' if change.error else ''}"
    console.print(Text(f"{dt.datetime.now():%H:%M:%S} ").append_text(state).append(rest), soft_wrap=True)


@kubeflow_app.command("runs", epilog=example("awesome kubeflow runs --run 4f1c0b1e-8f1d-4a52-9f4e-3c2f6f2d9a10"))
def runs(
    run_id: Annotated[str | None, typer.Option("--run", help="Only this one, with its steps.")] = None,
    pipeline: Annotated[str | None, typer.Option(help="Only those of this one, by name or id. (default: all)")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At the most, the newest.")] = 20,
    cluster: Cluster = None,
    endpoint: Endpoint = None,
) -> None:
    """Lists runs and their states, the newest first."""
    plan = plan_from({"cluster": cluster})
    from itertools import islice

    api = _api(plan, endpoint)
    if run_id is not None:
        _print_run(api, api.run(run_id))
        return
    chosen = None if pipeline is None else api.find_pipeline(pipeline)
    found = list(islice(api.runs(chosen), limit))
    for one in found:
        print_line(f"{one.id}  {one.state or '-':10}  {_minute(one.created)}  {one.name}")
    if not found:
        print_line("no runs")


def _print_run(api: PipelinesApi, run: Run) -> None:
    print_line(f"run {run.id}: {run.state or '-'}{f', {run.error}' if run.error else ''}")
    print_line(f"{run.name}, created {_minute(run.created)}, finished {_minute(run.finished)}")
    for task in run.tasks:
        print_line(f"  {task.state or '-':10}  {task.name}{f': {task.error}' if task.error else ''}")
    print_line(api.run_link(run))


@kubeflow_app.command("terminate", epilog=example("awesome kubeflow terminate 4f1c0b1e-8f1d-4a52-9f4e-3c2f6f2d9a10"))
def terminate(
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="Its id, as `runs` prints it.")],
    cluster: Cluster = None,
    endpoint: Endpoint = None,
) -> None:
    """Ends a run; what its steps have finished stays in the cache."""
    api = _api(plan_from({"cluster": cluster}), endpoint)
    api.terminate(run_id)
    print_line(f"run {run_id}: is told to end")


def _minute(moment: dt.datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"


@kubeflow_app.command("schedule", epilog=example("awesome kubeflow schedule --exchange XSHG --delay 240"))
def schedule(
    pipeline: PipelineName = None,
    parameter: Parameters = None,
    exchange: Annotated[str, typer.Option(help="Its code in exchange_calendars, such as XNYS.")] = "XSHG",
    delay: Annotated[
        int, typer.Option(min=0, max=24 * 60, help="Minutes after the latest close; the extraction comes before.")
    ] = 240,
    name: Annotated[str | None, typer.Option(help="Of the schedule. (default: NAME-daily)")] = None,
    list_: Annotated[bool, typer.Option("--list", help="List the schedules instead.")] = False,
    delete: Annotated[
        str | None, typer.Option("--delete", metavar="NAME", help="Delete those of this name, or id, instead.")
    ] = None,
    cluster: Cluster = None,
    endpoint: Endpoint = None,
) -> None:
    """Schedules a run of a pipeline's newest version, whichever that is then, on every trading day after the close.

    It replaces the schedule of the same name. Holidays are weekdays to it: nothing is new then, so every step comes
    from the cache. An upload needs no further command: from then on its version runs.
    """
    plan = plan_from({"cluster": cluster})
    from awesome_kubeflow.server.inputs import split_pairs, typed

    if list_ and delete is not None:
        raise ApiError("--list and --delete are two things; name one of them")
    texts = split_pairs(parameter or ())
    api = _api(plan, endpoint)
    if list_:
        _print_schedules(api)
        return
    if delete is not None:
        _delete_schedules(api, delete)
        return
    from awesome_kubeflow.server.trigger import after_close

    trigger = after_close(exchange, dt.timedelta(minutes=delay), _now())
    version = api.newest_version(_chosen(api, plan, pipeline))
    chosen = name or f"{version.pipeline.name}-daily"
    # What the parameters are checked by is today's version; that of a later day checks them once more.
    made, replaced = api.replace_schedule(chosen, version.pipeline, trigger.cron, typed(version.inputs, texts))
    print_line(
        f"schedule {made.name}, id {made.id}{', replaced' if replaced else ''}: the newest version of "
        f"{version.pipeline.name}, now {version.name}"
    )
    print_line(
        f"{trigger}: {delay} minutes after the latest close of {exchange} in a year, {trigger.latest_close:%H:%M} UTC"
    )


def _print_schedules(api: PipelinesApi) -> None:
    names = {one.id: one.name for one in api.pipelines()}
    found = list(api.schedules())
    for one in found:
        state = "enabled" if one.enabled else "disabled"
        pipeline = names.get(one.pipeline_id, one.pipeline_id or "-")
        print_line(f"{one.id}  {state:8}  {one.cron or '-'}  {one.name}  {pipeline}")
    if not found:
        print_line("no schedules")


def _delete_schedules(api: PipelinesApi, name: str) -> None:

    known = list(api.schedules())
    chosen = [one for one in known if name in (one.name, one.id)]
    if not chosen:
        raise ApiError(f"schedule {name}: does not exist; there are {', '.join(one.name for one in known) or 'none'}")
    for one in chosen:
        api.delete_schedule(one.id)
        print_line(f"schedule {one.name}, id {one.id}: deleted")
