"""ModelSelector: the champion."""

from __future__ import annotations

from awesome_kubeflow.steps.kind import StepKind, only
from awesome_kubeflow.steps.page import Section
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    champion = only(step, "model").get_string_custom_property("champion")
    without = "There is no champion: no model is blessed, or the leak audit says that the evaluation leaks."
    return Section(f"The champion is {champion}." if champion else without)


STEP = StepKind("ModelSelector", resources="light", section=_section)
