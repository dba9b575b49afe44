"""What Kubeflow Pipelines tells of pipelines, runs and schedules; ids are given by the server, times are in UTC."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from awesome_kubeflow.server.inputs import Input

SUCCEEDED = "SUCCEEDED"
ENDED = frozenset({SUCCEEDED, "FAILED", "SKIPPED", "CANCELED"})
"""States that a run does not leave."""


@dataclass(frozen=True)
class StoredPipeline:
    """A pipeline that was uploaded, under a name of its own."""

    id: str
    name: str


@dataclass(frozen=True)
class PipelineVersion:
    """One package of a pipeline, and the inputs that a run of it may set; its name is unique among the pipeline's."""

    id: str
    name: str
    pipeline: StoredPipeline
    inputs: tuple[Input, ...]


@dataclass(frozen=True)
class State:
    """Where a step of a run is.

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
        id: of the run.
        name: as it is shown.
        state: such as RUNNING; empty before it has one.
        created: when it was asked for.
        finished: None before it ended.
        error: why it failed; empty for none.
        tasks: its steps that have begun.
    """

    id: str
    name: str
    state: str
    created: dt.datetime | None
    finished: dt.datetime | None
    error: str
    tasks: tuple[State, ...]


@dataclass(frozen=True)
class RecurringRun:
    """A schedule.

    Attributes:
        id: of the schedule.
        name: as it is shown.
        cron: when runs begin; empty where it is no cron expression.
        enabled: whether they do.
        pipeline_id: whose runs.
    """

    id: str
    name: str
    cron: str
    enabled: bool
    pipeline_id: str
