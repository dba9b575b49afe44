"""The installed command, and how it refuses."""

from __future__ import annotations

import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("awesome"))


def refusal(outcome: tuple[int, str, str]) -> str:
    """The one line of a command that was refused before it printed anything: exit code, output, errors."""
    code, out, err = outcome
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("awesome: ")
    return line.removeprefix("awesome: ")
