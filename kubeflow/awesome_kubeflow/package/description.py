"""What a compiled pipeline says of itself: the defaults of a run's parameters, and what pods beside its nodes need."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from awesome_kubeflow.errors import CompileError
from awesome_kubeflow.node import CUSTOM_CONFIG, EXAMPLE_GEN, LEAK_AUDIT, TRAINER, CompiledWith, properties_of
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.run_report import CompiledRun
from awesome_kubeflow.steps.kind import step_kind
from components.feature_example_gen.config import ExampleGenConfig
from models.labels import UP
from models.registry import get_architecture


def compiled_parameters(ir: Any) -> tuple[RunParameters, CompiledWith]:
    """The parameters that a pipeline was compiled with: a run's defaults.

    Args:
        ir: the whole Pipeline message.

    Returns:
        The defaults, and what every slice is to carry.

    Raises:
        CompileError: the pipeline has no FeatureExampleGen or no Trainer, or a step of a kind that has no file in
            awesome_kubeflow.steps.
    """
    nodes = [node.pipeline_node for node in ir.nodes]
    values: dict[str, Any] = {"cache": nodes[0].execution_options.caching_options.enable_cache}
    for node in nodes:
        if (compiled := step_kind(node.node_info.type.name).compiled) is not None:
            values |= compiled(node)
    if missing := {"horizon", "formatter"} - values.keys():
        raise CompileError(f"pipeline {ir.pipeline_info.id}: has no step that says its {' or '.join(sorted(missing))}")
    defaults = RunParameters(**values)
    examples = example_gen_config(ir)
    return defaults, CompiledWith(defaults.formatter, defaults.horizon, examples.splits.horizons, examples.label)


def example_gen_config(ir: Any) -> ExampleGenConfig:
    """What the first node of a Pipeline message is told: its database, its splits, what it extracts."""
    [node] = [one.pipeline_node for one in ir.nodes if one.pipeline_node.node_info.type.name == EXAMPLE_GEN]
    return ExampleGenConfig.from_exec_properties(properties_of(node))


def describe_run(ir: Any, compiled: CompiledWith, data_folder: str) -> CompiledRun:
    """What the report of a run is told of the pipeline."""
    config = example_gen_config(ir)
    nodes = [one.pipeline_node for one in ir.nodes]
    trainers = [json.loads(properties_of(node)[CUSTOM_CONFIG]) for node in nodes if node.node_info.type.name == TRAINER]
    settings: dict[str, Any] = {
        **({"panel": config.panel, "db": f"{data_folder}/awesome.db"} if config.panel else {"db": config.database}),
        "workspace": data_folder,
        "horizons": config.splits.horizons,
        "split_fractions": config.splits.fractions,
        "split_dates": config.splits.dates,
        "split_start": config.splits.start,
        "split_end": config.splits.end,
        "embargo": config.splits.embargo,
        "seed": trainers[0]["seed"],
    }
    if config.label != UP:
        settings["label"] = config.label
    if changed := {one["model"]: values for one in trainers if (values := _changed_hyperparameters(one))}:
        settings["hyperparameters"] = changed
    for node in nodes:
        if node.node_info.type.name == LEAK_AUDIT:  # else the report would judge by another limit than the audit did
            settings["audit_plausible_auc"] = json.loads(properties_of(node)[CUSTOM_CONFIG])["plausible_auc"]
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


def _changed_hyperparameters(trainer: dict[str, Any]) -> dict[str, Any]:
    """Those that a Trainer was compiled with and that are not its model's own."""
    own = json.loads(json.dumps(asdict(get_architecture(trainer["model"]).hyperparameters)))
    return {name: value for name, value in trainer["hyperparameters"].items() if value != own[name]}
