"""A digest of source code: functions are named, not shipped, so TFX's cache would not see that they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_ROOT = Path(__file__).resolve().parent.parent


def code_digest(packages: Iterable[str]) -> str:
    """SHA-256 over the Python files of packages of this project.

    Args:
        packages: folders below the project's root, such as `models`, or single files.

    Returns:
        The first 16 hexadecimal digits.
    """
    digest = hashlib.sha256()
    for package in packages:
        path = _ROOT / package
        for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
            digest.update(str(file.relative_to(_ROOT)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
