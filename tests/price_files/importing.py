"""Imports of files that a test writes, and what they leave in the database."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from databases import rows

from components.price_files import import_prices


def run(tmp_path: Path, content: str | bytes, name: str = "in.csv", **options: object):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return import_prices(path, tmp_path / "awesome.db", **options)


def stored(tmp_path: Path, columns: str = "share_id, time, close, factor") -> list[tuple]:
    return rows(tmp_path / "awesome.db", f"SELECT {columns} FROM PRICE ORDER BY share_id, time")


def long_csv(count: int, share_id: str = "A", start: str = "2020-01-01", seed: int = 0) -> str:
    close = np.random.default_rng(seed).random(count).round(2) + 10
    lines = [f"{np.datetime64(start) + day},{share_id},{value:.2f}" for day, value in enumerate(close)]
    return "time,share_id,close\n" + "\n".join(lines) + "\n"


def closes_stored(tmp_path: Path) -> dict[str, list[float]]:
    closes: dict[str, list[float]] = {}
    for share, close in stored(tmp_path, "share_id, close"):
        closes.setdefault(share, []).append(close)
    return closes
