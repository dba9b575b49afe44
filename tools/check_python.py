"""Print the interpreter that the project runs on, or say in one line why this Python cannot be it.

    python3 tools/check_python.py                   prints sys.executable, or exits with 1 and a reason
    python3 tools/check_python.py --after-failure   says what this machine lacks when an installation has failed

Standard library only. It starts on every Python from 3.6 on, because what it has to refuse runs it too: that is why it
has no `from __future__ import annotations`.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def refusal(version: "tuple[int, int]", pyproject: str) -> "str | None":
    """Say in one line why a Python cannot run a project of that pyproject.toml, and which here can; None if it can."""
    low, high = re.search(r'^requires-python *= *">=3\.(\d+), *<3\.(\d+)"', pyproject, re.MULTILINE).groups()
    minors = range(int(low), int(high))
    if version[0] == 3 and version[1] in minors:
        return None
    others = [command for command in (f"python3.{minor}" for minor in minors) if _runs(command)]
    return (
        f"Python {version[0]}.{version[1]} found ({sys.executable}), Python 3.{minors[0]} to 3.{minors[-1]} needed: "
        f"{'choose another' if others else 'install one and choose it'} with "
        f"`make PYTHON={others[0] if others else 'python3.11'} ...`"
    )


def _runs(command: str) -> bool:
    """Tell an interpreter from none, and from a shim without one behind it."""
    nowhere = subprocess.DEVNULL
    return bool(shutil.which(command)) and subprocess.call([command, "--version"], stdout=nowhere, stderr=nowhere) == 0


def hints(
    version: "tuple[int, int]", system: str, machine: str, glibc: "tuple[int, ...]", compiler: bool, headers: bool
) -> "list[str]":
    """Say what commonly stops an installation of TFX on such a machine.

    Args:
        version: major and minor version of the Python that is used.
        system: `platform.system()`.
        machine: `platform.machine()`.
        glibc: version of the C library, empty where it is another one.
        compiler: a C++ compiler was found.
        headers: Python.h was found.

    Returns:
        One line for each thing in the way, the most certain first.
    """
    modern = version >= (3, 12)  # TFX 1.21; below it is TFX 1.16
    linux, intel = system == "Linux", machine in ("x86_64", "AMD64")
    causes = (
        (system not in ("Linux", "Darwin"), f"TFX has no packages for {system}: use Linux or macOS (on Windows: WSL)"),
        (linux and not intel, f"TFX has no packages for Linux on {machine}: use an x86_64 machine or image"),
        (
            linux and intel and not glibc,
            "TensorFlow has no packages for a C library other than glibc (Alpine): use Debian or Ubuntu",
        ),
        (
            linux and intel and modern and () < glibc < (2, 39),
            "on Python 3.12 and later TFX needs glibc 2.39 (Debian 13, Ubuntu 24.04), this machine has "
            f"{'.'.join(map(str, glibc))}: use Python 3.11, `make PYTHON=python3.11 ...`",
        ),
        (
            system == "Darwin" and modern == intel,
            f"on this Mac TFX needs Python {'3.11' if modern else '3.12 or 3.13'}: "
            f"`make PYTHON=python3.{11 if modern else 12} ...`",
        ),
        (
            not compiler,
            "no C++ compiler found, pyfarmhash is built from source: install one (Debian: apt-get install g++)",
        ),
        (not headers, "Python.h not found, pyfarmhash is built from source: install it (Debian: python3-dev)"),
    )
    return [line for stops, line in causes if stops]


def _hints_here() -> "list[str]":
    try:
        name, _, number = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError):  # musl and macOS do not know the name
        name = ""
    return hints(
        sys.version_info[:2],
        platform.system(),
        platform.machine(),
        tuple(map(int, number.split("."))) if name == "glibc" else (),
        compiler=any(shutil.which(name) for name in ("c++", "g++", "clang++")),
        headers=os.path.exists(os.path.join(sysconfig.get_paths()["include"], "Python.h")),
    )


def main() -> int:
    """Run the command line described above; returns the exit code."""
    if sys.argv[1:] == ["--after-failure"]:
        for line in _hints_here() or ["the message above says why; `make clean` starts afresh"]:
            print("awesome: installation failed: " + line, file=sys.stderr)
        return 0
    with open(os.path.join(ROOT, "pyproject.toml"), encoding="utf-8") as file:
        reason = refusal(sys.version_info[:2], file.read())
    if reason:
        print("awesome: " + reason, file=sys.stderr)
        return 1
    print(sys.executable)
    return 0


if __name__ == "__main__":
    sys.exit(main())
