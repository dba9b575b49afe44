"""ModelSelector as a TFX component."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import standard_artifacts

from components.model_selector.executor import Executor
from components.model_selector.properties import ACCEPT, accepted_text
from components.named_channels import component_spec_of


class ModelSelector(base_component.BaseComponent):
    """Takes the candidates of a run and passes on the best blessed one.

    `outputs['model']` holds the champion, or nothing; `outputs['blessing']` is blessed only where there is one, so a
    Pusher behind it pushes nothing otherwise. Where the audit says that the evaluation leaks, there is none; a model
    that a suspicion touches is none either, unless a person has accepted the check by name.
    """

    SPEC_CLASS = types.ComponentSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        models: Mapping[str, types.BaseChannel],
        evidence: types.BaseChannel,
        audit: types.BaseChannel | None = None,
        accept: Iterable[str] = (),
    ) -> None:
        """Builds the component.

        Args:
            models: channels of the trained models, by name.
            evidence: channel of what the Evidence step found of them.
            audit: channel of what the LeakAudit step found; None where there is no such step.
            accept: names of checks whose suspicion keeps no model back. It is a property of this step alone, so that
                accepting one after a run takes all other steps from the cache.
        """
        channels: dict[str, types.BaseChannel] = {"evidence": evidence} | ({"audit": audit} if audit else {})
        for name, model in models.items():
            if not re.fullmatch(r"[a-z0-9_]+", name):
                raise ValueError(f"model name {name!r} cannot be part of a channel's name")
            channels[f"{name}.model"] = model
        outputs = {
            "model": types.Channel(type=standard_artifacts.Model),
            "blessing": types.Channel(type=standard_artifacts.ModelBlessing),
        }
        super().__init__(spec=component_spec_of(channels, outputs, {ACCEPT: accepted_text(accept)}))
