"""The manifest of a panel: which files it has, in the order in which they count. Written last, whole, or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import re
import shlex
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from components.errors import PanelError
from components.feature_store.decisions import Decision
from components.feature_store.members import Spell
from components.records import RecordError, from_json, to_json
from components.whole_files import whole_file

MANIFEST = "panel.json"
"""The file whose presence makes a folder a panel."""

FORMAT = 1
"""The layout of manifest and files; a reader refuses a later one."""

_KIND = "panel of prices"
_LOCK = ".panel.lock"
_NAME = re.compile(r"prices-[0-9]{6}-[0-9a-f]{12}\.parquet")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True)
class PanelFile:
    """A file of prices, which never changes once the manifest names it.

    Attributes:
        path: its name in the panel's folder.
        size: in bytes.
        sha256: of its content, in hexadecimal.
        rows: prices.
        shares: how many shares they are of.
        first_share: the first of these by name.
        last_share: the last.
        sessions: how many days they are of.
        first: the first of these, ISO.
        last: the last.
        replaces: how many of the rows stand in the place of one of an earlier file, with the same share and day.
    """

    path: str
    size: int
    sha256: str
    rows: int
    shares: int
    first_share: str
    last_share: str
    sessions: int
    first: str
    last: str
    replaces: int = 0


@dataclass(frozen=True)
class Manifest:
    """What a panel holds.

    Attributes:
        files: in the order in which they were written.
        decisions: what a person has accepted or excluded.
        exchanges: by share, where it is listed, as far as somebody said.
        members: when which share belongs to the universe; none where all always do.
        forgotten: decisions that were taken away here, of a copy of a panel in object storage: the next pull must not
            bring them back. They stay here.
    """

    files: tuple[PanelFile, ...] = ()
    decisions: tuple[Decision, ...] = ()
    exchanges: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Spell, ...] = ()
    forgotten: tuple[Decision, ...] = ()

    @property
    def rows(self) -> int:
        """Prices, those that another file replaces counted once."""
        return sum(one.rows - one.replaces for one in self.files)

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(one.size for one in self.files)

    def deciding(self, gone: Collection[Decision], added: Iterable[Decision]) -> Manifest:
        """The same without some decisions, which are noted as forgotten, and with some others."""
        added = tuple(added)
        kept = {str(one): one for one in (*self.decisions, *added) if one not in gone}
        forgotten = {
            str(one): one for one in (*self.forgotten, *self.decisions) if one in gone or one in self.forgotten
        }
        return replace(
            self,
            decisions=tuple(kept[text] for text in sorted(kept)),
            forgotten=tuple(forgotten[text] for text in sorted(forgotten) if forgotten[text] not in added),
        )

    def to_bytes(self) -> bytes:
        """The content of the manifest's file."""
        whole = {"format": FORMAT, "kind": _KIND, **{name: getattr(self, name) for name in self.__dataclass_fields__}}
        return (to_json(whole) + "\n").encode()

    @classmethod
    def from_bytes(cls, content: bytes, where: str) -> Manifest:
        """Reads a manifest's file, which errors name as `where`.

        Raises:
            PanelError: it is none, is of a later version, or names what cannot be a file of a panel.
        """
        try:
            header = from_json(_Header, content)
        except RecordError as error:
            raise PanelError(f"{where}: is no manifest of a panel ({error}); write the panel anew") from None
        if header.kind != _KIND:
            raise PanelError(f"{where}: is no manifest of a panel; name another folder")
        if type(header.format) is not int or header.format > FORMAT:
            raise PanelError(
                f"{where}: has format {header.format!r}, and this version of awesome reads {FORMAT}; upgrade it, or "
                "write the panel anew"
            )
        try:
            manifest = from_json(cls, content)
        except (RecordError, ValueError) as error:
            raise PanelError(f"{where}: is no whole manifest: {error}; write the panel anew") from None
        seen: set[str] = set()
        for one in manifest.files:
            if not is_file_name(one.path) or not _SHA256.fullmatch(one.sha256) or one.path in seen:
                raise PanelError(f"{where}: names a file {one.path!r} that cannot be, or twice; write the panel anew")
            seen.add(one.path)
        return manifest


@dataclass(frozen=True)
class _Header:
    """How every manifest begins."""

    format: Any = None
    kind: Any = None


def is_file_name(name: str) -> bool:
    """Whether a name is one that a panel gives a file of prices."""
    return _NAME.fullmatch(name) is not None


def is_panel(folder: Path) -> bool:
    """Whether a folder is a panel."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Reads the manifest of a panel.

    Raises:
        PanelError: the folder is no panel, or its manifest cannot be used.
    """
    path = folder / MANIFEST
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        what = "does not exist" if not folder.exists() else f"is a folder without {MANIFEST}, so it is no panel"
        raise PanelError(f"{folder} {what}; write one: awesome panel write {shlex.quote(str(folder))}") from None
    except NotADirectoryError:
        raise PanelError(f"{folder} is a file, and a panel is a folder; name another --panel") from None
    except OSError as error:
        raise PanelError(f"{path} cannot be read: {error.strerror}") from None
    return Manifest.from_bytes(content, str(path))


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Puts a manifest in the place of that of before; until it is whole, readers see that of before.

    Raises:
        PanelError: it cannot be written.
    """
    try:
        with whole_file(folder / MANIFEST, sync=True) as partial:
            partial.write_bytes(manifest.to_bytes())
    except OSError as error:
        raise PanelError(f"{folder / MANIFEST} cannot be written: {error.strerror}") from None


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """One writer at a time; readers are not kept out, as no file that the manifest names ever changes.

    Raises:
        PanelError: another process writes the panel, or the folder cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        stream = (folder / _LOCK).open("w")
    except OSError as error:
        why = "it is a file" if folder.is_file() else error.strerror
        raise PanelError(f"{folder} cannot be written ({why}); name another folder") from None
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise PanelError(f"{folder}: another process is writing this panel; wait for it") from None
        yield


def update_manifest(folder: Path, change: Callable[[Manifest], Manifest]) -> None:
    """Changes what a panel's manifest says of shares.

    Raises:
        PanelError: the folder is no panel, another process writes it, or it cannot be written.
    """
    with writing(folder):
        write_manifest(folder, change(read_manifest(folder)))
