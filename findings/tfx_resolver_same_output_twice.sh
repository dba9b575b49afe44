#!/usr/bin/env bash
# A TFX Resolver that is given one output of a component twice, in two ways, keeps the first of the two channels only.
#
# Packages   TFX 1.16.0 (ml-pipelines-sdk, the part of it that compiles pipelines), Python 3.9 to 3.11
# Expected   The documentation gives each channel a name of its own, and the strategy gets artifacts by these names. So
#            "this_run" (a component's output, which means that of this run) and "every_run" (a Channel with the same
#            producer and output key, which means those of all runs) are two inputs.
# Seen       The compiler names a hidden input after producer and output key alone. The second channel is dropped, and
#            both names read the first one, whichever that is:
#                this_run, every_run: this_run -> _Trainer.model, every_run -> _Trainer.model; 1 channel, this run only
#                every_run, this_run: every_run -> _Trainer.model, this_run -> _Trainer.model; 1 channel, all runs
# Who        Whoever compares the model of this run with those of earlier runs in one strategy. A way round it: give
#            another output of the same execution for this run, and find its model in ML Metadata.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
# The metadata of this version names Python 3.10 as the last; it runs on 3.11 all the same.
"$work/venv/bin/pip" install --quiet --disable-pip-version-check --ignore-requires-python \
  ml-pipelines-sdk==1.16.0 ml-metadata==1.16.0 protobuf==4.25.9
cd "$work"
venv/bin/python - <<'PY'
import sys

from tfx.dsl.compiler.compiler import Compiler
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.base.base_executor import EmptyExecutor
from tfx.dsl.components.base.executor_spec import ExecutorClassSpec
from tfx.dsl.components.common.resolver import Resolver
from tfx.dsl.input_resolution.strategies.latest_artifact_strategy import LatestArtifactStrategy
from tfx.orchestration import metadata, pipeline
from tfx.types import Channel
from tfx.types.artifact import Artifact
from tfx.types.component_spec import ChannelParameter, ComponentSpec


class Model(Artifact):
    TYPE_NAME = "Model"


class TrainerSpec(ComponentSpec):
    PARAMETERS, INPUTS, OUTPUTS = {}, {}, {"model": ChannelParameter(type=Model)}


class Trainer(BaseComponent):
    SPEC_CLASS, EXECUTOR_SPEC = TrainerSpec, ExecutorClassSpec(EmptyExecutor)


def inputs_of_resolver(*names):
    trainer = Trainer(TrainerSpec(model=Channel(type=Model)))
    channels = {
        "this_run": trainer.outputs["model"],
        "every_run": Channel(type=Model, producer_component_id=trainer.id, output_key="model"),
    }
    resolver = Resolver(strategy_class=LatestArtifactStrategy, **{name: channels[name] for name in names})
    store = metadata.sqlite_metadata_connection_config("./metadata.db")
    whole = pipeline.Pipeline("example", "./root", components=[trainer, resolver], metadata_connection_config=store)
    return Compiler().compile(whole).nodes[1].pipeline_node.inputs


def seen(*names):
    inputs = inputs_of_resolver(*names)
    [graph] = inputs.input_graphs.values()
    [named] = [node.dict_node.node_ids for node in graph.nodes.values() if node.HasField("dict_node")]
    read = ", ".join(f"{name} -> {graph.nodes[named[name]].input_node.input_key}" for name in names)
    channels = [channel for name, one in inputs.inputs.items() if name not in names for channel in one.channels]
    queries = {query.type.name for channel in channels for query in channel.context_queries}
    runs = "this run only" if "pipeline_run" in queries else "all runs"
    return f"{', '.join(names)}: {read}; {len(channels)} channel, {runs}"


expected = [
    "this_run, every_run: this_run -> _Trainer.model, every_run -> _Trainer.model; 1 channel, this run only",
    "every_run, this_run: every_run -> _Trainer.model, this_run -> _Trainer.model; 1 channel, all runs",
]
found = [seen("this_run", "every_run"), seen("every_run", "this_run")]
print(*found, sep="\n")
sys.exit(found != expected)
PY
