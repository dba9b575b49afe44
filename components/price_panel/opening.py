"""Opens what a run reads its prices from, whichever of the two it is."""

from __future__ import annotations

import os
from pathlib import Path

from components.feature_store import FeatureStore


def open_prices(path: str | os.PathLike[str], check: bool = False) -> FeatureStore:
    """Opens a database, or a panel where the path is a folder, to be read.

    Args:
        path: of the one or the other.
        check: whether each file of a panel is compared with its digest.

    Raises:
        StoreError: it is missing or cannot be used.
    """
    if not Path(path).is_dir():
        return FeatureStore.open(path)
    from components.price_panel.store import PanelStore  # which takes Arrow with it

    panel = PanelStore.open(path)
    if check:
        try:
            panel.check()
        except BaseException:
            panel.close()
            raise
    return panel


def open_to_decide(path: str | os.PathLike[str]) -> FeatureStore:
    """Opens a database, which is made where it is missing, or a panel, to keep what a person decides of its shares.

    Raises:
        StoreError: it cannot be used.
    """
    if not Path(path).is_dir():
        return FeatureStore.create(path)
    from components.price_panel.store import PanelStore

    return PanelStore.create(path)
