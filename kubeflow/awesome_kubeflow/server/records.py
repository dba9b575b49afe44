"""What Kubeflow Pipelines tells of pipelines, runs and schedules."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from awesome_kubeflow.server.inputs import Input

SUCCEEDED = "SUCCEEDED"
ENDED = frozenset({SUCCEEDED, "FAILED", "SKIPPED", "CANCELED"})
"""States that a run does not leave."""


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
