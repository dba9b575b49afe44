"""The stand-in for Kubeflow Pipelines against what KFP publishes of its API, by KFP's own client."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kfp_server_api
import pytest
from pipelines_server import ROUTES, PipelinesServer, pipelines_server
from published import Operation, faults, operations

from awesome_kubeflow.sdk import quiet_imports

PUBLISHED = operations()


@pytest.fixture
def server() -> Iterator[tuple[PipelinesServer, Any]]:
    """The server and KFP's own client of it."""
    with pipelines_server() as (state, url):
        with quiet_imports():
            import kfp

            client = kfp.Client(host=url)
        yield state, client


def by_name(name: str) -> str:
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": "display_name", "stringValue": name}]})


@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_what_it_answers_is_published(route: tuple[str, str]) -> None:
    operation = PUBLISHED[route]
    assert set(re.findall(r"{(\w+)}", route[1])) == operation.places


def test_every_reply_and_request_is_as_published(
    server: tuple[PipelinesServer, Any], package: Path, small_package: Path
) -> None:
    state, client = server
    walk(state, client, package, small_package)
    assert {(one.method, one.template) for one in state.exchanges} == ROUTES.keys()
    found = []
    for one in state.exchanges:
        operation: Operation = PUBLISHED[one.method, one.template]
        place = f"{one.method} {one.template} {one.status}"
        if one.status == 200:
            found += faults(one.reply, operation.reply, place)
        elif not operation.is_upload:  # whose errors are of a form of their own, and not published
            told = dict(one.reply)
            assert told.pop("error") == told["message"]
            found += faults(
                told, "GooglerpcStatus" if hasattr(kfp_server_api, "GooglerpcStatus") else "GoogleRpcStatus"
            )
        found += [f"{place}: {name} is no parameter" for name in one.query.keys() - operation.query]
        assert (one.body is not None) == operation.has_body, place
    assert found == []


def walk(state: PipelinesServer, client: Any, package: Path, small_package: Path) -> None:
    """Everything that the server can, by KFP's own client."""
    assert client.get_kfp_healthz().multi_user is False
    pipeline = client.upload_pipeline(str(package), pipeline_name="prices", description="of shares")
    client.upload_pipeline_version(str(small_package), "second", pipeline_id=pipeline.pipeline_id)
    with pytest.raises(kfp_server_api.ApiException, match="409"):
        client.upload_pipeline(str(package), pipeline_name="prices")
    with pytest.raises(kfp_server_api.ApiException, match="409"):
        client.pipelines.pipeline_service_create_pipeline({"display_name": "prices"})
    client.pipelines.pipeline_service_create_pipeline({"display_name": "empty"})
    assert client.get_pipeline_id("prices") == pipeline.pipeline_id
    assert client.pipelines.pipeline_service_get_pipeline_by_name("empty").display_name == "empty"
    versions = client.list_pipeline_versions(pipeline.pipeline_id, sort_by="created_at desc").pipeline_versions
    assert [one.display_name for one in versions] == ["second", "prices"]
    small = client.get_pipeline_version(pipeline.pipeline_id, versions[0].pipeline_version_id)
    assert small.pipeline_spec["pipelineInfo"]["name"] == "small-one"
    # Beside what Kubernetes is told.
    assert set(versions[1].pipeline_spec) == {"pipeline_spec", "platform_spec"}

    experiment = client.create_experiment("trials")
    assert client.create_experiment("trials").experiment_id == experiment.experiment_id
    assert client.get_experiment(experiment_id=experiment.experiment_id).display_name == "trials"
    job = {"params": {"days": 5}, "pipeline_id": pipeline.pipeline_id, "version_id": small.pipeline_version_id}
    run = client.run_pipeline(experiment.experiment_id, "one", **job)
    assert run.state == "PENDING"
    state.move(run.run_id, "RUNNING", first="RUNNING")
    client.terminate_run(run.run_id)
    assert client.get_run(run.run_id).state == "CANCELING"
    state.move(run.run_id, "CANCELED", "it was ended", first="FAILED")
    with pytest.raises(kfp_server_api.ApiException, match="Row not found"):
        client.terminate_run(run.run_id)
    client.create_run_from_pipeline_package(str(package), experiment_name="trials")
    assert client.list_runs(experiment_id=experiment.experiment_id).total_size == 2

    cron = {"cron_expression": "0 0 11 ? * 1-5", "no_catchup": True}
    recurring = client.create_recurring_run(experiment.experiment_id, "daily", **cron, **job)
    assert (recurring.status, recurring.max_concurrency) == ("ENABLED", "1")
    client.disable_recurring_run(recurring.recurring_run_id)
    assert client.get_recurring_run(recurring.recurring_run_id).status == "DISABLED"
    client.enable_recurring_run(recurring.recurring_run_id)
    assert [one.display_name for one in client.list_recurring_runs().recurring_runs] == ["daily"]
    client.delete_recurring_run(recurring.recurring_run_id)
    assert client.list_recurring_runs().recurring_runs is None

    client.delete_run(run.run_id)
    with pytest.raises(kfp_server_api.ApiException, match="404"):
        client.get_run(run.run_id)
    with pytest.raises(kfp_server_api.ApiException, match="existing pipeline versions"):
        client.delete_pipeline(pipeline.pipeline_id)
    for one in versions:
        client.delete_pipeline_version(pipeline.pipeline_id, one.pipeline_version_id)
    client.delete_pipeline(pipeline.pipeline_id)
    assert [one.display_name for one in client.list_pipelines().pipelines] == ["empty"]
    with pytest.raises(kfp_server_api.ApiException, match="404"):
        client.get_pipeline(pipeline.pipeline_id)


def test_lists_come_page_by_page(server: tuple[PipelinesServer, Any]) -> None:
    _, client = server
    for number in range(5):
        client.pipelines.pipeline_service_create_pipeline({"display_name": f"p{number}"})
    seen, token = [], ""
    while True:
        answer = client.list_pipelines(page_token=token, page_size=2, sort_by="display_name desc")
        seen += [one.display_name for one in answer.pipelines]
        assert answer.total_size == 5
        token = answer.next_page_token
        if not token:
            break
    assert seen == ["p4", "p3", "p2", "p1", "p0"]
    first = client.list_pipelines(page_size=2).next_page_token
    with pytest.raises(kfp_server_api.ApiException, match="page token does not match"):
        client.list_pipelines(page_token=first, page_size=2, filter=by_name("p0"))


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({}, "days is missing"),
        ({"days": "5"}, "days is not a NUMBER_INTEGER"),
        ({"days": 5, "share": True}, "share is not a STRING"),
        ({"days": True}, "days is not a NUMBER_INTEGER"),
    ],
)
def test_a_run_with_parameters_of_another_pipeline_is_refused(
    server: tuple[PipelinesServer, Any], small_package: Path, params: dict[str, Any], message: str
) -> None:
    _, client = server
    with pytest.raises(kfp_server_api.ApiException, match=message):
        client.create_run_from_pipeline_package(str(small_package), params, experiment_name="trials")


@pytest.mark.parametrize("cron", ["0 11 * * 1-5", "0 0 24 ? * 1-5", "0 0 11 ? * 1-7"])
def test_a_schedule_without_seconds_or_out_of_range_is_refused(
    server: tuple[PipelinesServer, Any], small_package: Path, cron: str
) -> None:
    _, client = server
    experiment = client.create_experiment("trials")
    job = {"params": {"days": 5}, "pipeline_package_path": str(small_package)}
    with pytest.raises(kfp_server_api.ApiException, match="cron is not supported"):
        client.create_recurring_run(experiment.experiment_id, "daily", cron_expression=cron, **job)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ({"pipeline_id": 1}, "V2beta1Pipeline"),
        ({"id": "1"}, "V2beta1Pipeline"),
        ({"created_at": "yesterday"}, "V2beta1Pipeline"),
        ({"state": "DONE"}, "V2beta1Run"),
        ({"run_details": {"task_details": [{"state": "done"}]}}, "V2beta1Run"),
        ({"runs": {}}, "V2beta1ListRunsResponse"),
        ({"recurring_runs": []}, "V2beta1ListRecurringRunsResponse"),
        ({"max_concurrency": 1}, "V2beta1RecurringRun"),
        ({"no_catchup": "true"}, "V2beta1RecurringRun"),
        ([], "V2beta1Run"),
    ],
)
def test_a_reply_that_is_not_as_published_is_found(reply: Any, kind: str) -> None:
    assert len(faults(reply, kind)) == 1
