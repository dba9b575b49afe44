"""What a pod runs: one node of the pipeline, with TFX's own launcher. `python -m awesome_kubeflow.entrypoint --help`.

Where the metadata store is comes from the environment (pipeline.node_settings.NodeSettings). The log is JSON, a line a
record. A node that failed ends the pod with a non-zero code, and why is the message of the log's last line.

The same run id again finds the execution of the pod before: it is completed where that was killed or failed, and left
alone where it had ended well.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awesome_kubeflow.pod.process import (
    check_store,
    metadata_connection,
    pod_options,
    run_parameters,
    run_pod,
    start_json_log,
)
from awesome_kubeflow.steps.kind import step_kind
from awesome_kubeflow.steps.page import Table, page
from components.whole_files import write_whole
from pipeline.job.light_imports import light_imports
from pipeline.job.quiet import import_tensorflow

if TYPE_CHECKING:
    from awesome_kubeflow.node import NodeSlice
    from awesome_kubeflow.parameters import RunParameters
    from pipeline.job.step import Step
    from pipeline.node_settings import NodeSettings

_LOG = logging.getLogger("awesome.node")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the node, and returns the exit code: 0, or 1 where the node failed."""
    return run_pod(lambda: _run(arguments))


def _run(arguments: Sequence[str] | None) -> None:
    from awesome_kubeflow.pod.executor_io import ExecutorInput, write_outputs
    from pipeline.node_settings import load_node_settings

    options = pod_options("entrypoint", "Runs one node.", "--slice", "the node, as the compiler wrote it", arguments)
    outputs = ExecutorInput.from_json(options.executor_input)
    settings = load_node_settings()
    check_store(settings)
    with light_imports():
        import_tensorflow()
        from awesome_kubeflow.node import decode
        from awesome_kubeflow.pod.changes import apply
        from pipeline.job.engine_check import check_engine
        from pipeline.job.steps import run_node

    compiled = decode(options.slice)
    # TensorFlow and absl have put handlers of their own in the meantime.
    start_json_log(compiled.node_id)
    parameters = run_parameters(options)
    part = apply(compiled, parameters)
    kind = step_kind(part.node_type)
    if kind.writes is not None:
        _write(*kind.writes(part, parameters))

    _fill(part.ir, options.run_id, settings)
    _LOG.info("run %s, pipeline %s, parameters %s", options.run_id, part.name, parameters.to_texts())
    root = Path(part.ir.runtime_spec.pipeline_root.field_value.string_value)
    # A pod that waits for a worker that never comes is told from none that works by nothing.
    check_engine(part.engine(settings.beam_start_seconds), root)
    step = run_node(part.ir, part.node, metadata_connection(settings))
    metrics = None if kind.metrics is None else kind.metrics(step)
    write_outputs(outputs, step_page(part, step, options.run_id, parameters), metrics)
    _LOG.info("%s in %.1f s", "taken from the cache" if step.cached else "done", step.seconds)


def step_page(part: NodeSlice, step: Step, run_id: str, parameters: RunParameters) -> str:
    """The page of a step that ended well."""
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
        f"parameter {name}": text or "(all)" for name, text in parameters.to_texts().items() if text or name == "shares"
    }
    section = step_kind(part.node_type).section(step)
    return page(part.node_id, section, facts, Table("Outputs", ("output", "artifact", "where"), made))


def _write(path: Path, text: str) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)


def _fill(ir: Any, run_id: str, settings: NodeSettings) -> None:
    """Fills in what is only known in the pod."""
    from tfx.dsl.compiler import constants
    from tfx.orchestration.portable import runtime_parameter_utils

    values = {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id}
    if settings.pipeline_root is not None:
        values[constants.PIPELINE_ROOT_PARAMETER_NAME] = str(settings.pipeline_root)
    runtime_parameter_utils.substitute_runtime_parameter(ir, values)


if __name__ == "__main__":
    raise SystemExit(main())
