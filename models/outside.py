"""What comes from outside of the project: by an entry point of an installed package, or by a plain file."""

from __future__ import annotations

import functools
import hashlib
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from models import plugged
from models.errors import PluginError, told

_BYTECODE = (".pyc", ".pyo")


@dataclass(frozen=True)
class Outside:
    """One declaration from outside.

    Attributes:
        words: where it comes from, for a message, and what to do about it.
        package: the distribution, or the file's name.
        version: of the distribution; empty for a file.
        load: gives what is declared; raises PluginError.
        code: the folders and files that the declaration's module consists of; nothing is imported; raises PluginError.
    """

    words: tuple[str, str]
    package: str
    version: str
    load: Callable[[], Any]
    code: Callable[[], list[Path]]

    @property
    def named(self) -> str:
        """The package and its version."""
        return f"{self.package} {self.version}".strip()

    @property
    def origin(self) -> str:
        """The package, its version and the digest of its code, as cards, manifests and tries name it.

        Raises:
            PluginError: there is no code that could be read.
        """
        return f"{self.named} ({code_digest_of(self.code())})"

    @contextmanager
    def called(self) -> Iterator[None]:
        """Makes of whatever its code raises in the block one line that names the line of that code.

        Raises:
            PluginError: the block raised something.
        """
        try:
            yield
        except Exception as error:
            roots = [path.resolve() for path in self.code()]
            frames = [(Path(one.filename).resolve(), one.lineno) for one in traceback.extract_tb(error.__traceback__)]
            own = [(path, line) for path, line in frames if any(path.is_relative_to(root) for root in roots)]
            at = f" in line {own[-1][1]} of {own[-1][0].name}" if own else ""
            raise self.refusal(f"fails{at} ({told(error)})") from error

    def refusal(self, why: str) -> PluginError:
        """That it cannot be used, and why."""
        return PluginError(f"{self.words[0]} {why}; {self.words[1]}")


def outside(group: str, constant: str = "") -> Iterator[Outside]:
    """What comes from outside for a group.

    Args:
        group: of entry points, such as `awesome.models`.
        constant: the name that a file gives such a declaration; empty where no file can hold one.

    Raises:
        PluginError: a file that was named is not there.
    """
    yield from (_of_point(point) for point in sorted(_points(_installed()).select(group=group)))
    if constant:
        for path in plugged.files().values():
            if declares(path, constant):
                yield _of_file(path, constant)


@functools.lru_cache(maxsize=1)
def _points(installed: tuple[tuple[str, int], ...]) -> Any:
    """All entry points: a command asks for a dozen groups, and every look reads a file of each installed package."""
    del installed  # it tells that something was installed since
    return entry_points()


def _installed() -> tuple[tuple[str, int], ...]:
    """The folders of packages, and when something was last put into them or taken out."""
    return tuple((path, os.stat(path).st_mtime_ns) for path in sys.path if os.path.isdir(path))


def declares(path: Path, constant: str) -> bool:
    """Whether a file holds such a declaration; one that cannot be loaded may hold any."""
    try:
        return hasattr(plugged.module_of(path), constant)
    except PluginError:
        return True


def _of_point(point: EntryPoint) -> Outside:
    dist = point.dist
    of = f" of {dist.name} {dist.version}" if dist else ""
    words = f"the entry point {point.name} = {point.value} ({point.group}){of}"

    def load() -> Any:
        try:
            return point.load()
        except (Exception, SystemExit) as error:  # whatever somebody's own code raises when it is imported
            raise found.refusal(f"cannot be loaded ({told(error)})") from None

    def code() -> list[Path]:
        spec = find_spec(point.module.partition(".")[0])
        paths = [Path(one) for one in (spec.submodule_search_locations or [str(spec.origin)])] if spec else []
        if not paths or not all(path.exists() for path in paths):
            raise found.refusal(f"has no code of {point.module} that could be read")
        return paths

    how = "correct or uninstall its package"
    found = Outside((words, how), dist.name if dist else point.module, dist.version if dist else "", load, code)
    return found


def _of_file(path: Path, constant: str) -> Outside:
    words = (f"{constant} of {path}", "correct it or leave the file out")
    return Outside(words, path.name, "", lambda: getattr(plugged.module_of(path), constant), lambda: [path])


def code_digest_of(paths: list[Path]) -> str:
    """SHA-256 over the files of folders, and over single files: its first 16 hexadecimal digits."""
    digest = hashlib.sha256()
    for path in paths:
        for file in [path] if path.is_file() else sorted(one for one in path.rglob("*") if one.is_file()):
            if file.suffix not in _BYTECODE:
                digest.update(str(file.relative_to(path.parent)).encode() + b"\0" + file.read_bytes() + b"\0")
    return digest.hexdigest()[:16]
