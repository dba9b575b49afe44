"""The package: against a reviewed file, KFP's own loader and the pipeline's own edges."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from compiled_package import REPORT, compiled, default_pipeline

from awesome_kubeflow.cluster import cluster_settings
from awesome_kubeflow.errors import CompileError, SliceError

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

GOLDEN = Path(__file__).parent / "golden" / "default.yaml"


def readable(text: str) -> str:
    """The package without what differs between machines: the slices, which tests decode, and versions.

    The newer kfp-kubernetes also writes out that no secret and no map of settings is optional, which is the default.
    """
    text = re.sub(r"(- --slice\n\s+- )\S+", r"\1SLICE", text)
    text = re.sub(r"^ +optional: false\n", "", text, flags=re.MULTILINE)
    return re.sub(r"(sdkVersion: kfp-|image: awesome-training:)\S+", r"\1VERSION", text)


def test_the_default_package_is_the_reviewed_one(default_package: Any) -> None:
    text = readable(default_package.path.read_text())
    if os.environ.get("UPDATE_GOLDEN"):
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text(), "review the difference, then run again with UPDATE_GOLDEN=1"


def test_two_compilations_give_the_same_bytes(default_package: Any, tmp_path: Path) -> None:
    from awesome_kubeflow.package.compiler import KubeflowRunner

    again = KubeflowRunner(cluster_settings({}, "stage"), tmp_path / "again.yaml").run(default_pipeline())
    assert again.read_bytes() == default_package.path.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["again.yaml"]


def test_kfp_loads_the_package(default_package: Any) -> None:
    from kfp import components

    loaded = components.load_component_from_file(str(default_package.path))
    inputs = {name: one.default for name, one in loaded.component_spec.inputs.items()}
    assert inputs == {
        "shares": "", "since": "", "formatter": "window_returns", "horizon": 1.0, "hyperparameters": "{}",
        "train_steps": 0.0, "cache": True, "accept_suspicion": "",
    }  # fmt: skip


def test_edges_are_those_of_the_pipeline(default_package: Any, default_ir: Any) -> None:
    expected = {node.pipeline_node.node_info.id: set(node.pipeline_node.upstream_nodes) for node in default_ir.nodes}
    shown = {name: task["taskInfo"]["name"] for name, task in default_package.tasks.items()}
    found = {
        shown[name]: {shown[other] for other in task.get("dependentTasks", [])}
        for name, task in default_package.tasks.items()
    }
    assert found.pop("PullDatabase") == set()
    # It ends after everything: what is followed by another node is not named.
    assert found.pop("RunReport") == {"Pusher", "Evaluator"}
    expected["FeatureExampleGen"] = {"PullDatabase"}
    assert found == expected
    assert len(found) == 18


def test_each_task_carries_its_own_node_alone(default_package: Any, default_ir: Any) -> None:
    from tfx.proto.orchestration import pipeline_pb2

    from awesome_kubeflow.node import decode

    nodes = {node.pipeline_node.node_info.id: node for node in default_ir.nodes}
    for name, task in default_package.nodes.items():
        part = decode(default_package.slice_text(name))
        assert part.node_id == task["taskInfo"]["name"]
        assert list(part.ir.nodes) == [nodes[part.node_id]]
        deployment = pipeline_pb2.IntermediateDeploymentConfig()
        part.ir.deployment_config.Unpack(deployment)
        assert not deployment.HasField("metadata_connection_config")
        assert set(deployment.executor_specs) <= {part.node_id}


def test_no_path_of_this_machine_is_in_a_slice(default_package: Any) -> None:
    from awesome_kubeflow.node import decode

    for name in default_package.nodes:
        text = str(decode(default_package.slice_text(name)).ir)
        found = set(re.findall(r'[" ](/(?!dev/null|data/)[a-z]+/[^"\s]*)', text.replace('\\"', '"')))
        assert found == set(), name
        assert str(Path.cwd()) not in text


def test_metadata_connection_does_not_travel(default_ir: Any) -> None:
    from tfx.orchestration import metadata
    from tfx.proto.orchestration import pipeline_pb2

    from awesome_kubeflow.node import encode, slice_of
    from awesome_kubeflow.package.description import compiled_parameters

    ir = pipeline_pb2.Pipeline()
    ir.CopyFrom(default_ir)
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    ir.deployment_config.Unpack(deployment)
    secret = metadata.mysql_metadata_connection_config("host", 3306, "base", "user", "secret")
    deployment.metadata_connection_config.Pack(secret)
    ir.deployment_config.Pack(deployment)
    part = slice_of(ir, "Pusher", compiled_parameters(ir)[1])
    assert b"secret" in ir.SerializeToString()
    assert b"secret" not in part.ir.SerializeToString()
    assert encode(part) == encode(slice_of(default_ir, "Pusher", part.compiled))


def test_pods_get_what_the_cluster_says(tmp_path: Path) -> None:
    tables = {
        "prod": {
            "image": "registry/awesome:7",
            "image_pull_policy": "Always",
            "image_pull_secrets": ["pull"],
            "data_claim": "claim",
            "retries": 5,
            "secrets": {"keys": {"tiingo": "TIINGO"}},
            "resources": {"training": {"gpus": 2, "node_selector": {"pool": "gpu"}, "timeout": 77}},
        }
    }
    package = compiled(tmp_path / "p.yaml", cluster_settings(tables, "prod"), models=("linear",))
    platform = package.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    executors = package.spec["deploymentSpec"]["executors"]
    trainer, pusher = "exec-trainer-linear", "exec-pusher"
    assert executors[trainer]["container"]["resources"]["accelerator"]["resourceCount"] == "2"
    assert "accelerator" not in executors[pusher]["container"]["resources"]
    assert platform[trainer]["nodeSelector"]["labels"] == {"pool": "gpu"}
    assert "nodeSelector" not in platform[pusher]
    assert platform[trainer]["activeDeadlineSeconds"] == "77"
    for name in (trainer, pusher):
        assert executors[name]["container"]["image"] == "registry/awesome:7"
        assert platform[name]["imagePullPolicy"] == "Always"
        assert [one["secretName"] for one in platform[name]["imagePullSecret"]] == ["pull"]
        assert platform[name]["pvcMount"][0]["constant"] == "claim"
        assert [one["secretName"] for one in platform[name]["secretAsEnv"]] == ["keys"]
        assert package.tasks[name.removeprefix("exec-")]["retryPolicy"]["maxRetryCount"] == 5


def test_what_trains_or_judges_gets_the_resources_for_it(default_package: Any) -> None:
    executors = default_package.spec["deploymentSpec"]["executors"]
    platform = default_package.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]

    def given(task: str) -> tuple[Any, Any]:
        name = f"exec-{task}"
        return executors[name]["container"]["resources"], platform[name]["activeDeadlineSeconds"]

    assert given("leakaudit") == given("trainer-linear") != given("pusher")
    assert given("evidence") == given("evaluator") != given("pusher")


def test_only_two_tasks_see_the_account_of_the_storage(default_package: Any) -> None:
    platform = default_package.platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    mounts = {name: one["secretAsVolume"] for name, one in platform.items() if "secretAsVolume" in one}
    assert mounts.keys() == {"exec-pulldatabase", "exec-runreport"}
    for name, [mount] in mounts.items():
        assert mount["secretName"] == "awesome-storage"
        [variable] = default_package.spec["deploymentSpec"]["executors"][name]["container"]["env"]
        assert variable == {"name": "AWESOME_NODE_STORAGE_SECRET", "value": mount["mountPath"]}


@pytest.mark.parametrize(
    ("tables", "settings"),
    [({"stage": {"storage_secret": ""}}, {}), ({}, {"source": "tencent", "shares": "sh600519"})],
)
def test_nothing_is_pulled_without_a_storage_or_with_a_source(
    tables: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    package = compiled(tmp_path / "p.yaml", cluster_settings(tables, "stage"), models=("linear",), **settings)
    assert "pulldatabase" not in package.tasks
    assert "dependentTasks" not in package.tasks["featureexamplegen"]
    assert "runreport" in package.tasks


def test_the_report_is_told_what_no_parameter_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    package = compiled(
        tmp_path / "p.yaml", models=("linear", "dnn:1"), hyperparameters={"dnn": {"units": [8, 4], "epochs": 9}},
        seed=3, embargo=5, split_dates=("2005-01-03", "2006-01-03"), split_end="2008-01-02",
    )  # fmt: skip
    arguments = package.arguments(REPORT)
    told = json.loads(arguments[arguments.index("--compiled") + 1])
    assert sorted(told["models"]) == ["dnn:1", "linear:2"]
    settings = told["settings"]
    assert settings["hyperparameters"] == {"dnn": {"units": [8, 4], "epochs": 9}}
    assert (settings["seed"], settings["embargo"], settings["split_dates"]) == (3, 5, ["2005-01-03", "2006-01-03"])
    assert (settings["split_start"], settings["split_end"]) == (None, "2008-01-02")


def test_every_task_leaves_the_cache_to_tfx(default_package: Any) -> None:
    assert default_package.tasks
    assert all(task["cachingOptions"] == {} for task in default_package.tasks.values())


def test_names_that_collide_are_refused(tmp_path: Path) -> None:
    from awesome_kubeflow.package.compiler import compile_package

    pipeline = default_pipeline(models=("linear", "dnn"))
    by_id = {component.id: component for component in pipeline.components}
    by_id["Trainer.dnn"].with_id("Trainer-linear")
    with pytest.raises(CompileError, match=r"^nodes .*Trainer.linear.*: are both called trainer-linear"):
        compile_package(pipeline, cluster_settings({}, "stage"), tmp_path / "p.yaml")
    assert list(tmp_path.iterdir()) == []


def test_only_yaml_is_written(tmp_path: Path) -> None:
    from awesome_kubeflow.package.compiler import compile_package

    with pytest.raises(CompileError, match=r"p\.json: a package is a \.yaml file"):
        compile_package(None, cluster_settings({}, "stage"), tmp_path / "p.json")  # type: ignore[arg-type]


def test_slices_round_trip_and_refuse_another_tfx(default_package: Any) -> None:
    from awesome_kubeflow.node import decode, encode

    for name in default_package.nodes:
        text = default_package.slice_text(name)
        assert encode(decode(text)) == text
    other = encode(replace(decode(text), tfx_version="0.1"))
    with pytest.raises(SliceError, match=r"^--slice: the package was compiled by TFX 0\.1 and this image has TFX \S+;"):
        decode(other)
    for damaged in ("", "?", text[:-8], "AAAA"):
        with pytest.raises(SliceError, match="is no slice of a pipeline"):
            decode(damaged)
