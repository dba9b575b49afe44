"""As much of a kube-apiserver as kubectl's `diff` and `apply` ask of one: objects by path, dry runs, namespaces."""

from __future__ import annotations

import copy
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from http_here import Request, answering

Object = dict[str, Any]

_KINDS = {
    "v1": {
        "ConfigMap": "configmaps",
        "PersistentVolumeClaim": "persistentvolumeclaims",
        "Service": "services",
        "ServiceAccount": "serviceaccounts",
    },
    "apps/v1": {"StatefulSet": "statefulsets"},
    "batch/v1": {"CronJob": "cronjobs"},
    "networking.k8s.io/v1": {"NetworkPolicy": "networkpolicies"},
}
_VERSION = {"major": "1", "minor": "29", "gitVersion": "v1.29.0", "platform": "linux/amd64"}


@dataclass
class Cluster:
    """What the server keeps and was asked.

    Attributes:
        namespaces: that exist.
        objects: by path, such as /api/v1/namespaces/kubeflow/configmaps/awesome-shares.
        writes: method and path of every request that changed something.
        dry_runs: how many did not.
        refused: by an object's name, why a write of it is refused; a dry run is not.
    """

    namespaces: set[str] = field(default_factory=lambda: {"kubeflow"})
    objects: dict[str, Object] = field(default_factory=dict)
    writes: list[tuple[str, str]] = field(default_factory=list)
    dry_runs: int = 0
    refused: dict[str, str] = field(default_factory=dict)

    def answer(self, method: str, path: str, query: dict[str, str], body: Object | None) -> tuple[int, Object]:
        """The status and the body of one request."""
        if method == "GET":
            found = _discovery(path) or self.objects.get(path)
            return (200, found) if found is not None else (404, _status(404, "NotFound", f"{path} not found"))
        assert body is not None
        namespace = path.split("/namespaces/")[1].split("/")[0]
        if namespace not in self.namespaces:
            return 404, _status(404, "NotFound", f'namespaces "{namespace}" not found')
        where = path if method == "PATCH" else f"{path}/{body['metadata']['name']}"
        changed = _merged(self.objects[where], body) if method == "PATCH" else _created(where, body)
        status = 200 if method == "PATCH" else 201
        if query.get("dryRun") == "All":
            self.dry_runs += 1
            return status, changed
        name = where.rpartition("/")[2]
        if name in self.refused:
            return 403, _status(403, "Forbidden", self.refused[name])
        self.objects[where] = changed
        self.writes.append((method, where))
        return status, changed


@contextmanager
def kubernetes_api() -> Iterator[tuple[Cluster, str]]:
    """A cluster, and the address of its server on this machine."""
    cluster = Cluster()
    lock = threading.Lock()

    def answer(request: Request) -> tuple[int, bytes, str]:
        if request.path == "/openapi/v2":
            return 200, _openapi(), "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
        body = json.loads(request.content) if request.content else None
        with lock:
            status, found = cluster.answer(request.method, request.path, request.query, body)
            return status, json.dumps(found).encode(), "application/json"

    with answering(answer) as address:
        yield cluster, address


def write_kubeconfig(path: Path, contexts: dict[str, str]) -> Path:
    """A kubeconfig with contexts and the addresses of their clusters; none of them is the current one."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in contexts.items()],
        "users": [{"name": "developer", "user": {}}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "developer"}} for name in contexts],
    }
    path.write_text(json.dumps(config))
    return path


def _status(code: int, reason: str, message: str) -> Object:
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }


def _discovery(path: str) -> Object | None:
    groups = [version for version in _KINDS if "/" in version]
    if path == "/version":
        return dict(_VERSION)
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"]}
    if path == "/apis":
        listed = []
        for version in groups:
            preferred = {"groupVersion": version, "version": version.partition("/")[2]}
            listed.append({"name": version.partition("/")[0], "versions": [preferred], "preferredVersion": preferred})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}
    version = path.removeprefix("/apis/").removeprefix("/api/")
    if path not in (f"/api/{version}", f"/apis/{version}") or version not in _KINDS:
        return None
    resources = [
        {"name": plural, "singularName": "", "namespaced": True, "kind": kind, "verbs": ["create", "get", "patch"]}
        for kind, plural in _KINDS[version].items()
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _created(where: str, body: Object) -> Object:
    """The object as a server gives it back, with what it fills in itself."""
    made = copy.deepcopy(body)
    made["metadata"]["uid"] = f"uid-of-{where.rpartition('/')[2]}"
    made["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    return made


def _merged(old: Any, patch: Any) -> Any:
    """RFC 7396; a strategic patch of fields that are no lists is one."""
    if not isinstance(patch, dict):
        return patch
    merged = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = _merged(merged.get(key), value)
    return merged


def _openapi() -> bytes:
    """OpenAPI v2 in protobuf: that PATCH of every kind takes dryRun and fieldValidation, which kubectl looks up."""

    def one(number: int, content: bytes | str) -> bytes:
        content = content.encode() if isinstance(content, str) else content
        length, size = bytearray(), len(content)
        while True:
            length.append(size & 0x7F | (0x80 if size > 0x7F else 0))
            size >>= 7
            if not size:
                return bytes([number << 3 | 2]) + bytes(length) + content

    def query(name: str) -> bytes:  # ParametersItem.parameter.non_body_parameter.query_parameter_sub_schema.name
        return one(8, one(1, one(2, one(3, one(2, "query") + one(4, name)))))

    paths = b""
    for version, kinds in _KINDS.items():
        group, _, number = version.rpartition("/")
        root = f"/apis/{version}" if group else f"/api/{version}"
        for kind, plural in kinds.items():
            known = json.dumps({"group": group, "kind": kind, "version": number})
            extension = one(13, one(1, "x-kubernetes-group-version-kind") + one(2, one(2, known)))
            patch = query("dryRun") + query("fieldValidation") + extension
            paths += one(2, one(1, f"{root}/namespaces/{{namespace}}/{plural}/{{name}}") + one(2, one(8, patch)))
    return one(1, "2.0") + one(2, one(1, "Kubernetes") + one(2, "v1.29.0")) + one(8, paths)
