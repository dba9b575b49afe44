"""The pipeline compiled for the stage cluster, read back, and its tasks as commands."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from awesome_kubeflow.cluster import ClusterSettings, cluster_settings

PULL, REPORT = "pulldatabase", "runreport"
"""The two tasks that are no nodes."""


@dataclass(frozen=True)
class Package:
    """A package on disk, and its two documents: KFP's pipeline spec, and what Kubernetes is told."""

    path: Path
    spec: dict[str, Any]
    platform: dict[str, Any]

    @property
    def tasks(self) -> dict[str, Any]:
        return dict(self.spec["root"]["dag"]["tasks"])

    @property
    def nodes(self) -> dict[str, Any]:
        """The tasks that are nodes of the pipeline."""
        return {name: task for name, task in self.tasks.items() if name not in (PULL, REPORT)}

    def program(self, task: str) -> list[str]:
        return list(self.spec["deploymentSpec"]["executors"][f"exec-{task}"]["container"]["command"])

    def arguments(self, task: str) -> list[str]:
        return list(self.spec["deploymentSpec"]["executors"][f"exec-{task}"]["container"]["args"])

    def slice_text(self, task: str) -> str:
        arguments = self.arguments(task)
        return arguments[arguments.index("--slice") + 1]

    def command(self, task: str, run_id: str, out: Path, parameters: dict[str, str]) -> list[str]:
        """The arguments as KFP's driver gives them to the pod."""
        definitions = self.spec["root"]["inputDefinitions"]["parameters"]
        values = {name: _text(one["defaultValue"]) for name, one in definitions.items()}
        values |= {"run_id": run_id, **parameters}
        outputs = self.spec["components"][f"comp-{task}"]["outputDefinitions"]["artifacts"]
        artifacts = {key: {"artifacts": [{"name": key, "uri": str(out / key)}]} for key in outputs}
        given = json.dumps({"outputs": {"outputFile": str(out / "output.json"), "artifacts": artifacts}})

        def filled(argument: str) -> str:
            if argument == "{{$}}":
                return given
            for name, value in values.items():
                argument = argument.replace("{{$.inputs.parameters['" + name + "']}}", value)
            return argument

        return [filled(argument) for argument in self.arguments(task)]


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def read_package(path: Path) -> Package:
    spec, platform = yaml.safe_load_all(path.read_text())
    return Package(path, spec, platform)


def default_pipeline(cluster: ClusterSettings | None = None, **changes: Any) -> Any:
    from awesome_kubeflow.package.pipelines import cluster_pipeline
    from pipeline.plan import resolve
    from pipeline.settings import Settings

    return cluster_pipeline(resolve(Settings(**changes)), cluster or cluster_settings({}, "stage"))


def compiled_ir(**changes: Any) -> Any:
    from tfx.dsl.compiler import compiler

    return compiler.Compiler().compile(default_pipeline(**changes))


def compiled(path: Path, cluster: ClusterSettings | None = None, **changes: Any) -> Package:
    """The pipeline of changed settings, as a package at the path."""
    from awesome_kubeflow.package.compiler import compile_package

    cluster = cluster or cluster_settings({}, "stage")
    return read_package(compile_package(default_pipeline(cluster, **changes), cluster, path))
