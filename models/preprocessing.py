"""preprocessing_fn: a DataFormatter as TensorFlow Transform operations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.formatters import FORMATTERS, get_formatter
from models.operations import standardised, unstandardised


def preprocessing_fn(inputs: Mapping[str, Any], custom_config: Mapping[str, Any]) -> dict[str, Any]:
    """What Transform calls.

    Args:
        inputs: the raw features, batched.
        custom_config: `formatter` names the DataFormatter.

    Returns:
        The formatter's features by name: sequences [batch, steps], scalars and categories [batch, 1].

    Raises:
        PluginError: the formatter comes from outside, and its code fails.
    """
    formatter = get_formatter(custom_config["formatter"])
    with FORMATTERS.called(formatter.name):
        values = {one: unstandardised(inputs[one.source], one) for one in formatter.features}
        together = {one: value for one, value in values.items() if value is not None}
        scaled = standardised(together) if together else {}
        return {
            one.name: scaled[one] if one in scaled else one.operation.function(inputs[one.source], one)
            for one in formatter.features
        }
