"""All of Kubeflow Pipelines' API that the commands use."""

from __future__ import annotations

from awesome_kubeflow.server.pipelines import Pipelines
from awesome_kubeflow.server.runs import Runs


class PipelinesApi(Runs, Pipelines):
    """What the commands ask of Kubeflow Pipelines; every method may raise ApiError."""
