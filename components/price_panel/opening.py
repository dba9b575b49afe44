"""Opens what a run reads its prices from, whichever of the two it is."""

from __future__ import annotations

import os
from pathlib import Path
from shlex import quote

from components.feature_store import FeatureStore


def open_prices(path: str | os.PathLike[str], check: bool = False) -> FeatureStore:
    """Opens a database, or a panel where the path is a folder, to be read.

    Args:
        path: Of the one or the other.
        check: Whether each file of a panel is compared with its digest.

    Raises:
        StoreError: It is missing or cannot be used.
    """
    if not Path(path).is_dir():
        return FeatureStore.open(path)
    from components.price_panel.store import PanelStore  # which takes Arrow with it

    panel = PanelStore.open(path)
    if check:
        panel.check()
    return panel


def open_to_decide(path: str | os.PathLike[str]) -> FeatureStore:
    """Opens a database, which is made where it is missing, or a panel, to keep what a person decides of its shares.

    Raises:
        StoreError: It cannot be used.
    """
    if not Path(path).is_dir():
        return FeatureStore.create(path)
    from components.price_panel.store import PanelStore

    return PanelStore.create(path)


def flag_of(path: str | os.PathLike[str]) -> str:
    """The flag that names a database or a panel, as a shell takes it.

    >>> flag_of("my prices.db")
    "--db 'my prices.db'"
    """
    return f"--{'panel' if Path(path).is_dir() else 'db'} {quote(os.fspath(path))}"
