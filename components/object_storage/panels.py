"""A panel to object storage and back: files that both have are not moved again, as no file ever changes.

The manifest is written last on either side, so half a transfer is the panel of before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from components.errors import PanelError
from components.object_storage.location import Storage
from components.object_storage.manifest import StoredFile
from components.object_storage.transfer import Progress, advance_of, verify
from components.price_panel.manifest import (
    MANIFEST,
    Manifest,
    PanelFile,
    is_panel,
    read_manifest,
    write_manifest,
    writing,
)
from components.whole_files import whole_file


@dataclass(frozen=True)
class Moved:
    """What a transfer did.

    Attributes:
        files: how many files were moved.
        size: their bytes.
        manifest: of the panel on both sides.
    """

    files: int
    size: int
    manifest: Manifest


def pull_panel(storage: Storage, folder: Path, progress: Progress | None = None) -> Moved:
    """Brings a panel from object storage into a folder; each file is compared with its digest.

    What a person has decided on the panel in the folder, or taken back, stays so.

    Raises:
        StorageError: the storage cannot be reached, or a file is another one than the manifest names.
        PanelError: there is no panel, or the folder cannot be written.
    """
    manifest = _stored(storage)
    if manifest is None:
        raise PanelError(f"{storage.place_of(MANIFEST)}: is not there; awesome panel write makes a panel")
    with writing(folder):
        before = read_manifest(folder) if is_panel(folder) else Manifest()
        missing = [one for one in manifest.files if not _is_there(folder, one)]
        advance = advance_of(progress, sum(one.size for one in missing))
        for one in missing:
            with whole_file(folder / one.path) as partial:
                storage.download(one.path, partial, advance)
                verify(partial, [StoredFile(one.path, one.size, one.sha256)], storage.url_of(one.path), "")
        # What the storage has forgotten as well by now need not be kept.
        forgotten = tuple(one for one in before.forgotten if one in manifest.decisions)
        after = manifest.deciding(forgotten, before.decisions)
        if after != before or not is_panel(folder):
            write_manifest(folder, after)
        named = {one.path for one in manifest.files}
        for gone in before.files:
            if gone.path not in named:  # the panel was written anew
                (folder / gone.path).unlink(missing_ok=True)
    return Moved(len(missing), sum(one.size for one in missing), after)


def push_panel(storage: Storage, folder: Path, progress: Progress | None = None) -> Moved:
    """Brings what a panel in a folder has more than that in object storage there.

    Raises:
        StorageError: the storage cannot be reached or written.
        PanelError: the folder is no panel, or the storage has a panel that this one does not go on from.
    """
    manifest, stored = replace(read_manifest(folder), forgotten=()), _stored(storage)
    _check_goes_on(storage, folder, stored, manifest)
    there = set() if stored is None else {one.path for one in stored.files}
    missing = [one for one in manifest.files if one.path not in there]
    advance = advance_of(progress, sum(one.size for one in missing))
    for one in missing:
        storage.upload(folder / one.path, one.path, advance)
    if _stored(storage) != stored:
        raise PanelError(f"{storage.url}: another process has written this panel meanwhile; do it again")
    if manifest != stored:
        storage.write(MANIFEST, manifest.to_bytes())
    return Moved(len(missing), sum(one.size for one in missing), manifest)


def _stored(storage: Storage) -> Manifest | None:
    content = storage.read(MANIFEST)
    return None if content is None else Manifest.from_bytes(content, storage.url_of(MANIFEST))


def _check_goes_on(storage: Storage, folder: Path, stored: Manifest | None, manifest: Manifest) -> None:
    if stored is not None and manifest.files[: len(stored.files)] != stored.files:
        raise PanelError(
            f"{storage.url}: another process has written files of this panel which {folder} has not; do it again, or "
            "write to another URL"
        )


def _is_there(folder: Path, one: PanelFile) -> bool:
    try:
        return (folder / one.path).stat().st_size == one.size
    except OSError:
        return False
