"""What one new file adds, or somebody's own package: found by looking, so that no list is kept by hand.

It stands in models because everything else may import models, and models nothing else of the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from models.errors import PluginError

LAST = 1000
"""The order of a declaration that names none: behind those that do, by its name."""


class Declaration(Protocol):
    """What a registry holds: `order` is its place among the others."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def order(self) -> int: ...  # noqa: D102


T = TypeVar("T", bound=Declaration)


class Registry(Mapping[str, T], Generic[T]):
    """The declarations of one kind by name, in their order; looked for when they are first asked for."""

    def __init__(self, package: str, constant: str, kind: type[T], group: str) -> None:
        """Looks for nothing yet.

        Args:
            package: whose files declare them, one a file: those with a line `CONSTANT = ...`. The other files are not
                imported, as they may need TensorFlow.
            constant: the name that a file gives its declaration.
            kind: what a declaration is an instance of.
            group: of the entry points by which other packages add theirs.
        """
        self.package, self.constant, self.kind, self.group = package, constant, kind, group

    @cached_property
    def _found(self) -> dict[str, T]:
        found: dict[str, T] = {}
        for where, one in (*self._own(), *load_group(self.group)):
            if not isinstance(one, self.kind):
                raise PluginError(f"{where} is no {self.kind.__name__}; correct or uninstall its package")
            if one.name in found:
                raise PluginError(f"{where}: the name {one.name!r} is taken; correct or uninstall its package")
            found[one.name] = one
        return dict(sorted(found.items(), key=lambda item: (item[1].order, item[0])))

    def _own(self) -> Iterator[tuple[str, Any]]:
        for path in Path(*import_module(self.package).__path__).glob("*.py"):
            if re.search(rf"^{self.constant}\b.* = ", path.read_text(encoding="utf-8"), re.MULTILINE):
                name = f"{self.package}.{path.stem}"
                yield name, getattr(import_module(name), self.constant)

    def __getitem__(self, name: str) -> T:
        """The declaration of that name."""
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        """The names in their order."""
        return iter(self._found)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._found)


def load_group(group: str) -> list[tuple[str, Any]]:
    """What other packages add by the entry points of a group.

    Args:
        group: such as `awesome.models`.

    Returns:
        Where each comes from, for messages, and what was loaded, by the entry points' names.

    Raises:
        PluginError: one cannot be loaded.
    """
    return [(_words(point), load(point)) for point in sorted(entry_points(group=group))]


def load(point: EntryPoint) -> Any:
    """What an entry point of another package names.

    Raises:
        PluginError: it cannot be loaded.
    """
    try:
        return point.load()
    except (Exception, SystemExit) as error:  # whatever somebody's own code raises when it is imported
        why = " ".join(f"{type(error).__name__}: {error}".split())
        raise PluginError(f"{_words(point)} cannot be loaded ({why}); correct or uninstall its package") from None


def outside_code(group: str) -> list[Path]:
    """The folders and files of the packages that add to a group; nothing is imported.

    Args:
        group: such as `awesome.models`.

    Raises:
        PluginError: a package has no code that could be read.
    """
    places = []
    for point in sorted(entry_points(group=group)):
        spec = find_spec(point.module.partition(".")[0])
        found = [Path(one) for one in (spec.submodule_search_locations or [str(spec.origin)])] if spec else []
        if not found or not all(path.exists() for path in found):
            raise PluginError(
                f"{_words(point)}: there is no code of {point.module} to be read; correct or uninstall its package"
            )
        places += found
    return list(dict.fromkeys(places))


def _words(point: EntryPoint) -> str:
    distribution = f" of {point.dist.name}" if point.dist else ""
    return f"the entry point {point.name} = {point.value} ({point.group}){distribution}"
