"""The version of the package, from the one place that says it: pyproject.toml, by what was installed."""

from __future__ import annotations

import importlib.metadata

PACKAGE = "awesome"
UNKNOWN = "unknown"
"""Of a checkout that is not installed."""


def own_version() -> str:
    """The version that is installed; `UNKNOWN` where the code was found by PYTHONPATH alone."""
    try:
        return importlib.metadata.version(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        return UNKNOWN
