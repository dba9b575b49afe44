"""A disk that fills up while a run works: one line, whatever library met it first."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from components.errors import UserError

_FULL = {errno.ENOSPC, errno.EDQUOT}
_WORDS = ("No space left on device", "Disk quota exceeded", "database or disk is full")
"""How TensorFlow, Beam, ML Metadata and SQLite say it in errors of their own."""


class FullDiskError(UserError):
    """There is no room for what a run writes."""


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Says in one line that there is no room in a folder; every other error stays what it is.

    Raises:
        FullDiskError: there is none.
    """
    try:
        yield
    except UserError:
        raise
    except Exception as error:
        if (full := _full(error)) is None:
            raise
        beside = full.filename if isinstance(full, OSError) else None
        if isinstance(beside, str) and Path(beside).is_dir():  # files without a name (models/stored.py)
            raise FullDiskError(
                f"{beside}: no space is left for temporary files; free some, or name another folder (TMPDIR); the same "
                "command takes up from what is finished"
            ) from None
        raise FullDiskError(
            f"{folder}: no space is left on its disk; free some (awesome runs prune), or name a workspace elsewhere "
            "(--workspace); the same command takes up from what is finished"
        ) from None


def _full(error: BaseException | None) -> BaseException | None:
    """The error of a full disk: this one, or one that it came from; None where there is none."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, OSError) and error.errno in _FULL:
            return error
        if any(words in str(error) for words in _WORDS):
            return error
        error = error.__cause__ or error.__context__
    return None
