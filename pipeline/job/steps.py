"""Runs a pipeline in this process, step by step, with TFX's own launcher; reads back what ran elsewhere."""

from __future__ import annotations

import datetime
import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.compiler import compiler, constants
from tfx.orchestration import metadata
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.orchestration.local import runner_utils
from tfx.orchestration.portable import launcher, runtime_parameter_utils
from tfx.orchestration.portable.mlmd import execution_lib
from tfx.types import artifact_utils

from components.errors import EngineError, TrainingError
from models.errors import DeviceError, DivergenceError
from pipeline.job.engine_check import reason
from pipeline.job.light_beam import light_beam
from pipeline.job.step import Step, StepListener

_LOG = logging.getLogger(__name__)


def run_pipeline(pipeline: tfx_pipeline.Pipeline, listener: StepListener | None = None) -> dict[str, Step]:
    """Runs every node in order; the first that fails ends the run with its own exception.

    A run that was killed is taken up by the next one, as finished steps are in TFX's cache. The pipeline needs a
    metadata connection; the steps come back by node id, in order.
    """
    listener = listener or StepListener()
    ir = compiler.Compiler().compile(pipeline)
    run_id = datetime.datetime.now(datetime.UTC).isoformat()
    runtime_parameter_utils.substitute_runtime_parameter(ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    deployment = runner_utils.extract_local_deployment_config(ir)
    connection = deployment.metadata_connection_config
    connection = getattr(connection, connection.WhichOneof("connection_config"))
    steps: dict[str, Step] = {}
    for node in ir.nodes:
        name = node.pipeline_node.node_info.id
        listener.started(name)
        step = run_node(ir, node.pipeline_node, connection)
        steps[name] = step
        listener.ended(step)
    return steps


def run_node(ir: Any, node: Any, connection: Any) -> Step:
    """Runs one node with TFX's launcher, which finds its inputs in ML Metadata.

    A node that had ended well under the same run id is left as it is.

    Args:
        ir: the compiled pipeline, its runtime parameters filled in; nodes other than this one may be missing.
        node: a PipelineNode message of it.
        connection: of ML Metadata.

    Raises:
        RuntimeError: the node failed where TFX only logs it.
        EngineError: Beam's job failed on another engine than this process.
        UserError: the node failed for a reason that the user can fix.
    """
    name = node.node_info.id
    deployment = runner_utils.extract_local_deployment_config(ir)
    begin = time.perf_counter()
    # The launcher sees this for itself where there is an executor; a resolver it would run a second time.
    contexts = [(one.type.name, one.name.field_value.string_value) for one in node.contexts.contexts]
    ended = _ended_well(connection, contexts)
    if ended is not None:
        outputs, cached = _outputs(connection, ended)
        return Step(name, time.perf_counter() - begin, cached, outputs)
    executor = runner_utils.extract_executor_spec(deployment, name)
    try:
        with light_beam(in_process="--runner=FnApiRunner" in str(executor)):
            execution = launcher.Launcher(
                pipeline_node=node,
                mlmd_connection=metadata.Metadata(connection),
                pipeline_info=ir.pipeline_info,
                pipeline_runtime_spec=ir.runtime_spec,
                executor_spec=executor,
                custom_driver_spec=runner_utils.extract_custom_driver_spec(deployment, name),
            ).launch()
    except (DeviceError, DivergenceError) as error:
        _LOG.exception("step %s failed", name)
        raise TrainingError(f"{name}: {error}") from None
    except Exception as error:
        # TFX's own log says that a step failed, not why.
        _LOG.exception("step %s failed", name)
        if (why := reason(error)) is not None:
            raise EngineError(f"{name}: {why}; the next run takes up from the finished steps") from None
        raise
    outputs, cached = _outputs(connection, execution.execution_id)
    return Step(name, time.perf_counter() - begin, cached, outputs)


def clear_unfinished(connection: Any, folder: Path) -> None:
    """Removes what steps of killed runs were writing: TFX begins them anew under other numbers and leaves it for good.

    Whoever calls it holds the workspace's lock, so that no step of its runs is at work.

    Args:
        connection: of ML Metadata.
        folder: that holds the pipelines' roots, each of the pipeline's name.
    """
    with metadata.Metadata(connection) as handle:
        store = handle.store
        for execution in store.get_executions():
            if execution.last_known_state != metadata_store_pb2.Execution.RUNNING:
                continue
            named = {context.type: context.name for context in store.get_contexts_by_execution(execution.id)}
            pipeline, node = named.get("pipeline", ""), named.get("node", "")
            if not pipeline or not node.startswith(f"{pipeline}."):
                continue
            step = folder / pipeline / node.removeprefix(f"{pipeline}.")
            for kind in (step, step / ".system"):
                # A step's output lies in a folder of the execution's number in a folder of the output's name.
                for made in kind.glob(f"*/{execution.id}"):
                    if made.is_dir() and not made.is_symlink():
                        shutil.rmtree(made, ignore_errors=True)


def finished_steps(connection: Any, pipeline_name: str, run_id: str, nodes: Sequence[str]) -> dict[str, Step]:
    """The steps of a run whose nodes were run elsewhere, each by itself.

    Returns:
        By node id, in the order given; their seconds are those between the first and the last record of an execution.
        A node that has not ended well in this run is left out.
    """
    steps: dict[str, Step] = {}
    for node in nodes:
        contexts = {"pipeline": pipeline_name, "pipeline_run": run_id, "node": f"{pipeline_name}.{node}"}
        ended = _ended_well(connection, list(contexts.items()))
        if ended is None:
            continue
        outputs, cached = _outputs(connection, ended)
        with metadata.Metadata(connection) as handle:
            [execution] = handle.store.get_executions_by_id([ended])
        seconds = (execution.last_update_time_since_epoch - execution.create_time_since_epoch) / 1000
        steps[node] = Step(node, seconds, cached, outputs)
    return steps


def _ended_well(connection: Any, named: Sequence[tuple[str, str]]) -> int | None:
    """The execution that has these contexts, of type and name, and is complete."""
    with metadata.Metadata(connection) as handle:
        contexts = [handle.store.get_context_by_type_and_name(kind, name) for kind, name in named]
        if not all(contexts):
            return None
        found = execution_lib.get_executions_associated_with_all_contexts(handle, contexts)
        return next((one.id for one in found if execution_lib.is_execution_successful(one)), None)


def _outputs(connection: Any, execution_id: int) -> tuple[dict[str, list[Any]], bool]:
    """What an execution put out, read back from ML Metadata, since a cached one returns nothing of it."""
    with metadata.Metadata(connection) as handle:
        store = handle.store
        [execution] = store.get_executions_by_id([execution_id])
        if execution.last_known_state == metadata_store_pb2.Execution.FAILED:
            # TFX's handler of resolvers only logs what went wrong.
            raise RuntimeError(f"{execution.name or execution_id} failed; the log says why")
        cached = execution.last_known_state == metadata_store_pb2.Execution.CACHED
        outputs: dict[str, list[Any]] = {}
        for event in store.get_events_by_execution_ids([execution_id]):
            if event.type not in (metadata_store_pb2.Event.OUTPUT, metadata_store_pb2.Event.INTERNAL_OUTPUT):
                continue
            [artifact] = store.get_artifacts_by_id([event.artifact_id])
            [artifact_type] = store.get_artifact_types_by_id([artifact.type_id])
            key = next((step.key for step in event.path.steps if step.HasField("key")), "")
            outputs.setdefault(key, []).append(artifact_utils.deserialize_artifact(artifact_type, artifact))
    return outputs, cached


def sqlite_metadata(path: str) -> metadata_store_pb2.ConnectionConfig:
    """ML Metadata in a SQLite file.

    Args:
        path: of the file; its folder is made.
    """
    return metadata.sqlite_metadata_connection_config(path)
