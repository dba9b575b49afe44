"""Names of pipelines and tasks in Kubeflow Pipelines. No TFX."""

from __future__ import annotations

import re

from awesome_kubeflow.errors import CompileError

_LONGEST_NAME = 100


def kfp_name(text: str) -> str:
    """A name as KFP and Kubernetes take it: lower case, digits and dashes.

    Args:
        text: a node's id or a pipeline's name.

    Raises:
        CompileError: nothing is left of it, or it is too long.

    >>> kfp_name("Trainer.custom_dnn")
    'trainer-custom-dnn'
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name or len(name) > _LONGEST_NAME:
        raise CompileError(f"{text!r}: cannot be a name in Kubeflow Pipelines; use letters and digits, not too many")
    return name
