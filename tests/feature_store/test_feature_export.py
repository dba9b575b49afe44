"""The CSV export against the sqlite3 program itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
import pytest
from databases import execute
from needed import needed_program

from components.errors import UserError
from components.feature_store import CLOSE_COLUMNS, FeatureStore, PriceBars, export_features


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "awesome.db"
    random = np.random.default_rng(0)
    scales = {"A": 1.0, "B C": 1e-7, "d'E": 1e12, 'f"g': 1e19, "h,i": 1 / 3, "é": 1.0, "j.K-1": 100.0}
    with FeatureStore.create(path) as store:
        for share_id, scale in scales.items():
            close = (random.random(24) + 0.5) * scale
            close[::5] = scale
            time = np.datetime64("2020-01-01") + np.arange(24)
            store.upsert(share_id, PriceBars(time, close, np.ones(24)), "file")
    return path


def by_program(path: Path, target: Path, *settings: str) -> bytes:
    program = needed_program("sqlite3", "sqlite3")
    script = "\n".join([".mode csv", *settings, f".once '{target}'", "SELECT * FROM FEATURE;"])
    subprocess.run([program, str(path)], input=script.encode(), check=True)
    return target.read_bytes()


def test_the_bytes_are_those_of_the_sqlite3_program(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.csv"
    with FeatureStore.open(path) as store:
        assert export_features(store, target) == 28
        assert target.read_bytes() == by_program(path, tmp_path / "program.csv")
        export_features(store, target, header=True)
        assert target.read_bytes() == by_program(path, tmp_path / "program.csv", ".headers on")


def test_a_table_of_another_tool_is_written_as_it_stands(path: Path, tmp_path: Path) -> None:
    execute(
        path,
        "CREATE TABLE LOOSE AS SELECT *, 'x y' AS note FROM FEATURE ORDER BY random()",
        "DROP TABLE FEATURE",
        "ALTER TABLE LOOSE RENAME TO FEATURE",
        "UPDATE FEATURE SET close3 = NULL, close4 = 'text, with \"quotes\"', note = '' WHERE share_id = 'A'",
    )
    with FeatureStore.open(path) as store:
        export_features(store, tmp_path / "features.csv")
    assert (tmp_path / "features.csv").read_bytes() == by_program(path, tmp_path / "program.csv")


def test_the_header_names_the_columns_and_is_off_by_default(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "features.csv"
    with FeatureStore.open(path) as store:
        export_features(store, target, header=True)
        first, rest = target.read_bytes().split(b"\r\n", 1)
        assert first.decode().split(",") == ["time", "share_id", *CLOSE_COLUMNS]
        export_features(store, target)
        assert target.read_bytes() == rest


def test_a_target_that_cannot_be_written_is_named_and_nothing_is_left(path: Path, tmp_path: Path) -> None:
    with FeatureStore.open(path) as store:
        with pytest.raises(UserError, match="cannot be written: No such file"):
            export_features(store, tmp_path / "none" / "features.csv")
        with pytest.raises(UserError, match="is a folder"):
            export_features(store, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["awesome.db"]


def test_a_failure_midway_keeps_the_file_that_was_there(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "features.csv"
    target.write_text("before")

    def broken(self: FeatureStore):
        yield (("2020-01-01", "A"),)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(FeatureStore, "feature_rows", broken)
    with FeatureStore.open(path) as store, pytest.raises(UserError, match="No space left"):
        export_features(store, target)
    assert target.read_text() == "before"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["awesome.db", "features.csv"]


@pytest.mark.parametrize(
    "content",
    [b"date,symbol,close\n2024-01-02,IBM,100\n", b"Date;Close\n", b"SQLite format 3\0", b"PAR1\x15", b"\x1f\x8b\x08\0"],
)
def test_somebodys_prices_are_not_replaced(path: Path, tmp_path: Path, content: bytes) -> None:
    target = tmp_path / "prices.csv"
    target.write_bytes(content)
    with FeatureStore.open(path) as store:
        with pytest.raises(UserError, match="is a database or another table than an export of features"):
            export_features(store, target)
        assert target.read_bytes() == content
        for header in (True, False, True):  # an earlier export is
            assert export_features(store, tmp_path / "features.csv", header) == 7 * 4
