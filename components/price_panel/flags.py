"""How a command names what a run reads its prices from; without NumPy, as reports say it."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote


def flag_of(path: str | os.PathLike[str]) -> str:
    """The flag that names a database or a panel, as a shell takes it.

    >>> flag_of("my prices.db")
    "--db 'my prices.db'"
    """
    return f"--{'panel' if Path(path).is_dir() else 'db'} {quote(os.fspath(path))}"
