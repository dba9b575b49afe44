"""A snapshot of a database that another process writes at the same time."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from places import digest_of, leftovers, write_database

from components.errors import StorageError, StoreError
from components.feature_store import FeatureStore
from components.object_storage import snapshot

WRITER = """
import sys
import numpy as np
from components.feature_store import FeatureStore, PriceBars

time = np.datetime64("2024-01-01", "D") + np.arange(400)
with FeatureStore.create(sys.argv[1]) as store:
    print("ready", flush=True)
    for number in range(100_000):
        store.upsert(f"S{number:06d}", PriceBars(time, np.full(400, 1.0 + number), np.ones(400)), "file")
"""


def shares_in(path: Path) -> int:
    """Checks that a snapshot holds whole shares only, and counts them. It is read as a lone file, without a log."""
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA quick_check").fetchall() == [("ok",)]
        prices = connection.execute("SELECT share_id, COUNT(*) FROM PRICE GROUP BY share_id").fetchall()
        features = connection.execute("SELECT share_id, COUNT(*) FROM FEATURE GROUP BY share_id").fetchall()
    names = [f"S{number:06d}" for number in range(len(prices))]
    assert prices == [(name, 400) for name in names]
    assert features == [(name, 380) for name in names]  # from the 21st session on
    return len(prices)


def test_snapshots_of_a_database_that_is_written_hold_whole_shares(tmp_path: Path) -> None:
    database = tmp_path / "awesome.db"
    FeatureStore.create(database).close()
    writer = subprocess.Popen([sys.executable, "-c", WRITER, str(database)], stdout=subprocess.PIPE, text=True)
    try:
        assert writer.stdout.readline() == "ready\n"
        counts = []
        while len(set(counts)) < 4:
            snapshot(database, tmp_path / "copy.db")
            counts.append(shares_in(tmp_path / "copy.db"))
            assert writer.poll() is None  # it was really written meanwhile
    finally:
        writer.kill()
        writer.communicate()
    assert counts == sorted(counts)
    assert leftovers(tmp_path) == []


def test_a_snapshot_takes_what_is_still_in_the_log(tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db", shares=1)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE FEATURE SET close0 = 7")
        assert (tmp_path / "awesome.db-wal").stat().st_size > 0
        snapshot(database, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db")) as connection:
        assert connection.execute("SELECT DISTINCT close0 FROM FEATURE").fetchall() == [(7.0,)]


def test_an_unchanged_database_gives_the_same_bytes(tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    snapshot(database, tmp_path / "one.db")
    with FeatureStore.create(database) as store:
        store.shares()
    snapshot(database, tmp_path / "two.db")
    assert (tmp_path / "one.db").read_bytes() == (tmp_path / "two.db").read_bytes()
    assert digest_of(tmp_path / "one.db") == digest_of(database)


def test_a_snapshot_that_cannot_be_made_leaves_the_target(tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes(b"before")
    with pytest.raises(StoreError, match=r"missing\.db does not exist"):
        snapshot(tmp_path / "missing.db", tmp_path / "copy.db")
    database = write_database(tmp_path / "awesome.db")
    with pytest.raises(StorageError, match="no snapshot can be made"):
        snapshot(database, tmp_path / "nowhere" / "copy.db")
    assert (tmp_path / "copy.db").read_bytes() == b"before"
    assert leftovers(tmp_path) == []


def test_a_writer_without_a_log_is_not_in_the_way_before_it_commits(tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("DELETE FROM FEATURE")
        snapshot(database, tmp_path / "copy.db")
        connection.execute("ROLLBACK")
    assert digest_of(tmp_path / "copy.db") == digest_of(database)


def test_a_database_that_stays_locked_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[snapshot.__module__], "_LONGEST_WAIT", 0.3)
    database = write_database(tmp_path / "awesome.db")
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        close = FeatureStore.close

        def close_and_lock(store: FeatureStore) -> None:
            close(store)
            connection.execute("BEGIN EXCLUSIVE")

        monkeypatch.setattr(FeatureStore, "close", close_and_lock)
        with pytest.raises(StorageError, match="another program has locked the database"):
            snapshot(database, tmp_path / "copy.db")
    assert leftovers(tmp_path) == []
