"""The container engine that builds and pushes: podman or docker."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from awesome_kubeflow.errors import ImageError
from awesome_kubeflow.images.programs import run_program

_PROBES = {"podman": "info", "docker": "version"}
"""By engine, the command that fails where it cannot work: without its storage, without its daemon."""

ENGINES = tuple(_PROBES)
SHORT_SECONDS = 30
"""For what an engine only looks up."""


@dataclass(frozen=True)
class Engine:
    """A container engine that answers, podman or docker, and the path of its program."""

    name: str
    program: str


def find_engine(name: str | None = None) -> Engine:
    """The engine of that name, or the first that is installed and answers.

    Raises:
        ImageError: there is none.
    """
    if name is not None and name not in ENGINES:
        raise ImageError(f"--engine {name}: there is no such engine; there are {', '.join(ENGINES)}")
    reasons = []
    for one in ENGINES if name is None else (name,):
        program = shutil.which(one)
        if program is None:
            reasons.append(f"{one} is not installed")
            continue
        engine = Engine(one, program)
        failure = run_engine([program, _PROBES[one]], SHORT_SECONDS)[0]
        if failure is None:
            return engine
        reasons.append(f"{one} does not answer ({failure})")
    raise ImageError(f"no container engine: {'; '.join(reasons)}")


def exists(engine: Engine, name: str) -> bool:
    """Whether the engine has an image itself."""
    return run_engine([engine.program, "image", "inspect", name], SHORT_SECONDS)[0] is None


def run_engine(command: list[str], timeout: float, *, capture: bool = True) -> tuple[str | None, str]:
    """Runs the engine.

    Args:
        command: program and arguments.
        timeout: seconds.
        capture: whether its output is kept; otherwise it goes to the error stream.

    Returns:
        Why it failed, None if it did not; and what it wrote to standard output, if that was kept.
    """
    done = run_program(command, timeout, capture=capture)
    if done.code == 0:
        return None, done.out
    if done.code is not None and not capture:
        return f"exit code {done.code}, its own words are above", ""
    lines = [line.strip() for line in done.err.splitlines() if line.strip()]
    return (lines[-1] if lines else f"exit code {done.code}"), done.out
