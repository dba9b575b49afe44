"""What is declared of a kind of step, and how it is found: a new kind is one new file here that defines STEP."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from awesome_kubeflow.errors import CompileError
from awesome_kubeflow.steps.page import Section
from models.plugins import GROUPS, LAST, Registry

if TYPE_CHECKING:
    from awesome_kubeflow.node import NodeSlice
    from awesome_kubeflow.parameters import RunParameters
    from pipeline.job.step import Step

MOST_ROWS = 400
"""Of a table on a page."""


def _ended_well(step: Step) -> Section:
    return Section("The step ended well.")


@dataclass(frozen=True)
class StepKind:
    """One kind of step on a cluster. Its functions import what they need when they are called.

    Attributes:
        name: of the component's class.
        resources: what its pods get: data, training, evaluation or light, see `ClusterSettings.resources`.
        section: what its page shows beside its facts and outputs.
        metrics: the finite numbers by name that the KFP UI shows of it; None for none.
        compiled: the parameters of a run that a node was compiled with, by name; the defaults of the run's form.
        change: puts the parameters of a run into a node; None where none reaches it. Defaults change nothing.
        writes: a file that the pod writes before the node runs, and its text; None for none.
    """

    order: ClassVar[int] = LAST
    name: str
    resources: str
    section: Callable[[Step], Section] = _ended_well
    metrics: Callable[[Step], Mapping[str, float]] | None = None
    compiled: Callable[[Any], Mapping[str, Any]] | None = None
    change: Callable[[NodeSlice, RunParameters], None] | None = None
    writes: Callable[[NodeSlice, RunParameters], tuple[Path, str]] | None = None


STEPS = Registry(GROUPS["awesome.steps"], StepKind)
"""By the component's class; other packages add theirs by entry points of the group `awesome.steps`."""


def step_kind(node_type: str) -> StepKind:
    """What is known of a node by the dotted name of its component's class.

    Raises:
        CompileError: nothing is, so that its pod would lack resources, parameters or a page.
    """
    name = node_type.rpartition(".")[2]
    if name not in STEPS:
        raise CompileError(
            f"step {name}: no file in awesome_kubeflow/steps says what its pods need; there are {', '.join(STEPS)}"
        )
    return STEPS[name]


def only(step: Step, key: str) -> Any:
    """The one artifact of an output."""
    [artifact] = step.outputs[key]
    return artifact


def split_files(artifact: Any, name: str) -> dict[str, str]:
    """By split, the path of a file that TFX writes once a split."""
    from tfx.types import artifact_utils

    splits = artifact_utils.decode_split_names(artifact.split_names)
    return {split: os.path.join(artifact_utils.get_split_uri([artifact], split), name) for split in splits}
