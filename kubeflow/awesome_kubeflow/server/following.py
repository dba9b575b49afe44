"""A run followed to its end."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from awesome_kubeflow.errors import NoAnswerError
from awesome_kubeflow.server.api import PipelinesApi
from awesome_kubeflow.server.records import ENDED, Run

_SILENT = 12
"""Looks in a row without an answer after which it is given up: a forwarded port comes back."""


@dataclass(frozen=True)
class Change:
    """The run or one of its steps in another state.

    Attributes:
        task: empty for the run itself.
        state: such as RUNNING.
        error: why it failed; empty for none.
    """

    task: str
    state: str
    error: str


def follow(api: PipelinesApi, run_id: str, every: float, report: Callable[[Change], None]) -> Run:
    """Waits until a run has ended.

    Args:
        api: that has it.
        run_id: of the run.
        every: seconds between two looks.
        report: is given what has changed.

    Returns:
        The run as it ended.

    Raises:
        ApiError: the run is gone, or the endpoint has not answered a dozen times in a row.
    """
    seen: dict[str, str] = {}
    silent = 0
    while True:
        try:
            run = api.run(run_id)
        except NoAnswerError:
            silent += 1
            if silent == _SILENT:
                raise
        else:
            silent = 0
            steps = [Change(one.name, one.state, one.error) for one in run.tasks]
            for change in (*steps, Change("", run.state, run.error)):
                if change.state and seen.get(change.task) != change.state:
                    seen[change.task] = change.state
                    report(change)
            if run.state in ENDED:
                return run
        time.sleep(every)
