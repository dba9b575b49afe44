"""`awesome kubeflow schedule`: a run every trading day."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from awesome_kubeflow.cli.group import (
    Cluster,
    Endpoint,
    Parameters,
    PipelineName,
    chosen_pipeline,
    kubeflow_app,
    now,
    pipelines_api,
)
from pipeline.cli.common import example, plan_from, print_line

if TYPE_CHECKING:
    from awesome_kubeflow.server.api import PipelinesApi


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
    """Schedules a run of a pipeline's newest version on every trading day after the close.

    It replaces the schedule of the same name. Holidays are weekdays to it: nothing is new then, so every step comes
    from the cache. After an upload the same command schedules the new version.
    """
    plan = plan_from({"cluster": cluster})
    from awesome_kubeflow.errors import ApiError
    from awesome_kubeflow.server.inputs import split_pairs, typed

    if list_ and delete is not None:
        raise ApiError("--list and --delete are two things; name one of them")
    texts = split_pairs(parameter or ())
    api = pipelines_api(plan, endpoint)
    if list_:
        _print_schedules(api)
        return
    if delete is not None:
        _delete_schedules(api, delete)
        return
    from awesome_kubeflow.server.trigger import after_close

    trigger = after_close(exchange, dt.timedelta(minutes=delay), now())
    version = api.newest_version(chosen_pipeline(api, plan, pipeline))
    chosen = name or f"{version.pipeline.name}-daily"
    made, replaced = api.replace_schedule(chosen, version, trigger.cron, typed(version.inputs, texts))
    print_line(f"schedule {made.name}, id {made.id}{', replaced' if replaced else ''}: {version.name}")
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
    from awesome_kubeflow.errors import ApiError

    known = list(api.schedules())
    chosen = [one for one in known if name in (one.name, one.id)]
    if not chosen:
        raise ApiError(f"schedule {name}: does not exist; there are {', '.join(one.name for one in known) or 'none'}")
    for one in chosen:
        api.delete_schedule(one.id)
        print_line(f"schedule {one.name}, id {one.id}: deleted")
