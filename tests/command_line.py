"""The installed command, the environment it is run in, what it shows on a terminal, and how it refuses."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("awesome"))


def clean_environment(**variables: str) -> dict[str, str]:
    """This process's environment without settings of the project, and with some variables."""
    return {key: value for key, value in os.environ.items() if not key.startswith("AWESOME_")} | variables


def on_a_terminal(command: Sequence[str], environment: dict[str, str]) -> tuple[int, str, str]:
    """Runs a program whose error stream is a terminal: its exit code, what it printed, what the terminal shows."""
    ours, theirs = pty.openpty()
    shown = b""
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=theirs, env=environment, text=True
    ) as process:
        os.close(theirs)
        with contextlib.suppress(OSError):  # how Linux says that the other side has gone
            while piece := os.read(ours, 65536):
                shown += piece
        os.close(ours)
        out, _ = process.communicate()
    return process.returncode, out, shown.decode()


def refusal(outcome: tuple[int, str, str]) -> str:
    """The one line of a command that was refused before it printed anything: exit code, output, errors."""
    code, out, err = outcome
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert line.startswith("awesome: ")
    return line.removeprefix("awesome: ")
