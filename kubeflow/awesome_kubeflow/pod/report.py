"""What a step that ended shows in the KFP UI."""

from __future__ import annotations

from awesome_kubeflow.node import NodeSlice
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import step_kind
from awesome_kubeflow.steps.page import Table, page
from pipeline.job.step import Step


def step_page(part: NodeSlice, step: Step, run_id: str, parameters: RunParameters) -> str:
    """The page of a step that ended well.

    Args:
        part: the node, its parameters put in.
        step: what it left.
        run_id: of the run.
        parameters: of the run.

    Returns:
        An HTML document.
    """
    made = tuple(
        (key, str(artifact.id), artifact.uri)
        for key, artifacts in sorted(step.outputs.items())
        for artifact in artifacts
    )
    facts = {
        "run": run_id,
        "pipeline": part.name,
        "time": f"{step.seconds:.1f} s" + (", from the cache" if step.cached else ""),
    }
    facts |= {
        f"parameter {name}": text or "(all)" for name, text in parameters.to_texts().items() if name != "since" or text
    }
    section = step_kind(part.node_type).section(part, step)
    return page(part.node_id, section, facts, Table("Outputs", ("output", "artifact", "where"), made))
