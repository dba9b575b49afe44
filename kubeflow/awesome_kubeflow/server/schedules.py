"""Recurring runs: schedules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from awesome_kubeflow.server.client import Client
from awesome_kubeflow.server.connection import Connection
from awesome_kubeflow.server.records import PipelineVersion, RecurringRun


class Schedules(Client):
    """What is asked about schedules."""

    def __init__(self, connection: Connection) -> None:
        """As in `Client`."""
        super().__init__(connection)
        self._schedules = self.models.RecurringRunServiceApi(self.client)

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
        body = self.models.V2beta1RecurringRun(
            display_name=name,
            experiment_id=self.experiment_id(version.pipeline.name, create=True),
            pipeline_version_reference=self.reference(version),
            runtime_config=self.models.V2beta1RuntimeConfig(parameters=dict(parameters)),
            trigger=self.models.V2beta1Trigger(cron_schedule=self.models.V2beta1CronSchedule(cron=cron)),
            mode=self.models.RecurringRunMode.ENABLE,
            max_concurrency="1",
            no_catchup=True,
        )
        create = self._schedules.recurring_run_service_create_recurring_run_with_http_info
        made = self._schedule(self.call(f"schedule {name}", create, body))
        # Only now, so that there is one whatever fails.
        for one in old:
            self.delete_schedule(one.id)
        return made, len(old)

    def schedules(self) -> Iterator[RecurringRun]:
        """All schedules, the newest first."""
        method = self._schedules.recurring_run_service_list_recurring_runs_with_http_info
        for one in self.pages("recurring_runs", method, sort_by="created_at desc", **self.namespace()):
            yield self._schedule(one)

    def delete_schedule(self, schedule_id: str) -> None:
        """Deletes a schedule; its runs stay.

        Args:
            schedule_id: of the schedule.
        """
        method = self._schedules.recurring_run_service_delete_recurring_run_with_http_info
        self.call(f"schedule {schedule_id}", method, schedule_id)

    def _schedule(self, found: Any) -> RecurringRun:
        reference = found.pipeline_version_reference
        cron = found.trigger.cron_schedule if found.trigger else None
        return RecurringRun(
            id=self.text(found.recurring_run_id),
            name=found.display_name or "",
            cron=(cron.cron if cron else "") or "",
            enabled=found.status != "DISABLED" and found.mode != "DISABLE",
            pipeline_id=(reference.pipeline_id if reference else "") or "",
            version_id=(reference.pipeline_version_id if reference else "") or "",
        )
