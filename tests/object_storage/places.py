"""Storages of three kinds, and a database to push to them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from links import Link

from components.feature_store import FeatureStore, PriceBars
from components.object_storage import CodeVersion, Storage, StorageSettings

SECRET = "never-to-be-shown"
CODE = CodeVersion("0.1.0", "0123456789abcdef")
PART = 5 * 2**20
MONDAY = dt.datetime(2026, 11, 23, 21, 30, tzinfo=dt.UTC)
MONDAYS = "features/2026-11-23/awesome.db"

S3_BUCKET = "prices"
COS_BUCKET = "prices-1250000000"
COS_HOST = "cos.ap-shanghai.myqcloud.test"


@dataclass(frozen=True)
class Place:
    """A storage's URL and settings, and, for a bucket, the link to it."""

    url: str
    settings: StorageSettings
    link: Link | None = None

    def open(self) -> Storage:
        return Storage.at(self.url, self.settings)


def write_database(path: Path, shares: int = 2, sessions: int = 30, seed: int = 0) -> Path:
    """A store of shares S0, S1, ... with consecutive days from 2024-01-01 on."""
    generator = np.random.default_rng(seed)
    time = np.datetime64("2024-01-01", "D") + np.arange(sessions)
    with FeatureStore.create(path) as store:
        for share in range(shares):
            close = np.round(50 + generator.random(sessions) * 10, 2)
            store.upsert(f"S{share}", PriceBars(time, close, np.ones(sessions)), "file")
    return path


def digest_of(path: Path) -> str:
    with FeatureStore.open(path) as store:
        return store.digest()


def leftovers(folder: Path) -> list[str]:
    """Hidden files, which is what anything unfinished would be."""
    return [str(path.relative_to(folder)) for path in folder.rglob(".*")]
