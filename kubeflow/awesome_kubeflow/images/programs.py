"""Other programs (git, kubectl, podman, docker), run for a bounded time and ended with all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from dataclasses import dataclass

_STDERR = 2
_SECONDS_TO_END = 10


@dataclass(frozen=True)
class Finished:
    """How a program ended.

    Attributes:
        code: its exit code; None where it did not end by itself, or could not be started.
        out: what it wrote to standard output, if that was kept.
        err: what it wrote to standard error, if that was kept; without a code, why there is none.
    """

    code: int | None
    out: str
    err: str


def run_program(command: list[str], timeout: float, *, capture: bool = True) -> Finished:
    """Runs a program, which gets nothing to read.

    Args:
        command: program and arguments.
        timeout: seconds, after which it is ended.
        capture: whether its output is kept; otherwise all of it goes to the error stream.
    """
    try:
        # Its own session, so that what it started can be ended with it, on Ctrl-C too.
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if capture else _STDERR,
            stderr=subprocess.PIPE if capture else None,
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        return Finished(None, "", f"{command[0]} cannot be run ({error.strerror})")
    try:
        out, err = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        return Finished(None, "", f"it took more than {timeout:g} s and was ended")
    finally:
        if process.returncode is None:
            _end(process)
    return Finished(process.returncode, out or "", err or "")


def _end(process: subprocess.Popen[str]) -> None:
    """Asks the program and what it started to end, and kills what then is still there."""
    for one in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, one)
        # Not until its pipes are closed: a program that left the session may hold them open.
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_SECONDS_TO_END)
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()
