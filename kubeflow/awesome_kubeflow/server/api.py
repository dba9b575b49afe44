"""Kubeflow Pipelines over its API (v2beta1): pipelines and their versions, runs, recurring runs. No TFX.

It stands on `kfp_server_api`, the client that KFP generates from its OpenAPI description and its own `kfp.Client` uses.
`kfp.Client` itself takes no time-outs, prints links, and looks for hosts, cookies and namespaces in ~/.config/kfp and
in variables of its own.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from awesome_kubeflow.cluster import ClusterSettings, refused_address
from awesome_kubeflow.errors import ApiError, CompileError, NoAnswerError
from awesome_kubeflow.names import kfp_name
from awesome_kubeflow.sdk import check_kfp_client, quiet_imports
from awesome_kubeflow.server.inputs import Input, package_name, spec_inputs, spec_tasks
from pipeline.settings import KFP_TOKEN

SUCCEEDED = "SUCCEEDED"
ENDED = frozenset({SUCCEEDED, "FAILED", "SKIPPED", "CANCELED"})
"""States that a run does not leave."""

_TIMEOUT = (10, 60)
"""Seconds to connect, and between two parts of an answer."""

_PAGE = 100
_LONGEST = 400
_SINGLE_USER = "kubeflow"
_EPOCH = dt.datetime.fromtimestamp(0, dt.timezone.utc)


@dataclass(frozen=True)
class Connection:
    """How Kubeflow Pipelines is reached.

    Attributes:
        endpoint: address of the API.
        ui: address that links begin with.
        context: of kubectl, for what a message tells to do.
        namespace: of a multi-user installation; empty in any other, which takes none.
        ca_certificate: file of the certificates that vouch for the endpoint; empty for the usual ones.
        token: of the bearer; empty for none.
    """

    endpoint: str
    ui: str
    context: str
    namespace: str = ""
    ca_certificate: str = ""
    token: str = field(default="", repr=False)


@dataclass(frozen=True)
class StoredPipeline:
    """A pipeline that was uploaded.

    Attributes:
        id: given by the server.
        name: of the pipeline, unique.
        created: UTC.
    """

    id: str
    name: str
    created: dt.datetime | None


@dataclass(frozen=True)
class PipelineVersion:
    """One package of a pipeline.

    Attributes:
        id: given by the server.
        name: unique among the pipeline's.
        pipeline: whose version it is.
        inputs: what a run may set.
    """

    id: str
    name: str
    pipeline: StoredPipeline
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class TaskState:
    """A step of a run.

    Attributes:
        name: of the task in the package.
        state: such as RUNNING.
        error: why it failed; empty for none.
    """

    name: str
    state: str
    error: str


@dataclass(frozen=True)
class Run:
    """A run as it was when it was asked for.

    Attributes:
        id: given by the server.
        name: as it is shown.
        state: such as RUNNING; empty before it has one.
        created: UTC.
        finished: UTC; None before it ended.
        error: why it failed; empty for none.
        tasks: its steps that have begun.
    """

    id: str
    name: str
    state: str
    created: dt.datetime | None
    finished: dt.datetime | None
    error: str
    tasks: tuple[TaskState, ...]


@dataclass(frozen=True)
class RecurringRun:
    """A schedule.

    Attributes:
        id: given by the server.
        name: as it is shown.
        cron: when runs begin; empty where it is no cron expression.
        enabled: whether they do.
        pipeline_id: whose runs.
        version_id: which version of it; empty for its newest.
    """

    id: str
    name: str
    cron: str
    enabled: bool
    pipeline_id: str
    version_id: str


def connection(
    cluster: ClusterSettings, token: str = "", endpoint: str | None = None, namespace: str | None = None
) -> Connection:
    """How the API of a cluster is reached.

    Args:
        cluster: its settings.
        token: of the bearer; empty for none.
        endpoint: instead of the cluster's.
        namespace: instead of the cluster's. KFP's own, kubeflow, stands for a single-user installation.

    Raises:
        ApiError: there is no endpoint, or it is no address; or there is no such file of certificates.
    """
    address = (endpoint or cluster.endpoint).rstrip("/")
    if not address:
        raise ApiError(
            f"no endpoint of Kubeflow Pipelines: {_forward(cluster.context)}, then --endpoint http://127.0.0.1:8888; "
            f"or set endpoint in [clusters.{cluster.name}] of awesome.toml"
        )
    if why := refused_address(address):
        raise ApiError(f"--endpoint: {why}")
    if cluster.ca_certificate and not Path(cluster.ca_certificate).is_file():
        raise ApiError(f"clusters.{cluster.name}.ca_certificate: there is no file {cluster.ca_certificate}")
    namespace = namespace or cluster.namespace
    return Connection(
        endpoint=address,
        ui=cluster.ui.rstrip("/") or address,
        context=cluster.context,
        namespace="" if namespace == _SINGLE_USER else namespace,
        ca_certificate=cluster.ca_certificate,
        token=token,
    )


class PipelinesApi:
    """What the commands ask of Kubeflow Pipelines; every method may raise ApiError."""

    def __init__(self, connection: Connection) -> None:
        """Sends nothing yet.

        Args:
            connection: how it is reached.

        Raises:
            ApiError: KFP's SDK is not installed.
        """
        check_kfp_client()
        with quiet_imports():
            import kfp_server_api
        configuration = kfp_server_api.Configuration(host=connection.endpoint)
        # Once: a repeated upload is a second version, and a redirection leads to a login page.
        configuration.retries = False
        if connection.ca_certificate:
            configuration.ssl_ca_cert = connection.ca_certificate
        if connection.token:
            configuration.api_key["authorization"] = connection.token
            configuration.api_key_prefix["authorization"] = "Bearer"
        client = kfp_server_api.ApiClient(configuration)
        self._connection = connection
        self._models = kfp_server_api
        self._pipelines = kfp_server_api.PipelineServiceApi(client)
        self._uploads = kfp_server_api.PipelineUploadServiceApi(client)
        self._experiments = kfp_server_api.ExperimentServiceApi(client)
        self._runs = kfp_server_api.RunServiceApi(client)
        self._schedules = kfp_server_api.RecurringRunServiceApi(client)

    # pipelines

    def pipelines(self) -> Iterator[StoredPipeline]:
        """All pipelines, by name."""
        method = self._pipelines.pipeline_service_list_pipelines_with_http_info
        for one in self._pages("pipelines", method, sort_by="display_name", **self._namespace()):
            yield self._pipeline(one)

    def find_pipeline(self, name: str) -> StoredPipeline:
        """A pipeline by its name, also as TFX has it, or by its id.

        Args:
            name: or id.

        Raises:
            ApiError: there is none.
        """
        found = self._named(name)
        if found is not None:
            return found
        get = self._pipelines.pipeline_service_get_pipeline_with_http_info
        try:
            return self._pipeline(self._call(f"pipeline {name}", get, name))
        except _NotFoundError:
            known = ", ".join(one.name for one in self.pipelines()) or "none"
            raise ApiError(
                f"pipeline {name}: {self._connection.endpoint} has none of this name; there are {known}"
            ) from None

    def upload(self, package: Path, now: dt.datetime, *, new: bool | None = None) -> PipelineVersion:
        """Uploads a package: a new pipeline under the package's name, or a version of the one that is there.

        Args:
            package: a .yaml file.
            now: the present; the version's name holds it, in UTC.
            new: True for a pipeline that must not be there yet, False for one that must.

        Raises:
            ApiError: it is no package, or the server refuses it.
        """
        name = package_name(package)
        pipeline = self._named(name)
        if pipeline is not None and new is True:
            raise ApiError(f"pipeline {name}: is there already, id {pipeline.id}; update adds a version to it")
        if pipeline is None and new is False:
            raise ApiError(f"pipeline {name}: {self._connection.endpoint} has none of this name; create it first")
        made = pipeline is None
        if pipeline is None:
            # Not by the upload itself, which would name the first version as the pipeline.
            body = self._models.V2beta1Pipeline(display_name=name, **self._namespace())
            create = self._pipelines.pipeline_service_create_pipeline_with_http_info
            pipeline = self._pipeline(self._call(f"pipeline {name}", create, body))
        version = f"{name}-{now.astimezone(dt.timezone.utc):%Y%m%d-%H%M%S-%f}"[:-3]
        upload = self._uploads.upload_pipeline_version_with_http_info
        try:
            stored = self._call(f"package {package}", upload, str(package), name=version, pipelineid=pipeline.id)
        except ApiError:
            if made:
                self._delete_pipeline(pipeline.id)
            raise
        return self._version(stored, pipeline)

    def newest_version(self, pipeline: StoredPipeline) -> PipelineVersion:
        """The version that was uploaded last.

        Args:
            pipeline: whose.

        Raises:
            ApiError: it has none.
        """
        method = self._pipelines.pipeline_service_list_pipeline_versions_with_http_info
        what = f"versions of pipeline {pipeline.name}"
        answer = self._call(what, method, pipeline.id, sort_by="created_at desc", page_size=1)
        if not answer.pipeline_versions:
            raise ApiError(f"pipeline {pipeline.name}: has no version; `awesome kubeflow upload` adds one")
        return self._version(answer.pipeline_versions[0], pipeline)

    def delete_pipeline(self, pipeline: StoredPipeline) -> int:
        """Deletes a pipeline and all its versions; its runs stay.

        Args:
            pipeline: which.

        Returns:
            How many versions it had.

        Raises:
            ApiError: a schedule still runs it.
        """
        for schedule in self.schedules():
            if schedule.pipeline_id == pipeline.id:
                raise ApiError(
                    f"pipeline {pipeline.name}: schedule {schedule.name} still runs it; first: "
                    f"awesome kubeflow schedule --delete {schedule.id}"
                )
        method = self._pipelines.pipeline_service_list_pipeline_versions_with_http_info
        # The list at once, as pages shift when their entries go.
        versions = list(self._pages("pipeline_versions", method, pipeline.id))
        delete = self._pipelines.pipeline_service_delete_pipeline_version_with_http_info
        for version in versions:
            self._call(f"version {version.display_name}", delete, pipeline.id, version.pipeline_version_id)
        self._delete_pipeline(pipeline.id)
        return len(versions)

    def pipeline_link(self, version: PipelineVersion) -> str:
        """Where the UI shows a version."""
        return f"{self._connection.ui}/#/pipelines/details/{version.pipeline.id}/version/{version.id}"

    # runs

    def create_run(self, version: PipelineVersion, parameters: Mapping[str, Any], now: dt.datetime) -> Run:
        """Starts a run, in the experiment that has the pipeline's name.

        Args:
            version: what is run.
            parameters: by name; those left out keep their defaults.
            now: the present; the run's name holds it, in UTC.
        """
        body = self._models.V2beta1Run(
            experiment_id=self._experiment_id(version.pipeline.name, create=True),
            display_name=f"{version.pipeline.name} {now.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M:%S}",
            pipeline_version_reference=self._reference(version),
            runtime_config=self._models.V2beta1RuntimeConfig(parameters=dict(parameters)),
        )
        return self._run(self._call("run", self._runs.run_service_create_run_with_http_info, body))

    def runs(self, pipeline: StoredPipeline | None = None) -> Iterator[Run]:
        """Runs, the newest first.

        Args:
            pipeline: only those in the experiment of its name; None for all.
        """
        chosen: dict[str, Any] = dict(self._namespace())
        if pipeline is not None:
            experiment = self._experiment_id(pipeline.name, create=False)
            if experiment is None:
                return
            chosen = {"experiment_id": experiment}
        method = self._runs.run_service_list_runs_with_http_info
        for one in self._pages("runs", method, sort_by="created_at desc", **chosen):
            yield self._run(one)

    def run(self, run_id: str) -> Run:
        """One run with its steps.

        Args:
            run_id: of the run.

        Raises:
            ApiError: there is none.
        """
        found = self._call(f"run {run_id}", self._runs.run_service_get_run_with_http_info, run_id)
        known: tuple[str, ...] = ()
        reference = found.pipeline_version_reference
        if found.pipeline_spec:
            known = spec_tasks(found.pipeline_spec)
        elif found.run_details is not None and reference is not None and reference.pipeline_version_id:
            known = self._tasks(reference.pipeline_id, reference.pipeline_version_id)
        return self._run(found, known)

    def terminate(self, run_id: str) -> None:
        """Ends a run.

        Args:
            run_id: of the run.

        Raises:
            ApiError: there is none, or it has ended.
        """
        run = self.run(run_id)
        if run.state in ENDED:
            raise ApiError(f"run {run_id}: has ended already, {run.state}")
        self._call(f"run {run_id}", self._runs.run_service_terminate_run_with_http_info, run_id)

    def delete_run(self, run_id: str) -> None:
        """Deletes the record of a run; its artifacts stay.

        Args:
            run_id: of the run.
        """
        self._call(f"run {run_id}", self._runs.run_service_delete_run_with_http_info, run_id)

    def run_link(self, run: Run) -> str:
        """Where the UI shows a run."""
        return f"{self._connection.ui}/#/runs/details/{run.id}"

    # recurring runs

    def replace_schedule(
        self, name: str, version: PipelineVersion, cron: str, parameters: Mapping[str, Any]
    ) -> tuple[RecurringRun, int]:
        """Makes a schedule, one run at a time and none for what was missed, and deletes others of its name.

        Args:
            name: as it is shown.
            version: what is run.
            cron: six fields, the seconds first.
            parameters: of every run; those left out keep their defaults.

        Returns:
            The schedule, and how many it replaced.
        """
        old = [one for one in self.schedules() if one.name == name]
        body = self._models.V2beta1RecurringRun(
            display_name=name,
            experiment_id=self._experiment_id(version.pipeline.name, create=True),
            pipeline_version_reference=self._reference(version),
            runtime_config=self._models.V2beta1RuntimeConfig(parameters=dict(parameters)),
            trigger=self._models.V2beta1Trigger(cron_schedule=self._models.V2beta1CronSchedule(cron=cron)),
            mode=self._models.RecurringRunMode.ENABLE,
            max_concurrency="1",
            no_catchup=True,
        )
        create = self._schedules.recurring_run_service_create_recurring_run_with_http_info
        made = self._schedule(self._call(f"schedule {name}", create, body))
        # Only now, so that there is one whatever fails.
        for one in old:
            self.delete_schedule(one.id)
        return made, len(old)

    def schedules(self) -> Iterator[RecurringRun]:
        """All schedules, the newest first."""
        method = self._schedules.recurring_run_service_list_recurring_runs_with_http_info
        for one in self._pages("recurring_runs", method, sort_by="created_at desc", **self._namespace()):
            yield self._schedule(one)

    def delete_schedule(self, schedule_id: str) -> None:
        """Deletes a schedule; its runs stay.

        Args:
            schedule_id: of the schedule.
        """
        method = self._schedules.recurring_run_service_delete_recurring_run_with_http_info
        self._call(f"schedule {schedule_id}", method, schedule_id)

    # from the server's models to ours

    def _pipeline(self, found: Any) -> StoredPipeline:
        return StoredPipeline(self._text(found.pipeline_id), self._text(found.display_name), _moment(found.created_at))

    def _version(self, found: Any, pipeline: StoredPipeline) -> PipelineVersion:
        name = self._text(found.display_name)
        return PipelineVersion(self._text(found.pipeline_version_id), name, pipeline, spec_inputs(found.pipeline_spec))

    def _run(self, found: Any, known: tuple[str, ...] = ()) -> Run:
        details = (found.run_details.task_details if found.run_details else None) or ()
        # KFP lists its drivers and launchers among the tasks.
        shown = [one for one in details if not known or one.display_name in known]
        return Run(
            id=self._text(found.run_id),
            name=found.display_name or "",
            state=found.state or "",
            created=_moment(found.created_at),
            finished=_moment(found.finished_at),
            error=_line(found.error.message) if found.error else "",
            tasks=tuple(
                TaskState(one.display_name or "", one.state or "", _line(one.error.message) if one.error else "")
                for one in shown
            ),
        )

    def _schedule(self, found: Any) -> RecurringRun:
        reference = found.pipeline_version_reference
        cron = found.trigger.cron_schedule if found.trigger else None
        return RecurringRun(
            id=self._text(found.recurring_run_id),
            name=found.display_name or "",
            cron=(cron.cron if cron else "") or "",
            enabled=found.status != "DISABLED" and found.mode != "DISABLE",
            pipeline_id=(reference.pipeline_id if reference else "") or "",
            version_id=(reference.pipeline_version_id if reference else "") or "",
        )

    def _reference(self, version: PipelineVersion) -> Any:
        return self._models.V2beta1PipelineVersionReference(
            pipeline_id=version.pipeline.id, pipeline_version_id=version.id
        )

    def _text(self, value: object) -> str:
        """What no answer can lack."""
        if not isinstance(value, str) or not value:
            raise self._stranger()
        return value

    # requests

    def _named(self, name: str) -> StoredPipeline | None:
        method = self._pipelines.pipeline_service_list_pipelines_with_http_info
        for one in _spellings(name):
            answer = self._call("pipelines", method, filter=_equals("display_name", one), **self._namespace())
            if answer.pipelines:
                return self._pipeline(answer.pipelines[0])
        return None

    def _delete_pipeline(self, pipeline_id: str) -> None:
        method = self._pipelines.pipeline_service_delete_pipeline_with_http_info
        self._call(f"pipeline {pipeline_id}", method, pipeline_id)

    def _tasks(self, pipeline_id: str, version_id: str) -> tuple[str, ...]:
        method = self._pipelines.pipeline_service_get_pipeline_version_with_http_info
        try:
            return spec_tasks(self._call("version", method, pipeline_id, version_id).pipeline_spec)
        except _NotFoundError:  # it was deleted, and the run stayed
            return ()

    def _experiment_id(self, name: str, create: bool) -> str | None:
        method = self._experiments.experiment_service_list_experiments_with_http_info
        answer = self._call("experiments", method, filter=_equals("display_name", name), **self._namespace())
        if answer.experiments:
            return self._text(answer.experiments[0].experiment_id)
        if not create:
            return None
        body = self._models.V2beta1Experiment(display_name=name, **self._namespace())
        made = self._call(
            f"experiment {name}", self._experiments.experiment_service_create_experiment_with_http_info, body
        )
        return self._text(made.experiment_id)

    def _namespace(self) -> dict[str, str]:
        return {"namespace": self._connection.namespace} if self._connection.namespace else {}

    def _pages(self, entries: str, method: Callable[..., Any], *args: Any, **chosen: Any) -> Iterator[Any]:
        """The entries of a list, page by page; `entries` is the field that has them."""
        token = ""
        while True:
            answer = self._call(entries, method, *args, page_token=token, page_size=_PAGE, **chosen)
            yield from getattr(answer, entries) or ()
            token = answer.next_page_token or ""
            if not token:
                return

    def _call(self, what: str, method: Callable[..., Any], *args: Any, **chosen: Any) -> Any:
        """One request, and what went wrong as one line.

        Args:
            what: is asked for or sent, for a message.
            method: of the generated client, one that returns status and headers as well.
            *args: of the method.
            **chosen: likewise.
        """
        import urllib3

        endpoint = self._connection.endpoint
        try:
            answer, _, headers = method(*args, _request_timeout=_TIMEOUT, **chosen)
        except self._models.ApiException as error:
            raise self._refusal(what, error) from None
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise NoAnswerError(
                f"{endpoint} does not answer ({_cause(error)}); is it forwarded? {_forward(self._connection.context)}"
            ) from None
        except AttributeError as error:
            # The generated client trips over an error of TLS, which has no body.
            if isinstance(error.__context__, self._models.ApiException):
                raise self._refusal(what, error.__context__) from None
            raise
        except (ValueError, TypeError):
            raise self._stranger() from None
        if "json" not in headers.get("Content-Type", ""):
            raise self._stranger()
        return answer

    def _stranger(self) -> ApiError:
        return ApiError(f"{self._connection.endpoint}: what answers there is not the API of Kubeflow Pipelines v2")

    def _refusal(self, what: str, error: Any) -> ApiError:
        endpoint, status = self._connection.endpoint, error.status
        if not status:
            return NoAnswerError(
                f"{endpoint} does not answer over TLS ({_line(str(error.reason))}); certificates of your own: "
                "ca_certificate in awesome.toml"
            )
        told = _server_message(error.body)
        if self._connection.token:
            told = told.replace(self._connection.token, "***")
        if status in (401, 403) or 300 <= status < 400:
            token = (
                f"the token in {KFP_TOKEN} is not accepted"
                if self._connection.token
                else f"a token goes into the environment, {KFP_TOKEN}"
            )
            return ApiError(f"{endpoint} refuses (HTTP {status}): {token}{f'; it says: {told}' if told else ''}")
        if status == 404:
            return _NotFoundError(f"{what}: {endpoint} has none{f'; it says: {told}' if told else ''}")
        if status == 409:
            return ApiError(f"{what}: exists already{f'; {endpoint} says: {told}' if told else ''}")
        return ApiError(f"{what}: {endpoint} refuses (HTTP {status}): {told or _line(str(error.reason))}")


class _NotFoundError(ApiError):
    """404."""


def _spellings(name: str) -> Iterator[str]:
    """A pipeline's name as it is given, and where that is another as KFP would have it."""
    yield name
    with suppress(CompileError):
        if (other := kfp_name(name)) != name:
            yield other


def _equals(key: str, value: str) -> str:
    return json.dumps({"predicates": [{"operation": "EQUALS", "key": key, "stringValue": value}]})


def _forward(context: str) -> str:
    return f"`kubectl --context {context} -n kubeflow port-forward svc/ml-pipeline 8888:8888`"


def _moment(value: object) -> dt.datetime | None:
    """What has not come about is left out by some servers, and the epoch with others."""
    return value if isinstance(value, dt.datetime) and value > _EPOCH else None


def _line(text: str | None) -> str:
    # What a server says may hold anything, a terminal's control codes too.
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text or "").split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."


def _server_message(body: str | None) -> str:
    """What the server says in its own words: of the gateway, of the upload, or of what stands before it."""
    try:
        told = json.loads(body or "")
    except ValueError:
        return "" if "<" in (body or "") else _line(body)
    if isinstance(told, Mapping):
        for name in ("message", "error_message", "error"):
            if isinstance(told.get(name), str):
                return _line(told[name])
    return ""


def _cause(error: BaseException) -> str:
    """The innermost reason, without the objects that carried it."""
    while (inner := getattr(error, "reason", None) or error.__cause__) is not None and isinstance(inner, BaseException):
        error = inner
    text = getattr(error, "strerror", None) or re.sub(r"^.*?(HTTPS?Connection(Pool)?)?\([^)]*\)?>?: ", "", str(error))
    return _line(str(text))
