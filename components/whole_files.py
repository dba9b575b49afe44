"""A file is written whole or not at all: beside its place, under a name that begins with `PARTIAL`, then renamed.

The name says which process writes it. What a killed one left is cleared by the next one that writes in the same folder;
what a living process is writing, or one of another machine or container that shares the disk, is not touched.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
import stat
import tempfile
from collections.abc import Iterator
from pathlib import Path

from components.processes import OWNER, is_gone, owner

PARTIAL = ".partial-"
"""How the name of a file or folder begins that is being written, or was when its writer was killed."""

_LEFT = re.compile(rf"{re.escape(PARTIAL)}({OWNER.pattern})-[0-9a-f]{{8}}-.*", re.DOTALL)
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""What writing fails with, without a word on which file it was."""

_LONGEST_NAME = 120
"""Bytes of the name that stay in that of what is partial; file systems take 255 in all."""


def partial_beside(path: Path) -> Path:
    """Gives a path beside another one, of the same suffix, where nothing is, for what is to take its place."""
    name = os.fsdecode(os.fsencode(path.name)[-_LONGEST_NAME:])
    return path.with_name(f"{PARTIAL}{owner()}-{secrets.token_hex(4)}-{name}")


def is_being_written(name: str) -> bool:
    """Tells whether a file or folder of this name is what some process writes, once `clear_left` was there."""
    return _LEFT.fullmatch(name) is not None


def clear_left(folder: Path) -> None:
    """Removes what killed processes of this machine were writing in a folder; what cannot be removed stays."""
    try:
        with os.scandir(folder) as entries:
            left = [Path(one.path) for one in entries if (match := _LEFT.fullmatch(one.name)) and is_gone(match[1])]
    except OSError:
        return
    for path in left:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


@contextlib.contextmanager
def scratch_folder(beside: Path) -> Iterator[Path]:
    """Makes a folder for what is to take the place of a path, and removes it with all that is still in it.

    Args:
        beside: file or folder, in whose folder it is made.

    Yields:
        The folder; what is in it can be renamed to `beside`.

    Raises:
        OSError: it cannot be made.
    """
    clear_left(beside.parent)
    folder = partial_beside(beside)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def temporary_folder(name: str) -> Iterator[Path]:
    """Makes a folder in the system's temporary one, and removes it with all that is in it.

    Args:
        name: what it is for, the end of its name.

    Yields:
        The folder, which only its user can read.

    Raises:
        OSError: it cannot be made.
    """
    with scratch_folder(Path(tempfile.gettempdir(), name)) as folder:
        yield folder


@contextlib.contextmanager
def whole_file(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """Gives the path to write to; what is there takes the place of `path` when the block ends without an error.

    Args:
        path: file or link to write; one that exists is replaced.
        sync: whether the content must be on the disk first, so that a loss of power leaves no empty file.

    Yields:
        A path beside it, of the same suffix, where nothing is; several writers get different ones.

    Raises:
        OSError: it cannot be written, by its name; like any error of the block, it leaves what was there.
    """
    _refuse_special(path)
    clear_left(path.parent)
    partial = partial_beside(path)
    try:
        yield partial
        if sync:
            with partial.open("rb") as stream:
                os.fsync(stream.fileno())
        os.replace(partial, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            partial.unlink()
        if isinstance(error, OSError):
            unnamed = error.filename is None and error.errno in _FULL
            if unnamed or error.filename == os.fspath(partial):
                error.filename = os.fspath(path)
        raise


def _refuse_special(path: Path) -> None:
    """Raises OSError for a device, a pipe and the like: a rename would put a file in the place of /dev/full itself."""
    try:
        mode = path.stat().st_mode
        # Links such as /dev/stdout lead to a regular file where the output goes to one.
        special = path.is_symlink() and os.readlink(path).startswith("/proc/")
    except OSError:  # it is not there, or writing says what is wrong
        return
    if special or not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise OSError(errno.EINVAL, "it is a device or a pipe, and no file", os.fspath(path))


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file whole or not at all.

    Args:
        path: file to write; its folder must exist.
        content: bytes, or a text for UTF-8.

    Raises:
        OSError: it cannot be written.
    """
    with whole_file(path) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)
