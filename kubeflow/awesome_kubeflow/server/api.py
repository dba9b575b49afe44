"""All of Kubeflow Pipelines' API that the commands use."""

from __future__ import annotations

from awesome_kubeflow.cluster import cluster_settings
from awesome_kubeflow.server.connection import connection
from awesome_kubeflow.server.pipelines import Pipelines
from awesome_kubeflow.server.runs import Runs
from pipeline.settings import Settings, kfp_token


class PipelinesApi(Runs, Pipelines):
    """What the commands ask of Kubeflow Pipelines; every method may raise ApiError."""


def connect(settings: Settings, endpoint: str | None, namespace: str | None = None) -> PipelinesApi:
    """The API of the settings' cluster; the token comes from the environment.

    Args:
        settings: name the cluster.
        endpoint: instead of the cluster's.
        namespace: likewise.

    Raises:
        UserError: as in `connection`; or there is no such cluster, or no such token can be.
    """
    token = kfp_token()
    cluster = cluster_settings(settings.clusters, settings.cluster)
    return PipelinesApi(connection(cluster, token.get_secret_value() if token else "", endpoint, namespace))
