"""Plain files with declarations (`--plugin mymodel.py`), each a module of this package: `models.plugged.mymodel`.

So what is pickled by the name of its module is found in every process that imports it: a worker of Beam's, a Trainer, a
spawned process. They learn of the files from the environment, which a process hands on to those that it starts.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Sequence
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from models.errors import PluginError, told

VARIABLE = "AWESOME_PLUGINS"
"""The setting `plugins` in the environment; read here where no command has settled it, such as in a pod."""

_SETTLED = "_AWESOME_PLUGINS"

_IMPORTED: dict[str, tuple[Path, bytes]] = {}
"""The file of each imported module, and what it held then."""

_RENEWED: list[str] = []


def settle(paths: Iterable[Path]) -> None:
    """Says which files this process takes, and those that it starts; one that has changed is imported anew.

    Raises:
        PluginError: one is missing or no Python file, or two have one name.
    """
    text = json.dumps([str(path.absolute()) for path in paths])
    found = _files(text)
    os.environ[_SETTLED] = text
    for name, path in found.items():
        module = f"{__name__}.{name}"
        if module in sys.modules and _IMPORTED.get(module) != _content(path):
            del sys.modules[module]  # the digest of what is trained is that of the file as it is now
            _RENEWED.append(module)


def renewals() -> int:
    """How many files this process has let go of as they had changed: what was found in them before is no more."""
    return len(_RENEWED)


def files() -> dict[str, Path]:
    """The files by the name of their module within this package.

    Raises:
        PluginError: as in `settle`.
    """
    settled = os.environ.get(_SETTLED)
    if settled is None:
        named = [name.strip() for name in os.environ.get(VARIABLE, "").split(",")]
        settled = json.dumps([str(Path(name).absolute()) for name in named if name])
    return _files(settled)


@cache
def _files(text: str) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in map(Path, json.loads(text)):
        if not path.is_file():
            raise PluginError(f"{path}: is a folder, not a file" if path.is_dir() else f"{path}: there is no such file")
        if path.suffix != ".py":
            raise PluginError(f"{path}: is no Python file; its name must end in .py")
        if path.stem == "__init__":  # its module would be this one
            raise PluginError(f"{path}: is a package's; install that, or name a file that stands by itself")
        name = re.sub(r"\W", "_", path.stem)
        if found.setdefault(name, path) != path:
            raise PluginError(f"{path}: {found[name]} has the same name; rename one of them")
    return found


def module_of(path: Path) -> ModuleType:
    """The module of one of the files, imported.

    Raises:
        PluginError: it cannot be imported; the message names the file, and the line of a mistake in its syntax.
    """
    name = f"{__name__}.{next(name for name, file in files().items() if file == path)}"
    try:
        return import_module(name)
    except SyntaxError as error:
        where = f"{error.filename or path}, line {error.lineno}"
        raise PluginError(f"{where}: {error.msg}; correct it or leave the file out") from None
    except (Exception, SystemExit) as error:  # whatever somebody's own code raises when it is imported
        raise PluginError(f"{path} cannot be loaded ({told(error)}); correct it or leave it out") from None


def _content(path: Path) -> tuple[Path, bytes]:
    try:
        return path, path.read_bytes()
    except OSError:  # the import says why
        return path, b""


class _Loader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        """Remembers what is executed."""
        _IMPORTED[module.__name__] = _content(Path(self.path))
        super().exec_module(module)

    def set_data(self, path: str, data: Any, *, _mode: int = 0o666) -> None:
        """Leaves no bytecode beside a user's file."""


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        package, _, name = fullname.rpartition(".")
        file = files().get(name) if package == __name__ else None
        return None if file is None else spec_from_file_location(fullname, file, loader=_Loader(fullname, str(file)))


sys.meta_path.append(_Finder())
