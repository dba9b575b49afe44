"""The flags that a command was given, for the command that goes on with what it has made, or repeats it."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from pipeline.plan import Plan

OF_PREDICT = (
    *("db", "panel", "shares", "label", "formatter", "horizon", "max_missing_sessions", "seed", "workspace", "plugins"),
    *("market", "market_shares", "market_sessions", "suspect_return", "suspect_deviations"),
    *("s3_endpoint", "cos_region", "cos_endpoint"),
)
"""The settings that `awesome predict` takes as options: what it predicts from, and by which pushed model."""


def given_flags(plan: Plan, wanted: Callable[[str], bool]) -> list[str]:
    """The flags of a plan with their values, word by word, as they are typed.

    Args:
        plan: of the command that was given them.
        wanted: whether the other command takes a setting, by its name.
    """
    said: list[str] = []
    for name, origin in plan.origins.items():
        if origin.startswith("--") and wanted(name):
            typed = plan.given.get(name)  # a file, of shares too, is named and not written out
            said += flag_words(origin, typed if isinstance(typed, str | Path) else getattr(plan.settings, name))
    return said


def command_of(plan: Plan, *words: str, takes: Collection[str] = OF_PREDICT) -> str:
    """Another command as it is typed, with those of a plan's own flags that it takes, and that `words` do not set anew.

    Args:
        plan: of the command that was given them.
        words: such as "predict", "--model", "linear".
        takes: the settings that the command has an option for.
    """
    anew = {word for word in words if word.startswith("--")}
    flags = given_flags(plan, lambda name: name in takes and plan.origins[name] not in anew)
    return shlex.join(["awesome", words[0], *flags, *words[1:]])


def again(plan: Plan, *words: str) -> str:
    """The command that a plan is of as it was typed, with all of its options but for those that `words` set anew.

    Args:
        plan: of the command.
        words: options with their values, such as "--model", "linear".

    Returns:
        The command; `awesome predict` where a program asked, which typed none.
    """
    anew = {word for word in words if word.startswith("--")}
    flags = given_flags(plan, lambda name: plan.origins[name] not in anew)
    own = [word for typed in plan.own.values() if typed[0] not in anew for word in typed]
    return shlex.join(["awesome", *(plan.command or "predict").split(), *flags, *own, *words])


def flag_words(flag: str, value: Any, off: str = "") -> list[str]:
    """A flag with its value as they are typed; `off` is the flag that says no, `--no-...` if it has no other name."""
    if isinstance(value, list) or flag == "--plugin":
        return [part for one in value for part in (flag, str(one))]
    if isinstance(value, bool):
        return [flag if value else off or f"--no-{flag.removeprefix('--')}"]
    return [flag, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
