"""Resolver: the model that a new one is judged against."""

from __future__ import annotations

from awesome_kubeflow.steps.kind import StepKind
from awesome_kubeflow.steps.page import Section
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    models = step.outputs.get("model", [])
    if not models:
        return Section("There is no earlier blessed model of this kind.")
    return Section(f"The model is judged against artifact {models[0].id}, the last blessed one of its kind.")


STEP = StepKind("Resolver", resources="light", section=_section)
