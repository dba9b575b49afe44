"""A file is written whole or not at all: beside its place, under a name that begins with `PARTIAL`, then renamed."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

PARTIAL = ".partial-"
"""How the name of a file begins that is being written, or was when its writer was killed."""


@contextlib.contextmanager
def whole_file(path: Path, *, sync: bool = False) -> Iterator[Path]:
    """Gives the path to write to; what is there takes the place of `path` when the block ends without an error.

    Args:
        path: file or link to write; one that exists is replaced.
        sync: whether the content must be on the disk first, so that a loss of power leaves no empty file.

    Yields:
        A path beside it, of the same suffix, where nothing is; several writers get different ones.

    Raises:
        OSError: it cannot be written; like any error of the block, it leaves what was there.
    """
    partial = path.with_name(f"{PARTIAL}{secrets.token_hex(4)}-{path.name}")
    try:
        yield partial
        if sync:
            with partial.open("rb") as stream:
                os.fsync(stream.fileno())
        os.replace(partial, path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink()
        raise


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
