"""Pusher: where the champion goes."""

from __future__ import annotations

from pathlib import Path

from awesome_kubeflow.names import renamed_path
from awesome_kubeflow.node import NodeSlice, message_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import MOST_ROWS, StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    pushed = only(step, "pushed_model")
    where = pushed.get_string_custom_property("pushed_destination")
    if not where:
        return Section("Nothing was pushed, as there is no champion.")
    files = sorted(path for path in Path(where).rglob("*") if path.is_file())
    rows = tuple((str(path.relative_to(where)), f"{path.stat().st_size:,}") for path in files[:MOST_ROWS])
    return Section(f"The champion was pushed to {where}.", (Table("Pushed files", ("file", "bytes"), rows),))


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    from tfx.proto import pusher_pb2

    destination = message_of(part.node, "push_destination", pusher_pb2.PushDestination())
    base = destination.filesystem.base_directory
    destination.filesystem.base_directory = renamed_path(base, part.name, part.name_in(parameters))
    set_property(part.node, "push_destination", destination)


STEP = StepKind("Pusher", resources="light", section=_section, change=_change)
