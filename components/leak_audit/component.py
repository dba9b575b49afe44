"""LeakAudit as a TFX component."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec

from components.leak_audit.artifact import LeakAuditReport
from components.leak_audit.config import AuditConfig
from components.leak_audit.executor import CONFIG, Executor


@dataclass(frozen=True)
class Evaluated:
    """What an Evaluator said of one model of a run.

    Attributes:
        evaluation: channel of its evaluation.
        blessing: channel of its blessing.
    """

    evaluation: types.BaseChannel
    blessing: types.BaseChannel


class LeakAudit(base_component.BaseComponent):
    """Says whether the run's evaluation leaks; `outputs['audit']` is a folder with audit.json.

    It ends well whatever it finds: the property `verdict` of its output says clean, suspicious or leaking.
    """

    SPEC_CLASS = types.ComponentSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        transform_graph: types.BaseChannel,
        evaluated: Mapping[str, Evaluated],
        config: AuditConfig,
    ) -> None:
        """Builds the component.

        Args:
            examples: of all splits.
            schema: that they were validated with.
            transform_graph: that the models were trained behind.
            evaluated: by model name; the alarm judges their AUCs.
            config: what is trained again, and what was asked of the splits.
        """
        channels = {"examples": examples, "schema": schema, "transform_graph": transform_graph}
        for name, one in evaluated.items():
            if not re.fullmatch(r"[a-z0-9_]+", name):
                raise ValueError(f"model name {name!r} cannot be part of a channel's name")
            channels |= {f"{name}.evaluation": one.evaluation, f"{name}.blessing": one.blessing}
        spec = _spec_class(channels)(
            **channels, **{CONFIG: config.to_json()}, audit=types.Channel(type=LeakAuditReport)
        )
        super().__init__(spec=spec)


def _spec_class(channels: Mapping[str, types.BaseChannel]) -> Any:
    """A spec with named inputs for just these models."""
    return type(
        "LeakAuditSpec",
        (types.ComponentSpec,),
        {
            "PARAMETERS": {CONFIG: component_spec.ExecutionParameter(type=str)},
            "INPUTS": {key: component_spec.ChannelParameter(type=channel.type) for key, channel in channels.items()},
            "OUTPUTS": {"audit": component_spec.ChannelParameter(type=LeakAuditReport)},
        },
    )
