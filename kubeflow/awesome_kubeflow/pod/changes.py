"""What the parameters of a run change in a node, before it is launched.

TFX's own RuntimeParameter can stand for a whole execution property only, and ours sit inside properties: the horizon is
a number within the JSON of FeatureExampleGen's, each Trainer's and the Evaluator's configuration, decides the schema
and is part of the pipeline's name, which keeps models of different horizons apart. So the parameters go to the
entrypoint as they are, and `apply` puts them into the node's slice. It does so before TFX sees the node: what TFX
records, and what it makes the cache's key of, is what runs. The defaults change nothing.
"""

from __future__ import annotations

from dataclasses import replace

from tfx.proto.orchestration import pipeline_pb2

from awesome_kubeflow.names import renamed_path
from awesome_kubeflow.node import NodeSlice
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import step_kind


def apply(part: NodeSlice, parameters: RunParameters) -> NodeSlice:
    """Puts a run's parameters into a node.

    Args:
        part: the slice as it was compiled; it is left as it is.
        parameters: of the run.

    Returns:
        A slice of its own, the same as `part` where the parameters are what it was compiled with.

    Raises:
        ParameterError: a parameter cannot be used with this node.
    """
    ir = pipeline_pb2.Pipeline()
    ir.CopyFrom(part.ir)
    changed = replace(part, ir=ir)
    changed.node.execution_options.caching_options.enable_cache = parameters.cache
    if (change := step_kind(part.node_type).change) is not None:
        change(changed, parameters)
    _rename(changed, parameters)
    return changed


def _rename(part: NodeSlice, parameters: RunParameters) -> None:
    old, new = part.name, part.name_in(parameters)
    if (parameters.formatter, parameters.horizon) == (part.compiled.formatter, part.compiled.horizon):
        return
    part.ir.pipeline_info.id = new
    root = part.ir.runtime_spec.pipeline_root.runtime_parameter.default_value
    root.string_value = renamed_path(root.string_value, old, new)
    queries = [
        query for spec in part.node.inputs.inputs.values() for one in spec.channels for query in one.context_queries
    ]
    for context in (*part.node.contexts.contexts, *queries):
        if context.type.name in ("pipeline", "node"):
            name = context.name.field_value.string_value
            if name == old or name.startswith(f"{old}."):
                context.name.field_value.string_value = new + name[len(old) :]
