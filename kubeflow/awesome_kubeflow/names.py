"""Names of pipelines and tasks. No TFX."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from awesome_kubeflow.errors import CompileError

if TYPE_CHECKING:
    from awesome_kubeflow.parameters import RunParameters

_LONGEST_NAME = 100


def kfp_name(text: str) -> str:
    """A name as KFP and Kubernetes take it: lower case, digits and dashes.

    Raises:
        CompileError: nothing is left of it, or it is too long.

    >>> kfp_name("Trainer.custom_dnn")
    'trainer-custom-dnn'
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")
    if not name or len(name) > _LONGEST_NAME:
        raise CompileError(f"{text!r}: cannot be a name in Kubeflow Pipelines; use letters and digits, not too many")
    return name


def renamed(name: str, compiled: tuple[str, int], parameters: RunParameters) -> str:
    """The pipeline's name in a run: models of another horizon or formatter are no predecessors.

    `compiled` is the formatter and the horizon that `name` was compiled with.
    """
    from pipeline.naming import name_part

    # A digest of the splits' dates may follow.
    stem, _, dates = name.rpartition(name_part(*compiled))
    return f"{stem}{name_part(parameters.formatter, parameters.horizon)}{dates}"


def renamed_path(path: str, old: str, new: str) -> str:
    """The path of a folder that has the pipeline's old name, under its new one; any other stays."""
    pure = PurePosixPath(path)
    return str(pure.with_name(new)) if pure.name == old else path
