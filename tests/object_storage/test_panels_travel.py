"""A panel to object storage and back: only what is missing moves, and the manifest comes last."""

from __future__ import annotations

from pathlib import Path

import pytest
from databases import bars, put
from places import Place

from components.errors import PanelError, StorageError
from components.feature_store import FeatureStore, read_decisions
from components.object_storage.location import Storage
from components.object_storage.panels import pull_panel, push_panel
from components.price_panel.manifest import MANIFEST, read_manifest
from components.price_panel.store import PanelStore
from components.price_panel.writing import write_store
from pipeline.job import panel as job_panel
from pipeline.job.workspace import OutputError, workspace_lock
from pipeline.plan import load_plan


def grown(folder: Path, sessions: int) -> Path:
    for share in ("000001", "IBM"):
        put(folder / "prices.db", share, bars(sessions, seed=len(share)), "file")
    with FeatureStore.open(folder / "prices.db") as store:
        write_store(folder / "panel", store)
    return folder / "panel"


def digest(panel: Path) -> str:
    with PanelStore.open(panel) as store:
        store.check()
        return store.digest()


def test_it_is_the_same_there_and_back_again(place: Place, tmp_path: Path) -> None:
    panel = grown(tmp_path, 30)
    with place.open() as storage:
        assert push_panel(storage, panel).files == 1
        assert pull_panel(storage, tmp_path / "there").files == 1
        assert digest(tmp_path / "there") == digest(panel)
        grown(tmp_path, 40)
        assert push_panel(storage, panel).files == 1
        assert pull_panel(storage, tmp_path / "there").files == 1
    assert digest(tmp_path / "there") == digest(panel)


def test_without_a_manifest_there_is_no_panel(place: Place, tmp_path: Path) -> None:
    with place.open() as storage, pytest.raises(PanelError, match=r"panel\.json.*is not there"):
        pull_panel(storage, tmp_path / "there")
    assert not (tmp_path / "there" / MANIFEST).exists()


def test_a_file_that_was_changed_there_is_not_taken(s3: Place, tmp_path: Path) -> None:
    panel = grown(tmp_path, 30)
    name = read_manifest(panel).files[0].path
    with s3.open() as storage:
        push_panel(storage, panel)
        content = bytearray(storage.read(name) or b"")
        content[9] ^= 1
        storage.write(name, bytes(content))
        with pytest.raises(StorageError, match=f"{name}: has another sha256 than its manifest says"):
            pull_panel(storage, tmp_path / "there")
    assert not (tmp_path / "there" / MANIFEST).exists()
    assert list((tmp_path / "there").glob("*.parquet")) == []


def test_a_panel_that_somebody_else_has_written_is_not_overwritten(s3: Place, tmp_path: Path) -> None:
    panel = grown(tmp_path, 30)
    (tmp_path / "other").mkdir()
    with s3.open() as storage:
        push_panel(storage, grown(tmp_path / "other", 35))
        with pytest.raises(PanelError, match="another process has written files of this panel"):
            push_panel(storage, panel)


def test_two_that_write_at_once_do_not_lose_a_file(s3: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    panel, upload = grown(tmp_path, 30), Storage.upload
    (tmp_path / "other").mkdir()
    other = grown(tmp_path / "other", 35)
    with s3.open() as storage:

        def slow(self: Storage, file: Path, name: str, *more: object) -> None:
            upload(self, file, name, *more)
            if file.parent == panel:  # meanwhile the other one ends
                push_panel(self, other)

        monkeypatch.setattr(Storage, "upload", slow)
        with pytest.raises(PanelError, match="another process has written this panel meanwhile"):
            push_panel(storage, panel)
        assert pull_panel(storage, tmp_path / "there").manifest == read_manifest(other)


def test_a_decision_that_was_made_here_stays(s3: Place, tmp_path: Path) -> None:
    with s3.open() as storage:
        push_panel(storage, grown(tmp_path, 30))
        pull_panel(storage, tmp_path / "there")
        with PanelStore.create(tmp_path / "there") as store:
            store.decide(read_decisions(exclude=["IBM"]))
        push_panel(storage, grown(tmp_path, 31))
        pull_panel(storage, tmp_path / "there")
    with PanelStore.open(tmp_path / "there") as store:
        assert store.decisions().excluded == {"IBM"}


def test_a_decision_that_was_taken_back_here_does_not_return(s3: Place, tmp_path: Path) -> None:
    panel, there, decision = grown(tmp_path, 30), tmp_path / "there", read_decisions(exclude=["IBM"])

    def excluded() -> set[str]:
        with PanelStore.open(there) as store:
            return set(store.decisions().excluded)

    with s3.open() as storage:
        with PanelStore.create(panel) as store:
            store.decide(decision)
        push_panel(storage, panel)
        pull_panel(storage, there)
        assert excluded() == {"IBM"}
        with PanelStore.create(there) as store:
            assert store.forget(decision) == 1
        push_panel(storage, grown(tmp_path, 31))
        for _ in range(2):
            pull_panel(storage, there)
            assert excluded() == set()
        with PanelStore.create(there) as store:
            store.decide(decision)
        pull_panel(storage, there)
        assert excluded() == {"IBM"}
        # What this folder has forgotten is its own affair, until the panel is written from here.
        with PanelStore.create(there) as store:
            store.forget(decision)
        push_panel(storage, there)
        assert b'"forgotten": []' in (storage.read(MANIFEST) or b"")
        pull_panel(storage, there)
        assert read_manifest(there).forgotten == ()


def test_while_a_run_works_the_panel_that_it_has_brought_stays_as_it_is(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_panel, "panel_storage", lambda plan: place.open())
    plan = load_plan({"panel": "s3://prices/panel", "workspace": tmp_path / "runs"})
    plan.workspace.mkdir()
    with place.open() as storage:
        push_panel(storage, grown(tmp_path, 30))
    with workspace_lock(plan.workspace), pytest.raises(OutputError, match="another run works in"):
        job_panel.fetch_panel(plan)
    assert job_panel.fetch_panel(plan) is not None
    with place.open() as storage:
        push_panel(storage, grown(tmp_path, 31))
    with workspace_lock(plan.workspace):
        assert job_panel.fetch_panel(plan) is None
        assert len(read_manifest(plan.database).files) == 1
    assert job_panel.fetch_panel(plan) is not None
    assert len(read_manifest(plan.database).files) == 2
