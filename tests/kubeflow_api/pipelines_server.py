"""As much of Kubeflow Pipelines' API (v2beta1) as its clients ask for here: state in memory, runs that a test moves on.

What it answers is checked against KFP's own generated client in test_pipelines_server.py.
"""

from __future__ import annotations

import datetime as dt
import json
import re
import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field

from pipelines_checks import Object, Refused, check_parameters, is_cron, known, listed, refusal, uploaded

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
    _clock: dt.datetime = dt.datetime(2026, 1, 5, tzinfo=dt.timezone.utc)
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

    def answer(
        self, method: str, path: str, query: dict[str, str], content: bytes, kind: str, authorization: str
    ) -> tuple[int, bytes, str]:
        """Status, body and content type of one request; a status of 0 for no answer."""
        with self._lock:
            template, places, handler = _route(method, path)
            if self.drop.get((method, template), 0):
                self.drop[method, template] -= 1
                return 0, b"", ""
            instead = self.broken.get((method, template), [])
            if instead:
                return instead.pop(0)
            body = json.loads(content) if content and "json" in kind else None
            try:
                if self.token and authorization != f"Bearer {self.token}":
                    raise Refused(401, "there is no user identity header")
                if handler is None:
                    raise Refused(404, f"Not Found: {path}")
                upload = {"content": content, "kind": kind} if template.startswith(_UPLOADS) else {}
                status, reply = 200, handler(self, query=query, body=body, **places, **upload)
            except Refused as error:
                status, reply = error.status, refusal(error, template.startswith(_UPLOADS))
            # As it was at this moment.
            reply = json.loads(json.dumps(reply))
            self.exchanges.append(Exchange(method, template, query, body, status, reply, authorization))
            return status, json.dumps(reply).encode(), "application/json"

    def healthz(self, query: dict[str, str], body: None) -> Object:
        return {"multi_user": False}

    def list_pipelines(self, query: dict[str, str], body: None) -> Object:
        return listed("pipelines", self.pipelines, query, self.page)

    def create_pipeline(self, query: dict[str, str], body: Object) -> Object:
        name = body.get("display_name", "")
        if not name:
            raise Refused(400, "pipeline's name cannot be empty")
        return self._new_pipeline(name, body.get("description", ""))

    def get_pipeline(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        return known(self.pipelines, "Pipeline", pipeline_id)

    def get_pipeline_by_name(self, query: dict[str, str], body: None, name: str) -> Object:
        for one in self.pipelines.values():
            if one["display_name"] == name:
                return one
        raise Refused(404, f"Pipeline {name} not found")

    def delete_pipeline(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        known(self.pipelines, "Pipeline", pipeline_id)
        for version in self._versions(pipeline_id):
            raise Refused(
                400,
                f"Failed to delete pipeline with id {pipeline_id} as it has existing pipeline versions "
                f"(e.g. {version})",
            )
        del self.pipelines[pipeline_id]
        return {}

    def list_versions(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        known(self.pipelines, "Pipeline", pipeline_id)
        return listed("pipeline_versions", self._versions(pipeline_id), query, self.page)

    def get_version(self, query: dict[str, str], body: None, pipeline_id: str, pipeline_version_id: str) -> Object:
        return known(self._versions(pipeline_id), "PipelineVersion", pipeline_version_id)

    def delete_version(self, query: dict[str, str], body: None, pipeline_id: str, pipeline_version_id: str) -> Object:
        known(self._versions(pipeline_id), "PipelineVersion", pipeline_version_id)
        del self.versions[pipeline_version_id]
        return {}

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

    def list_experiments(self, query: dict[str, str], body: None) -> Object:
        return listed("experiments", self.experiments, query, self.page)

    def create_experiment(self, query: dict[str, str], body: Object) -> Object:
        name = body.get("display_name", "")
        if not name:
            raise Refused(400, "Experiment name is empty. Please specify a valid experiment name")
        if any(one["display_name"] == name for one in self.experiments.values()):
            raise Refused(409, f"Already exist error: The name {name} already exists. Please specify a new name")
        made = {
            "experiment_id": str(uuid.uuid4()),
            "display_name": name,
            "created_at": self._now(),
            "storage_state": "AVAILABLE",
            # A server without anything to tell says so with the epoch.
            "last_run_created_at": "1970-01-01T00:00:00Z",
        }
        self.experiments[made["experiment_id"]] = made
        return made

    def get_experiment(self, query: dict[str, str], body: None, experiment_id: str) -> Object:
        return known(self.experiments, "Experiment", experiment_id)

    def list_runs(self, query: dict[str, str], body: None) -> Object:
        chosen = query.get("experiment_id")
        kept = {key: one for key, one in self.runs.items() if chosen in (None, "", one["experiment_id"])}
        return listed("runs", kept, query, self.page)

    def create_run(self, query: dict[str, str], body: Object) -> Object:
        made = {
            "run_id": str(uuid.uuid4()),
            **self._job(body),
            "storage_state": "AVAILABLE",
            "created_at": self._now(),
            "scheduled_at": self._now(),
            "finished_at": "1970-01-01T00:00:00Z",
            "state": "PENDING",
            "run_details": {"task_details": []},
            "state_history": [{"update_time": self._now(), "state": "PENDING"}],
        }
        self.runs[made["run_id"]] = made
        return made

    def get_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        run = known(self.runs, "Run", run_id)
        if self.on_get_run is not None:
            self.on_get_run(run)
        return run

    def delete_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        known(self.runs, "Run", run_id)
        del self.runs[run_id]
        return {}

    def terminate_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        if known(self.runs, "Run", run_id)["state"] not in ACTIVE:
            raise Refused(400, f"Failed to terminate a run {run_id}. Row not found")
        self.move(run_id, "CANCELING")
        return {}

    def list_recurring_runs(self, query: dict[str, str], body: None) -> Object:
        return listed("recurringRuns", self.recurring_runs, query, self.page)

    def create_recurring_run(self, query: dict[str, str], body: Object) -> Object:
        cron = body.get("trigger", {}).get("cron_schedule", {}).get("cron")
        if cron is not None and not is_cron(cron):
            raise Refused(400, f"Schedule cron is not supported (https://godoc.org/github.com/robfig/cron): {cron}")
        if not 1 <= int(body.get("max_concurrency", 0)) <= 10:
            raise Refused(400, "The max concurrency of the recurring run is out of range. Support 1-10")
        if body.get("mode") not in ("ENABLE", "DISABLE"):
            raise Refused(400, "Mode of the recurring run is not set")
        now = self._now()
        made = {
            "recurring_run_id": str(uuid.uuid4()),
            **self._job(body),
            "trigger": body["trigger"],
            "mode": body["mode"],
            "status": f"{body['mode']}D",
            "max_concurrency": str(body["max_concurrency"]),  # int64, which is a string in JSON
            "no_catchup": body.get("no_catchup", False),
            "created_at": now,
            "updated_at": now,
        }
        self.recurring_runs[made["recurring_run_id"]] = made
        return made

    def get_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        return known(self.recurring_runs, "Job", recurring_run_id)

    def delete_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        known(self.recurring_runs, "Job", recurring_run_id)
        del self.recurring_runs[recurring_run_id]
        return {}

    def enable_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        known(self.recurring_runs, "Job", recurring_run_id).update(mode="ENABLE", status="ENABLED")
        return {}

    def disable_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        known(self.recurring_runs, "Job", recurring_run_id).update(mode="DISABLE", status="DISABLED")
        return {}

    # what they share

    def _now(self) -> str:
        """A second later each time: the server's creation times are whole seconds."""
        self._clock += dt.timedelta(seconds=1)
        return f"{self._clock:%Y-%m-%dT%H:%M:%SZ}"

    def _task(self, run_id: str, name: str, state: str) -> Object:
        return {
            "run_id": run_id,
            "task_id": str(uuid.uuid4()),
            "display_name": name,
            "create_time": self._now(),
            "state": state,
        }

    def _versions(self, pipeline_id: str) -> dict[str, Object]:
        return {key: one for key, one in self.versions.items() if one["pipeline_id"] == pipeline_id}

    def _new_pipeline(self, name: str, description: str) -> Object:
        if any(one["display_name"] == name for one in self.pipelines.values()):
            raise Refused(409, f"Failed to create a new pipeline. The name {name} already exists")
        made = {"pipeline_id": str(uuid.uuid4()), "display_name": name, "created_at": self._now()}
        if description:
            made["description"] = description
        self.pipelines[made["pipeline_id"]] = made
        return made

    def _new_version(self, pipeline_id: str, name: str, description: str, spec: Object) -> Object:
        if any(one["display_name"] == name for one in self._versions(pipeline_id).values()):
            raise Refused(409, f"Failed to create a new pipeline version. The name {name} already exists")
        made = {
            "pipeline_id": pipeline_id,
            "pipeline_version_id": str(uuid.uuid4()),
            "display_name": name,
            "created_at": self._now(),
            "pipeline_spec": spec,
        }
        if description:
            made["description"] = description
        self.versions[made["pipeline_version_id"]] = made
        return made

    def _job(self, body: Object) -> Object:
        """What a run and a recurring run have alike, once it is found to be possible."""
        if not body.get("display_name"):
            raise Refused(400, "The run's name is empty. Please specify a valid name")
        experiment = body.get("experiment_id", "")
        if experiment not in self.experiments:
            raise Refused(404, f"Experiment {experiment} not found")
        job = {"display_name": body["display_name"], "experiment_id": experiment}
        reference, spec = body.get("pipeline_version_reference"), body.get("pipeline_spec")
        if reference is not None:
            version_id = reference.get("pipeline_version_id", "")
            spec = known(self._versions(reference.get("pipeline_id", "")), "PipelineVersion", version_id)[
                "pipeline_spec"
            ]
            job["pipeline_version_reference"] = reference
        elif spec is not None:
            job["pipeline_spec"] = spec
        else:
            raise Refused(400, "The run has neither a pipeline spec nor a pipeline version")
        parameters = body.get("runtime_config", {}).get("parameters", {})
        check_parameters(spec, parameters)
        job["runtime_config"] = {"parameters": parameters} if parameters else {}
        return job


_ROOT = "/apis/v2beta1"
_UPLOADS = f"{_ROOT}/pipelines/upload"
_S = PipelinesServer
ROUTES: dict[tuple[str, str], Callable[..., Object]] = {
    ("GET", f"{_ROOT}/healthz"): _S.healthz,
    ("GET", f"{_ROOT}/pipelines"): _S.list_pipelines,
    ("POST", f"{_ROOT}/pipelines"): _S.create_pipeline,
    ("POST", f"{_ROOT}/pipelines/upload"): _S.upload_pipeline,
    ("POST", f"{_ROOT}/pipelines/upload_version"): _S.upload_version,
    ("GET", f"{_ROOT}/pipelines/names/{{name}}"): _S.get_pipeline_by_name,
    ("GET", f"{_ROOT}/pipelines/{{pipeline_id}}"): _S.get_pipeline,
    ("DELETE", f"{_ROOT}/pipelines/{{pipeline_id}}"): _S.delete_pipeline,
    ("GET", f"{_ROOT}/pipelines/{{pipeline_id}}/versions"): _S.list_versions,
    ("GET", f"{_ROOT}/pipelines/{{pipeline_id}}/versions/{{pipeline_version_id}}"): _S.get_version,
    ("DELETE", f"{_ROOT}/pipelines/{{pipeline_id}}/versions/{{pipeline_version_id}}"): _S.delete_version,
    ("GET", f"{_ROOT}/experiments"): _S.list_experiments,
    ("POST", f"{_ROOT}/experiments"): _S.create_experiment,
    ("GET", f"{_ROOT}/experiments/{{experiment_id}}"): _S.get_experiment,
    ("GET", f"{_ROOT}/runs"): _S.list_runs,
    ("POST", f"{_ROOT}/runs"): _S.create_run,
    ("GET", f"{_ROOT}/runs/{{run_id}}"): _S.get_run,
    ("DELETE", f"{_ROOT}/runs/{{run_id}}"): _S.delete_run,
    ("POST", f"{_ROOT}/runs/{{run_id}}:terminate"): _S.terminate_run,
    ("GET", f"{_ROOT}/recurringruns"): _S.list_recurring_runs,
    ("POST", f"{_ROOT}/recurringruns"): _S.create_recurring_run,
    ("GET", f"{_ROOT}/recurringruns/{{recurring_run_id}}"): _S.get_recurring_run,
    ("DELETE", f"{_ROOT}/recurringruns/{{recurring_run_id}}"): _S.delete_recurring_run,
    ("POST", f"{_ROOT}/recurringruns/{{recurring_run_id}}:enable"): _S.enable_recurring_run,
    ("POST", f"{_ROOT}/recurringruns/{{recurring_run_id}}:disable"): _S.disable_recurring_run,
}
"""By method and path as the published description writes it; the first that fits answers."""


def _route(method: str, path: str) -> tuple[str, dict[str, str], Callable[..., Object] | None]:
    for (verb, template), handler in ROUTES.items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(template))
        if verb == method and (found := re.fullmatch(pattern, path)):
            return template, found.groupdict(), handler
    return path, {}, None
