"""One step of a run, in a process of its own, so that its CPU seconds and its peak memory are its own.

    python -m benchmarks.growth_step --database FILE --workspace DIR --run-id ID --step Evidence --models linear

It is run as a pod of a cluster runs it, with TFX's launcher, and finds its inputs in the workspace's ML Metadata. With
`--list` it prints the names of all steps in their order and runs none. The last line printed is one JSON object:
`{step: {wall, cpu, peak_rss}}`, seconds and MiB; the step "import" is TensorFlow and TFX.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.measure import Steps, measured
from components.price_panel.manifest import is_panel
from pipeline.job.quiet import import_tensorflow, run_log
from pipeline.plan import Plan, load_plan


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", type=Path, required=True, help="the feature store, or a panel")
    parser.add_argument("--workspace", type=Path, required=True, help="of the run")
    parser.add_argument("--run-id", required=True, help="the same for all steps of the run")
    parser.add_argument("--models", nargs="+", required=True, help="as in awesome run --models")
    parser.add_argument("--step", help="its name")
    parser.add_argument("--list", action="store_true", help="print the names of the steps, as JSON")
    arguments = parser.parse_args()
    source = "panel" if is_panel(arguments.database) else "db"
    flags = {source: str(arguments.database), "workspace": arguments.workspace, "models": arguments.models}
    plan = load_plan(flags)
    arguments.workspace.mkdir(parents=True, exist_ok=True)
    if arguments.list:
        print(json.dumps([node.pipeline_node.node_info.id for node in _compiled(plan, arguments.run_id)[0].nodes]))
        return
    steps: Steps = {}
    with run_log(arguments.workspace / "growth.log"):
        with measured(steps, "import"):
            ir, connection = _compiled(plan, arguments.run_id)
        [node] = [one.pipeline_node for one in ir.nodes if one.pipeline_node.node_info.id == arguments.step]
        from pipeline.job.steps import run_node

        with measured(steps, arguments.step):
            run_node(ir, node, connection)
    print(json.dumps(steps))


def _compiled(plan: Plan, run_id: str) -> tuple[Any, Any]:
    """The pipeline as TFX runs it, its run id filled in, and the connection to its ML Metadata."""
    import_tensorflow()
    from tfx.dsl.compiler import compiler, constants
    from tfx.orchestration.local import runner_utils
    from tfx.orchestration.portable import runtime_parameter_utils

    from pipeline.configuration import pipeline_config
    from pipeline.job.steps import sqlite_metadata
    from pipeline.pipeline import create_pipeline

    plan.metadata.parent.mkdir(parents=True, exist_ok=True)
    store = sqlite_metadata(str(plan.metadata.absolute()))
    ir = compiler.Compiler().compile(create_pipeline(pipeline_config(plan), store))
    runtime_parameter_utils.substitute_runtime_parameter(ir, {constants.PIPELINE_RUN_ID_PARAMETER_NAME: run_id})
    connection = runner_utils.extract_local_deployment_config(ir).metadata_connection_config
    return ir, getattr(connection, connection.WhichOneof("connection_config"))


if __name__ == "__main__":
    main()
