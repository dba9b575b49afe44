"""What a pull of a model does not replace: everything that no pull brought."""

from __future__ import annotations

from pathlib import Path

import pytest
from model_files import FACTS, PUSHED, tree, write_model
from places import Place, leftovers

from components.errors import StorageError
from components.object_storage import ModelFolders, pull_model, push_model


@pytest.fixture
def folders(tmp_path: Path) -> ModelFolders:
    return write_model(tmp_path / "pipeline")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.txt", "mine"),
        ("saved_model/mine/deep.txt", "mine"),
        ("saved_model/empty/", None),
        ("saved_model/link", "->"),
        ("saved_model/saved_model.pb", "tuned by hand"),
        ("tfevents/history.csv", "->"),
        ("manifest.json", '{"name": "my extension"}'),
        ("manifest.json", "no JSON"),
        (".hidden", "mine"),
    ],
)
def test_what_was_not_pulled_keeps_its_folder(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path, name: str, content: str | None
) -> None:
    target = tmp_path / "to"
    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        pull_model(storage, "rnn", target)
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif content == "->":
            path.unlink(missing_ok=True)
            path.symlink_to(folders.saved_model / "saved_model.pb")
        else:
            path.write_text(content)
        before, paths = tree(target), sorted(target.rglob("*"))
        with pytest.raises(StorageError, match=r"so the folder is not replaced; move it away, or name another --to"):
            pull_model(storage, "rnn", target)
    assert (tree(target), sorted(target.rglob("*"))) == (before, paths)


def test_somebodys_folder_with_a_manifest_of_its_own_is_not_replaced(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path
) -> None:
    """A web application, an extension of a browser, another program's package: all of them have a manifest.json."""
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "manifest.json").write_text('{"name": "mine", "files": []}')
    (mine / "thesis.txt").write_text("the only copy")
    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        with pytest.raises(StorageError, match=r"mine: its manifest\.json is none of a pulled model"):
            pull_model(storage, "rnn", mine)
    assert (mine / "thesis.txt").read_text() == "the only copy"


def test_what_comes_into_the_folder_during_the_download_stays(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path
) -> None:
    target = tmp_path / "to"

    def put(done: int, total: int) -> None:
        if done == total:
            (target / "notes.txt").write_text("mine")

    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        pull_model(storage, "rnn", target)
        with pytest.raises(StorageError, match=r"to/notes\.txt: was not pulled"):
            pull_model(storage, "rnn", target, progress=put)
    assert tree(target) == tree(target) | PUSHED | {"notes.txt": b"mine"}
    assert leftovers(tmp_path) == []


def test_the_current_folder_can_take_a_model(
    folder_storage: Place, folders: ModelFolders, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    with folder_storage.open() as storage:
        push_model(storage, FACTS, folders)
        pull_model(storage, "rnn", Path())
    assert tree(tmp_path / "here").keys() == {*PUSHED, "manifest.json"}
