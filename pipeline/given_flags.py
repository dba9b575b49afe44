"""The flags that a command was given, for the command that goes on with what it has made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pipeline.plan import Plan


def given_flags(plan: Plan, wanted: Callable[[str], bool]) -> list[str]:
    """The flags of a plan with their values, word by word, as they are typed.

    Args:
        plan: of the command that was given them.
        wanted: whether the other command takes a setting, by its name.
    """
    said: list[str] = []
    for name, origin in plan.origins.items():
        if origin.startswith("--") and wanted(name):
            said += _words(origin, getattr(plan.settings, name))
    return said


def _words(flag: str, value: Any) -> list[str]:
    if flag == "--plugin":
        return [part for path in value for part in (flag, str(path))]
    return [flag, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
