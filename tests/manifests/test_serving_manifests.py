"""The server's manifests, added to each overlay as the README says."""

from __future__ import annotations

import re
from typing import Any

import yaml
from needed import needed
from overlays import MANIFESTS, added, needs_kubectl, overlay

pytestmark = needs_kubectl

README = (MANIFESTS / "README.md").read_text(encoding="utf-8")


def of_kind(name: str, kind: str) -> Any:
    [found] = [one for one in added(name, "serving") if one["kind"] == kind]
    return found


def test_the_readme_says_how_they_are_added() -> None:
    assert "`- ../../serving`" in README
    assert "`- ../../kserve`" in README


def test_objects_of_the_server_fit_kubernetes_schemas(name: str) -> None:
    kubernetes_validate = needed("kubernetes_validate")
    objects = added(name, "serving")
    assert sorted(one["kind"] for one in objects) == ["Deployment", "NetworkPolicy", "Service"]
    for one in objects:
        kubernetes_validate.validate(one, kubernetes_validate.latest_version(), strict=True)
        assert one["metadata"]["namespace"] == "kubeflow"


def test_the_service_finds_the_servers_ports(name: str) -> None:
    template = of_kind(name, "Deployment")["spec"]["template"]
    [container] = template["spec"]["containers"]
    service = of_kind(name, "Service")
    assert service["spec"]["selector"].items() <= template["metadata"]["labels"].items()
    assert (
        of_kind(name, "Deployment")["spec"]["selector"]["matchLabels"].items() <= template["metadata"]["labels"].items()
    )
    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    assert {one["port"]: ports[one["targetPort"]] for one in service["spec"]["ports"]} == {8501: 8501, 8500: 8500}
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["port"] in ports
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert {container[one]["httpGet"]["path"] for one in ("startupProbe", "livenessProbe")} == {"/healthz"}
    assert not service["metadata"]["name"].startswith("awesome")


def test_the_server_needs_its_token_and_has_no_more_rights_than_it_needs(name: str) -> None:
    spec = of_kind(name, "Deployment")["spec"]["template"]["spec"]
    [container] = spec["containers"]
    [token] = container["env"]
    assert token["name"] == "AWESOME_SERVE_TOKEN"
    assert token["valueFrom"] == {"secretKeyRef": {"name": "awesome-serving", "key": "token"}}
    assert "create secret generic awesome-serving --from-literal=token=" in README
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["automountServiceAccountToken"] is False
    assert spec["enableServiceLinks"] is False
    known = {(one["kind"], one["metadata"]["name"]) for one in overlay(name)}
    assert ("ConfigMap", container["envFrom"][0]["configMapRef"]["name"]) in known
    assert ("PersistentVolumeClaim", spec["volumes"][0]["persistentVolumeClaim"]["claimName"]) in known


def test_the_server_is_asked_at_its_ports_and_asks_nobody(name: str) -> None:
    labels = of_kind(name, "Deployment")["spec"]["template"]["metadata"]["labels"]
    own = of_kind(name, "NetworkPolicy")["spec"]
    assert own["podSelector"]["matchLabels"].items() <= labels.items()
    assert own["policyTypes"] == ["Ingress"]
    assert {port["port"] for rule in own["ingress"] for port in rule["ports"]} == {"rest", "grpc"}
    outward = next(one for one in overlay(name) if one["metadata"]["name"] == "awesome-https")["spec"]
    components = next(
        one["values"] for one in outward["podSelector"]["matchExpressions"] if one["key"].endswith("component")
    )
    assert labels["app.kubernetes.io/component"] not in components


def test_the_servers_command_is_one_of_the_command_line(name: str) -> None:
    from typer.main import get_command

    from pipeline.cli import load_app

    [container] = of_kind(name, "Deployment")["spec"]["template"]["spec"]["containers"]
    program, command, *arguments = container["command"]
    serve: Any = get_command(load_app()).commands[command]  # type: ignore[attr-defined]
    context = serve.make_context(command, arguments)
    assert program == "awesome"
    assert (context.params["host"], context.params["port"], context.params["grpc_port"]) == ("0.0.0.0", 8501, 8500)


def test_kserve_runs_tensorflow_serving_over_the_same_folder(name: str) -> None:
    [service] = added(name, "kserve")
    assert (service["apiVersion"], service["kind"]) == ("serving.kserve.io/v1beta1", "InferenceService")
    model = service["spec"]["predictor"]["model"]
    assert model["modelFormat"]["name"] == "tensorflow"
    assert re.fullmatch(r"docker\.io/tensorflow/serving:\d+\.\d+\.\d+", model["image"])
    assert model["storageUri"].startswith("pvc://awesome-data/runs/serving/")
    config = next(one for one in overlay(name) if one["metadata"]["name"] == "awesome-training")["data"]
    assert config["AWESOME_WORKSPACE"] == "/data/runs"
    assert yaml.safe_dump(service)
