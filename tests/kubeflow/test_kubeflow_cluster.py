"""What a cluster's settings may be, what KFP hands a pod, and the command; no TensorFlow, no TFX."""

from __future__ import annotations

import importlib.metadata
import io
import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND, clean_environment

from awesome_kubeflow.cluster import IMAGE_TFX, cluster_settings, other_tfx
from awesome_kubeflow.errors import CompileError, NodeError
from awesome_kubeflow.pod.executor_io import ExecutorInput, write_outputs
from awesome_kubeflow.pod.process import JsonFormatter

ROOT = Path(__file__).resolve().parents[2]


def test_the_two_clusters_are_told_apart_by_their_contexts() -> None:
    assert [cluster_settings({}, name).context for name in ("stage", "prod")] == ["training-stage", "training-prod"]


def test_tables_change_what_they_name_and_nothing_else() -> None:
    table = {"image": "registry/a:1", "resources": {"training": {"gpus": 1}}}
    changed, default = cluster_settings({"stage": table}, "stage"), cluster_settings({}, "stage")
    assert changed.image == "registry/a:1"
    assert changed.resources["training"].gpus == 1
    assert changed.resources["training"].memory_limit == default.resources["training"].memory_limit
    assert changed.resources["data"] == default.resources["data"]
    assert cluster_settings({"stage": table}, "prod").image == default.image


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"colour": "red"}, "clusters.stage.colour: there is no such setting"),
        ({"name": "x"}, "clusters.stage.name: there is no such setting"),
        ({"retries": "2"}, "clusters.stage.retries: '2' is not of the right type"),
        ({"retries": True}, "clusters.stage.retries: True is not of the right type"),
        ({"retries": -1}, "clusters.stage.retries: and retry_seconds are not negative"),
        ({"image_pull_policy": "Sometimes"}, "clusters.stage.image_pull_policy: is one of Always,"),
        ({"image_pull_secrets": [1]}, "clusters.stage.image_pull_secrets: is a list of names"),
        ({"data_folder": "data"}, "clusters.stage.data_folder: is an absolute folder"),
        ({"secrets": {"a": "b"}}, "clusters.stage.secrets: is a table by name"),
        ({"secrets": {"a": {"b": 1}}}, "clusters.stage.secrets: is a table by name"),
        ({"resources": {"magic": {}}}, "clusters.stage.resources.magic: there is no such kind of step"),
        ({"resources": {"training": {"gpu": 1}}}, "clusters.stage.resources.training.gpu: there is no such setting"),
        ({"resources": {"training": {"timeout": 0}}}, "clusters.stage.resources.training: needs a time-out"),
        ({"resources": {"training": {"node_selector": {"a": 1}}}}, "training.node_selector: is a table of labels"),
    ],
)
def test_a_wrong_setting_is_named(table: dict[str, Any], message: str) -> None:
    with pytest.raises(CompileError) as error:
        cluster_settings({"stage": table}, "stage")
    assert message in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("tables", "name"), [({}, "nowhere"), ({"nowhere": {}}, "stage")])
def test_there_are_two_clusters(tables: dict[str, Any], name: str) -> None:
    with pytest.raises(CompileError, match="cluster 'nowhere' does not exist; there are stage, prod"):
        cluster_settings(tables, name)


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("minio://bucket/v2/a/html", "/minio/bucket/v2/a/html"),
        ("s3://bucket/html", "/s3/bucket/html"),
        ("gs://bucket/html", "/gcs/bucket/html"),
        ("/tmp/out/html", "/tmp/out/html"),
    ],
)
def test_outputs_go_where_kfp_has_its_launcher_look(uri: str, path: str) -> None:
    from kfp import dsl

    text = json.dumps({"outputs": {"outputFile": "/o", "artifacts": {"html": {"artifacts": [{"uri": uri}]}}}})
    assert str(ExecutorInput.from_json(text).artifacts["html"].path) == path == dsl.HTML(uri=uri).path


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"outputs": {}}', '{"outputs": 1}'])
def test_what_is_no_executor_input_is_refused(text: str) -> None:
    with pytest.raises(NodeError, match="--executor-input"):
        ExecutorInput.from_json(text)


def test_kfp_reads_the_metrics_back_as_numbers(tmp_path: Path) -> None:
    from google.protobuf import json_format
    from kfp.pipeline_spec import pipeline_spec_pb2

    artifacts = {name: {"artifacts": [{"name": name, "uri": str(tmp_path / name)}]} for name in ("html", "metrics")}
    given = json.dumps({"outputs": {"outputFile": str(tmp_path / "o.json"), "artifacts": artifacts}})
    write_outputs(ExecutorInput.from_json(given), "<p>page", {"auc": 0.53, "rows": 912.0})
    output = json_format.Parse((tmp_path / "o.json").read_text(), pipeline_spec_pb2.ExecutorOutput())
    [metrics] = output.artifacts["metrics"].artifacts
    assert dict(metrics.metadata) == {"auc": 0.53, "rows": 912.0}
    assert (tmp_path / "html").read_text() == "<p>page"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["html", "metrics", "o.json"]


def test_a_log_record_is_one_line_of_json() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter("Pusher"))
    try:
        raise ValueError("two\nlines")
    except ValueError:
        record = logging.LogRecord("a.b", logging.ERROR, "", 0, "said\n%s", ("so",), sys.exc_info())
    handler.handle(record)
    [line] = stream.getvalue().splitlines()
    found = json.loads(line)
    assert (found["severity"], found["node"], found["message"]) == ("ERROR", "Pusher", "said\nso")
    assert "ValueError: two" in found["traceback"]


def awesome(folder: Path, *arguments: str, **variables: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=clean_environment(**variables), capture_output=True, text=True
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("arguments", "variables", "message"),
    [
        (
            ("--cluster", "moon"),
            {},
            "awesome: cluster (from --cluster): cluster 'moon' does not exist; there are stage, prod\n",
        ),
        (
            (),
            {"AWESOME_CLUSTERS": "{"},
            "awesome: AWESOME_CLUSTERS: is not JSON; write it like "
            'AWESOME_CLUSTERS=\'{"stage": {"image": "registry/awesome:1"}}\'\n',
        ),
        (
            (),
            {"AWESOME_CLUSTERS": '{"stage": {"image": 3}}'},
            "awesome: clusters (from AWESOME_CLUSTERS): clusters.stage.image: ",
        ),
        (("--formatter", "x"), {}, "awesome: formatter (from --formatter): formatter 'x' does not exist; there are"),
    ],
)
def test_the_command_refuses_in_one_line(
    tmp_path: Path, arguments: tuple[str, ...], variables: dict[str, str], message: str
) -> None:
    code, out, err = awesome(tmp_path, "kubeflow", "compile", *arguments, **variables)
    assert (code, out) == (1, "")
    assert err.startswith(message)
    assert len(err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_images_tfx_is_the_one_that_is_locked_for_its_python() -> None:
    pyproject = (ROOT / "pyproject.toml").read_text()
    assert f"\"tfx=={IMAGE_TFX}; python_version >= '3.12'\"" in pyproject
    assert other_tfx(IMAGE_TFX) is None
    warning = other_tfx("1.16.0")
    assert warning is not None
    assert "compiled by TFX 1.16.0" in warning


@pytest.mark.slow
def test_the_command_writes_the_package(tmp_path: Path) -> None:
    (tmp_path / "awesome.toml").write_text('[clusters.prod]\nimage = "registry/awesome:3"\n')
    code, out, err = awesome(
        tmp_path, "kubeflow", "compile", "--cluster", "prod", "--output", "p.yaml", "--models", "linear",
        AWESOME_NODE_METADATA_HOST="a-pod-s-variable-is-no-unknown-setting",
    )  # fmt: skip
    installed = importlib.metadata.version("tfx")
    assert code == 0
    # Which of the two lines of TFX this is, depends on the Python that the tests run on.
    assert err.startswith(f"warning: compiled by TFX {installed}, ") == (installed != IMAGE_TFX)
    assert len(err.splitlines()) == (installed != IMAGE_TFX)
    assert out.startswith("p.yaml: ")
    assert out.endswith(" KiB, for training-prod, image registry/awesome:3\n")
    assert "image: registry/awesome:3" in (tmp_path / "p.yaml").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["awesome.toml", "p.yaml"]
