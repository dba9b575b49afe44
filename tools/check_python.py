"""Print the interpreter that the project runs on, or say in one line why this Python cannot be it.

    python3 tools/check_python.py                   prints sys.executable, or exits with 1 and a reason
    python3 tools/check_python.py --after-failure   says what this machine lacks when an installation has failed

Standard library only. It starts on every Python from 3.6 on, because what it has to refuse runs it too: that is why it
has neither dataclasses nor `from __future__ import annotations`.
"""

import argparse
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def required_range(pyproject: str) -> "tuple[tuple[int, int], tuple[int, int]]":
    """Read the first Python that will do, and the first that no longer will, from the text of pyproject.toml.

    Raises:
        ValueError: `requires-python` is missing or not of the form `>=3.10,<3.14`.
    """
    match = re.search(r'^requires-python *= *">=3\.(\d+), *<3\.(\d+)"', pyproject, re.MULTILINE)
    if match is None:
        raise ValueError("pyproject.toml has no requires-python of the form '>=3.10,<3.14'")
    return (3, int(match.group(1))), (3, int(match.group(2)))


def refusal(
    version: "tuple[int, int]", executable: str, first: "tuple[int, int]", end: "tuple[int, int]", others: "list[str]"
) -> "str | None":
    """Say why a Python cannot run the project.

    Args:
        version: major and minor version of the Python in question.
        executable: its path.
        first: the first version that will do.
        end: the first version that no longer will.
        others: commands on this machine that would do.

    Returns:
        One line, or None when the Python will do.
    """
    if first <= version < end:
        return None
    command = others[0] if others else "python3.11"
    return "Python {}.{} found ({}), Python {}.{} to {}.{} needed: {} `make PYTHON={} ...`".format(
        version[0],
        version[1],
        executable,
        first[0],
        first[1],
        end[0],
        end[1] - 1,
        "choose another with" if others else "install one and choose it with",
        command,
    )


def hints(
    version: "tuple[int, int]",
    system: str,
    machine: str,
    glibc: "tuple[int, int] | None",
    has_compiler: bool,
    has_headers: bool,
) -> "list[str]":
    """Say what commonly stops an installation of TFX on such a machine.

    Args:
        version: major and minor version of the Python that is used.
        system: `platform.system()`.
        machine: `platform.machine()`.
        glibc: version of the C library, None where it is another one.
        has_compiler: a C++ compiler was found.
        has_headers: Python.h was found.

    Returns:
        One line for each thing in the way, the most certain first.
    """
    lines = []
    modern = version >= (3, 12)  # TFX 1.21; below it is TFX 1.16
    if system == "Linux":
        if machine not in ("x86_64", "AMD64"):
            lines.append(f"TFX has no packages for Linux on {machine}: use an x86_64 machine or image")
        elif glibc is None:
            lines.append("TensorFlow has no packages for a C library other than glibc (Alpine): use Debian or Ubuntu")
        elif modern and glibc < (2, 39):
            lines.append(
                "on Python 3.12 and later TFX needs glibc 2.39 (Debian 13, Ubuntu 24.04), this machine has "
                "{}.{}: use Python 3.10 or 3.11, `make PYTHON=python3.11 ...`".format(*glibc)
            )
    elif system == "Darwin":
        if machine == "arm64" and not modern:
            lines.append("on this Mac TFX needs Python 3.12 or 3.13: `make PYTHON=python3.12 ...`")
        if machine == "x86_64" and modern:
            lines.append("on this Mac TFX needs Python 3.10 or 3.11: `make PYTHON=python3.11 ...`")
    else:
        lines.append(f"TFX has no packages for {system}: use Linux or macOS (on Windows: WSL)")
    if not has_compiler:
        lines.append(
            "no C++ compiler found, pyfarmhash is built from source: install one (Debian: apt-get install g++)"
        )
    if not has_headers:
        lines.append("Python.h not found, pyfarmhash is built from source: install it (Debian: python3-dev)")
    return lines


def _others(first: "tuple[int, int]", end: "tuple[int, int]") -> "list[str]":
    commands = [f"python3.{minor}" for minor in range(first[1], end[1])]
    return [command for command in commands if shutil.which(command) and _runs(command)]


def _runs(command: str) -> bool:
    """Tell an interpreter from a shim without one behind it."""
    return subprocess.call([command, "--version"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) == 0


def _glibc() -> "tuple[int, int] | None":
    name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    major, _, minor = number.partition(".")
    return (int(major), int(minor)) if name == "glibc" else None


def _hints_here() -> "list[str]":
    try:
        glibc = _glibc()
    except (AttributeError, ValueError):  # musl and macOS do not know the name
        glibc = None
    return hints(
        version=sys.version_info[:2],
        system=platform.system(),
        machine=platform.machine(),
        glibc=glibc,
        has_compiler=any(shutil.which(name) for name in ("c++", "g++", "clang++")),
        has_headers=os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")),
    )


def main() -> int:
    """Run the command line described above; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check that this Python can run the project.")
    parser.add_argument("--after-failure", action="store_true", help="say what this machine lacks")
    if parser.parse_args().after_failure:
        for line in _hints_here() or ["the message above says why; `make clean` starts afresh"]:
            print("awesome: installation failed: " + line, file=sys.stderr)
        return 0
    with open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
        first, end = required_range(file.read())
    reason = refusal(sys.version_info[:2], sys.executable, first, end, _others(first, end))
    if reason:
        print("awesome: " + reason, file=sys.stderr)
        return 1
    print(sys.executable)
    return 0


if __name__ == "__main__":
    sys.exit(main())
