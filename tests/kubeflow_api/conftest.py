"""A server with the API of Kubeflow Pipelines, and the project's commands run against it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from command_shell import Shell
from pipelines_server import pipelines_server

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def shell(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Shell]:
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    with pipelines_server() as (server, url):
        yield Shell(server, url, tmp_path / "work", capsys)


@pytest.fixture(scope="session")
def package() -> Path:
    """The default pipeline's, as it was reviewed."""
    return ROOT / "tests" / "kubeflow" / "golden" / "default.yaml"


@pytest.fixture(scope="session")
def small_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two steps, an input of every type, and one without a default."""
    path = tmp_path_factory.mktemp("small") / "small.yaml"
    inputs = {
        "days": {"parameterType": "NUMBER_INTEGER"},
        "share": {"parameterType": "STRING", "defaultValue": "IBM", "isOptional": True},
        "rate": {"parameterType": "NUMBER_DOUBLE", "defaultValue": 0.5, "isOptional": True},
        "cache": {"parameterType": "BOOLEAN", "defaultValue": True, "isOptional": True},
        "names": {"parameterType": "LIST", "defaultValue": ["a"], "isOptional": True},
        "table": {"parameterType": "STRUCT", "isOptional": True},
    }
    tasks = {
        "first": {"componentRef": {"name": "comp-step"}, "taskInfo": {"name": "first"}},
        "second": {
            "componentRef": {"name": "comp-step"},
            "dependentTasks": ["first"],
            "taskInfo": {"name": "second"},
        },
    }
    spec = {
        "pipelineInfo": {"name": "small-one"},
        "root": {"dag": {"tasks": tasks}, "inputDefinitions": {"parameters": inputs}},
        "components": {"comp-step": {"executorLabel": "exec-step"}},
        "deploymentSpec": {"executors": {"exec-step": {"container": {"image": "busybox", "command": ["true"]}}}},
        "schemaVersion": "2.1.0",
        "sdkVersion": "kfp-2.13.0",
    }
    path.write_text(yaml.safe_dump(spec))
    return path


@pytest.fixture
def uploaded(shell: Shell, package: Path) -> Shell:
    """The default pipeline is there, in one version."""
    assert shell.awesome("upload", str(package)).code == 0
    return shell


@pytest.fixture
def small(shell: Shell, small_package: Path) -> Shell:
    """The small pipeline is there, in one version."""
    assert shell.awesome("upload", str(small_package)).code == 0
    return shell
