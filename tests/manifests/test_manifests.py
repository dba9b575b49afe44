"""kubeflow/manifests: what both overlays build to, checked without a cluster."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from needed import needed
from overlays import (
    MANIFESTS,
    OVERLAYS,
    PROD,
    STAGE,
    Object,
    build,
    containers,
    needs_kubectl,
    of_kind,
    overlay,
    pod_templates,
    secret_keys,
)

README = (MANIFESTS / "README.md").read_text(encoding="utf-8")
SCRIPT = "extract-then-succeed"
PART_OF = "app.kubernetes.io/part-of"
COMPONENT = "app.kubernetes.io/component"

pytestmark = needs_kubectl

ENUMS = {
    "concurrencyPolicy": {"Allow", "Forbid", "Replace"},
    "imagePullPolicy": {"Always", "IfNotPresent", "Never"},
    "terminationMessagePolicy": {"File", "FallbackToLogsOnError"},
    "fsGroupChangePolicy": {"OnRootMismatch", "Always"},
    "accessModes": {"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"},
    "policyTypes": {"Ingress", "Egress"},
    "protocol": {"TCP", "UDP", "SCTP"},
    "restartPolicy": {"Always", "OnFailure", "Never"},
    "operator": {"In", "NotIn", "Exists", "DoesNotExist"},
    "action": {"FailJob", "FailIndex", "Ignore", "Count"},
}
"""By field, wherever it stands; kubernetes-validate lets wrong ones through."""
ENUMS_BY_PARENT = {
    "seccompProfile": {"type": {"RuntimeDefault", "Unconfined", "Localhost"}},
    "Service": {"type": {"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}},
    "onPodConditions": {
        "type": {"DisruptionTarget", "PodScheduled", "Initialized", "ContainersReady", "Ready"},
        "status": {"True", "False", "Unknown"},
    },
}


def wrong_enums(node: Any, parent: str = "") -> list[str]:
    """Fields whose value is not one of those that Kubernetes knows."""
    found = []
    if isinstance(node, list):
        return [text for item in node for text in wrong_enums(item, parent)]
    if not isinstance(node, dict):
        return []
    for key, value in node.items():
        known = ENUMS_BY_PARENT.get(parent, {}).get(key) or ENUMS.get(key)
        if known is not None:
            values = value if isinstance(value, list) else [value]
            found += [f"{key}: {one}" for one in values if one not in known]
        found += wrong_enums(value, node["kind"] if key == "spec" and "kind" in node else key)
    return found


def test_overlay_builds_everything_once(name: str) -> None:
    identities = [(one["kind"], one["metadata"]["name"]) for one in overlay(name)]
    assert len(identities) == len(set(identities))
    assert {
        ("CronJob", "awesome-extractor"),
        ("CronJob", "awesome-training"),
        ("CronJob", "awesome-daily"),
        ("StatefulSet", "awesome-metadata"),
        ("Service", "metadata-mariadb"),
        ("PersistentVolumeClaim", "awesome-data"),
        ("PersistentVolumeClaim", "awesome-extractor"),
        ("PersistentVolumeClaim", "awesome-daily"),
        ("ServiceAccount", "awesome"),
        ("ConfigMap", "awesome-metadata"),
    } <= set(identities)
    assert {one["metadata"]["namespace"] for one in overlay(name)} == {"kubeflow"}


def test_objects_fit_kubernetes_schemas(name: str) -> None:
    kubernetes_validate = needed("kubernetes_validate")
    for one in overlay(name):
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)


def test_enums_are_known_to_kubernetes(name: str) -> None:
    assert wrong_enums(overlay(name)) == []


@pytest.mark.parametrize(
    ("node", "wrong"),
    [
        ({"kind": "CronJob", "spec": {"concurrencyPolicy": "Forbidden"}}, ["concurrencyPolicy: Forbidden"]),
        ({"kind": "Service", "spec": {"type": "Cluster"}}, ["type: Cluster"]),
        ({"spec": {"accessModes": ["ReadWriteMany", "RWX"]}}, ["accessModes: RWX"]),
        ({"securityContext": {"seccompProfile": {"type": "Default"}}}, ["type: Default"]),
        ({"rules": [{"action": "Stop"}, {"action": "Ignore"}]}, ["action: Stop"]),
    ],
)
def test_a_wrong_enum_is_found(node: Object, wrong: list[str]) -> None:
    assert wrong_enums(node) == wrong


def test_what_is_referred_to_is_there(name: str) -> None:
    claims, config_maps = of_kind(name, "PersistentVolumeClaim"), of_kind(name, "ConfigMap")
    for owner, template in pod_templates(name).items():
        spec = template["spec"]
        assert spec["serviceAccountName"] in of_kind(name, "ServiceAccount"), owner
        for volume in spec["volumes"]:
            if "persistentVolumeClaim" in volume:
                assert volume["persistentVolumeClaim"]["claimName"] in claims, owner
            if "configMap" in volume:
                assert volume["configMap"]["name"] in config_maps, owner
    claimed = {
        one["metadata"]["name"]
        for stateful in of_kind(name, "StatefulSet").values()
        for one in stateful["spec"]["volumeClaimTemplates"]
    }
    for where, one, spec in containers(name):
        volumes = {volume["name"] for volume in spec["volumes"]} | claimed
        assert {mount["name"] for mount in one["volumeMounts"]} <= volumes, where
        for source in one.get("envFrom", []):
            assert source["configMapRef"]["name"] in config_maps, where
        for env in one.get("env", []):
            ref = env.get("valueFrom", {}).get("configMapKeyRef")
            assert ref is None or ref["key"] in config_maps[ref["name"]]["data"], where


def test_selectors_find_their_pods(name: str) -> None:
    stateful = of_kind(name, "StatefulSet")["awesome-metadata"]
    service = of_kind(name, "Service")["metadata-mariadb"]
    labels = stateful["spec"]["template"]["metadata"]["labels"]
    assert stateful["spec"]["serviceName"] == "metadata-mariadb"
    assert stateful["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert service["spec"]["selector"].items() <= labels.items()
    port = service["spec"]["ports"][0]
    container = stateful["spec"]["template"]["spec"]["containers"][0]
    named = {one["name"]: one["containerPort"] for one in container["ports"]}
    metadata = of_kind(name, "ConfigMap")["awesome-metadata"]["data"]
    assert (metadata["host"], metadata["port"]) == ("metadata-mariadb", str(port["port"]))
    assert named[port["targetPort"]] == port["port"]


def test_every_object_and_pod_is_labelled(name: str) -> None:
    for one in [*overlay(name), *pod_templates(name).values()]:
        labels = one["metadata"]["labels"]
        assert labels[PART_OF] == "awesome", one
        assert labels["app.kubernetes.io/managed-by"] == "kustomize", one
        assert "app.kubernetes.io/name" in labels, one


# Settings and commands


def test_training_waits_to_be_asked(name: str) -> None:
    spec = of_kind(name, "CronJob")["awesome-training"]["spec"]
    assert spec["suspend"] is True
    assert re.search(r"create job --from=cronjob/awesome-training ", README)


def test_the_daily_loop_runs_alone_and_lets_a_partial_day_pass(name: str) -> None:
    spec = of_kind(name, "CronJob")["awesome-daily"]["spec"]
    assert (spec["suspend"], spec["concurrencyPolicy"]) == (True, "Forbid")
    assert "cronjob awesome-extractor -p" in README
    [container] = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    # tests/daily shows that the option makes a success of a partial day. A shell before it would not pass signals on.
    assert container["command"] == ["awesome", "daily", "--part-suffices"]


# Secrets, users, network


def test_secrets_are_referred_to_and_documented(name: str) -> None:
    assert not of_kind(name, "Secret")
    keys = secret_keys(name)
    assert keys
    documented = set()
    secret = ""
    for line in README.splitlines():
        if row := re.match(r"\| (?:`([\w-]+)`)? ?\| (`[\w-]+`(?:, `[\w-]+`)*) \|", line):
            secret = row[1] or secret
            documented |= {(secret, key) for key in re.findall(r"`([\w-]+)`", row[2])}
    assert keys == documented


def test_no_secret_stands_in_the_manifests() -> None:
    name = re.compile(r"PASSWORD|SECRET|API_KEY|ACCESS_KEY")
    for one in [*overlay(STAGE), *overlay(PROD)]:
        if one["kind"] == "ConfigMap":
            assert not [key for key in one["data"] if name.search(key.upper())]
    for overlay_name in OVERLAYS:
        for where, one, _ in containers(overlay_name):
            for env in one.get("env", []):
                assert not (name.search(env["name"]) and "value" in env), where


def test_no_container_has_more_rights_than_it_needs(name: str) -> None:
    assert of_kind(name, "ServiceAccount")["awesome"]["automountServiceAccountToken"] is False
    for where, one, spec in containers(name):
        pod, own = spec["securityContext"], one["securityContext"]
        assert spec["automountServiceAccountToken"] is False, where
        assert pod["runAsNonRoot"] is True, where
        assert pod["runAsUser"] > 0, where
        assert pod["seccompProfile"] == {"type": "RuntimeDefault"}, where
        assert own == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }, where
        assert not spec.keys() & {"hostNetwork", "hostPID", "hostIPC"}, where
        assert not [volume for volume in spec["volumes"] if "hostPath" in volume], where
        assert "/tmp" in {mount["mountPath"] for mount in one["volumeMounts"]}, where
        assert {"cpu", "memory"} <= one["resources"]["requests"].keys(), where
        assert "memory" in one["resources"]["limits"], where


def selects(selector: Object, labels: dict[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert all(one["operator"] == "In" for one in expressions)
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(one["key"]) in one["values"] for one in expressions
    )


def test_network_is_closed_but_for_what_each_pod_needs(name: str) -> None:
    policies = [one["spec"] for one in of_kind(name, "NetworkPolicy").values()]
    out: dict[str, set[Any]] = {}
    into: dict[str, set[Any]] = {}
    for template in pod_templates(name).values():
        labels = template["metadata"]["labels"]
        here = [one for one in policies if selects(one["podSelector"], labels)]
        assert {kind for one in here for kind in one["policyTypes"]} == {"Ingress", "Egress"}
        part = labels[COMPONENT]
        out[part] = {p["port"] for one in here for rule in one.get("egress", []) for p in rule["ports"]}
        into[part] = {p["port"] for one in here for rule in one.get("ingress", []) for p in rule["ports"]}
    assert out == {"extractor": {53, 443}, "training": {53, 443}, "metadata": set()}
    assert into == {"extractor": set(), "training": set(), "metadata": {"mariadb"}}
    for one in policies:
        assert one["podSelector"], "a policy for every pod of the namespace would close Kubeflow's own"
        for rule in one.get("ingress", []):
            assert [peer["podSelector"]["matchLabels"] for peer in rule["from"]] == [
                {"pipelines.kubeflow.org/v2_component": "true"}
            ]


# Overlays


def paths(node: Any, prefix: str = "") -> dict[str, Any]:
    if isinstance(node, dict):
        return {k: v for key, value in node.items() for k, v in paths(value, f"{prefix}.{key}").items()}
    if isinstance(node, list):
        return {k: v for i, value in enumerate(node) for k, v in paths(value, f"{prefix}[{i}]").items()}
    return {prefix: node}


def test_overlays_differ_in_shares_sizes_and_tags_only() -> None:
    flat = {}
    for name in OVERLAYS:
        flat[name] = {
            f"{one['kind']}/{one['metadata']['name']}{path}": value
            for one in overlay(name)
            for path, value in paths(one).items()
        }
    stage, prod = flat[STAGE], flat[PROD]
    different = {key for key in stage.keys() | prod.keys() if stage.get(key, ...) != prod.get(key, ...)}
    allowed = re.compile(
        r"ConfigMap/awesome-shares\.data\.shares"
        r"|PersistentVolumeClaim/[\w-]+\.spec\.(resources\.requests\.storage|storageClassName)"
        r"|.*ontainers\[\d+\]\.image"
    )
    assert different
    assert not [key for key in different if not allowed.fullmatch(key)]
    for key in different:
        if key.endswith(".image"):
            assert stage[key].rpartition(":")[0] == prod[key].rpartition(":")[0]


def test_images_are_named_with_a_tag(name: str) -> None:
    images = {one["image"] for _, one, _ in containers(name)}
    assert {image.rpartition(":")[0].rpartition("/")[2] for image in images} == {
        "awesome-extractor",
        "awesome-training",
        "mariadb",
    }
    assert not [image for image in images if image.endswith(":latest")]


def test_mariadb_can_be_left_out(tmp_path: Path) -> None:
    shutil.copytree(MANIFESTS, tmp_path / "manifests")
    folder = tmp_path / "manifests" / "overlays" / PROD
    text = (folder / "kustomization.yaml").read_text(encoding="utf-8")
    text = text.replace("  - ../../metadata-mariadb\n", "").replace("resources:\n", "resources:\n  - metadata.yaml\n")
    (folder / "kustomization.yaml").write_text(text, encoding="utf-8")
    example = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert example is not None
    (folder / "metadata.yaml").write_text(example[1], encoding="utf-8")

    built = build(folder)
    assert not [one for one in built if one["kind"] in ("StatefulSet", "Service")]
    metadata = next(one for one in built if one["metadata"]["name"] == "awesome-metadata")
    assert metadata["data"].keys() == of_kind(PROD, "ConfigMap")["awesome-metadata"]["data"].keys()
    assert len(built) == len(overlay(PROD)) - 3  # StatefulSet, Service and NetworkPolicy
