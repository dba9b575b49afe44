"""How hyperparameters are written in awesome.toml."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def in_toml(model: str, values: Mapping[str, Any]) -> str:
    """The section of awesome.toml that says so.

    >>> print(in_toml("dnn", {"learning_rate": 0.01, "units": (64, 32)}))
    [hyperparameters.dnn]
    learning_rate = 0.01
    units = [64, 32]
    """
    key = model if model.replace("-", "_").isidentifier() and model.isascii() else json.dumps(model)
    lines = [f"{name} = {json.dumps(value)}" for name, value in values.items()]
    return "\n".join([f"[hyperparameters.{key}]", *lines])
