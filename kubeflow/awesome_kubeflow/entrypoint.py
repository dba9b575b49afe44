"""What a pod runs: one node of the pipeline, with TFX's own launcher. `python -m awesome_kubeflow.entrypoint --help`.

Where the metadata store is comes from the environment (pipeline.settings.NodeSettings). The log is JSON, a line a
record. A node that failed ends the pod with a non-zero code, and why is the message of the log's last line.

The same run id again finds the execution of the pod before: it is completed where that was killed or failed, and left
alone where it had ended well.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from awesome_kubeflow.json_log import start_json_log
from components.errors import UserError
from pipeline.quiet import import_tensorflow

if TYPE_CHECKING:
    from awesome_kubeflow.node import NodeSlice
    from awesome_kubeflow.parameters import RunParameters
    from pipeline.settings import NodeSettings

_LOG = logging.getLogger("awesome.node")
_PARAMETERS = ("shares", "since", "formatter", "horizon", "hyperparameters", "train_steps", "cache")


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the node.

    Args:
        arguments: of the command; None for the process's own.

    Returns:
        The exit code: 0, or 1 where the node failed.
    """
    start_json_log("", sys.stderr)
    try:
        _run(_parser().parse_args(arguments))
    except UserError as error:
        _LOG.error("%s", error)
        return 1
    except Exception as error:
        # The traceback comes first, as the last line of a pod is what a person is shown.
        _LOG.info("the node failed", exc_info=True)
        _LOG.error("%s: %s", type(error).__name__, _one_line(error))
        return 1
    return 0


def _one_line(error: BaseException) -> str:
    """Beam puts what went wrong first and where behind it."""
    lines = str(error).strip().splitlines()
    return lines[0] if lines else "no reason was given"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m awesome_kubeflow.entrypoint", description="Runs one node.")
    parser.add_argument("--run-id", required=True, help="of the run; the same one again takes up its execution")
    for name in _PARAMETERS:
        parser.add_argument(f"--{name.replace('_', '-')}", required=True, help="a parameter of the run")
    parser.add_argument("--slice", required=True, help="the node, as the compiler wrote it")
    parser.add_argument("--executor-input", required=True, help="JSON of Kubeflow Pipelines: where outputs go")
    return parser


def _run(options: argparse.Namespace) -> None:
    from awesome_kubeflow.executor_io import ExecutorInput, write_outputs
    from pipeline.settings import load_node_settings

    outputs = ExecutorInput.from_json(options.executor_input)
    settings = load_node_settings()
    _check_store(settings)
    import_tensorflow()
    from awesome_kubeflow.node import decode
    from awesome_kubeflow.parameters import RunParameters, apply

    compiled = decode(options.slice)
    # TensorFlow and absl have put handlers of their own in the meantime.
    start_json_log(compiled.node_id, sys.stderr)
    parameters = RunParameters.from_texts({name: getattr(options, name) for name in _PARAMETERS})
    part = apply(compiled, parameters)
    _LOG.info("run %s, pipeline %s, parameters %s", options.run_id, part.ir.pipeline_info.id, parameters.to_texts())
    _write_schema(part, parameters)

    from awesome_kubeflow.reports import step_metrics, step_page
    from pipeline.runner import run_node

    _fill(part.ir, options.run_id, settings)
    step = run_node(part.ir, part.node, metadata_connection(settings))
    write_outputs(outputs, step_page(part, step, options.run_id, parameters), step_metrics(part, step))
    _LOG.info("%s in %.1f s", "taken from the cache" if step.cached else "done", step.seconds)


def _check_store(settings: NodeSettings) -> None:
    from awesome_kubeflow.errors import NodeError

    if (settings.metadata_sqlite is None) == (settings.metadata_host is None):
        raise NodeError(
            "environment: name the metadata store, by AWESOME_NODE_METADATA_HOST (MariaDB) or "
            "AWESOME_NODE_METADATA_SQLITE (a file), and not by both"
        )


def metadata_connection(settings: NodeSettings) -> Any:
    """Where ML Metadata keeps its records.

    Args:
        settings: of the pod.

    Returns:
        A ConnectionConfig message.

    Raises:
        NodeError: neither a host nor a file is named, or both are.
    """
    from tfx.orchestration import metadata

    _check_store(settings)
    if settings.metadata_sqlite is not None:
        settings.metadata_sqlite.parent.mkdir(parents=True, exist_ok=True)
        return metadata.sqlite_metadata_connection_config(str(settings.metadata_sqlite))
    return metadata.mysql_metadata_connection_config(
        host=settings.metadata_host,
        port=settings.metadata_port,
        database=settings.metadata_database,
        username=settings.metadata_user,
        password=settings.metadata_password.get_secret_value(),
    )


def _write_schema(part: NodeSlice, parameters: RunParameters) -> None:
    from awesome_kubeflow.parameters import schema_content

    content = schema_content(part, parameters)
    if content is None or content[0].exists():
        return
    path, text = content
    path.parent.mkdir(parents=True, exist_ok=True)
    # Two runs may begin at once: each writes a file of its own.
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(text)
    os.replace(partial, path)


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
