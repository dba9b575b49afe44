"""What the overlays of kubeflow/manifests build to."""

from __future__ import annotations

import functools
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from needed import CI

ROOT = Path(__file__).resolve().parents[2]
MANIFESTS = ROOT / "kubeflow" / "manifests"
STAGE, PROD = "training-stage", "training-prod"
OVERLAYS = (STAGE, PROD)

BASES = "bases:\n  - ../../base\n"

Object = dict[str, Any]

needs_kubectl = [
    pytest.mark.host,
    pytest.mark.skipif(
        shutil.which("kubectl") is None and not CI, reason="kubectl is missing: install Debian's kubernetes-client"
    ),
]


def build(folder: Path) -> list[Object]:
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [one for one in yaml.safe_load_all(done.stdout) if one]


@functools.cache
def overlay(name: str) -> list[Object]:
    return build(MANIFESTS / "overlays" / name)


def of_kind(name: str, kind: str) -> dict[str, Object]:
    return {one["metadata"]["name"]: one for one in overlay(name) if one["kind"] == kind}


def pod_templates(name: str) -> dict[str, Object]:
    """Pod templates by `Kind/name` of what makes the pods."""
    found = {}
    for one in overlay(name):
        spec = one.get("spec", {})
        if one["kind"] == "CronJob":
            spec = spec["jobTemplate"]["spec"]
        if "template" in spec:
            found[f"{one['kind']}/{one['metadata']['name']}"] = spec["template"]
    return found


def containers(name: str) -> Iterator[tuple[str, Object, Object]]:
    """Where a container stands, the container, and its pod's specification."""
    for owner, template in pod_templates(name).items():
        spec = template["spec"]
        for one in (*spec.get("initContainers", []), *spec["containers"]):
            yield f"{owner}/{one['name']}", one, spec


def own_containers(name: str) -> dict[str, Object]:
    return {where: one for where, one, _ in containers(name) if "awesome-" in one["image"]}


def secret_keys(name: str) -> set[tuple[str, str]]:
    refs = [
        env["valueFrom"]["secretKeyRef"]
        for _, one, _ in containers(name)
        for env in one.get("env", [])
        if "secretKeyRef" in env.get("valueFrom", {})
    ]
    return {(ref["name"], ref["key"]) for ref in refs}


@functools.cache
def added(name: str, folder: str) -> tuple[Object, ...]:
    """What an overlay has more with a folder of manifests."""
    with tempfile.TemporaryDirectory() as temporary:
        copy = shutil.copytree(MANIFESTS, Path(temporary) / "manifests")
        path = copy / "overlays" / name / "kustomization.yaml"
        text = path.read_text(encoding="utf-8")
        assert BASES in text
        path.write_text(text.replace(BASES, f"{BASES}  - ../../{folder}\n"), encoding="utf-8")
        built = build(path.parent)
    known = overlay(name)
    assert all(one in built for one in known)
    return tuple(one for one in built if one not in known)
