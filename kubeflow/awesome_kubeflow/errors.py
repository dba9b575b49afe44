"""What can go wrong between a pipeline and a cluster.

KubeflowError        one clear line, as every UserError
|- CompileError      the pipeline or the cluster's settings cannot become a package
|- SliceError        a node's slice is damaged, or was compiled by another version of TFX
|- ParameterError    a parameter of a run cannot be used
|- CheckoutError     a command that works on a checkout was not run in one
|- ImageError        an image cannot be built or pushed: the engine, a name, the registry
|- DeployError       the manifests cannot be compared or applied: kubectl, the context, the cluster
|- ApiError          Kubeflow Pipelines refuses, or has not what was named; a package or a schedule cannot be used
|  `- NoAnswerError  it does not answer
`- NodeError         a node cannot be run, or failed: its environment, its metadata store
"""

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
    """A node cannot be run in this environment, or failed."""


class CheckoutError(KubeflowError):
    """A command that works on a checkout of the project was not run in one."""


class ImageError(KubeflowError):
    """An image cannot be built or pushed."""


class DeployError(KubeflowError):
    """The manifests cannot be compared with a cluster, or not be applied to it."""


class ApiError(KubeflowError):
    """Kubeflow Pipelines refuses what was asked of it, or has not what was named."""


class NoAnswerError(ApiError):
    """Kubeflow Pipelines does not answer; it may the next time."""
