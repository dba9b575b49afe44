"""A run followed by looks, some of which get no answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from awesome_kubeflow.errors import ApiError, NoAnswerError
from awesome_kubeflow.server.api import PipelinesApi
from awesome_kubeflow.server.records import Run, State

LOOKS = 12
"""In a row without an answer, after which it is given up."""


@dataclass
class Answers:
    """What `PipelinesApi.run` gives: a state, or an error."""

    left: list[Any]
    asked: int = field(default=0)

    def run(self, run_id: str) -> Run:
        self.asked += 1
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Run(run_id, "a run", answer, None, None, "", ())


def followed(answers: Answers) -> tuple[Run, list[State]]:
    changes: list[State] = []
    return PipelinesApi.follow(cast(PipelinesApi, answers), "1", 0, changes.append), changes


def test_looks_without_an_answer_only_count_in_a_row() -> None:
    silent = [NoAnswerError("away")] * (LOOKS - 1)
    run, changes = followed(Answers([*silent, "RUNNING", *silent, "RUNNING", "SUCCEEDED"]))
    assert run.state == "SUCCEEDED"
    assert [change.state for change in changes] == ["RUNNING", "SUCCEEDED"]


def test_an_endpoint_that_stays_away_is_told() -> None:
    answers = Answers([NoAnswerError("away")] * (LOOKS + 1))
    with pytest.raises(NoAnswerError, match="away"):
        followed(answers)
    assert answers.asked == LOOKS


def test_a_refusal_is_told_at_once() -> None:
    answers = Answers([ApiError("refuses"), "SUCCEEDED"])
    with pytest.raises(ApiError, match="refuses"):
        followed(answers)
    assert answers.asked == 1


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"])
def test_it_ends_with_the_run(state: str) -> None:
    run, _ = followed(Answers(["", "PENDING", "CANCELING", "PAUSED", state]))
    assert run.state == state
