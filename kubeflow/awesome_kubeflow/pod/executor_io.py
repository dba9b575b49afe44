"""What KFP's launcher hands a pod and takes from it: the ExecutorInput, `{{$}}` among the arguments, and its output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awesome_kubeflow.errors import NodeError
from components.whole_files import write_whole

HTML, METRICS = "html", "metrics"

_MOUNTS = (("gs://", "/gcs/"), ("minio://", "/minio/"), ("s3://", "/s3/"), ("oci://", "/oci/"))
"""Where the launcher expects a pod to write what it then uploads."""


@dataclass(frozen=True)
class Artifact:
    """An output that the launcher expects, as it named it, and where the launcher uploads it to."""

    name: str
    uri: str

    @property
    def path(self) -> Path:
        """Where the pod writes it."""
        for scheme, mount in _MOUNTS:
            if self.uri.startswith(scheme):
                return Path(mount + self.uri[len(scheme) :])
        return Path(self.uri.removeprefix("file://"))


@dataclass(frozen=True)
class ExecutorInput:
    """The part of KFP's ExecutorInput that is used here.

    Attributes:
        output_file: where the pod lists what it wrote.
        artifacts: the outputs by name: html, and metrics of the Evaluator and of Evidence.
    """

    output_file: Path
    artifacts: Mapping[str, Artifact]

    @classmethod
    def from_json(cls, text: str) -> ExecutorInput:
        """Reads KFP's message.

        Raises:
            NodeError: it is no ExecutorInput.
        """
        try:
            outputs = json.loads(text)["outputs"]
            artifacts = {
                key: Artifact(str(value["artifacts"][0].get("name", key)), str(value["artifacts"][0]["uri"]))
                for key, value in outputs.get("artifacts", {}).items()
            }
            return cls(Path(outputs["outputFile"]), artifacts)
        except (ValueError, KeyError, IndexError, TypeError, AttributeError):
            raise NodeError("--executor-input: is not what Kubeflow Pipelines gives as {{$}}") from None


def write_outputs(where: ExecutorInput, page: str, metrics: Mapping[str, float] | None) -> None:
    """Writes the report and the metrics, and lists them in the output file, which comes last.

    Args:
        where: what the launcher said.
        page: an HTML document.
        metrics: finite numbers by name; None for a step without.
    """
    listed: dict[str, Any] = {}
    if HTML in where.artifacts:
        _write(where.artifacts[HTML].path, page)
        listed[HTML] = _entry(where.artifacts[HTML], {})
    if METRICS in where.artifacts and metrics is not None:
        _write(where.artifacts[METRICS].path, json.dumps(dict(metrics), indent=2) + "\n")
        listed[METRICS] = _entry(where.artifacts[METRICS], dict(metrics))
    _write(where.output_file, json.dumps({"artifacts": listed}) + "\n")


def _entry(artifact: Artifact, metadata: Mapping[str, float]) -> dict[str, Any]:
    return {"artifacts": [{"name": artifact.name, "uri": artifact.uri, "metadata": dict(metadata)}]}


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, text)
