"""As much of Kubeflow Pipelines' API (v2beta1) as its clients ask for here: state in memory, runs that a test moves on.

What it answers is checked against KFP's own generated client in test_pipelines_server.py.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from http_here import Request, answering
from pipelines_checks import Object, Refused, check_parameters, is_cron, listed, refusal, uploaded

ACTIVE = ("PENDING", "RUNNING", "PAUSED")


@dataclass(frozen=True)
class Exchange:
    """A request and its answer."""

    method: str
    template: str
    query: dict[str, str]
    body: Object | None
    status: int
    reply: Object
    authorization: str


@dataclass
class PipelinesServer:
    """What the server keeps and was asked.

    Attributes:
        token: the only one that it accepts; empty for any and none.
        page: entries of a list at the most, whatever is asked for.
        broken: by method and template, statuses and bodies that are answered instead, each once.
        drop: by method and template, how many requests get no answer at all.
        exchanges: every request and its answer.
        on_get_run: what a test does to a run before it is looked at.
    """

    token: str = ""
    page: int = 1000
    broken: dict[tuple[str, str], list[tuple[int, bytes, str]]] = field(default_factory=dict)
    drop: dict[tuple[str, str], int] = field(default_factory=dict)
    pipelines: dict[str, Object] = field(default_factory=dict)
    versions: dict[str, Object] = field(default_factory=dict)
    experiments: dict[str, Object] = field(default_factory=dict)
    runs: dict[str, Object] = field(default_factory=dict)
    recurring_runs: dict[str, Object] = field(default_factory=dict)
    exchanges: list[Exchange] = field(default_factory=list)
    on_get_run: Callable[[Object], None] | None = None
    _clock: dt.datetime = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    _lock: threading.RLock = field(default_factory=threading.RLock)

    # what a test does to a run

    def move(self, run_id: str, state: str, error: str = "", **tasks: str) -> None:
        """Puts a run, and steps of it, into a state; names have '_' for '-'."""
        with self._lock:
            run = self.runs[run_id]
            run["state"] = state
            run.setdefault("state_history", []).append({"update_time": self._now(), "state": state})
            if state not in (*ACTIVE, "CANCELING"):
                run["finished_at"] = self._now()
            if error:
                run["error"] = {"code": 13, "message": error}
            details = run["run_details"]["task_details"]
            for name, task_state in tasks.items():
                shown = name.replace("_", "-")
                known = next((one for one in details if one["display_name"] == shown), None)
                if known is None:
                    # Argo's tree has a driver before each step.
                    details.append(self._task(run_id, f"{shown}-driver", "SUCCEEDED"))
                    known = self._task(run_id, shown, task_state)
                    details.append(known)
                known["state"] = task_state

    def asked(self, method: str, template: str) -> list[Exchange]:
        return [one for one in self.exchanges if (one.method, one.template) == (method, template)]

    # requests

    def answer(self, request: Request) -> tuple[int, bytes, str]:
        with self._lock:
            template, places, handler = _route(request.method, request.path)
            route = (request.method, template)
            if self.drop.get(route, 0):
                self.drop[route] -= 1
                return 0, b"", ""
            if instead := self.broken.get(route):
                return instead.pop(0)
            kind, authorization = request.headers.get("Content-Type", ""), request.headers.get("Authorization", "")
            body = json.loads(request.content) if request.content and "json" in kind else None
            try:
                if self.token and authorization != f"Bearer {self.token}":
                    raise Refused(401, "there is no user identity header")
                if handler is None:
                    raise Refused(404, f"Not Found: {request.path}")
                upload = {"content": request.content, "kind": kind} if template.startswith(_UPLOADS) else {}
                status, reply = 200, handler(self, query=request.query, body=body, **places, **upload)
            except Refused as error:
                status, reply = error.status, refusal(error, template.startswith(_UPLOADS))
            # As it was at this moment.
            reply = json.loads(json.dumps(reply))
            self.exchanges.append(Exchange(*route, request.query, body, status, reply, authorization))
            return status, json.dumps(reply).encode(), "application/json"

    def healthz(self, query: dict[str, str], body: None) -> Object:
        return {"multi_user": False}

    def list_(self, of: str, query: dict[str, str], body: None, **places: str) -> Object:
        if places:
            self.get("pipelines", {}, None, **places)
        chosen = places | ({"experiment_id": query["experiment_id"]} if query.get("experiment_id") else {})
        kept = {key: one for key, one in getattr(self, of).items() if chosen.items() <= one.items()}
        return listed(_LISTS.get(of, of), kept, query, self.page)

    def get(self, of: str, query: dict[str, str], body: None, **places: str) -> Object:
        [*_, key] = places.values()
        found: Object | None = getattr(self, of).get(key)
        if found is None or not places.items() <= found.items():
            raise Refused(404, f"{_NAMES[of]} {key} not found")
        return found

    def delete(self, of: str, query: dict[str, str], body: None, **places: str) -> Object:
        self.get(of, query, None, **places)
        [*_, key] = places.values()
        del getattr(self, of)[key]
        return {}

    def create_pipeline(self, query: dict[str, str], body: Object) -> Object:
        name = body.get("display_name", "")
        if not name:
            raise Refused(400, "pipeline's name cannot be empty")
        return self._new_pipeline(name, body.get("description", ""))

    def get_pipeline_by_name(self, query: dict[str, str], body: None, name: str) -> Object:
        for one in self.pipelines.values():
            if one["display_name"] == name:
                return one
        raise Refused(404, f"Pipeline {name} not found")

    def delete_pipeline(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        for version in self.versions.values():
            if version["pipeline_id"] == pipeline_id:
                raise Refused(
                    400,
                    f"Failed to delete pipeline with id {pipeline_id} as it has existing pipeline versions "
                    f"(e.g. {version['pipeline_version_id']})",
                )
        return self.delete("pipelines", query, body, pipeline_id=pipeline_id)

    def upload_pipeline(self, query: dict[str, str], body: None, content: bytes, kind: str) -> Object:
        filename, spec = uploaded(content, kind)
        name = query.get("name") or filename
        pipeline = self._new_pipeline(name, query.get("description", ""))
        self._new_version(pipeline["pipeline_id"], name, "", spec)
        return pipeline

    def upload_version(self, query: dict[str, str], body: None, content: bytes, kind: str) -> Object:
        filename, spec = uploaded(content, kind)
        if query.get("pipelineid", "") not in self.pipelines:
            raise Refused(400, "Failed to create a pipeline version")
        return self._new_version(query["pipelineid"], query.get("name") or filename, query.get("description", ""), spec)

    def create_experiment(self, query: dict[str, str], body: Object) -> Object:
        name = body.get("display_name", "")
        if not name:
            raise Refused(400, "Experiment name is empty. Please specify a valid experiment name")
        if any(one["display_name"] == name for one in self.experiments.values()):
            raise Refused(409, f"Already exist error: The name {name} already exists. Please specify a new name")
        # A server without anything to tell says so with the epoch.
        return self._keep(
            "experiments",
            "experiment_id",
            {"display_name": name, "storage_state": "AVAILABLE", "last_run_created_at": "1970-01-01T00:00:00Z"},
        )

    def create_run(self, query: dict[str, str], body: Object) -> Object:
        told = {
            **self._job(body),
            "storage_state": "AVAILABLE",
            "scheduled_at": self._now(),
            "finished_at": "1970-01-01T00:00:00Z",
            "state": "PENDING",
            "run_details": {"task_details": []},
            "state_history": [{"update_time": self._now(), "state": "PENDING"}],
        }
        return self._keep("runs", "run_id", told)

    def get_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        run = self.get("runs", query, body, run_id=run_id)
        if self.on_get_run is not None:
            self.on_get_run(run)
        return run

    def terminate_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        if self.get("runs", query, body, run_id=run_id)["state"] not in ACTIVE:
            raise Refused(400, f"Failed to terminate a run {run_id}. Row not found")
        self.move(run_id, "CANCELING")
        return {}

    def create_recurring_run(self, query: dict[str, str], body: Object) -> Object:
        cron = body.get("trigger", {}).get("cron_schedule", {}).get("cron")
        if cron is not None and not is_cron(cron):
            raise Refused(400, f"Schedule cron is not supported (https://godoc.org/github.com/robfig/cron): {cron}")
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise Refused(400, "The max concurrency of the recurring run is out of range. Support 1-10")
        if body.get("mode") not in ("ENABLE", "DISABLE"):
            raise Refused(400, "Mode of the recurring run is not set")
        told = {
            **self._job(body, latest=True),
            "trigger": body["trigger"],
            "mode": body["mode"],
            "status": f"{body['mode']}D",
            "max_concurrency": str(body["max_concurrency"]),  # int64, which is a string in JSON
            "no_catchup": body.get("no_catchup", False),
            "updated_at": self._now(),
        }
        return self._keep("recurring_runs", "recurring_run_id", told)

    def switch_recurring_run(self, mode: str, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        found = self.get("recurring_runs", query, body, recurring_run_id=recurring_run_id)
        found.update(mode=mode, status=f"{mode}D")
        return {}

    # what they share

    def _now(self) -> str:
        """A second later each time: the server's creation times are whole seconds."""
        self._clock += dt.timedelta(seconds=1)
        return f"{self._clock:%Y-%m-%dT%H:%M:%SZ}"

    def _keep(self, of: str, key: str, told: Object) -> Object:
        made = {key: str(uuid.uuid4()), "created_at": self._now(), **told}
        getattr(self, of)[made[key]] = made
        return made

    def _latest_version(self, pipeline_id: str) -> str:
        found = [one for one in self.versions.values() if one["pipeline_id"] == pipeline_id]
        return str(max(found, key=lambda one: one["created_at"])["pipeline_version_id"]) if found else ""

    def _task(self, run_id: str, name: str, state: str) -> Object:
        return {
            "run_id": run_id,
            "task_id": str(uuid.uuid4()),
            "display_name": name,
            "create_time": self._now(),
            "state": state,
        }

    def _new_pipeline(self, name: str, description: str) -> Object:
        if any(one["display_name"] == name for one in self.pipelines.values()):
            raise Refused(409, f"Failed to create a new pipeline. The name {name} already exists")
        described = {"description": description} if description else {}
        return self._keep("pipelines", "pipeline_id", {"display_name": name, **described})

    def _new_version(self, pipeline_id: str, name: str, description: str, spec: Object) -> Object:
        told = {"pipeline_id": pipeline_id, "display_name": name}
        if any(told.items() <= one.items() for one in self.versions.values()):
            raise Refused(409, f"Failed to create a new pipeline version. The name {name} already exists")
        described = {"description": description} if description else {}
        return self._keep("versions", "pipeline_version_id", {**told, "pipeline_spec": spec, **described})

    def _job(self, body: Object, latest: bool = False) -> Object:
        """What a run and a recurring run have alike, once it is found to be possible."""
        if not body.get("display_name"):
            raise Refused(400, "The run's name is empty. Please specify a valid name")
        experiment = body.get("experiment_id", "")
        self.get("experiments", {}, None, experiment_id=experiment)
        job = {"display_name": body["display_name"], "experiment_id": experiment}
        reference, spec = body.get("pipeline_version_reference"), body.get("pipeline_spec")
        if reference is not None:
            places = {name: reference.get(name, "") for name in ("pipeline_id", "pipeline_version_id")}
            if latest and not places["pipeline_version_id"]:  # of KFP 2.5 and later: kubeflow/pipelines#11560
                places["pipeline_version_id"] = self._latest_version(places["pipeline_id"])
            spec = self.get("versions", {}, None, **places)["pipeline_spec"]
            job["pipeline_version_reference"] = reference
        elif spec is not None:
            job["pipeline_spec"] = spec
        else:
            raise Refused(400, "The run has neither a pipeline spec nor a pipeline version")
        parameters = body.get("runtime_config", {}).get("parameters", {})
        check_parameters(spec, parameters)
        job["runtime_config"] = {"parameters": parameters} if parameters else {}
        return job


_NAMES = {
    "pipelines": "Pipeline",
    "versions": "PipelineVersion",
    "experiments": "Experiment",
    "runs": "Run",
    "recurring_runs": "Job",
}
"""What the server calls one of them."""
_LISTS = {"versions": "pipeline_versions", "recurring_runs": "recurringRuns"}
"""What it calls a list of them, where that is another name."""

_ROOT = "/apis/v2beta1"
_UPLOADS = f"{_ROOT}/pipelines/upload"
_VERSIONS = f"{_ROOT}/pipelines/{{pipeline_id}}/versions"
_S = PipelinesServer
ROUTES: dict[tuple[str, str], Callable[..., Object]] = {
    ("GET", f"{_ROOT}/healthz"): _S.healthz,
    ("GET", f"{_ROOT}/pipelines"): partial(_S.list_, of="pipelines"),
    ("POST", f"{_ROOT}/pipelines"): _S.create_pipeline,
    ("POST", f"{_ROOT}/pipelines/upload"): _S.upload_pipeline,
    ("POST", f"{_ROOT}/pipelines/upload_version"): _S.upload_version,
    ("GET", f"{_ROOT}/pipelines/names/{{name}}"): _S.get_pipeline_by_name,
    ("GET", f"{_ROOT}/pipelines/{{pipeline_id}}"): partial(_S.get, of="pipelines"),
    ("DELETE", f"{_ROOT}/pipelines/{{pipeline_id}}"): _S.delete_pipeline,
    ("GET", _VERSIONS): partial(_S.list_, of="versions"),
    ("GET", f"{_VERSIONS}/{{pipeline_version_id}}"): partial(_S.get, of="versions"),
    ("DELETE", f"{_VERSIONS}/{{pipeline_version_id}}"): partial(_S.delete, of="versions"),
    ("GET", f"{_ROOT}/experiments"): partial(_S.list_, of="experiments"),
    ("POST", f"{_ROOT}/experiments"): _S.create_experiment,
    ("GET", f"{_ROOT}/experiments/{{experiment_id}}"): partial(_S.get, of="experiments"),
    ("GET", f"{_ROOT}/runs"): partial(_S.list_, of="runs"),
    ("POST", f"{_ROOT}/runs"): _S.create_run,
    ("GET", f"{_ROOT}/runs/{{run_id}}"): _S.get_run,
    ("DELETE", f"{_ROOT}/runs/{{run_id}}"): partial(_S.delete, of="runs"),
    ("POST", f"{_ROOT}/runs/{{run_id}}:terminate"): _S.terminate_run,
    ("GET", f"{_ROOT}/recurringruns"): partial(_S.list_, of="recurring_runs"),
    ("POST", f"{_ROOT}/recurringruns"): _S.create_recurring_run,
    ("GET", f"{_ROOT}/recurringruns/{{recurring_run_id}}"): partial(_S.get, of="recurring_runs"),
    ("DELETE", f"{_ROOT}/recurringruns/{{recurring_run_id}}"): partial(_S.delete, of="recurring_runs"),
    ("POST", f"{_ROOT}/recurringruns/{{recurring_run_id}}:enable"): partial(_S.switch_recurring_run, mode="ENABLE"),
    ("POST", f"{_ROOT}/recurringruns/{{recurring_run_id}}:disable"): partial(_S.switch_recurring_run, mode="DISABLE"),
}
"""By method and path as the published description writes it; the first that fits answers."""


def _route(method: str, path: str) -> tuple[str, dict[str, str], Callable[..., Object] | None]:
    for (verb, template), handler in ROUTES.items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(template))
        if verb == method and (found := re.fullmatch(pattern, path)):
            return template, found.groupdict(), handler
    return path, {}, None


@contextmanager
def pipelines_server(tls: ssl.SSLContext | None = None) -> Iterator[tuple[PipelinesServer, str]]:
    """A server, and its address on this machine."""
    state = PipelinesServer()
    with answering(state.answer, tls) as url:
        yield state, url
