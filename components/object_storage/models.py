"""Trained models in a storage: `models_training/MODEL/VERSION/` with everything that speaks for or against each.

saved_model/...   what is served
tfevents/...      the training run, for TensorBoard
evaluation/...    TFMA's files, as of this model alone
evidence.json     the metrics and why it was blessed or was not
run/...           of a champion the report and the predictions of its run, for a loop elsewhere that takes it
trials.jsonl      every try on its test days (components/trials/record.py)
manifest.json     written last; without it there is no model
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from components.errors import StorageError
from components.object_storage.location import Storage
from components.object_storage.manifest import ModelFacts, ModelManifest, StoredFile, describe_file
from components.object_storage.transfer import Progress, Pushed, advance_of, real_path, verify
from components.whole_files import scratch_folder, temporary_folder

FOLDER = "models_training"
LATEST = "latest"
MANIFEST = "manifest.json"
EVIDENCE = "evidence.json"
TRIES = "trials.jsonl"
RUN = "run"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_PUSHED = re.compile(rf"{FOLDER}/([^/]+)/([^/]+)/{re.escape(MANIFEST)}")


@dataclass(frozen=True)
class ModelFolders:
    """What of a model is pushed.

    Attributes:
        saved_model: The SavedModel's folder.
        tfevents: The training run's folder; None to leave it out.
        evaluation: The folder of TFMA's files; None to leave it out.
        evidence: Text of evidence.json; empty to leave it out.
        tries: Content of trials.jsonl; empty to leave it out.
        run: Files of the run that go along.
    """

    saved_model: Path
    tfevents: Path | None = None
    evaluation: Path | None = None
    evidence: str = ""
    tries: bytes = b""
    run: tuple[Path, ...] = ()


@dataclass(frozen=True)
class ModelListing:
    """The models of a storage.

    Attributes:
        models: Their manifests, by model and version, the earliest first.
        unreadable: One line for each manifest that cannot be read.
    """

    models: tuple[ModelManifest, ...]
    unreadable: tuple[str, ...]


@dataclass(frozen=True)
class PulledModel:
    """What a pull did.

    Attributes:
        url: Where from.
        folder: Where to.
        manifest: Of what came.
        seconds: Wall-clock time.
    """

    url: str
    folder: Path
    manifest: ModelManifest
    seconds: float


def push_model(storage: Storage, facts: ModelFacts, folders: ModelFolders, progress: Progress | None = None) -> Pushed:
    """Pushes a model.

    Args:
        storage: Where to.
        facts: What its manifest says of it, with its name and version.
        folders: Its files.
        progress: Told of what was sent.

    Returns:
        What was sent; nothing if the same is there already.

    Raises:
        StorageError: A folder is gone, the version is there with other content, or it cannot be sent. Other versions
            are not touched.
    """
    start = time.monotonic()
    for what, name in (("model", facts.model), ("version", facts.version)):
        if not _NAME.fullmatch(name):
            raise StorageError(f"{name!r} cannot be the name of a {what} in a storage: use letters, digits, . _ -")
    root = f"{FOLDER}/{facts.model}/{facts.version}"
    storage.clear_left(FOLDER)
    with temporary_folder("push") as scratch:
        sources = _collect(folders, scratch)
        files = tuple(describe_file(source, path) for path, source in sources)
        manifest = ModelManifest(facts, files)
        before = storage.read(f"{root}/{MANIFEST}")
        if before is not None:
            # What was tried since then is no other model, nor is one that an older version pushed without its run, or
            # with the evaluations of all models of the run.
            there = ModelManifest.from_json(before, storage.url_of(f"{root}/{MANIFEST}"))
            if _own(there.files) == _own(files):
                return Pushed(storage.url_of(root), 0, 0, time.monotonic() - start, already_there=True)
            raise StorageError(
                f"{storage.url_of(root)}: holds this version with other content, and a version is never overwritten; "
                "remove it there, or run the pipeline again for a new one"
            )
        advance = advance_of(progress, manifest.size)
        for path, source in sources:
            storage.upload(source, f"{root}/{path}", advance)
        storage.write(f"{root}/{MANIFEST}", manifest.to_json())
    return Pushed(storage.url_of(root), len(files), manifest.size, time.monotonic() - start)


def list_models(storage: Storage, after: str = "") -> ModelListing:
    """Lists the models that were pushed whole.

    Args:
        storage: Where they are.
        after: A version; only later ones are read.

    Raises:
        StorageError: The storage cannot be listed or read.
    """
    models, unreadable = [], []
    for model, version in _versions(storage):
        if version <= after:
            continue
        name = f"{FOLDER}/{model}/{version}/{MANIFEST}"
        content = storage.read(name)
        if content is None:
            continue  # removed since it was listed
        try:
            models.append(_checked(ModelManifest.from_json(content, storage.url_of(name)), model, version, storage))
        except StorageError as error:
            unreadable.append(str(error))
    return ModelListing(tuple(models), tuple(unreadable))


def pull_model(
    storage: Storage, model: str, folder: Path, version: str = LATEST, progress: Progress | None = None
) -> PulledModel:
    """Pulls a model; a folder that is there is replaced only once all files are checked.

    Args:
        storage: Where from.
        model: Its name.
        folder: Where to; made if it is missing. `{version}` in its last part stands for the version. One that holds
            a model that was pulled, and nothing else, is replaced.
        version: Its version, or `latest`.
        progress: Told of what came.

    Returns:
        What came.

    Raises:
        StorageError: There is no such model in the storage, it is damaged, or `folder` holds something that was not
            pulled, or was changed since. What was there is untouched.
    """
    start = time.monotonic()
    version = _choose(storage, model, version)
    root = f"{FOLDER}/{model}/{version}"
    if "{version}" in folder.name:
        folder = folder.with_name(folder.name.replace("{version}", version))
    target = real_path(folder)
    _check_replaceable(target, folder)
    content = storage.read(f"{root}/{MANIFEST}")
    if content is None:
        raise StorageError(f"{storage.url_of(root)}: has gone meanwhile; run the same command again")
    manifest = ModelManifest.from_json(content, storage.url_of(f"{root}/{MANIFEST}"))
    _checked(manifest, model, version, storage)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(target) as scratch:
            fresh = scratch / "new"
            fresh.mkdir()
            advance = advance_of(progress, manifest.size)
            for file in manifest.files:
                name, copy = f"{root}/{file.path}", fresh / file.path
                copy.parent.mkdir(parents=True, exist_ok=True)
                storage.download(name, copy, advance)
                verify(copy, [file], storage.url_of(name), ", or pull another --version")
            (fresh / MANIFEST).write_bytes(content)
            _replace_folder(fresh, target, scratch / "old", folder)
    except OSError as error:
        raise StorageError(f"{error.filename or folder}: {error.strerror}; nothing was replaced") from None
    return PulledModel(storage.url_of(root), folder, manifest, time.monotonic() - start)


def _collect(folders: ModelFolders, scratch: Path) -> list[tuple[str, Path]]:
    """Returns the files to push, by their paths in the storage, sorted."""
    sources: list[tuple[str, Path]] = []
    for part, folder in (
        ("saved_model", folders.saved_model),
        ("tfevents", folders.tfevents),
        ("evaluation", folders.evaluation),
    ):
        if folder is None:
            continue
        files = [file for file in folder.rglob("*") if file.is_file()] if folder.is_dir() else []
        if not files:
            raise StorageError(f"{folder}: holds no files of the {part}; run the pipeline again")
        sources += [(f"{part}/{file.relative_to(folder).as_posix()}", file) for file in files]
    for name, content in ((EVIDENCE, folders.evidence.encode()), (TRIES, folders.tries)):
        if content:
            (scratch / name).write_bytes(content)
            sources.append((name, scratch / name))
    sources += [(f"{RUN}/{file.name}", file) for file in folders.run]
    return sorted(sources)


def _own(files: Sequence[StoredFile]) -> list[StoredFile]:
    return [file for file in files if file.path != TRIES and not file.path.startswith((f"{RUN}/", "evaluation/"))]


def _versions(storage: Storage) -> list[tuple[str, str]]:
    matches = (_PUSHED.fullmatch(name) for name in storage.names(FOLDER))
    return sorted((match[1], match[2]) for match in matches if match is not None)


def _choose(storage: Storage, model: str, version: str) -> str:
    """Returns the version to pull; the storage is asked, so that a wrong name is answered with the right ones."""
    known = _versions(storage)
    where = storage.place_of(FOLDER)
    if not known:
        raise StorageError(f"{where}: holds no model; push one with `awesome model push`")
    versions = [one for name, one in known if name == model]
    if not versions:
        raise StorageError(
            f"{where}: holds no model {model!r}; there are {', '.join(sorted({name for name, _ in known}))}"
        )
    if version == LATEST:
        return versions[-1]
    if version not in versions:
        few = versions[-5:]
        more = f" and {len(versions) - len(few)} earlier" if len(versions) > len(few) else ""
        url = storage.place_of(f"{FOLDER}/{model}")
        raise StorageError(f"{url}: holds no version {version!r}; there are {', '.join(few)}{more}")
    return version


def _checked(manifest: ModelManifest, model: str, version: str, storage: Storage) -> ModelManifest:
    """Refuses a manifest that was copied from another place."""
    if (manifest.facts.model, manifest.facts.version) != (model, version):
        url = storage.url_of(f"{FOLDER}/{model}/{version}/{MANIFEST}")
        raise StorageError(f"{url}: speaks of {manifest.facts.model} {manifest.facts.version}; push it again")
    return manifest


def _check_replaceable(target: Path, folder: Path) -> None:
    """Refuses a folder that holds anything but one model as it was pulled: what else is in it is somebody's own.

    Args:
        target: The folder.
        folder: Its name in the message.
    """
    if not target.exists():
        return
    if not target.is_dir():
        raise StorageError(f"{folder}: is a file; name another folder with --to")
    there = {path.relative_to(target).as_posix(): path for path in sorted(target.rglob("*"))}
    if not there:
        return
    stays = "so the folder is not replaced; move it away, or name another --to"
    try:
        manifest = ModelManifest.from_json((target / MANIFEST).read_bytes(), "")
    except FileNotFoundError:
        why = f"was not pulled (it has no {MANIFEST}), so it is not replaced; name another --to"
        raise StorageError(f"{folder}: {why}") from None
    except (OSError, StorageError):
        raise StorageError(f"{folder}: its {MANIFEST} is none of a pulled model, {stays}") from None
    pulled = {file.path: file for file in manifest.files}
    folders = {parent.as_posix() for name in pulled for parent in PurePosixPath(name).parents}
    for name, path in there.items():
        if path.is_symlink() or (name not in folders if path.is_dir() else name not in pulled and name != MANIFEST):
            raise StorageError(f"{folder / name}: was not pulled, {stays}")
        if name in pulled and describe_file(path, name) != pulled[name]:
            raise StorageError(f"{folder / name}: was changed since it was pulled, {stays}")


def _replace_folder(fresh: Path, target: Path, aside: Path, folder: Path) -> None:
    """Puts a folder in another's place; the old one, which `folder` names, comes back if that fails."""
    there = target.exists()
    if there:
        os.rename(target, aside)
    try:
        # Not before: what somebody put there during the download would be lost.
        _check_replaceable(aside, folder)
        os.rename(fresh, target)
    except BaseException:
        if there:
            os.rename(aside, target)
        raise
