"""What a test needs of the machine: without it the test is left out, and fails in CI, where all is installed."""

from __future__ import annotations

import importlib
import os
import shutil
import warnings
from typing import Any

import pytest

CI = bool(os.environ.get("CI"))


def needed(library: str) -> Any:
    """Imports a library that the project has in an extra, or among the tools of its developers."""
    if not CI:
        return pytest.importorskip(library)
    with warnings.catch_warnings():  # as pytest does: what a library says of others as it is imported is not ours
        warnings.simplefilter("ignore")
        return importlib.import_module(library)


def needed_program(name: str, package: str) -> str:
    """The path of a program; `package` is Debian's that has it."""
    path = shutil.which(name)
    if path is None:
        missing = f"the program {name} is missing: install Debian's {package}"
        pytest.fail(missing) if CI else pytest.skip(missing)
    return path
