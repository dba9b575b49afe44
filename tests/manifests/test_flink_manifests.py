"""The manifests of Flink, added to each overlay as the README says; the operator's own kind has no schema here."""

from __future__ import annotations

from typing import Any

from needed import needed
from overlays import MANIFESTS, added, needs_kubectl, overlay

pytestmark = needs_kubectl

README = (MANIFESTS / "README.md").read_text(encoding="utf-8")


def one(name: str, kind: str, called: str) -> Any:
    [found] = [one for one in added(name, "flink") if (one["kind"], one["metadata"]["name"]) == (kind, called)]
    return found


def test_the_readme_says_how_it_is_added() -> None:
    assert "`- ../../flink`" in README


def test_objects_fit_kubernetes_schemas(name: str) -> None:
    kubernetes_validate = needed("kubernetes_validate")
    objects = added(name, "flink")
    kinds = ["Deployment", "FlinkDeployment", "NetworkPolicy", "NetworkPolicy", "NetworkPolicy", "Service"]
    assert sorted(one["kind"] for one in objects) == kinds
    version = kubernetes_validate.latest_version()
    for each in objects:
        assert each["metadata"]["namespace"] == "kubeflow"
        if each["kind"] != "FlinkDeployment":
            kubernetes_validate.validate(each, version, strict=True)
    # The template of the TaskManagers is a Pod of Kubernetes' own.
    template = one(name, "FlinkDeployment", "share-flink")["spec"]["taskManager"]["podTemplate"]
    main = template["spec"]["containers"][0]
    main["image"] = "flink"
    kubernetes_validate.validate(template, version, strict=True)
    del main["image"]


def test_each_task_manager_has_workers_that_see_the_shared_volume(name: str) -> None:
    from typer.main import get_command

    from pipeline.cli.application import load_app
    from pipeline.engine import Engine

    spec = one(name, "FlinkDeployment", "share-flink")["spec"]["taskManager"]["podTemplate"]["spec"]
    main, workers = spec["containers"]
    assert main["name"] == "flink-main-container"
    program, command, *arguments = workers["command"]
    known: Any = get_command(load_app()).commands[command]  # type: ignore[attr-defined]
    port = known.make_context(command, arguments).params["port"]
    assert (program, f"localhost:{port}") == ("awesome", Engine().workers)
    jobs = {each["metadata"]["name"]: each["spec"] for each in overlay(name) if each["kind"] == "CronJob"}
    steps = jobs["awesome-training"]["jobTemplate"]["spec"]["template"]["spec"]
    image = steps["containers"][0]["image"]
    assert workers["image"] == image
    volume = next(one for one in spec["volumes"] if one["name"] == "data")
    assert volume in steps["volumes"]
    assert {"name": "data", "mountPath": "/data"} in workers["volumeMounts"]
    assert spec["enableServiceLinks"] is False


def test_the_job_server_finds_flink_and_is_found(name: str) -> None:
    flink = one(name, "FlinkDeployment", "share-flink")
    deployment = one(name, "Deployment", "awesome-beam-jobs")
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    # The operator names the REST service so.
    assert f"--flink-master={flink['metadata']['name']}-rest:8081" in container["args"]
    service = one(name, "Service", "beam-jobs")
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    ports = {each["name"]: each["containerPort"] for each in container["ports"]}
    for each in service["spec"]["ports"]:
        assert f"--{'job' if each['name'] == 'jobs' else 'artifact'}-port={each['port']}" in container["args"]
        assert ports[each["targetPort"]] == each["port"]
    assert "beam-jobs:8099" in README
    assert f"{flink['metadata']['name']}-rest:8081" in README


def test_no_policy_lets_anybody_reach_a_worker_pool(name: str) -> None:
    ports = [
        (port["port"], port.get("endPort", port["port"]))
        for each in added(name, "flink")
        if each["kind"] == "NetworkPolicy"
        for rule in each["spec"].get("ingress", [])
        for port in rule["ports"]
    ]
    assert ports
    assert not [span for span in ports if not isinstance(span[0], str) and span[0] <= 50000 <= span[1]]
