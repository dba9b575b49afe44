"""Runs."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from awesome_kubeflow.errors import ApiError
from awesome_kubeflow.server.client import Client, NotFoundError, moment, one_line
from awesome_kubeflow.server.connection import Connection
from awesome_kubeflow.server.inputs import spec_tasks
from awesome_kubeflow.server.records import ENDED, PipelineVersion, Run, StoredPipeline, TaskState


class Runs(Client):
    """What is asked about runs."""

    def __init__(self, connection: Connection) -> None:
        """As in `Client`."""
        super().__init__(connection)
        self._runs = self.models.RunServiceApi(self.client)
        self._versions = self.models.PipelineServiceApi(self.client)

    def create_run(self, version: PipelineVersion, parameters: Mapping[str, Any], now: dt.datetime) -> Run:
        """Starts a run, in the experiment that has the pipeline's name.

        Args:
            version: what is run.
            parameters: by name; those left out keep their defaults.
            now: the present; the run's name holds it, in UTC.
        """
        body = self.models.V2beta1Run(
            experiment_id=self.experiment_id(version.pipeline.name, create=True),
            display_name=f"{version.pipeline.name} {now.astimezone(dt.timezone.utc):%Y-%m-%d %H:%M:%S}",
            pipeline_version_reference=self.reference(version),
            runtime_config=self.models.V2beta1RuntimeConfig(parameters=dict(parameters)),
        )
        return self._run(self.call("run", self._runs.run_service_create_run_with_http_info, body))

    def runs(self, pipeline: StoredPipeline | None = None) -> Iterator[Run]:
        """Runs, the newest first.

        Args:
            pipeline: only those in the experiment of its name; None for all.
        """
        chosen: dict[str, Any] = dict(self.namespace())
        if pipeline is not None:
            experiment = self.experiment_id(pipeline.name, create=False)
            if experiment is None:
                return
            chosen = {"experiment_id": experiment}
        method = self._runs.run_service_list_runs_with_http_info
        for one in self.pages("runs", method, sort_by="created_at desc", **chosen):
            yield self._run(one)

    def run(self, run_id: str) -> Run:
        """One run with its steps.

        Args:
            run_id: of the run.

        Raises:
            ApiError: there is none.
        """
        found = self.call(f"run {run_id}", self._runs.run_service_get_run_with_http_info, run_id)
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
        self.call(f"run {run_id}", self._runs.run_service_terminate_run_with_http_info, run_id)

    def delete_run(self, run_id: str) -> None:
        """Deletes the record of a run; its artifacts stay.

        Args:
            run_id: of the run.
        """
        self.call(f"run {run_id}", self._runs.run_service_delete_run_with_http_info, run_id)

    def run_link(self, run: Run) -> str:
        """Where the UI shows a run."""
        return f"{self.connection.ui}/#/runs/details/{run.id}"

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
            error=one_line(found.error.message) if found.error else "",
            tasks=tuple(
                TaskState(one.display_name or "", one.state or "", one_line(one.error.message) if one.error else "")
                for one in shown
            ),
        )

    def _tasks(self, pipeline_id: str, version_id: str) -> tuple[str, ...]:
        method = self._versions.pipeline_service_get_pipeline_version_with_http_info
        try:
            return spec_tasks(self.call("version", method, pipeline_id, version_id).pipeline_spec)
        except NotFoundError:  # it was deleted, and the run stayed
            return ()
