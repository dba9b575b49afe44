"""What the commands of `awesome kubeflow` share: their group, their options, and the API that they ask."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.common import app

if TYPE_CHECKING:
    from awesome_kubeflow.server.api import PipelinesApi
    from awesome_kubeflow.server.records import StoredPipeline
    from pipeline.plan import Plan

kubeflow_app = typer.Typer(help="The pipeline on Kubeflow Pipelines.", no_args_is_help=True)
app.add_typer(kubeflow_app, name="kubeflow")

Cluster = Annotated[
    str | None, typer.Option(help="stage or prod; [clusters.stage] in awesome.toml sets it. (default: stage)")
]
Endpoint = Annotated[
    str | None, typer.Option(help="Address of Kubeflow Pipelines. (default: endpoint of the cluster's settings)")
]
PipelineName = Annotated[
    str | None, typer.Option("--pipeline", help="Name or id. (default: the settings' formatter and horizon)")
]
Parameters = Annotated[
    list[str] | None, typer.Option("--parameter", help="NAME=VALUE of the pipeline's inputs; may be repeated.")
]


def pipelines_api(plan: Plan, endpoint: str | None) -> PipelinesApi:
    """The API of the plan's cluster, or of an endpoint that is named instead."""
    from awesome_kubeflow.server.api import connect

    return connect(plan.settings, endpoint)


def chosen_pipeline(api: PipelinesApi, plan: Plan, name: str | None) -> StoredPipeline:
    """The pipeline of that name or id; without one, that of the plan."""
    from awesome_kubeflow.cluster import cluster_settings
    from awesome_kubeflow.package.pipelines import cluster_plan

    if name is None:
        name = cluster_plan(plan, cluster_settings(plan.settings.clusters, plan.settings.cluster)).name
    return api.find_pipeline(name)


def now() -> dt.datetime:
    """The present, in UTC."""
    return dt.datetime.now(dt.timezone.utc)
