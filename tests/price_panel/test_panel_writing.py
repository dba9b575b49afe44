"""What a panel keeps while it grows, and what stops a writer."""

from __future__ import annotations

import fcntl
from pathlib import Path

import numpy as np
import pytest
from databases import bars, execute, put
from panels import file_of, small_panel, write, write_database

from components.errors import PanelError
from components.feature_store import FeatureStore
from components.price_panel import writing
from components.price_panel.manifest import MANIFEST, read_manifest
from components.price_panel.store import PanelStore


def contents(panel: Path) -> dict[str, tuple[bytes, int]]:
    return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in panel.glob("prices-*.parquet")}


def test_a_new_session_adds_a_file_and_rewrites_nothing(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    before = contents(panel)
    written = write(panel, write_database(tmp_path / "prices.db", 41))
    [added] = written.files
    assert (added.rows, added.shares, added.sessions, added.replaces) == (3, 3, 1, 0)
    assert (added.first, added.last, added.first_share, added.last_share) == ("2020-02-10",) * 2 + ("000001", "IBM")
    assert (written.new, written.replaced, written.unchanged) == (3, 0, 120)
    after = contents(panel)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {added.path}


def test_the_same_again_writes_nothing(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    before, manifest = contents(panel), (panel / MANIFEST).stat().st_mtime_ns
    assert write(panel, tmp_path / "prices.db").files == ()
    assert (contents(panel), (panel / MANIFEST).stat().st_mtime_ns) == (before, manifest)


def test_changed_factors_are_a_file_that_stands_before_the_earlier_one(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    factor = np.where(np.arange(41) < 30, 1.0, 2.0)
    put(tmp_path / "prices.db", "IBM", bars(41, seed=2, close=12.0 + np.arange(41) % 7, factor=factor), "file")
    written = write(panel, tmp_path / "prices.db")
    assert [(one.rows, one.replaces, one.shares) for one in written.files] == [(11, 10, 1)]
    with PanelStore.open(panel) as store:
        np.testing.assert_array_equal(store.bars("IBM").factor, factor)
        assert store.rows_of() == {"000001": 40, "000002": 40, "IBM": 41}


def test_files_hold_whole_shares_of_about_as_many_rows(tmp_path: Path) -> None:
    panel = small_panel(tmp_path, file_rows=60)
    assert [(one.rows, one.first_share, one.last_share) for one in read_manifest(panel).files] == [
        (80, "000001", "000002"),
        (40, "IBM", "IBM"),
    ]


def test_a_session_that_is_gone_from_the_database_is_refused(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    execute(tmp_path / "prices.db", "DELETE FROM PRICE WHERE share_id = 'IBM' AND time = '2020-01-03'")
    before = contents(panel)
    with pytest.raises(PanelError, match=r"share IBM, 2020-01-03: the panel has this session.*write a new one"):
        write(panel, tmp_path / "prices.db")
    assert contents(panel) == before


def test_two_sources_are_not_mixed_in_one_share(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    put(tmp_path / "other.db", "IBM", bars(45), "yahoo")
    with pytest.raises(PanelError, match="prices of IBM come from the source 'file', not 'yahoo'"):
        write(panel, tmp_path / "other.db")


def test_shares_that_a_database_does_not_name_stay(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    put(tmp_path / "other.db", "GE", bars(30), "file")
    write(panel, tmp_path / "other.db")
    with PanelStore.open(panel) as store:
        assert store.listings.share_ids() == ["000001", "000002", "GE", "IBM"]


def test_windows_without_prices_are_refused(tmp_path: Path) -> None:
    execute(write_database(tmp_path / "prices.db"), "DELETE FROM PRICE WHERE share_id = 'IBM'")
    with pytest.raises(PanelError, match="windows of IBM without the prices"):
        write(tmp_path / "panel", tmp_path / "prices.db")
    assert not (tmp_path / "panel").exists()


def test_a_share_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        FeatureStore.open(write_database(tmp_path / "prices.db")) as store,
        pytest.raises(PanelError, match="no share X"),
    ):
        writing.write_store(tmp_path / "panel", store, ["IBM", "X"])


def test_a_writer_that_is_killed_leaves_the_panel_of_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel = small_panel(tmp_path)
    before = contents(panel)
    write_database(tmp_path / "prices.db", 50)
    with monkeypatch.context() as killed:

        def stop(*_: object) -> None:
            raise KeyboardInterrupt

        killed.setattr(writing, "write_manifest", stop)
        killed.setattr(writing._Files, "remove", lambda files: None)  # as if there had been no time for it
        with pytest.raises(KeyboardInterrupt):
            write(panel, tmp_path / "prices.db")
    assert len(contents(panel)) == 2
    with PanelStore.open(panel) as store:
        assert store.rows_of() == dict.fromkeys(("000001", "000002", "IBM"), 40)
    write(panel, tmp_path / "prices.db")
    assert len(contents(panel)) == 2
    assert before.items() <= contents(panel).items()
    with PanelStore.open(panel) as store:
        assert store.rows_of() == dict.fromkeys(("000001", "000002", "IBM"), 50)


def test_a_first_write_that_is_killed_is_no_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as killed:
        killed.setattr(
            writing, "write_manifest", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device"))
        )
        with pytest.raises(PanelError, match="cannot be written: No space left"):
            small_panel(tmp_path)
    assert list((tmp_path / "panel").glob("*.parquet")) == []
    with pytest.raises(PanelError, match=r"is a folder without panel\.json, so it is no panel"):
        PanelStore.open(tmp_path / "panel")
    small_panel(tmp_path)


def test_files_that_a_killed_first_writer_left_are_no_loss_and_those_of_a_lost_manifest_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(writing, "write_manifest", stop)
        killed.setattr(writing._Files, "remove", lambda files: None)
        with pytest.raises(KeyboardInterrupt):
            small_panel(tmp_path)
    panel = tmp_path / "panel"
    assert len(list(panel.glob("*.parquet"))) == 1
    write(panel, tmp_path / "prices.db")
    (panel / "panel.json").unlink()
    before = contents(panel)
    with pytest.raises(PanelError, match=r"holds prices-\S+ and no panel\.json: bring that back"):
        write(panel, tmp_path / "prices.db")
    assert contents(panel) == before


def test_two_writers_at_once_are_one_too_many(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    with (panel / ".panel.lock").open("w") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(PanelError, match="another process is writing this panel"):
            write(panel, tmp_path / "prices.db")
    write(panel, tmp_path / "prices.db")


@pytest.mark.parametrize("name", ["thesis.tex", "prices-2024.parquet"])
def test_a_folder_of_something_else_is_left_alone(tmp_path: Path, name: str) -> None:
    (tmp_path / "panel").mkdir()
    (tmp_path / "panel" / name).write_text("mine")
    with pytest.raises(PanelError, match=f"holds {name} and no panel.json"):
        small_panel(tmp_path)
    assert [path.name for path in (tmp_path / "panel").iterdir() if not path.name.startswith(".")] == [name]


def test_files_of_somebody_else_in_a_panel_stay(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    (panel / "prices-2024.parquet").write_text("mine")
    write(panel, write_database(tmp_path / "prices.db", 45))
    assert (panel / "prices-2024.parquet").read_text() == "mine"


def test_a_panel_is_written_from_another_one_into_fewer_files(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    for sessions in (41, 42, 43):
        write(panel, write_database(tmp_path / "prices.db", sessions))
    with PanelStore.open(panel) as store:
        digest = store.digest()
        assert len(store.files.manifest.files) == 4
        writing.write_store(tmp_path / "whole", store)
    with PanelStore.open(tmp_path / "whole") as store:
        assert len(store.files.manifest.files) == 1
        assert store.digest() == digest


def test_progress_is_told_of_each_share(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with FeatureStore.open(write_database(tmp_path / "prices.db")) as store:
        writing.write_store(tmp_path / "panel", store, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_reader_sees_the_panel_of_the_moment_that_it_was_opened(tmp_path: Path) -> None:
    panel = small_panel(tmp_path)
    with PanelStore.open(panel) as store:
        write(panel, write_database(tmp_path / "prices.db", 60))
        assert len(store.sessions()) == 20
    assert file_of(panel).exists()
