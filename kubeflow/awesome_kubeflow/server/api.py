"""All that the commands ask of Kubeflow Pipelines: about pipelines, runs and schedules."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from awesome_kubeflow.cluster import chosen_cluster
from awesome_kubeflow.errors import ApiError, CompileError, NoAnswerError
from awesome_kubeflow.names import kfp_name
from awesome_kubeflow.server.client import Client, Connection, NotFoundError, connection, equals, moment, one_line
from awesome_kubeflow.server.inputs import package_name, spec_inputs, spec_tasks
from awesome_kubeflow.server.records import ENDED, PipelineVersion, RecurringRun, Run, State, StoredPipeline
from pipeline.plan import Plan
from pipeline.secrets import kfp_token

_SILENT = 12
"""Looks in a row without an answer after which a run is no longer followed: a forwarded port comes back."""


def connect(plan: Plan, endpoint: str | None, namespace: str | None = None) -> PipelinesApi:
    """The API of the plan's cluster, or at another endpoint or namespace; the token comes from the environment.

    Raises:
        UserError: as in `connection`; or there is no such cluster, or no such token can be.
    """
    token, cluster = kfp_token(), chosen_cluster(plan)
    return PipelinesApi(connection(cluster, token.get_secret_value() if token else "", endpoint, namespace))


class PipelinesApi(Client):
    """What the commands ask of Kubeflow Pipelines; every method may raise ApiError."""

    def __init__(self, connection: Connection) -> None:
        """As in `Client`."""
        super().__init__(connection)
        self._experiments = self.models.ExperimentServiceApi(self.client)
        self._pipelines = self.models.PipelineServiceApi(self.client)
        self._uploads = self.models.PipelineUploadServiceApi(self.client)
        self._runs = self.models.RunServiceApi(self.client)
        self._schedules = self.models.RecurringRunServiceApi(self.client)

    def pipelines(self) -> Iterator[StoredPipeline]:
        """All pipelines, by name."""
        method = self._pipelines.pipeline_service_list_pipelines
        for one in self.pages("pipelines", method, sort_by="display_name", **self.namespace()):
            yield self._pipeline(one)

    def find_pipeline(self, name: str) -> StoredPipeline:
        """A pipeline by its name, also as TFX has it, or by its id."""
        found = self._named(name)
        if found is not None:
            return found
        try:
            return self._pipeline(self.call(f"pipeline {name}", self._pipelines.pipeline_service_get_pipeline, name))
        except NotFoundError:
            known = ", ".join(one.name for one in self.pipelines()) or "none"
            raise ApiError(
                f"pipeline {name}: {self.connection.endpoint} has none of this name; there are {known}"
            ) from None

    def upload(self, package: Path, now: dt.datetime, *, new: bool | None = None) -> PipelineVersion:
        """Uploads a package: a new pipeline under the package's name, or a version of the one that is there.

        Args:
            package: a .yaml file.
            now: the present; the version's name holds it, in UTC.
            new: True for a pipeline that must not be there yet, False for one that must.
        """
        name = package_name(package)
        pipeline = self._named(name)
        if pipeline is not None and new is True:
            raise ApiError(f"pipeline {name}: is there already, id {pipeline.id}; update adds a version to it")
        if pipeline is None and new is False:
            raise ApiError(f"pipeline {name}: {self.connection.endpoint} has none of this name; create it first")
        made = pipeline is None
        if pipeline is None:
            # Not by the upload itself, which would name the first version as the pipeline.
            body = self.models.V2beta1Pipeline(display_name=name, **self.namespace())
            create = self._pipelines.pipeline_service_create_pipeline
            pipeline = self._pipeline(self.call(f"pipeline {name}", create, body))
        version = f"{name}-{now.astimezone(dt.UTC):%Y%m%d-%H%M%S-%f}"[:-3]
        upload = self._uploads.upload_pipeline_version
        try:
            stored = self.call(f"package {package}", upload, str(package), name=version, pipelineid=pipeline.id)
        except ApiError:
            if made:
                self._delete_pipeline(pipeline.id)
            raise
        return self._version(stored, pipeline)

    def newest_version(self, pipeline: StoredPipeline) -> PipelineVersion:
        """The version that was uploaded last."""
        method = self._pipelines.pipeline_service_list_pipeline_versions
        what = f"versions of pipeline {pipeline.name}"
        answer = self.call(what, method, pipeline.id, sort_by="created_at desc", page_size=1)
        if not answer.pipeline_versions:
            raise ApiError(f"pipeline {pipeline.name}: has no version; `awesome kubeflow upload` adds one")
        return self._version(answer.pipeline_versions[0], pipeline)

    def delete_pipeline(self, pipeline: StoredPipeline) -> int:
        """Deletes a pipeline that no schedule runs, and its versions, of which it returns the number; its runs stay."""
        for schedule in self.schedules():
            if schedule.pipeline_id == pipeline.id:
                raise ApiError(
                    f"pipeline {pipeline.name}: schedule {schedule.name} still runs it; first: "
                    f"awesome kubeflow schedule --delete {schedule.id}"
                )
        method = self._pipelines.pipeline_service_list_pipeline_versions
        # The list at once, as pages shift when their entries go.
        versions = list(self.pages("pipeline_versions", method, pipeline.id))
        delete = self._pipelines.pipeline_service_delete_pipeline_version
        for version in versions:
            self.call(f"version {version.display_name}", delete, pipeline.id, version.pipeline_version_id)
        self._delete_pipeline(pipeline.id)
        return len(versions)

    def pipeline_link(self, version: PipelineVersion) -> str:
        """Where the UI shows a version."""
        return f"{self.connection.ui}/#/pipelines/details/{version.pipeline.id}/version/{version.id}"

    def create_run(self, version: PipelineVersion, parameters: Mapping[str, Any], now: dt.datetime) -> Run:
        """Starts a run, in the experiment that has the pipeline's name.

        Args:
            version: what is run.
            parameters: by name; those left out keep their defaults.
            now: the present; the run's name holds it, in UTC.
        """
        name = f"{version.pipeline.name} {now.astimezone(dt.UTC):%Y-%m-%d %H:%M:%S}"
        body = self.models.V2beta1Run(display_name=name, **self._job(version.pipeline, version, parameters))
        return self._run(self.call("run", self._runs.run_service_create_run, body))

    def runs(self, pipeline: StoredPipeline | None = None) -> Iterator[Run]:
        """Runs, the newest first: those in the experiment of the pipeline's name, or all."""
        chosen: dict[str, Any] = dict(self.namespace())
        if pipeline is not None:
            experiment = self._experiment_id(pipeline.name, create=False)
            if experiment is None:
                return
            chosen = {"experiment_id": experiment}
        method = self._runs.run_service_list_runs
        for one in self.pages("runs", method, sort_by="created_at desc", **chosen):
            yield self._run(one)

    def run(self, run_id: str) -> Run:
        """One run with its steps."""
        found = self.call(f"run {run_id}", self._runs.run_service_get_run, run_id)
        known: tuple[str, ...] = ()
        reference = found.pipeline_version_reference
        if found.pipeline_spec:
            known = spec_tasks(found.pipeline_spec)
        elif found.run_details is not None and reference is not None and reference.pipeline_version_id:
            method = self._pipelines.pipeline_service_get_pipeline_version
            with suppress(NotFoundError):  # it was deleted, and the run stayed
                version = self.call("version", method, reference.pipeline_id, reference.pipeline_version_id)
                known = spec_tasks(version.pipeline_spec)
        return self._run(found, known)

    def follow(self, run_id: str, every: float, report: Callable[[State], None]) -> Run:
        """Waits until a run has ended, and returns it.

        Args:
            run_id: of the run.
            every: seconds between two looks.
            report: is given each step, and the run itself under the name "", when its state has changed.

        Raises:
            ApiError: the run is gone, or the endpoint has not answered a dozen times in a row.
        """
        seen: dict[str, str] = {}
        silent = 0
        while True:
            try:
                run = self.run(run_id)
            except NoAnswerError:
                silent += 1
                if silent == _SILENT:
                    raise
            else:
                silent = 0
                for one in (*run.tasks, State("", run.state, run.error)):
                    if one.state and seen.get(one.name) != one.state:
                        seen[one.name] = one.state
                        report(one)
                if run.state in ENDED:
                    return run
            time.sleep(every)

    def terminate(self, run_id: str) -> None:
        """Ends a run that has not ended."""
        run = self.run(run_id)
        if run.state in ENDED:
            raise ApiError(f"run {run_id}: has ended already, {run.state}")
        self.call(f"run {run_id}", self._runs.run_service_terminate_run, run_id)

    def delete_run(self, run_id: str) -> None:
        """Deletes the record of a run; its artifacts stay."""
        self.call(f"run {run_id}", self._runs.run_service_delete_run, run_id)

    def run_link(self, run: Run) -> str:
        """Where the UI shows a run."""
        return f"{self.connection.ui}/#/runs/details/{run.id}"

    def replace_schedule(
        self, name: str, pipeline: StoredPipeline, cron: str, parameters: Mapping[str, Any]
    ) -> tuple[RecurringRun, int]:
        """Makes a schedule, one run at a time and none for what was missed, and deletes others of its name.

        It names no version: each run takes the newest one there is (kubeflow/pipelines#11560, KFP 2.5).

        Args:
            name: as it is shown.
            pipeline: what is run.
            cron: six fields, the seconds first.
            parameters: of every run; those left out keep their defaults.

        Returns:
            The schedule, and how many it replaced.
        """
        old = [one for one in self.schedules() if one.name == name]
        body = self.models.V2beta1RecurringRun(
            display_name=name,
            trigger=self.models.V2beta1Trigger(cron_schedule=self.models.V2beta1CronSchedule(cron=cron)),
            mode=self.models.RecurringRunMode.ENABLE,
            max_concurrency="1",
            no_catchup=True,
            **self._job(pipeline, None, parameters),
        )
        create = self._schedules.recurring_run_service_create_recurring_run
        made = self._schedule(self.call(f"schedule {name}", create, body))
        # Only now, so that there is one whatever fails.
        for one in old:
            self.delete_schedule(one.id)
        return made, len(old)

    def schedules(self) -> Iterator[RecurringRun]:
        """All schedules, the newest first."""
        method = self._schedules.recurring_run_service_list_recurring_runs
        for one in self.pages("recurring_runs", method, sort_by="created_at desc", **self.namespace()):
            yield self._schedule(one)

    def delete_schedule(self, schedule_id: str) -> None:
        """Deletes a schedule; its runs stay."""
        self.call(f"schedule {schedule_id}", self._schedules.recurring_run_service_delete_recurring_run, schedule_id)

    def _experiment_id(self, name: str, create: bool) -> str | None:
        """The id of the experiment of that name; None where there is none and none is to be made."""
        method = self._experiments.experiment_service_list_experiments
        answer = self.call("experiments", method, filter=equals("display_name", name), **self.namespace())
        if answer.experiments:
            return self.text(answer.experiments[0].experiment_id)
        if not create:
            return None
        body = self.models.V2beta1Experiment(display_name=name, **self.namespace())
        method = self._experiments.experiment_service_create_experiment
        return self.text(self.call(f"experiment {name}", method, body).experiment_id)

    def _job(
        self, pipeline: StoredPipeline, version: PipelineVersion | None, parameters: Mapping[str, Any]
    ) -> dict[str, Any]:
        """What a run and a schedule are told alike; without a version it is the newest one, whenever it runs."""
        named = {} if version is None else {"pipeline_version_id": version.id}
        return {
            "experiment_id": self._experiment_id(pipeline.name, create=True),
            "pipeline_version_reference": self.models.V2beta1PipelineVersionReference(pipeline_id=pipeline.id, **named),
            "runtime_config": self.models.V2beta1RuntimeConfig(parameters=dict(parameters)),
        }

    def _named(self, name: str) -> StoredPipeline | None:
        """The pipeline whose name is spelled as given, or as KFP would have it."""
        spellings = {name: None}
        with suppress(CompileError):
            spellings[kfp_name(name)] = None
        method = self._pipelines.pipeline_service_list_pipelines
        for one in spellings:
            answer = self.call("pipelines", method, filter=equals("display_name", one), **self.namespace())
            if answer.pipelines:
                return self._pipeline(answer.pipelines[0])
        return None

    def _delete_pipeline(self, pipeline_id: str) -> None:
        self.call(f"pipeline {pipeline_id}", self._pipelines.pipeline_service_delete_pipeline, pipeline_id)

    def _pipeline(self, found: Any) -> StoredPipeline:
        return StoredPipeline(self.text(found.pipeline_id), self.text(found.display_name))

    def _version(self, found: Any, pipeline: StoredPipeline) -> PipelineVersion:
        name = self.text(found.display_name)
        return PipelineVersion(self.text(found.pipeline_version_id), name, pipeline, spec_inputs(found.pipeline_spec))

    def _run(self, found: Any, known: tuple[str, ...] = ()) -> Run:
        details = (found.run_details.task_details if found.run_details else None) or ()
        # KFP lists its drivers and launchers among the tasks.
        shown = [one for one in details if not known or one.display_name in known]
        return Run(
            id=self.text(found.run_id),
            name=found.display_name or "",
            state=found.state or "",
            created=moment(found.created_at),
            finished=moment(found.finished_at),
            error=_error(found),
            tasks=tuple(State(one.display_name or "", one.state or "", _error(one)) for one in shown),
        )

    def _schedule(self, found: Any) -> RecurringRun:
        reference = found.pipeline_version_reference
        cron = found.trigger.cron_schedule if found.trigger else None
        return RecurringRun(
            id=self.text(found.recurring_run_id),
            name=found.display_name or "",
            cron=(cron.cron if cron else "") or "",
            enabled=found.status != "DISABLED" and found.mode != "DISABLE",
            pipeline_id=(reference.pipeline_id if reference else "") or "",
        )


def _error(found: Any) -> str:
    return one_line(found.error.message) if found.error else ""
