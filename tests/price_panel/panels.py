"""Small panels to look at and to damage."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from databases import bars, put

from components.feature_store import FeatureStore
from components.price_panel.manifest import MANIFEST, read_manifest
from components.price_panel.writing import Written, write_store

SHARES = ("000001", "000002", "IBM")


def write_database(path: Path, sessions: int = 40, shares: tuple[str, ...] = SHARES) -> Path:
    """Shares with as many consecutive days from 2020-01-01 on; more sessions go on from fewer."""
    for at, share in enumerate(shares):
        put(path, share, bars(sessions, seed=at, close=10.0 + at + np.arange(sessions) % 7), "file")
    return path


def write(panel: Path, database: Path, file_rows: int = 1_000) -> Written:
    with FeatureStore.open(database) as store:
        return write_store(panel, store, file_rows=file_rows)


def small_panel(folder: Path, file_rows: int = 1_000) -> Path:
    """A panel of three shares and forty days."""
    write(folder / "panel", write_database(folder / "prices.db"), file_rows)
    return folder / "panel"


def file_of(panel: Path, at: int = 0) -> Path:
    return panel / read_manifest(panel).files[at].path


def said(panel: Path, **changes: Any) -> None:
    """Changes the manifest of a panel past the program."""
    path = panel / MANIFEST
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def forge(panel: Path, table: pa.Table, at: int = 0) -> None:
    """Puts other rows into a file of a panel, with a manifest that calls them right."""
    file = file_of(panel, at)
    pq.write_table(table, file)
    content = json.loads((panel / MANIFEST).read_text())["files"]
    content[at] |= {"size": file.stat().st_size, "sha256": hashlib.sha256(file.read_bytes()).hexdigest()}
    said(panel, files=content)
