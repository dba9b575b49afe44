"""Models to a storage and back: the layout, half uploads, versions that never change, folders that are not ours."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from model_files import FACTS, MANIFEST, PUSHED, ROOT, tree, write_model
from places import SECRET, Place, leftovers

from components.errors import StorageError
from components.object_storage import (
    ModelFolders,
    ModelListing,
    ModelManifest,
    Storage,
    StoredFile,
    list_models,
    pull_model,
    push_model,
)


@pytest.fixture
def folders(tmp_path: Path) -> ModelFolders:
    return write_model(tmp_path / "pipeline")


def test_a_model_comes_back_whole_with_its_manifest(place: Place, folders: ModelFolders, tmp_path: Path) -> None:
    moved: list[tuple[int, int]] = []
    with place.open() as storage:
        pushed = push_model(storage, FACTS, folders, lambda *both: moved.append(both))
        assert storage.names("models_training") == tuple(
            sorted(f"{ROOT}/{name}" for name in [*PUSHED, "manifest.json"])
        )
        listing = list_models(storage)
        pulled = pull_model(storage, "rnn", tmp_path / "pulled" / "{version}")
    target = tmp_path / "pulled" / "20261123T213000Z"
    content = tree(target)
    manifest = json.loads(content.pop("manifest.json"))
    assert content == PUSHED
    size = sum(map(len, PUSHED.values()))
    assert manifest.pop("files") == [
        {"path": name, "size": len(PUSHED[name]), "sha256": hashlib.sha256(PUSHED[name]).hexdigest()}
        for name in sorted(PUSHED)
    ]
    assert manifest == MANIFEST
    assert (pushed.files, pushed.size, pushed.already_there) == (7, size, False)
    assert pulled.folder == target
    assert [one.facts for one in listing.models] == [FACTS]
    assert listing.models[0].size == size
    assert moved[-1] == (size, size)
    assert leftovers(tmp_path) == []


def test_the_manifest_is_sent_last(s3: Place, folders: ModelFolders) -> None:
    with s3.open() as storage:
        push_model(storage, FACTS, folders)
    sent = [head.split()[1] for head in s3.link.requests() if head.startswith("PUT")]
    assert len(sent) == 8
    assert sent[-1].endswith(f"{ROOT}/manifest.json")


def test_an_auc_that_was_not_measured_stays_unknown(folder_storage: Place, folders: ModelFolders) -> None:
    nan = float("nan")
    with folder_storage.open() as storage:
        push_model(storage, replace(FACTS, auc=nan, auc_low=nan, auc_high=nan, architecture_version=None), folders)
        [manifest] = list_models(storage).models
        stored = storage.read(f"{ROOT}/manifest.json")
    assert b"NaN" not in stored
    assert manifest.facts.auc != manifest.facts.auc
    assert manifest.facts.architecture_version is None


def test_a_model_without_logs_or_evaluation_is_pushed_without(folder_storage: Place, folders: ModelFolders) -> None:
    with folder_storage.open() as storage:
        push_model(storage, FACTS, ModelFolders(folders.saved_model))
        [manifest] = list_models(storage).models
    assert [file.path for file in manifest.files] == sorted(n for n in PUSHED if n.startswith("saved_model/"))


def test_the_same_model_is_not_sent_again_and_another_not_over_it(
    s3: Place, folders: ModelFolders, tmp_path: Path
) -> None:
    with s3.open() as storage:
        push_model(storage, FACTS, folders)
        sent = len(s3.link.requests())
        assert push_model(storage, FACTS, folders).already_there
        write_model(tmp_path / "pipeline", weights=b"others!")
        with pytest.raises(StorageError, match="a version is never overwritten"):
            push_model(storage, FACTS, folders)
        assert {head.split()[0] for head in s3.link.requests()[sent:]} == {"GET"}


def test_versions_are_listed_in_order_and_the_latest_is_pulled(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path
) -> None:
    versions = ["20261124T000000Z", "20251231T235959Z", "20261123T213000Z"]
    with folder_storage.open() as storage:
        for version in versions:
            push_model(storage, replace(FACTS, version=version), folders)
        push_model(storage, replace(FACTS, model="dnn"), folders)
        listed = [(one.facts.model, one.facts.version) for one in list_models(storage).models]
        assert listed == [("dnn", "20261123T213000Z"), *(("rnn", version) for version in sorted(versions))]
        assert pull_model(storage, "rnn", tmp_path / "to").manifest.facts.version == "20261124T000000Z"
        pulled = pull_model(storage, "rnn", tmp_path / "to", "20251231T235959Z")
        assert pulled.manifest.facts.version == "20251231T235959Z"
        with pytest.raises(StorageError, match="holds no model 'cnn'; there are dnn, rnn"):
            pull_model(storage, "cnn", tmp_path / "to")
        with pytest.raises(StorageError, match="no version '1'; there are 20251231T235959Z, 20261123T213000Z, 2026112"):
            pull_model(storage, "rnn", tmp_path / "to", "1")
    assert json.loads((tmp_path / "to" / "manifest.json").read_text())["version"] == "20251231T235959Z"


def test_an_empty_storage_has_no_models(place: Place, tmp_path: Path) -> None:
    with place.open() as storage:
        assert list_models(storage) == ModelListing((), ())
        with pytest.raises(StorageError, match="holds no model; push one with `awesome model push`"):
            pull_model(storage, "rnn", tmp_path / "to")


@pytest.mark.parametrize("way", ["up", "down"])
def test_a_link_that_breaks_leaves_no_half_model(s3: Place, tmp_path: Path, way: str) -> None:
    folders = write_model(tmp_path / "pipeline", weights=os.urandom(12 * 2**20))
    target = tmp_path / "pulled"
    with s3.open() as storage:
        old = replace(FACTS, version="20200101T000000Z")
        push_model(storage, old, write_model(tmp_path / "old", mark="old"))
        pull_model(storage, "rnn", target)
        before = tree(target)
        if way == "up":
            s3.link.break_after("up", 7 * 2**20)
            with pytest.raises(StorageError, match="does not answer, or the connection broke") as failure:
                push_model(storage, FACTS, folders)
            s3.link.heal()
            assert [one.facts.version for one in list_models(storage).models] == ["20200101T000000Z"]
            assert pull_model(storage, "rnn", target).manifest.facts == old
        else:
            push_model(storage, FACTS, folders)
            s3.link.break_after("down", 7 * 2**20)
            with pytest.raises(StorageError, match="does not answer, or the connection broke") as failure:
                pull_model(storage, "rnn", target)
            s3.link.heal()
        assert SECRET not in str(failure.value)
        assert tree(target) == before
        push_model(storage, FACTS, folders)
        pull_model(storage, "rnn", target)
        assert tree(target)["saved_model/variables/variables.data-00000-of-00001"][:9] != b"weights"
        assert tree(target)["saved_model/saved_model.pb"] == b"graph"
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("content", [b"weighty", b"weight", None], ids=["changed", "cut", "gone"])
def test_a_file_that_was_changed_is_refused(
    place: Place, folders: ModelFolders, tmp_path: Path, content: bytes | None
) -> None:
    name = f"{ROOT}/saved_model/variables/variables.data-00000-of-00001"
    with place.open() as storage:
        push_model(storage, FACTS, folders)
        pull_model(storage, "rnn", tmp_path / "to")
        before = tree(tmp_path / "to")
        if content is None:
            storage.remove(name)
        else:
            storage.write(name, content)
        with pytest.raises(StorageError, match=f"{name}: (has|is not there)"):
            pull_model(storage, "rnn", tmp_path / "to")
    assert tree(tmp_path / "to") == before
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("path", ["../evil", "/evil", "a/../../evil", "", "a//b", "./a", "a\\..\\evil"])
def test_a_manifest_cannot_lead_out_of_the_folder(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path, path: str
) -> None:
    file = StoredFile(path, 4, hashlib.sha256(b"evil").hexdigest())
    with folder_storage.open() as storage:
        storage.write(f"{ROOT}/manifest.json", ModelManifest(FACTS, (file,)).to_json())
        with pytest.raises(StorageError, match=r"names a file .* that cannot be"):
            pull_model(storage, "rnn", tmp_path / "deep" / "to")
    assert not (tmp_path / "deep").exists()


def break_manifest(storage: Storage, **changes: Any) -> None:
    content = json.loads(storage.read(f"{ROOT}/manifest.json"))
    storage.write(f"{ROOT}/manifest.json", json.dumps({**content, **changes}).encode())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"format": 2}, "has format 2, this version of awesome reads 1"),
        ({"kind": "database"}, "is no manifest of a model"),
        ({"blessed": 1}, "blessed holds int"),
        ({"horizon": True}, "horizon holds bool"),
        ({"auc": "0.6"}, "auc holds str"),
        ({"files": [{"path": "a", "size": 1, "sha256": "0"}]}, "names a file 'a' that cannot be"),
        ({"files": [{"path": "a", "size": 1, "sha256": "0" * 64}] * 2}, "names a file twice"),
        ({"files": ["a"]}, "files.0 holds str"),
        ({"version": "20200101T000000Z"}, "speaks of rnn 20200101T000000Z"),
    ],
)
def test_a_manifest_that_is_broken_hides_no_other_model(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        push_model(storage, replace(FACTS, model="dnn"), folders)
        break_manifest(storage, **changes)
        listing = list_models(storage)
        assert [one.facts.model for one in listing.models] == ["dnn"]
        [line] = listing.unreadable
        assert f"{ROOT}/manifest.json" in line
        assert said in line
        with pytest.raises(StorageError, match=said):
            pull_model(storage, "rnn", tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_a_folder_that_was_not_pulled_is_not_replaced(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path
) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("the only copy")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "empty").mkdir()
    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        with pytest.raises(StorageError, match=r"mine: was not pulled \(it has no manifest\.json\)"):
            pull_model(storage, "rnn", tmp_path / "mine")
        with pytest.raises(StorageError, match="file: is a file; name another folder"):
            pull_model(storage, "rnn", tmp_path / "file")
        pull_model(storage, "rnn", tmp_path / "empty")
    assert tree(tmp_path / "mine") == {"thesis.txt": b"the only copy"}
    assert set(tree(tmp_path / "empty")) == {*PUSHED, "manifest.json"}


def test_the_old_folder_comes_back_when_the_new_one_cannot_be_moved(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "to"
    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        pull_model(storage, "rnn", target)
        before = tree(target)
        rename = os.rename

        def refuse(source: Any, sink: Any) -> None:
            if Path(source).name == "new":
                raise PermissionError(13, "Permission denied", str(sink))
            rename(source, sink)

        with monkeypatch.context() as patches:
            patches.setattr(os, "rename", refuse)
            with pytest.raises(StorageError, match="Permission denied; nothing was replaced"):
                pull_model(storage, "rnn", target)
    assert tree(target) == before
    assert leftovers(tmp_path) == []


def test_a_model_whose_files_are_gone_is_not_pushed(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path
) -> None:
    (tmp_path / "hollow").mkdir()
    with folder_storage.open() as storage:
        for hollow in (tmp_path / "hollow", tmp_path / "missing"):
            with pytest.raises(StorageError, match="holds no files of the tfevents; run the pipeline again"):
                push_model(storage, FACTS, replace(folders, tfevents=hollow))
        assert storage.names("models_training") == ()


@pytest.mark.parametrize("name", ["", "..", "a/b", ".hidden", "a b"])
def test_a_model_needs_a_name_that_can_be_a_folders(folder_storage: Place, folders: ModelFolders, name: str) -> None:
    with folder_storage.open() as storage, pytest.raises(StorageError, match="cannot be the name of a model"):
        push_model(storage, replace(FACTS, model=name), folders)
