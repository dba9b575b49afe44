"""Inputs and outputs of a component that depend on the models of a run."""

from __future__ import annotations

from collections.abc import Mapping

from tfx import types
from tfx.types import component_spec

Channels = Mapping[str, types.BaseChannel]


def component_spec_of(
    inputs: Channels, outputs: Channels, parameters: Mapping[str, object], optional: str = ""
) -> types.ComponentSpec:
    """A spec with just these names: union channels would leave matching lists by position.

    Args:
        inputs: channels by name.
        outputs: channels by name.
        parameters: values by name.
        optional: inputs whose names end so may be empty.
    """
    members = {
        "PARAMETERS": {name: component_spec.ExecutionParameter(type=type(one)) for name, one in parameters.items()},
        "INPUTS": {
            name: component_spec.ChannelParameter(type=one.type, optional=bool(optional) and name.endswith(optional))
            for name, one in inputs.items()
        },
        "OUTPUTS": {name: component_spec.ChannelParameter(type=one.type) for name, one in outputs.items()},
    }
    return type("Spec", (types.ComponentSpec,), members)(**inputs, **outputs, **parameters)
