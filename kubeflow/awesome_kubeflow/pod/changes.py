"""What the parameters of a run change in a node, before it is launched.

TFX's own RuntimeParameter can stand for a whole execution property only, and ours sit inside properties: the horizon is
a number within the JSON of FeatureExampleGen's, each Trainer's and each Evaluator's configuration, decides the schema
and is part of the pipeline's name, which keeps models of different horizons apart. So the parameters go to the
entrypoint as they are, and `apply` puts them into the node's slice. It does so before TFX sees the node: what TFX
records, and what it makes the cache's key of, is what runs. The defaults change nothing.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from google.protobuf import text_format
from tfx.proto.orchestration import pipeline_pb2
from tfx.utils import proto_utils

from awesome_kubeflow.errors import ParameterError
from awesome_kubeflow.node import (
    CUSTOM_CONFIG,
    EXAMPLE_GEN,
    SCHEMA_GEN,
    TRAIN_ARGS,
    TRAINER,
    NodeSlice,
    properties_of,
    train_args_of,
)
from awesome_kubeflow.parameters import RunParameters, renamed
from components.feature_example_gen.config import ExampleGenConfig
from models.features import label_key
from models.schema import schema_for


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
    change = _CHANGES.get(part.node_type)
    if change is not None:
        change(changed, parameters)
    _rename(changed, parameters)
    return changed


def schema_content(part: NodeSlice, parameters: RunParameters) -> tuple[Path, str] | None:
    """The file that the schema's importer reads, which the entrypoint writes.

    Args:
        part: the slice with the parameters put in.
        parameters: of the run.

    Returns:
        The path and the text; None for other nodes.
    """
    if part.node_type != SCHEMA_GEN:
        return None
    return Path(properties_of(part.node)["schema_file"]), _schema_text(part, parameters)


def _horizons(part: NodeSlice, parameters: RunParameters) -> tuple[int, ...]:
    return tuple(sorted({*part.compiled.horizons, parameters.horizon}))


def _schema_text(part: NodeSlice, parameters: RunParameters) -> str:
    schema = schema_for(_horizons(part, parameters), parameters.horizon)
    return str(text_format.MessageToString(schema))


def _set(node: Any, key: str, text: str) -> None:
    node.parameters.parameters[key].field_value.string_value = text


def _change_example_gen(part: NodeSlice, parameters: RunParameters) -> None:
    config = ExampleGenConfig.from_exec_properties(properties_of(part.node))
    extraction = config.extraction
    if extraction is not None:
        since = datetime.date.fromisoformat(parameters.since) if parameters.since else None
        extraction = replace(extraction, plan=replace(extraction.plan, shares=parameters.shares, since=since))
    elif parameters.since:
        raise ParameterError("parameter since: the pipeline was compiled without a source, so it extracts nothing")
    splits = replace(config.splits, horizon=parameters.horizon, horizons=_horizons(part, parameters))
    config = replace(config, shares=parameters.shares, splits=splits, extraction=extraction)
    _set(part.node, CUSTOM_CONFIG, proto_utils.proto_to_json(config.to_proto()))


def _change_schema(part: NodeSlice, parameters: RunParameters) -> None:
    # TFX's cache looks at a schema's path, so the path holds a digest of the content.
    digest = hashlib.sha256(_schema_text(part, parameters).encode()).hexdigest()[:16]
    path = PurePosixPath(properties_of(part.node)["schema_file"])
    _set(part.node, "schema_file", str(path.parent.parent / digest / path.name))


def _change_transform(part: NodeSlice, parameters: RunParameters) -> None:
    config = json.loads(properties_of(part.node)[CUSTOM_CONFIG])
    _set(part.node, CUSTOM_CONFIG, json.dumps(config | {"formatter": parameters.formatter}, sort_keys=True))


def _change_trainer(part: NodeSlice, parameters: RunParameters) -> None:
    from models.trainer import TrainingConfig

    config = TrainingConfig(**json.loads(properties_of(part.node)[CUSTOM_CONFIG]))
    hyperparameters = config.hyperparameters | dict(parameters.hyperparameters.get(config.model, {}))
    config = replace(
        config, hyperparameters=hyperparameters, formatter=parameters.formatter, horizon=parameters.horizon
    )
    _set(part.node, CUSTOM_CONFIG, json.dumps(config.to_custom_config(), sort_keys=True))
    arguments = train_args_of(part.node)
    arguments.num_steps = parameters.train_steps
    _set(part.node, TRAIN_ARGS, proto_utils.proto_to_json(arguments))


def _change_evaluator(part: NodeSlice, parameters: RunParameters) -> None:
    from tensorflow_model_analysis.proto import config_pb2

    config = config_pb2.EvalConfig()
    proto_utils.json_to_proto(properties_of(part.node)["eval_config"], config)
    for model in config.model_specs:
        model.label_key = label_key(parameters.horizon)
    for specs in config.metrics_specs:
        for metric in specs.metrics:
            if metric.class_name == _EVIDENCE:
                metric.config = json.dumps(json.loads(metric.config) | {"horizon": parameters.horizon})
    _set(part.node, "eval_config", proto_utils.proto_to_json(config))


def _change_evidence(part: NodeSlice, parameters: RunParameters) -> None:
    _set(part.node, "formatter", parameters.formatter)
    part.node.parameters.parameters["horizon"].field_value.int_value = parameters.horizon


def _change_audit(part: NodeSlice, parameters: RunParameters) -> None:
    from components.leak_audit.config import AuditConfig

    config = AuditConfig.from_json(properties_of(part.node)[CUSTOM_CONFIG])
    models = tuple(
        replace(one, hyperparameters={**one.hyperparameters, **parameters.hyperparameters.get(one.name, {})})
        for one in config.models
    )
    config = replace(
        config,
        models=models,
        formatter=parameters.formatter,
        horizon=parameters.horizon,
        train_steps=parameters.train_steps,
    )
    _set(part.node, CUSTOM_CONFIG, config.to_json())


def _change_pusher(part: NodeSlice, parameters: RunParameters) -> None:
    from tfx.proto import pusher_pb2

    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(properties_of(part.node)["push_destination"], destination)
    base = destination.filesystem.base_directory
    destination.filesystem.base_directory = _renamed_path(base, part.ir.pipeline_info.id, _name(part, parameters))
    _set(part.node, "push_destination", proto_utils.proto_to_json(destination))


def _name(part: NodeSlice, parameters: RunParameters) -> str:
    compiled = part.compiled.formatter, part.compiled.horizon
    return renamed(str(part.ir.pipeline_info.id), compiled, parameters)


def _renamed_path(path: str, old: str, new: str) -> str:
    pure = PurePosixPath(path)
    return str(pure.with_name(new)) if pure.name == old else path


def _rename(part: NodeSlice, parameters: RunParameters) -> None:
    old, new = str(part.ir.pipeline_info.id), _name(part, parameters)
    if (parameters.formatter, parameters.horizon) == (part.compiled.formatter, part.compiled.horizon):
        return
    part.ir.pipeline_info.id = new
    root = part.ir.runtime_spec.pipeline_root.runtime_parameter.default_value
    root.string_value = _renamed_path(root.string_value, old, new)
    queries = [
        query for spec in part.node.inputs.inputs.values() for one in spec.channels for query in one.context_queries
    ]
    for context in (*part.node.contexts.contexts, *queries):
        if context.type.name in ("pipeline", "node"):
            name = context.name.field_value.string_value
            if name == old or name.startswith(f"{old}."):
                context.name.field_value.string_value = new + name[len(old) :]


_EVIDENCE = "EvidenceOverDays"
_CHANGES: Mapping[str, Callable[[NodeSlice, RunParameters], None]] = {
    EXAMPLE_GEN: _change_example_gen,
    SCHEMA_GEN: _change_schema,
    "tfx.components.transform.component.Transform": _change_transform,
    TRAINER: _change_trainer,
    "tfx.components.evaluator.component.Evaluator": _change_evaluator,
    "components.evidence.component.Evidence": _change_evidence,
    "components.leak_audit.component.LeakAudit": _change_audit,
    "tfx.components.pusher.component.Pusher": _change_pusher,
}
