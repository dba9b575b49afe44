"""A digest of source code: functions are named, not shipped, so TFX's cache would not see that they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from models.outside import Outside, outside
from models.plugins import GROUPS

_ROOT = Path(__file__).resolve().parent.parent


def code_digest(packages: Iterable[str]) -> str:
    """SHA-256 over the Python files of packages, and over what comes from outside for them: its first 16 digits.

    Of what comes from outside, the version counts as well: it may stand for what is no code of its own.

    Args:
        packages: folders below the project's root, such as `models`, or single files.

    Raises:
        PluginError: code from outside cannot be read.
    """
    digest = hashlib.sha256()
    for package in packages:
        path = _ROOT / package
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
        for one in _adding_to(package):
            digest.update(one.origin.encode() + b"\0")
    return digest.hexdigest()[:16]


def _adding_to(package: str) -> Iterator[Outside]:
    """What comes from outside and is one of the declarations that a package, or one within it, holds."""
    for group in GROUPS.values():
        if group.constant and f"{group.package.replace('.', '/')}/".startswith(f"{package}/"):
            yield from outside(group.entry_points, group.constant)
