"""What a cluster is told about the pods of a run: image, volume, secrets, resources, time-outs, by kind of step."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from awesome_kubeflow.errors import CompileError
from pipeline.paths import pattern_in

if TYPE_CHECKING:
    from pipeline.plan import Plan

STAGE, PROD = "stage", "prod"
PULL_POLICIES = ("Always", "IfNotPresent", "Never")


@dataclass(frozen=True)
class Resources:
    """What the pods of one kind of step ask for.

    Attributes:
        cpu_request: Kubernetes quantity, such as 500m.
        cpu_limit: likewise; empty for none.
        memory_request: Kubernetes quantity, such as 2Gi.
        memory_limit: likewise; empty for none.
        gpus: 0 for none.
        gpu_kind: the name under which the cluster hands out GPUs.
        node_selector: labels that the node must have.
        timeout: seconds after which the pod is ended; retries begin anew.
    """

    cpu_request: str = "500m"
    cpu_limit: str = "2"
    memory_request: str = "1Gi"
    memory_limit: str = "2Gi"
    gpus: int = 0
    gpu_kind: str = "nvidia.com/gpu"
    node_selector: Mapping[str, str] = field(default_factory=dict)
    timeout: int = 1800


_LIGHT = Resources()
_RESOURCES: Mapping[str, Resources] = {
    "data": Resources("1", "2", "2Gi", "4Gi", timeout=2 * 3600),
    "training": Resources("2", "4", "4Gi", "8Gi", timeout=6 * 3600),
    "evaluation": Resources("1", "2", "3Gi", "6Gi", timeout=2 * 3600),
    "light": _LIGHT,
}
"""A start, to be set from what the pods are seen to take; each file of awesome_kubeflow.steps names its own."""


def refused_address(address: str) -> str:
    """Why an address cannot be an endpoint's; empty where it can."""
    try:
        parts = urlsplit(address)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return "is not an address such as http://127.0.0.1:8888"
    if "@" in parts.netloc:
        # Addresses are printed, and awesome.toml is shared.
        return "holds a user or password; leave them out"
    if not usable or parts.query or parts.fragment or not address.isprintable() or " " in address:
        return f"is an address such as http://127.0.0.1:8888, not {address!r}"
    return ""


IMAGE_TFX = "1.21.0"
"""What the training image has; pods refuse packages that another version compiled."""


def other_tfx(installed: str) -> str | None:
    """What to warn of where that version of TFX compiles a package; None where it is that of the project's image."""
    if installed == IMAGE_TFX:
        return None
    return (
        f"warning: compiled by TFX {installed}, so its pods need an image with that version; "
        f"the project's training image has {IMAGE_TFX} and refuses it: compile there, see docs/kubeflow.md"
    )


def default_image() -> str:
    """The training image as `awesome kubeflow build` and the manifests name it: its tag is the project's version.

    Returns:
        Name and tag; the tag is `latest` where the project runs without having been installed.
    """
    try:
        return f"awesome-training:{importlib.metadata.version('awesome')}"
    except importlib.metadata.PackageNotFoundError:
        return "awesome-training:latest"


def _metadata_variables(*keys: str) -> dict[str, str]:
    return {key: f"AWESOME_NODE_METADATA_{key.upper()}" for key in keys}


@dataclass(frozen=True)
class ClusterSettings:
    """One cluster; `[clusters.stage]` and `[clusters.prod]` of awesome.toml change the defaults.

    Attributes:
        name: stage or prod.
        context: of kubectl.
        namespace: where runs take place.
        endpoint: of the API of Kubeflow Pipelines, such as http://127.0.0.1:8888; empty for none.
        ui: address that links to runs and pipelines begin with; empty for the endpoint.
        ca_certificate: file of the certificates that vouch for the endpoint; empty for the usual ones.
        image: the training image; by default of the installed version, without a registry.
        image_pull_policy: Always, IfNotPresent or Never.
        image_pull_secrets: names of secrets for the image's registry.
        data_claim: the PersistentVolumeClaim of database, artifacts and pushed models (ReadWriteMany).
        data_folder: where pods see it.
        storage_secret: the Secret whose keys are the variables of object storage, AWESOME_STORAGE_URL and an account;
            empty where nothing comes from there and nothing goes there.
        secrets: by name of a Secret, which of its keys becomes which variable.
        config_maps: by name of a ConfigMap, likewise.
        retries: of a step that failed.
        retry_seconds: before the first retry; doubled for each further one.
        resources: by kind of step: data, training, evaluation, light.
    """

    name: str
    context: str
    namespace: str = "kubeflow"
    endpoint: str = ""
    ui: str = ""
    ca_certificate: str = ""
    image: str = field(default_factory=default_image)
    image_pull_policy: str = "IfNotPresent"
    image_pull_secrets: tuple[str, ...] = ()
    data_claim: str = "awesome-data"
    data_folder: str = "/data"
    storage_secret: str = "awesome-storage"
    secrets: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {"awesome-metadata": _metadata_variables("user", "password")}
    )
    config_maps: Mapping[str, Mapping[str, str]] = field(
        default_factory=lambda: {"awesome-metadata": _metadata_variables("host", "port", "database")}
    )
    retries: int = 2
    retry_seconds: int = 30
    resources: Mapping[str, Resources] = field(default_factory=lambda: dict(_RESOURCES))

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            CompileError: a setting makes no sense; the message names it.
        """
        if self.image_pull_policy not in PULL_POLICIES:
            self._refuse("image_pull_policy", f"is one of {', '.join(PULL_POLICIES)}, not {self.image_pull_policy!r}")
        if not self.data_folder.startswith("/") or self.data_folder == "/":
            self._refuse("data_folder", f"is an absolute folder below /, not {self.data_folder!r}")
        if why := pattern_in(Path(self.data_folder)):
            self._refuse("data_folder", why)
        for name, address in (("endpoint", self.endpoint), ("ui", self.ui)):
            if why := address and refused_address(address):
                self._refuse(name, why)
        if self.retries < 0 or self.retry_seconds < 0:
            self._refuse("retries", "and retry_seconds are not negative")
        for kind, resources in self.resources.items():
            if resources.timeout < 1 or resources.gpus < 0:
                self._refuse(f"resources.{kind}", "needs a time-out of at least a second, and gpus of 0 or more")
        if missing := _RESOURCES.keys() - self.resources.keys():
            self._refuse("resources", f"lack {', '.join(sorted(missing))}")

    def _refuse(self, name: str, why: str) -> None:
        raise CompileError(f"clusters.{self.name}.{name}: {why}")


_CONTEXTS = {STAGE: "training-stage", PROD: "training-prod"}


def chosen_cluster(plan: Plan) -> ClusterSettings:
    """The settings of the plan's cluster.

    Raises:
        CompileError: as in `cluster_settings`; it names the setting and where it came from.
    """
    settings = plan.settings
    try:
        return cluster_settings(settings.clusters, settings.cluster)
    except CompileError as error:
        name = "clusters" if settings.cluster in _CONTEXTS else "cluster"
        raise CompileError(f"{name} (from {plan.origins.get(name, 'default')}): {error}") from None


def cluster_settings(tables: Mapping[str, Mapping[str, Any]], name: str) -> ClusterSettings:
    """The settings of one cluster, stage or prod; `tables` (`Settings.clusters`) hold what differs from the defaults.

    Raises:
        CompileError: there is no such cluster or setting, or a value is of another type.
    """
    for known in (name, *tables):
        if known not in _CONTEXTS:
            raise CompileError(f"cluster {known!r} does not exist; there are {', '.join(_CONTEXTS)}")
    cluster = ClusterSettings(name=name, context=_CONTEXTS[name])
    values = dict(tables.get(name, {}))
    given = values.pop("resources", {})
    _check(f"clusters.{name}", cluster, values)
    if not isinstance(given, Mapping):
        raise CompileError(f"clusters.{name}.resources: is a table by kind of step")
    resources = dict(cluster.resources)
    for kind, table in given.items():
        where = f"clusters.{name}.resources.{kind}"
        if kind not in resources:
            raise CompileError(f"{where}: there is no such kind of step; there are {', '.join(resources)}")
        if not isinstance(table, Mapping):
            raise CompileError(f"{where}: is a table")
        _check(where, resources[kind], table)
        resources[kind] = replace(resources[kind], **table)
    if "image_pull_secrets" in values:
        values["image_pull_secrets"] = tuple(values["image_pull_secrets"])
    return replace(cluster, **values, resources=resources)


def _check(where: str, defaults: Any, values: Mapping[str, Any]) -> None:
    """Refuses names that do not exist and values of another type than the default's."""
    known = {one.name for one in fields(defaults)} - {"name"}
    for name, value in values.items():
        if name not in known:
            raise CompileError(f"{where}.{name}: there is no such setting; there are {', '.join(sorted(known))}")
        default = getattr(defaults, name)
        wanted = (
            Mapping if isinstance(default, Mapping) else (list, tuple) if isinstance(default, tuple) else type(default)
        )
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise CompileError(f"{where}.{name}: {value!r} is not of the right type, as {default!r} is")
        if name in ("secrets", "config_maps") and not all(_is_of_texts(table) for table in values[name].values()):
            raise CompileError(f"{where}.{name}: is a table by name: which key becomes which variable")
        if name == "node_selector" and not _is_of_texts(value):
            raise CompileError(f"{where}.{name}: is a table of labels and their values")
        if isinstance(value, (list, tuple)) and not all(isinstance(item, str) for item in value):
            raise CompileError(f"{where}.{name}: is a list of names")


def _is_of_texts(table: object) -> bool:
    return isinstance(table, Mapping) and all(isinstance(part, str) for pair in table.items() for part in pair)
