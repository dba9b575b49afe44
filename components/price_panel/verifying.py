"""Looks at every file of a panel, and says what is not as it was written."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from components.errors import PanelError
from components.feature_store.schema import BAR_COLUMNS
from components.price_panel.blocks import PanelFiles, groups_of
from components.price_panel.manifest import Manifest, PanelFile, is_file_name, read_manifest


@dataclass(frozen=True)
class Verified:
    """What a look at a panel found.

    Attributes:
        manifest: of the panel.
        faults: what is wrong, a line each; none where the panel is whole.
        strays: files of prices in the folder that the manifest does not name.
    """

    manifest: Manifest
    faults: tuple[str, ...]
    strays: tuple[str, ...]


def verify_panel(folder: Path, progress: Callable[[int, int], None] | None = None) -> Verified:
    """Compares each file with the manifest, its digest and its rows, and then the files with one another.

    Args:
        folder: of the panel.
        progress: told how many files have been looked at, of how many.

    Raises:
        PanelError: the folder is no panel, or its manifest cannot be used.
    """
    manifest = read_manifest(folder)
    faults: list[str] = []
    for number, one in enumerate(manifest.files):
        faults += _faults_of(folder, manifest, one)
        if progress is not None:
            progress(number + 1, len(manifest.files))
    if not faults:
        faults += _faults_between(folder, manifest)
    named = {one.path for one in manifest.files}
    strays = sorted(path.name for path in folder.iterdir() if is_file_name(path.name) and path.name not in named)
    return Verified(manifest, tuple(faults), tuple(strays))


def _faults_of(folder: Path, manifest: Manifest, one: PanelFile) -> Iterator[str]:
    path = folder / one.path
    # What it replaces is none of its own business here.
    alone = replace(manifest, files=(replace(one, replaces=0),))
    try:
        files = PanelFiles(folder, alone)
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        del content
        if digest != one.sha256:
            yield f"{path}: sha256 is {digest}, its manifest says {one.sha256}"
        rows = files.rows_of()
        first, last, days, count = "", "", np.empty(0, "datetime64[D]"), 0
        for some in groups_of(list(rows), rows.__getitem__):
            block = files.read(some, BAR_COLUMNS)
            days, count = np.unique(np.concatenate([days, block.time])), count + len(block.time)
        if len(days):
            first, last = str(days[0]), str(days[-1])
        shares = list(rows)
        found = {
            "rows": count,
            "shares": len(shares),
            "first_share": shares[0] if shares else "",
            "last_share": shares[-1] if shares else "",
            "sessions": len(days),
            "first": first,
            "last": last,
        }
        for name, value in found.items():
            if value != getattr(one, name):
                yield f"{path}: {name} is {value}, its manifest says {getattr(one, name)}"
    except PanelError as error:
        yield str(error)
    except OSError as error:
        yield f"{path} cannot be read: {error.strerror}"


def _faults_between(folder: Path, manifest: Manifest) -> Iterator[str]:
    try:
        files = PanelFiles(folder, manifest)
        rows = files.rows_of()
        kept = sum(len(files.read(some).time) for some in groups_of(list(rows), rows.__getitem__))
        if kept != manifest.rows:
            yield (
                f"{folder}: the files hold {kept:,} prices, those that replace others counted once, and the manifest "
                f"says {manifest.rows:,}"
            )
    except PanelError as error:
        yield str(error)
