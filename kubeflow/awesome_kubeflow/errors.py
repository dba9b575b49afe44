"""What can go wrong between a pipeline and a cluster; each is one clear line, as every UserError."""

from __future__ import annotations

from components.errors import UserError


class KubeflowError(UserError):
    """Something between the pipeline and the cluster that the user can fix."""


class CompileError(KubeflowError):
    """The pipeline, or the settings of the cluster, cannot become a package."""


class SliceError(KubeflowError):
    """A node's slice is damaged, or was compiled by another version of TFX."""


class ParameterError(KubeflowError):
    """A parameter of a run cannot be used."""


class NodeError(KubeflowError):
    """A node cannot be run, or failed: its environment, its metadata store."""


class CheckoutError(KubeflowError):
    """A command that works on a checkout of the project was not run in one."""


class ImageError(KubeflowError):
    """An image cannot be built or pushed: the engine, a name, the registry."""


class DeployError(KubeflowError):
    """The manifests cannot be compared with a cluster or applied to it: kubectl, the context, the cluster."""


class ApiError(KubeflowError):
    """Kubeflow Pipelines refuses or has not what was named; a package or a schedule cannot be used."""


class NoAnswerError(ApiError):
    """Kubeflow Pipelines does not answer; it may the next time."""
