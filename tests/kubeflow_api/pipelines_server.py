"""As much of Kubeflow Pipelines' API (v2beta1) as its clients ask for here: state in memory, runs that a test moves on.

What it answers is checked against KFP's own generated client in test_pipelines_server.py.
"""

from __future__ import annotations

import base64
import datetime as dt
import email
import email.policy
import json
import re
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import yaml

Object = dict[str, Any]

ACTIVE = ("PENDING", "RUNNING", "PAUSED")
_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 500: 13}
_SORTED = ("created_at", "display_name", "name", "id")
_PYTHON = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}
_EQUALS = (1, "EQUALS")


class Refused(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


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
                status, reply = error.status, _refusal(template, error)
            # As it was at this moment.
            reply = json.loads(json.dumps(reply))
            self.exchanges.append(Exchange(method, template, query, body, status, reply, authorization))
            return status, json.dumps(reply).encode(), "application/json"

    def healthz(self, query: dict[str, str], body: None) -> Object:
        return {"multi_user": False}

    def list_pipelines(self, query: dict[str, str], body: None) -> Object:
        return self._listed("pipelines", self.pipelines, query)

    def create_pipeline(self, query: dict[str, str], body: Object) -> Object:
        name = body.get("display_name", "")
        if not name:
            raise Refused(400, "pipeline's name cannot be empty")
        return self._new_pipeline(name, body.get("description", ""))

    def get_pipeline(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        return _known(self.pipelines, "Pipeline", pipeline_id)

    def get_pipeline_by_name(self, query: dict[str, str], body: None, name: str) -> Object:
        for one in self.pipelines.values():
            if one["display_name"] == name:
                return one
        raise Refused(404, f"Pipeline {name} not found")

    def delete_pipeline(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        _known(self.pipelines, "Pipeline", pipeline_id)
        for version in self._versions(pipeline_id):
            raise Refused(
                400,
                f"Failed to delete pipeline with id {pipeline_id} as it has existing pipeline versions "
                f"(e.g. {version})",
            )
        del self.pipelines[pipeline_id]
        return {}

    def list_versions(self, query: dict[str, str], body: None, pipeline_id: str) -> Object:
        _known(self.pipelines, "Pipeline", pipeline_id)
        return self._listed("pipeline_versions", self._versions(pipeline_id), query)

    def get_version(self, query: dict[str, str], body: None, pipeline_id: str, pipeline_version_id: str) -> Object:
        return _known(self._versions(pipeline_id), "PipelineVersion", pipeline_version_id)

    def delete_version(self, query: dict[str, str], body: None, pipeline_id: str, pipeline_version_id: str) -> Object:
        _known(self._versions(pipeline_id), "PipelineVersion", pipeline_version_id)
        del self.versions[pipeline_version_id]
        return {}

    def upload_pipeline(self, query: dict[str, str], body: None, content: bytes, kind: str) -> Object:
        filename, spec = _uploaded(content, kind)
        name = query.get("name") or filename
        pipeline = self._new_pipeline(name, query.get("description", ""))
        self._new_version(pipeline["pipeline_id"], name, "", spec)
        return pipeline

    def upload_version(self, query: dict[str, str], body: None, content: bytes, kind: str) -> Object:
        filename, spec = _uploaded(content, kind)
        if query.get("pipelineid", "") not in self.pipelines:
            raise Refused(400, "Failed to create a pipeline version")
        return self._new_version(query["pipelineid"], query.get("name") or filename, query.get("description", ""), spec)

    def list_experiments(self, query: dict[str, str], body: None) -> Object:
        return self._listed("experiments", self.experiments, query)

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
        return _known(self.experiments, "Experiment", experiment_id)

    def list_runs(self, query: dict[str, str], body: None) -> Object:
        chosen = query.get("experiment_id")
        return self._listed(
            "runs", {key: one for key, one in self.runs.items() if chosen in (None, "", one["experiment_id"])}, query
        )

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
        run = _known(self.runs, "Run", run_id)
        if self.on_get_run is not None:
            self.on_get_run(run)
        return run

    def delete_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        _known(self.runs, "Run", run_id)
        del self.runs[run_id]
        return {}

    def terminate_run(self, query: dict[str, str], body: None, run_id: str) -> Object:
        if _known(self.runs, "Run", run_id)["state"] not in ACTIVE:
            raise Refused(400, f"Failed to terminate a run {run_id}. Row not found")
        self.move(run_id, "CANCELING")
        return {}

    def list_recurring_runs(self, query: dict[str, str], body: None) -> Object:
        return self._listed("recurringRuns", self.recurring_runs, query)

    def create_recurring_run(self, query: dict[str, str], body: Object) -> Object:
        cron = body.get("trigger", {}).get("cron_schedule", {}).get("cron")
        if cron is not None and not _is_cron(cron):
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
        return _known(self.recurring_runs, "Job", recurring_run_id)

    def delete_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        _known(self.recurring_runs, "Job", recurring_run_id)
        del self.recurring_runs[recurring_run_id]
        return {}

    def enable_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        _known(self.recurring_runs, "Job", recurring_run_id).update(mode="ENABLE", status="ENABLED")
        return {}

    def disable_recurring_run(self, query: dict[str, str], body: None, recurring_run_id: str) -> Object:
        _known(self.recurring_runs, "Job", recurring_run_id).update(mode="DISABLE", status="DISABLED")
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
            spec = _known(self._versions(reference.get("pipeline_id", "")), "PipelineVersion", version_id)[
                "pipeline_spec"
            ]
            job["pipeline_version_reference"] = reference
        elif spec is not None:
            job["pipeline_spec"] = spec
        else:
            raise Refused(400, "The run has neither a pipeline spec nor a pipeline version")
        parameters = body.get("runtime_config", {}).get("parameters", {})
        _check_parameters(spec, parameters)
        job["runtime_config"] = {"parameters": parameters} if parameters else {}
        return job

    def _listed(self, name: str, kept: dict[str, Object], query: dict[str, str]) -> Object:
        wanted = {key: query.get(key, "") for key in ("sort_by", "filter")}
        begin = 0
        if query.get("page_token"):
            token = json.loads(base64.b64decode(query["page_token"]))
            begin = token.pop("begin")
            if token != wanted:
                raise Refused(400, "The page token does not match the sort by and filter of the request")
        entries = [one for one in kept.values() if _passes(one, wanted["filter"])]
        key, _, direction = (wanted["sort_by"] or "created_at").partition(" ")
        if key not in _SORTED or direction not in ("", "asc", "desc"):
            raise Refused(400, f"Invalid sorting field: {wanted['sort_by']}")
        entries.sort(
            key=lambda one: str(one.get("display_name" if key == "name" else key)), reverse=direction == "desc"
        )
        size = min(int(query.get("page_size") or 20), self.page)
        reply: Object = {}
        if entries:
            reply = {name: entries[begin : begin + size], "total_size": len(entries)}
        if begin + size < len(entries):
            token = json.dumps({"begin": begin + size, **wanted})
            reply["next_page_token"] = base64.b64encode(token.encode()).decode()
        return reply


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


@contextmanager
def pipelines_server(tls: ssl.SSLContext | None = None) -> Iterator[tuple[PipelinesServer, str]]:
    """A server, and its address on this machine."""
    state = PipelinesServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            kind = self.headers.get("Content-Type", "")
            status, reply, reply_kind = state.answer(
                self.command, parts.path, query, content, kind, self.headers.get("Authorization", "")
            )
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", reply_kind)
            self.send_header("Content-Length", str(len(reply)))
            # A client that was stopped does not wait for it.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(reply)

        do_GET = do_POST = do_DELETE = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state, f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _route(method: str, path: str) -> tuple[str, dict[str, str], Callable[..., Object] | None]:
    for (known, template), handler in ROUTES.items():
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/:]+)", re.escape(template))
        if known == method and (found := re.fullmatch(pattern, path)):
            return template, found.groupdict(), handler
    return path, {}, None


def _refusal(template: str, error: Refused) -> Object:
    if template.startswith(_UPLOADS):
        return {"error_message": str(error), "error_details": str(error)}
    return {"error": str(error), "code": _CODES[error.status], "message": str(error), "details": []}


def _known(kept: dict[str, Object], what: str, key: str) -> Object:
    if key not in kept:
        raise Refused(404, f"{what} {key} not found")
    return kept[key]


def _passes(entry: Object, text: str) -> bool:
    for predicate in json.loads(text).get("predicates", []) if text else []:
        value = predicate.get("stringValue", predicate.get("string_value"))
        if predicate["operation"] not in _EQUALS or predicate["key"] not in ("display_name", "name"):
            raise Refused(400, f"the filter {predicate} is not supported")
        if entry["display_name"] != value:
            return False
    return True


def _uploaded(content: bytes, kind: str) -> tuple[str, Object]:
    """Name of the file, and the spec as the server gives it back: beside what Kubernetes is told, if there is any."""
    message = email.message_from_bytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content, policy=email.policy.HTTP
    )
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "uploadfile":
            try:
                documents = list(yaml.load_all(part.get_payload(decode=True), yaml.CSafeLoader))
                spec, *rest = documents
                if not spec["pipelineInfo"]["name"] or not spec["root"] or len(rest) > 1:
                    raise ValueError
            except (yaml.YAMLError, ValueError, KeyError, TypeError):
                raise Refused(400, "Failed to create a pipeline: invalid PipelineSpec") from None
            filename = str(part.get_filename())
            return filename, ({"pipeline_spec": spec, "platform_spec": rest[0]} if rest else spec)
    raise Refused(400, "Failed to read pipeline from file")


def _check_parameters(spec: Object, parameters: Object) -> None:
    definitions = spec.get("pipeline_spec", spec)["root"].get("inputDefinitions", {}).get("parameters", {})
    # Names that are no inputs pass, as they do at the real server.
    for name, value in parameters.items():
        if name not in definitions:
            continue
        wanted = _PYTHON[definitions[name]["parameterType"]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise Refused(400, f"parameter {name} is not a {definitions[name]['parameterType']}")
    for name, one in definitions.items():
        if "defaultValue" not in one and not one.get("isOptional") and name not in parameters:
            raise Refused(400, f"parameter {name} is missing")


def _is_cron(text: str) -> bool:
    """Whether it has the six fields of robfig/cron, seconds first, each of numbers within its range."""
    limits = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    fields = text.split()
    if len(fields) != len(limits):
        return False
    for one, (least, most) in zip(fields, limits, strict=True):
        if one in ("*", "?"):
            continue
        numbers = re.split("[,-]", one)
        if not all(number.isdigit() and least <= int(number) <= most for number in numbers):
            return False
    return True
