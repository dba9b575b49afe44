"""ModelSelector: the champion, what the leak audit holds back, and what was accepted of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from awesome_kubeflow.node import NodeSlice, properties_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import StepKind, only
from awesome_kubeflow.steps.page import Section
from components.model_selector.properties import (
    ACCEPT,
    ACCEPTED,
    HELD_BACK_BECAUSE,
    accepted_names,
    accepted_text,
)
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    champion = only(step, "model").get_string_custom_property("champion")
    blessing = only(step, "blessing")
    held, accepted = (blessing.get_string_custom_property(key) for key in (HELD_BACK_BECAUSE, ACCEPTED))
    told = [f"The champion is {champion}." if champion else "There is no champion, so nothing is pushed."]
    if held:
        told.append(f"The leak audit holds back {held}.")
    elif not champion:
        told.append("No model is blessed.")
    if accepted:
        told.append(f"Suspicious, and accepted by the run's parameter accept_suspicion: {accepted}.")
    return Section(" ".join(told))


def _compiled(node: Any) -> Mapping[str, Any]:
    return {"accept_suspicion": accepted_names(properties_of(node)[ACCEPT])}


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    set_property(part.node, ACCEPT, accepted_text(parameters.accept_suspicion))


STEP = StepKind("ModelSelector", resources="light", section=_section, compiled=_compiled, change=_change)
