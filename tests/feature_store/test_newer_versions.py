"""A database of a newer version is refused, by who reads as by who writes."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import execute

from components.errors import StoreError
from components.feature_store import FeatureStore


def test_a_database_of_a_newer_version_is_not_read_as_if_it_were_known(path: Path, tmp_path: Path) -> None:
    FeatureStore.create(path).close()
    execute(path, "PRAGMA user_version = 7")
    for opened in (FeatureStore.open, FeatureStore.create):
        with pytest.raises(
            StoreError, match="schema version 7, this program knows 4; upgrade the program or name"
        ) as one:
            opened(path)
        assert "\n" not in str(one.value)
    # Of another tool, the number says nothing of us.
    foreign = tmp_path / "foreign.db"
    columns = ", ".join(f"close{lag}" for lag in range(21))
    execute(foreign, f"CREATE TABLE FEATURE (time, share_id, {columns})")
    execute(foreign, "PRAGMA user_version = 7")
    FeatureStore.open(foreign).close()
