"""ModelSelector as a TFX component."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import component_spec, standard_artifacts

from components.model_selector.executor import Executor


@dataclass(frozen=True)
class Candidate:
    """One model of a run with what its Evaluator said.

    Attributes:
        model: channel of the trained model.
        evaluation: channel of its evaluation.
        blessing: channel of its blessing.
    """

    model: types.BaseChannel
    evaluation: types.BaseChannel
    blessing: types.BaseChannel


class ModelSelector(base_component.BaseComponent):
    """Takes the candidates of a run and passes on the best blessed one.

    `outputs['model']` holds the champion, or nothing; `outputs['blessing']` is blessed only where there is one, so a
    Pusher behind it pushes nothing otherwise.
    """

    SPEC_CLASS = types.ComponentSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(self, candidates: Mapping[str, Candidate]) -> None:
        """Builds the component.

        Args:
            candidates: by model name.
        """
        channels: dict[str, types.BaseChannel] = {}
        for name, candidate in candidates.items():
            if not re.fullmatch(r"[a-z0-9_]+", name):
                raise ValueError(f"model name {name!r} cannot be part of a channel's name")
            channels |= {
                f"{name}.model": candidate.model,
                f"{name}.evaluation": candidate.evaluation,
                f"{name}.blessing": candidate.blessing,
            }
        spec = _spec_class(channels)(
            **channels,
            model=types.Channel(type=standard_artifacts.Model),
            blessing=types.Channel(type=standard_artifacts.ModelBlessing),
        )
        super().__init__(spec=spec)


def _spec_class(channels: Mapping[str, types.BaseChannel]) -> Any:
    """A spec with named inputs for just these candidates: union channels would leave matching lists by position."""
    return type(
        "ModelSelectorSpec",
        (types.ComponentSpec,),
        {
            "PARAMETERS": {},
            "INPUTS": {key: component_spec.ChannelParameter(type=channel.type) for key, channel in channels.items()},
            "OUTPUTS": {
                "model": component_spec.ChannelParameter(type=standard_artifacts.Model),
                "blessing": component_spec.ChannelParameter(type=standard_artifacts.ModelBlessing),
            },
        },
    )
