"""Print the path of a uv that this project can use, installing one into `.tools/` if there is none.

    python3 tools/get_uv.py

The first of these that answers `--version` and is new enough is taken: a `uv` on PATH, the one in `.tools/`, one that
pip puts there, into a virtual environment of its own. pip knows the user's mirrors and certificates; those that are set
for uv alone it is told. Standard library only.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from pathlib import Path

UV_VERSION = "0.13.9"  # the one that wrote uv.lock
ROOT = Path(__file__).resolve().parent.parent


class GetUvError(Exception):
    """uv cannot be had; the one-line message says why and what to do."""


def uv_version(program: Path) -> tuple[int, ...]:
    """Ask a uv for its version; empty if it does not answer, as a shim without a uv behind it."""
    try:
        done = subprocess.run([program, "--version"], stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(rb"uv (\d+(?:\.\d+)*)", done.stdout)
    return tuple(map(int, match[1].split(b"."))) if match and done.returncode == 0 else ()


def find_uv(folders: list[str]) -> Path | None:
    """Find the first uv in some folders that runs and is what pyproject.toml asks for at least."""
    match = re.search(r'^required-version *= *">=([\d.]+)"', (ROOT / "pyproject.toml").read_text("utf-8"), re.MULTILINE)
    assert match is not None
    required = tuple(map(int, match[1].split(".")))
    programs = (Path(folder).absolute() / "uv" for folder in folders)
    return next((program for program in programs if program.is_file() and uv_version(program) >= required), None)


def install_uv(venv: Path) -> None:
    """Install uv with pip into a virtual environment, made afresh.

    Raises:
        GetUvError: this Python makes none, or pip does not succeed.
    """
    if importlib.util.find_spec("ensurepip") is None:
        raise GetUvError(f"{sys.executable} has no venv: install it (Debian: apt-get install python3-venv), or uv")
    index, certificates = os.environ.get("UV_DEFAULT_INDEX", ""), os.environ.get("SSL_CERT_FILE", "")
    told = {"PIP_INDEX_URL": re.sub(r"^[\w.-]+=", "", index), "PIP_CERT": certificates}  # uv also takes name=url
    environment = {name: value for name, value in told.items() if value} | dict(os.environ)
    pip = ["-m", "pip", "--no-input", "--disable-pip-version-check", "install", "--only-binary=:all:"]
    for command in (
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [str(venv / "bin" / "python"), *pip, f"uv=={UV_VERSION}"],
    ):
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            said = (done.stderr or done.stdout).strip().partition("\n")[0]
            todo = "check the network and PIP_INDEX_URL, or install uv yourself"
            raise GetUvError(f"uv {UV_VERSION} cannot be installed, {todo}: {said}")


def main() -> int:
    """Print the path of uv; returns the exit code."""
    venv = ROOT / ".tools" / f"uv-{UV_VERSION}"
    try:
        folders = [*os.get_exec_path(), str(venv / "bin")]
        program = find_uv(folders)
        if program is None:
            print(f"awesome: installing uv {UV_VERSION} into .tools/ (once)", file=sys.stderr)
            install_uv(venv)
            program = find_uv(folders)
        if program is None:
            raise GetUvError(f"the uv in {venv} does not run on this machine: install one yourself")
    except (GetUvError, OSError) as error:
        print(f"awesome: {error}", file=sys.stderr)
        return 1
    print(program)
    return 0


if __name__ == "__main__":
    sys.exit(main())
