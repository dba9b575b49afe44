"""What the commands of `awesome kubeflow` share: their group, and which cluster is meant."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.common import app
from pipeline.cli.overview import Group

kubeflow_app = typer.Typer(cls=Group, help="The pipeline on Kubeflow Pipelines.", no_args_is_help=True)
app.add_typer(kubeflow_app, name="kubeflow")

Cluster = Annotated[
    str | None, typer.Option(help="stage or prod; [clusters.stage] in awesome.toml sets it. (default: stage)")
]
