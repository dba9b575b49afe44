"""A run's parameters: what each changes in which node, and that defaults change nothing."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from compiled_package import compiled_ir

from awesome_kubeflow.errors import ParameterError
from awesome_kubeflow.parameters import RunParameters

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

HORIZON = 5


def defaults(ir: Any) -> RunParameters:
    from awesome_kubeflow.package.description import compiled_parameters

    return compiled_parameters(ir)[0]


def part_of(ir: Any, node: str) -> Any:
    from awesome_kubeflow.node import slice_of
    from awesome_kubeflow.package.description import compiled_parameters

    return slice_of(ir, node, compiled_parameters(ir)[1])


def changed(ir: Any, node: str, **values: Any) -> Any:
    from awesome_kubeflow.pod.changes import apply

    return apply(part_of(ir, node), replace(defaults(ir), **values))


def properties(part: Any) -> dict[str, str]:
    return {key: one.field_value.string_value for key, one in part.node.parameters.parameters.items()}


def ids(ir: Any) -> list[str]:
    return [node.pipeline_node.node_info.id for node in ir.nodes]


def test_defaults_change_nothing(default_ir: Any) -> None:
    for node in ids(default_ir):
        assert changed(default_ir, node).ir == part_of(default_ir, node).ir, node


def test_texts_are_read_back(default_ir: Any) -> None:
    parameters = replace(
        defaults(default_ir), shares=("a", "b"), since=datetime.date(2015, 1, 1), horizon=20,
        hyperparameters={"rnn": {"epochs": 9}}, train_steps=300, cache=False,
        accept_suspicion=("alarm", "level test"),
    )  # fmt: skip
    assert RunParameters.from_texts(parameters.to_texts()) == parameters
    # As KFP may write them: numbers as doubles, truth with a capital.
    texts = parameters.to_texts() | {"horizon": "20.0", "cache": "False", "shares": " a, b,a,"}
    assert RunParameters.from_texts(texts) == parameters


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("horizon", "0", "must be 1 or more"),
        ("horizon", "1.5", "'1.5' is not a whole number"),
        ("horizon", "inf", "is not a whole number"),
        ("train_steps", "-1", "must be 1 or more"),
        ("cache", "maybe", "neither true nor false"),
        ("accept_suspicion", "alarm, weekends", "there is no check 'weekends'; there are "),
        ("formatter", "nope", "nope"),
        ("since", "yesterday", "is not a date"),
        ("hyperparameters", "[]", "is not JSON by model"),
        ("hyperparameters", '{"rnn": 1}', "is not JSON by model"),
        ("hyperparameters", '{"oracle": {}}', "oracle"),
        ("hyperparameters", '{"rnn": {"epochs": "many"}}', "epochs must be a whole number"),
    ],
)
def test_a_bad_parameter_is_named(default_ir: Any, name: str, text: str, message: str) -> None:
    texts = defaults(default_ir).to_texts() | {name: text}
    with pytest.raises(ParameterError) as error:
        RunParameters.from_texts(texts)
    [line] = str(error.value).splitlines()
    assert line.startswith(f"parameter {name}")
    assert message in line


def test_the_horizon_reaches_every_node_as_if_compiled_with_it(
    default_ir: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The independent source: the same pipeline compiled with the horizon in its settings."""
    monkeypatch.chdir(tmp_path)
    other = compiled_ir(horizon=HORIZON, formatter="closes", train_steps=70)
    for node in ids(default_ir):
        found = changed(default_ir, node, horizon=HORIZON, formatter="closes", train_steps=70)
        assert found.ir == part_of(other, node).ir, node


def test_a_horizon_reaches_every_node_of_another_label_as_if_compiled_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from awesome_kubeflow.package.description import describe_run
    from awesome_kubeflow.steps.kind import step_kind

    monkeypatch.chdir(tmp_path)
    labelled = partial(compiled_ir, models=("linear",), label="outperform")
    ir, other = labelled(), labelled(horizon=HORIZON)
    assert ir.pipeline_info.id == "awesome.outperform-window_returns-h1"
    for node in ids(ir):
        assert changed(ir, node, horizon=HORIZON).ir == part_of(other, node).ir, node
    part, parameters = changed(ir, "ImportSchemaGen", horizon=HORIZON), replace(defaults(ir), horizon=HORIZON)
    writes = step_kind(part.node_type).writes
    assert writes is not None
    assert f'"excess_return_{HORIZON}"' in writes(part, parameters)[1]
    assert describe_run(ir, part.compiled, "/data").settings["label"] == "outperform"


def test_the_name_of_a_run_on_the_cluster_tells_stretches_of_days_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model of other days may have been trained on those that this one is tested on, so it is no predecessor."""
    monkeypatch.chdir(tmp_path)
    linear = partial(compiled_ir, models=("linear",))
    short, long = (linear(split_end=end) for end in ("2008-01-02", "2009-01-02"))
    names = [ir.pipeline_info.id for ir in (linear(), short, long)]
    assert names[0] == "awesome-window_returns-h1"
    assert len(set(names)) == 3
    other = linear(split_end="2008-01-02", horizon=HORIZON)
    for node in ids(short):
        assert changed(short, node).ir == part_of(short, node).ir, node
        assert changed(short, node, horizon=HORIZON).ir == part_of(other, node).ir, node


def test_the_schema_of_another_horizon_is_the_one_that_a_local_run_writes(default_ir: Any, tmp_path: Path) -> None:
    from awesome_kubeflow.pod.changes import apply
    from awesome_kubeflow.steps.kind import step_kind
    from pipeline.configuration import write_schema
    from pipeline.plan import resolve
    from pipeline.settings import Settings

    parameters = replace(defaults(default_ir), horizon=HORIZON)
    part = apply(part_of(default_ir, "ImportSchemaGen"), parameters)
    writes = step_kind(part.node_type).writes
    assert writes is not None
    content = writes(part, parameters)
    local = write_schema(resolve(Settings(workspace=tmp_path, horizon=HORIZON)))
    assert content[1] == local.read_text()
    assert content[0] == Path("/data") / local.relative_to(tmp_path)


def test_hyperparameters_and_train_steps_reach_what_trains_only(default_ir: Any) -> None:
    values = {"hyperparameters": {"rnn": {"learning_rate": 0.25}}, "train_steps": 200}
    before = json.loads(properties(part_of(default_ir, "Trainer.rnn"))["custom_config"])
    rnn = properties(changed(default_ir, "Trainer.rnn", **values))
    assert json.loads(rnn["custom_config"])["hyperparameters"] == before["hyperparameters"] | {"learning_rate": 0.25}
    dnn = properties(changed(default_ir, "Trainer.dnn", **values))
    assert dnn["custom_config"] == properties(part_of(default_ir, "Trainer.dnn"))["custom_config"]
    for found in (rnn, dnn):
        assert json.loads(found["train_args"]) == {"splits": ["train"], "num_steps": 200}
    audited = json.loads(properties(changed(default_ir, "LeakAudit", **values))["custom_config"])
    assert audited["train_steps"] == 200
    trained = {name for name in ids(default_ir) if name.startswith("Trainer.") or name == "LeakAudit"}
    for node in set(ids(default_ir)) - trained:
        assert changed(default_ir, node, **values).ir == part_of(default_ir, node).ir, node


def test_what_is_accepted_reaches_the_selector_alone_as_if_compiled_with_it(
    default_ir: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    accepted = ("level test", "alarm")
    other = compiled_ir(accept_suspicion=accepted)
    assert defaults(default_ir).accept_suspicion == ()
    assert defaults(other).accept_suspicion == ("alarm", "level test")
    for node in ids(default_ir):
        found = changed(default_ir, node, accept_suspicion=accepted)
        assert found.ir == part_of(other, node).ir, node
        assert (found.ir != part_of(default_ir, node).ir) is (node == "ModelSelector"), node


def test_shares_and_since_reach_the_source_and_the_audit_keeps_its_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from components.feature_example_gen.config import ExampleGenConfig

    monkeypatch.chdir(tmp_path)
    ir = compiled_ir(source="tencent", since="2012-03-04", shares="sh600519", audit_plausible_auc=0.6)
    assert defaults(ir).since == datetime.date(2012, 3, 4)
    assert defaults(ir).shares == ("sh600519",)
    part = changed(ir, "FeatureExampleGen", shares=("sz000001",), since=datetime.date(2015, 6, 7))
    config = ExampleGenConfig.from_exec_properties(properties(part))
    assert config.shares == ("sz000001",)
    assert config.extraction is not None
    assert (config.extraction.plan.shares, config.extraction.plan.since) == (
        ("sz000001",), datetime.date(2015, 6, 7),
    )  # fmt: skip
    audited = json.loads(properties(changed(ir, "LeakAudit", horizon=HORIZON, shares=("sz000001",)))["custom_config"])
    assert audited["plausible_auc"] == 0.6
    # It makes the examples again, so it has to know of what they were made.
    assert (audited["shares"], audited["splits"]["horizon"]) == (["sz000001"], HORIZON)
    assert HORIZON in audited["splits"]["horizons"]


def test_since_without_a_source_is_refused(default_ir: Any) -> None:
    with pytest.raises(ParameterError, match="parameter since: the pipeline was compiled without a source"):
        changed(default_ir, "FeatureExampleGen", since=datetime.date(2015, 1, 1))


def test_the_cache_can_be_switched_off(default_ir: Any) -> None:
    for node in ids(default_ir):
        part = changed(default_ir, node, cache=False)
        assert not part.node.execution_options.caching_options.enable_cache
        part.node.execution_options.caching_options.enable_cache = True
        assert part.ir == part_of(default_ir, node).ir


@pytest.mark.parametrize(
    ("node", "values"),
    [
        ("FeatureExampleGen", {"shares": ("S001",)}),
        ("FeatureExampleGen", {"horizon": HORIZON}),
        ("ImportSchemaGen", {"horizon": HORIZON}),
        ("Transform", {"formatter": "closes"}),
        ("Trainer.linear", {"train_steps": 200}),
        ("Trainer.linear", {"hyperparameters": {"linear": {"category_l2": 0.5}}}),
        ("Evaluator", {"horizon": HORIZON}),
    ],
)
def test_a_changed_parameter_is_another_cache_key(default_ir: Any, tmp_path: Path, node: str, values: Any) -> None:
    assert cache_key(changed(default_ir, node, **values), tmp_path) != cache_key(part_of(default_ir, node), tmp_path)
    assert cache_key(changed(default_ir, node), tmp_path) == cache_key(part_of(default_ir, node), tmp_path)


def cache_key(part: Any, folder: Path) -> str:
    """What TFX's launcher looks the node up by."""
    from tfx.orchestration import data_types_utils, metadata
    from tfx.orchestration.local import runner_utils
    from tfx.orchestration.portable import cache_utils, inputs_utils

    deployment = runner_utils.extract_local_deployment_config(part.ir)
    parameters = inputs_utils.resolve_parameters_with_schema(node_parameters=part.node.parameters)
    connection = metadata.sqlite_metadata_connection_config(str(folder / "metadata.db"))
    with metadata.Metadata(connection) as handle:
        context = cache_utils.get_cache_context(
            metadata_handle=handle,
            pipeline_node=part.node,
            # The pipeline's name is left out: it alone would make another key of another horizon.
            pipeline_info=type(part.ir.pipeline_info)(id="same"),
            executor_spec=runner_utils.extract_executor_spec(deployment, part.node_id),
            input_artifacts={},
            output_artifacts={},
            parameters=data_types_utils.build_parsed_value_dict(parameters),
        )
    return str(context.name)


def test_the_audit_trains_what_the_run_trains(default_ir: Any) -> None:
    values = {"hyperparameters": {"linear": {"category_l2": 0.5}, "rnn": {"epochs": 4}}}
    [model] = json.loads(properties(changed(default_ir, "LeakAudit", **values))["custom_config"])["models"]
    before = json.loads(properties(part_of(default_ir, "Trainer.linear"))["custom_config"])
    assert model["name"] == "linear"
    assert model["hyperparameters"] == before["hyperparameters"] | {"category_l2": 0.5}
