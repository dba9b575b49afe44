"""A digest of source code: functions are named, not shipped, so TFX's cache would not see that they changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from models.plugins import outside_code

_ROOT = Path(__file__).resolve().parent.parent

_GROUPS = {
    "models": ("awesome.models", "awesome.formatters"),
    "components/evidence": ("awesome.metrics",),
    "components/leak_audit": ("awesome.checks",),
}
"""By package, the entry point groups by which other packages add to it."""


def code_digest(packages: Iterable[str]) -> str:
    """SHA-256 over the Python files of packages, also of others that add to them: its first 16 hexadecimal digits.

    Args:
        packages: folders below the project's root, such as `models`, or single files.

    Raises:
        PluginError: the code of another package cannot be read.
    """
    digest = hashlib.sha256()
    for package in packages:
        outside = [(path, path.parent) for group in _GROUPS.get(package, ()) for path in outside_code(group)]
        for path, root in [(_ROOT / package, _ROOT), *outside]:
            for file in [path] if path.is_file() else sorted(path.rglob("*.py")):
                digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
