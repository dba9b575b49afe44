"""Bars of synthetic prices, and a look into a database past the store."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from components.feature_store import FeatureStore, PriceBars, Upserted


def days(count: int, start: str = "2020-01-01") -> np.ndarray:
    return np.datetime64(start, "D") + np.arange(count)


def bars(count: int, start: str = "2020-01-01", seed: int = 0, **fields: np.ndarray) -> PriceBars:
    close = np.round(50 + np.random.default_rng(seed).random(count) * 10, 2)
    return PriceBars(**{"time": days(count, start), "close": close, "factor": np.ones(count), **fields})


def put(path: Path, share_id: str, given: PriceBars, source: str, **options: object) -> Upserted:
    with FeatureStore.create(path) as store:
        return store.upsert(share_id, given, source, **options)


def rows(path: Path, sql: str) -> list[tuple]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(sql).fetchall()


def naive_features(path: Path) -> list[tuple]:
    """FEATURE as its definition says, by plain loops over PRICE."""
    prices: dict[str, list[tuple[str, float]]] = {}
    for share_id, time, close, factor in rows(path, "SELECT share_id, time, close, factor FROM PRICE ORDER BY 1, 2"):
        prices.setdefault(share_id, []).append((time, close * factor))
    expected = []
    for share_id, series in prices.items():
        for last in range(20, len(series)):
            window = [series[last - lag][1] for lag in range(21)]
            expected.append((series[last][0], share_id, *window))
    return expected


def execute(path: Path, *statements: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def as_version_2(path: Path, *statements: str) -> None:
    """Makes a database one of schema version 2, which had none of the tables that came later, and runs statements."""
    later = (f"DROP TABLE {table}" for table in ("DECISION", "LOOK_BACK", "LISTING", "MEMBER"))
    execute(path, *later, *statements, "PRAGMA user_version = 2")
