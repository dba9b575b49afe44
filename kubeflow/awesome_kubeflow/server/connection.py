"""How the API of Kubeflow Pipelines is reached."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from awesome_kubeflow.cluster import ClusterSettings, refused_address
from awesome_kubeflow.errors import ApiError

_SINGLE_USER = "kubeflow"


@dataclass(frozen=True)
class Connection:
    """How Kubeflow Pipelines is reached.

    Attributes:
        endpoint: address of the API.
        ui: address that links begin with.
        context: of kubectl, for what a message tells to do.
        namespace: of a multi-user installation; empty in any other, which takes none.
        ca_certificate: file of the certificates that vouch for the endpoint; empty for the usual ones.
        token: of the bearer; empty for none.
    """

    endpoint: str
    ui: str
    context: str
    namespace: str = ""
    ca_certificate: str = ""
    token: str = field(default="", repr=False)

    @property
    def forward(self) -> str:
        """What makes the endpoint of a cluster one of this machine."""
        return _forward(self.context)


def connection(
    cluster: ClusterSettings, token: str = "", endpoint: str | None = None, namespace: str | None = None
) -> Connection:
    """How the API of a cluster is reached.

    Args:
        cluster: its settings.
        token: of the bearer; empty for none.
        endpoint: instead of the cluster's.
        namespace: instead of the cluster's. KFP's own, kubeflow, stands for a single-user installation.

    Raises:
        ApiError: there is no endpoint, or it is no address; or there is no such file of certificates.
    """
    address = (endpoint or cluster.endpoint).rstrip("/")
    if not address:
        raise ApiError(
            f"no endpoint of Kubeflow Pipelines: {_forward(cluster.context)}, then --endpoint http://127.0.0.1:8888; "
            f"or set endpoint in [clusters.{cluster.name}] of awesome.toml"
        )
    if why := refused_address(address):
        raise ApiError(f"--endpoint: {why}")
    if cluster.ca_certificate and not Path(cluster.ca_certificate).is_file():
        raise ApiError(f"clusters.{cluster.name}.ca_certificate: there is no file {cluster.ca_certificate}")
    namespace = namespace or cluster.namespace
    return Connection(
        endpoint=address,
        ui=cluster.ui.rstrip("/") or address,
        context=cluster.context,
        namespace="" if namespace == _SINGLE_USER else namespace,
        ca_certificate=cluster.ca_certificate,
        token=token,
    )


def _forward(context: str) -> str:
    return f"`kubectl --context {context} -n kubeflow port-forward svc/ml-pipeline 8888:8888`"
