"""What pushes and pulls share: counting what moved, and checking what came."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import StorageError
from components.object_storage.location import Advance
from components.object_storage.manifest import StoredFile, describe_file

Progress = Callable[[int, int], None]
"""Called with the bytes moved so far and the bytes to move in all."""


@dataclass(frozen=True)
class Pushed:
    """What a push did.

    Attributes:
        url: Where to.
        files: How many files were sent, without the manifest; 0 if it was already there.
        size: Their bytes.
        seconds: Wall-clock time.
        already_there: Whether the storage held the same already.
    """

    url: str
    files: int
    size: int
    seconds: float
    already_there: bool = False


def real_path(path: Path) -> Path:
    """Returns where a file or folder is, behind all links; what is there is replaced, and not the link.

    Raises:
        StorageError: Links lead back to themselves.
    """
    real = Path(os.path.realpath(path))
    if real.is_symlink():  # of Path.resolve each version of Python says that in its own way
        raise StorageError(f"{path}: is a link that leads back to itself; name another file or folder")
    return real


def advance_of(progress: Progress | None, total: int) -> Advance | None:
    """Returns a counter that tells `progress`; a part that is sent again does not carry it past the total."""
    if progress is None:
        return None
    moved = 0

    def advance(count: int) -> None:
        nonlocal moved
        moved = min(moved + count, total)
        progress(moved, total)

    progress(0, total)
    return advance


def verify(file: Path, expected: Sequence[StoredFile], url: str, hint: str) -> StoredFile:
    """Returns what fits a downloaded file of what manifests say of it.

    Raises:
        StorageError: None fits; `hint` says what else the user can do.
    """
    found = describe_file(file, expected[0].path)
    for wanted in expected:
        if (found.size, found.sha256) == (wanted.size, wanted.sha256):
            return wanted
    wanted = expected[0]
    if found.size != wanted.size:
        what = f"has {found.size} bytes, its manifest says {wanted.size}"
    else:
        what = "has another sha256 than its manifest says"
    raise StorageError(f"{url}: {what}: it was changed or damaged after the push; push it again{hint}")
