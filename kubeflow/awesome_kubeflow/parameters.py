"""The parameters of a run: what the form of the KFP UI shows, and what each changes in a node before it is launched.

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
from dataclasses import dataclass, field, fields, replace
from pathlib import Path, PurePosixPath
from typing import Any

from google.protobuf import text_format
from tfx.proto.orchestration import pipeline_pb2
from tfx.utils import proto_utils

from awesome_kubeflow.errors import CompileError, ParameterError
from awesome_kubeflow.node import CompiledWith, NodeSlice
from awesome_kubeflow.run_report import CompiledRun
from components.feature_example_gen.config import ExampleGenConfig
from models.features import label_key
from models.formatters import get_formatter
from models.registry import get_architecture
from models.schema import schema_for

_CUSTOM_CONFIG = "custom_config"
_TRAIN_ARGS = "train_args"
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True)
class RunParameters:
    """What can be set for a single run.

    Attributes:
        shares: shares to take; empty for all.
        since: first day asked for from the source, ISO; empty for the source's own rule.
        formatter: name of the DataFormatter.
        horizon: sessions ahead that is trained.
        hyperparameters: by model, those that differ from what the package was compiled with.
        train_steps: of every model at most; 0 for each model's own epochs.
        cache: take unchanged steps from earlier runs.
    """

    shares: tuple[str, ...]
    since: str
    formatter: str
    horizon: int
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    train_steps: int = 0
    cache: bool = True

    def __post_init__(self) -> None:
        """Checks what can be checked without the data.

        Raises:
            ParameterError: a parameter cannot be used; the message names it.
        """
        try:
            get_formatter(self.formatter)
        except ValueError as error:
            raise ParameterError(f"parameter formatter: {error}") from None
        if self.horizon < 1:
            raise ParameterError(f"parameter horizon: must be 1 or more, not {self.horizon}")
        if self.train_steps < 0:
            raise ParameterError(
                f"parameter train_steps: must be 1 or more, or 0 for each model's own epochs, not {self.train_steps}"
            )
        if self.since:
            try:
                datetime.date.fromisoformat(self.since)
            except ValueError:
                raise ParameterError(f"parameter since: {self.since!r} is not a date such as 2015-01-01") from None
        for model, values in self.hyperparameters.items():
            try:
                get_architecture(model).hyperparameters.updated(values)
            except (ValueError, TypeError) as error:
                raise ParameterError(f"parameter hyperparameters, {model}: {error}") from None

    def to_texts(self) -> dict[str, str]:
        """By name as texts, as `from_texts` reads them."""
        return {
            "shares": ",".join(self.shares),
            "since": self.since,
            "formatter": self.formatter,
            "horizon": str(self.horizon),
            "hyperparameters": json.dumps(self.hyperparameters, sort_keys=True),
            "train_steps": str(self.train_steps),
            "cache": "true" if self.cache else "false",
        }

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> RunParameters:
        """Reads parameters as KFP hands them over.

        Args:
            texts: every parameter by name.

        Raises:
            ParameterError: a parameter is missing, unknown or cannot be used.
        """
        names = {one.name for one in fields(cls)}
        for name in sorted(names ^ texts.keys()):
            raise ParameterError(f"parameter {name}: {'is missing' if name in names else 'does not exist'}")
        return cls(
            shares=tuple(dict.fromkeys(part.strip() for part in texts["shares"].split(",") if part.strip())),
            since=texts["since"].strip(),
            formatter=texts["formatter"].strip(),
            horizon=_whole(texts, "horizon"),
            hyperparameters=_tables(texts["hyperparameters"]),
            train_steps=_whole(texts, "train_steps"),
            cache=_flag(texts, "cache"),
        )


def _whole(texts: Mapping[str, str], name: str) -> int:
    try:
        # KFP keeps numbers as doubles and may write 20 as 20.0.
        number = float(texts[name])
        if number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise ParameterError(f"parameter {name}: {texts[name]!r} is not a whole number") from None
    return int(number)


def _flag(texts: Mapping[str, str], name: str) -> bool:
    text = texts[name].strip().lower()
    if text not in _TRUE + _FALSE:
        raise ParameterError(f"parameter {name}: {texts[name]!r} is neither true nor false")
    return text in _TRUE


def _tables(text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        tables = json.loads(text) if text.strip() else {}
    except ValueError:
        tables = None
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ParameterError(
            f'parameter hyperparameters: {text!r} is not JSON by model, such as {{"rnn": {{"epochs": 9}}}}'
        )
    return tables


def compiled_parameters(ir: Any) -> tuple[RunParameters, CompiledWith]:
    """The parameters that a pipeline was compiled with: a run's defaults.

    Args:
        ir: the whole Pipeline message.

    Returns:
        The defaults, and what every slice is to carry.

    Raises:
        CompileError: the pipeline has no FeatureExampleGen or no Trainer, so it is none of this project's.
    """
    nodes = [node.pipeline_node for node in ir.nodes]
    trainers = [node for node in nodes if node.node_info.type.name == _TYPE_TRAINER]
    if not trainers or all(node.node_info.type.name != _TYPE_EXAMPLE_GEN for node in nodes):
        raise CompileError(
            f"pipeline {ir.pipeline_info.id}: has no FeatureExampleGen or no Trainer to set parameters of"
        )
    config = _example_gen_config(ir)
    formatter = str(json.loads(_properties(trainers[0])[_CUSTOM_CONFIG])["formatter"])
    since = config.extraction.plan.since if config.extraction is not None else None
    defaults = RunParameters(
        shares=config.shares,
        since="" if since is None else since.isoformat(),
        formatter=formatter,
        horizon=config.splits.horizon,
        train_steps=_train_args(trainers[0]).num_steps,
        cache=nodes[0].execution_options.caching_options.enable_cache,
    )
    return defaults, CompiledWith(formatter, config.splits.horizon, config.splits.horizons)


def _example_gen_config(ir: Any) -> ExampleGenConfig:
    [node] = [one.pipeline_node for one in ir.nodes if one.pipeline_node.node_info.type.name == _TYPE_EXAMPLE_GEN]
    return ExampleGenConfig.from_exec_properties(_properties(node))


def extracts(ir: Any) -> bool:
    """Whether the first node brings the database up to date by itself.

    Args:
        ir: the whole Pipeline message.
    """
    return _example_gen_config(ir).extraction is not None


def database_of(ir: Any) -> str:
    """Where the first node reads prices.

    Args:
        ir: the whole Pipeline message.
    """
    return _example_gen_config(ir).database


def describe_run(ir: Any, compiled: CompiledWith, data_folder: str) -> CompiledRun:
    """What the report of a run is told of the pipeline.

    Args:
        ir: the whole Pipeline message.
        compiled: what it was compiled with.
        data_folder: of the volume.
    """
    config = _example_gen_config(ir)
    nodes = [one.pipeline_node for one in ir.nodes]
    trainers = [
        json.loads(_properties(node)[_CUSTOM_CONFIG]) for node in nodes if node.node_info.type.name == _TYPE_TRAINER
    ]
    settings: dict[str, Any] = {
        "db": config.database,
        "workspace": data_folder,
        "horizons": config.splits.horizons,
        "split_fractions": config.splits.fractions,
        "split_dates": config.splits.dates,
        "embargo": config.splits.embargo,
        "seed": trainers[0]["seed"],
    }
    if config.extraction is not None:
        settings["source"] = config.extraction.plan.source
    return CompiledRun(
        pipeline=str(ir.pipeline_info.id),
        nodes=tuple(str(node.node_info.id) for node in nodes),
        models=tuple(f"{one['model']}:{one['version']}" for one in trainers),
        settings=settings,
        formatter=compiled.formatter,
        horizon=compiled.horizon,
        runs=f"{data_folder}/runs",
    )


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
    if part.node_type != _TYPE_SCHEMA:
        return None
    return Path(_properties(part.node)["schema_file"]), _schema_text(part, parameters)


def _horizons(part: NodeSlice, parameters: RunParameters) -> tuple[int, ...]:
    return tuple(sorted({*part.compiled.horizons, parameters.horizon}))


def _schema_text(part: NodeSlice, parameters: RunParameters) -> str:
    schema = schema_for(_horizons(part, parameters), parameters.horizon)
    return str(text_format.MessageToString(schema))


def _properties(node: Any) -> dict[str, Any]:
    """The execution properties that are known when a pipeline is compiled."""
    return {
        key: getattr(value.field_value, value.field_value.WhichOneof("value"))
        for key, value in node.parameters.parameters.items()
        if value.WhichOneof("value") == "field_value"
    }


def _set(node: Any, key: str, text: str) -> None:
    node.parameters.parameters[key].field_value.string_value = text


def _change_example_gen(part: NodeSlice, parameters: RunParameters) -> None:
    config = ExampleGenConfig.from_exec_properties(_properties(part.node))
    extraction = config.extraction
    if extraction is not None:
        since = datetime.date.fromisoformat(parameters.since) if parameters.since else None
        extraction = replace(extraction, plan=replace(extraction.plan, shares=parameters.shares, since=since))
    elif parameters.since:
        raise ParameterError("parameter since: the pipeline was compiled without a source, so it extracts nothing")
    splits = replace(config.splits, horizon=parameters.horizon, horizons=_horizons(part, parameters))
    config = replace(config, shares=parameters.shares, splits=splits, extraction=extraction)
    _set(part.node, _CUSTOM_CONFIG, proto_utils.proto_to_json(config.to_proto()))


def _change_schema(part: NodeSlice, parameters: RunParameters) -> None:
    # TFX's cache looks at a schema's path, so the path holds a digest of the content.
    digest = hashlib.sha256(_schema_text(part, parameters).encode()).hexdigest()[:16]
    path = PurePosixPath(_properties(part.node)["schema_file"])
    _set(part.node, "schema_file", str(path.parent.parent / digest / path.name))


def _change_transform(part: NodeSlice, parameters: RunParameters) -> None:
    config = json.loads(_properties(part.node)[_CUSTOM_CONFIG])
    _set(part.node, _CUSTOM_CONFIG, json.dumps(config | {"formatter": parameters.formatter}, sort_keys=True))


def _change_trainer(part: NodeSlice, parameters: RunParameters) -> None:
    from models.trainer import TrainingConfig

    config = TrainingConfig(**json.loads(_properties(part.node)[_CUSTOM_CONFIG]))
    hyperparameters = config.hyperparameters | dict(parameters.hyperparameters.get(config.model, {}))
    config = replace(
        config, hyperparameters=hyperparameters, formatter=parameters.formatter, horizon=parameters.horizon
    )
    _set(part.node, _CUSTOM_CONFIG, json.dumps(config.to_custom_config(), sort_keys=True))
    arguments = _train_args(part.node)
    arguments.num_steps = parameters.train_steps
    _set(part.node, _TRAIN_ARGS, proto_utils.proto_to_json(arguments))


def _train_args(node: Any) -> Any:
    from tfx.proto import trainer_pb2

    arguments = trainer_pb2.TrainArgs()
    proto_utils.json_to_proto(_properties(node)[_TRAIN_ARGS], arguments)
    return arguments


def _change_evaluator(part: NodeSlice, parameters: RunParameters) -> None:
    from tensorflow_model_analysis.proto import config_pb2

    config = config_pb2.EvalConfig()
    proto_utils.json_to_proto(_properties(part.node)["eval_config"], config)
    for model in config.model_specs:
        model.label_key = label_key(parameters.horizon)
    for specs in config.metrics_specs:
        for metric in specs.metrics:
            if metric.class_name == _EVIDENCE:
                metric.config = json.dumps(json.loads(metric.config) | {"horizon": parameters.horizon})
    _set(part.node, "eval_config", proto_utils.proto_to_json(config))


def _change_pusher(part: NodeSlice, parameters: RunParameters) -> None:
    from tfx.proto import pusher_pb2

    destination = pusher_pb2.PushDestination()
    proto_utils.json_to_proto(_properties(part.node)["push_destination"], destination)
    base = destination.filesystem.base_directory
    destination.filesystem.base_directory = _renamed_path(base, part.ir.pipeline_info.id, _name(part, parameters))
    _set(part.node, "push_destination", proto_utils.proto_to_json(destination))


def renamed(name: str, compiled: tuple[str, int], parameters: RunParameters) -> str:
    """The pipeline's name in a run: models of another horizon or formatter are no predecessors.

    Args:
        name: as compiled.
        compiled: formatter and horizon as compiled.
        parameters: of the run.
    """
    formatter, horizon = compiled
    return f"{name.removesuffix(f'-{formatter}-h{horizon}')}-{parameters.formatter}-h{parameters.horizon}"


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


# Names and not the classes' own: they alone would take seconds to import, in every pod.
_EVIDENCE = "EvidenceOverDays"
_TYPE_EXAMPLE_GEN = "components.feature_example_gen.component.FeatureExampleGen"
_TYPE_SCHEMA = "tfx.components.schema_gen.import_schema_gen.component.ImportSchemaGen"
_TYPE_TRAINER = "tfx.components.trainer.component.Trainer"
_CHANGES: Mapping[str, Callable[[NodeSlice, RunParameters], None]] = {
    _TYPE_EXAMPLE_GEN: _change_example_gen,
    _TYPE_SCHEMA: _change_schema,
    "tfx.components.transform.component.Transform": _change_transform,
    _TYPE_TRAINER: _change_trainer,
    "tfx.components.evaluator.component.Evaluator": _change_evaluator,
    "tfx.components.pusher.component.Pusher": _change_pusher,
}
