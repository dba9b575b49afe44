"""Trainer: one model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from awesome_kubeflow.errors import ParameterError
from awesome_kubeflow.node import CUSTOM_CONFIG, NodeSlice, message_of, properties_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from models.errors import HyperparameterError
from models.registry import get_architecture
from pipeline.job.step import Step

_TRAIN_ARGS = "train_args"


def _section(step: Step) -> Section:
    from pipeline.report.drawing import model_styles
    from pipeline.report.training import Training, history_table, read_history, training_chart

    name = step.name.partition(".")[2] or step.name
    history = read_history(only(step, "model_run").uri)
    chart = training_chart(0, name, history, model_styles([name])[name])
    tables = (Table("Epochs", *history_table(history)),)
    return Section(Training.of(history).sentence, tables, () if chart is None else (chart,))


def _compiled(node: Any) -> Mapping[str, Any]:
    formatter = str(json.loads(properties_of(node)[CUSTOM_CONFIG])["formatter"])
    return {"formatter": formatter, "train_steps": _train_args(node).num_steps}


def _train_args(node: Any) -> Any:
    from tfx.proto import trainer_pb2

    return message_of(node, _TRAIN_ARGS, trainer_pb2.TrainArgs())


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    from models.trainer import TrainingConfig

    config = TrainingConfig(**json.loads(properties_of(part.node)[CUSTOM_CONFIG]))
    values = dict(parameters.hyperparameters.get(config.model, {}))
    try:
        get_architecture(config.model).changed(config.version, values)
    except HyperparameterError as error:
        raise ParameterError(f"parameter hyperparameters, {config.model}: {error}") from None
    hyperparameters = config.hyperparameters | values
    config = replace(
        config, hyperparameters=hyperparameters, formatter=parameters.formatter, horizon=parameters.horizon
    )
    set_property(part.node, CUSTOM_CONFIG, json.dumps(config.to_custom_config(), sort_keys=True))
    arguments = _train_args(part.node)
    arguments.num_steps = parameters.train_steps
    set_property(part.node, _TRAIN_ARGS, arguments)


STEP = StepKind("Trainer", resources="training", section=_section, compiled=_compiled, change=_change)
