"""What one new file adds, or somebody's own package or file: found by looking, so that no list is kept by hand.

It stands in models because everything else may import models, and models nothing else of the project.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from models import plugged
from models.errors import PluginError, UnknownNameError, told
from models.outside import Outside, outside

LAST = 1000
"""The order of a declaration that names none: behind those that do, by its name."""

_NAME = re.compile(r"\w[\w -]*")
"""Of what comes from outside: it becomes a part of folders' names and of lists with commas."""


@dataclass(frozen=True)
class Group:
    """A kind of what may be added.

    Attributes:
        entry_points: the group of the entry points by which packages add theirs.
        package: whose files declare the project's own, one a file.
        constant: the name that a file gives its declaration; empty where the module itself is what is added.
    """

    entry_points: str
    package: str
    constant: str = ""


GROUPS = {
    group.entry_points: group
    for group in (
        Group("awesome.models", "models", "ARCHITECTURE"),
        Group("awesome.formatters", "models.formatters", "FORMATTER"),
        Group("awesome.labels", "models.labels", "LABEL"),
        Group("awesome.sources", "components.extractor.sources", "SOURCE"),
        Group("awesome.metrics", "components.evidence.metrics", "METRIC"),
        Group("awesome.checks", "components.leak_audit.checks", "CHECK"),
        Group("awesome.steps", "awesome_kubeflow.steps", "STEP"),
        Group("awesome.commands", "pipeline.cli"),
    )
}
"""All that may be added, by entry point group: CONTRIBUTING.md names the same, and a test holds it to that."""


def take_files(paths: Iterable[Path]) -> None:
    """Takes what some files declare beside what is installed, and nothing of other files any more.

    Raises:
        PluginError: a file is missing, cannot be loaded or declares nothing, or its declaration cannot be used.
    """
    plugged.settle(paths)
    constants = [group.constant for group in GROUPS.values() if group.constant]
    for path in plugged.files().values():
        module = plugged.module_of(path)
        if not any(hasattr(module, constant) for constant in constants):
            raise PluginError(f"{path} declares nothing: give a declaration one of the names {', '.join(constants)}")


class Declaration(Protocol):
    """What a registry holds: `order` is its place among the others."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def order(self) -> int: ...  # noqa: D102


T = TypeVar("T", bound=Declaration)


@dataclass(frozen=True)
class _Found(Generic[T]):
    """What a registry found with certain files named, so many of which had changed before."""

    files: Mapping[str, Path]
    renewals: int
    declared: Mapping[str, T]
    outside: Mapping[str, Outside] = field(default_factory=dict)
    broken: tuple[PluginError, ...] = ()


class Registry(Mapping[str, T], Generic[T]):
    """The declarations of one kind by name, in their order; looked for when they are first asked for.

    What comes from outside and cannot be used is not among them: `broken` says what and why, `check` refuses it.
    """

    def __init__(self, group: Group, kind: type[T]) -> None:
        """Looks for nothing yet.

        Args:
            group: what is looked for: in the package, files with a line `CONSTANT = ...`. The other files are not
                imported, as they may need TensorFlow.
            kind: what a declaration is an instance of.
        """
        self.group, self.kind = group, kind
        self._last: _Found[T] | None = None
        self._included: Mapping[str, T] = {}

    @property
    def _found(self) -> _Found[T]:
        now = plugged.files(), plugged.renewals()
        # A command may name files after the first look.
        if self._last is None or (self._last.files, self._last.renewals) != now:
            self._last = self._look(*now)
        return self._last

    @property
    def _declared(self) -> Mapping[str, T]:
        return {**self._found.declared, **self._included}

    @contextmanager
    def including(self, one: T) -> Iterator[None]:
        """For a block in which one more is declared, which no file holds: made by a test or by a benchmark."""
        before = self._included
        self._included = {**before, one.name: one}
        try:
            yield
        finally:
            self._included = before

    def _look(self, files: Mapping[str, Path], renewals: int) -> _Found[T]:
        declared = {one.name: one for one in self._own()}
        came: dict[str, Outside] = {}
        broken = []
        for where in outside(self.group.entry_points, self.group.constant):
            try:
                one = self._usable(where, where.load())
                if one.name in declared:
                    raise where.refusal(f"is called {one.name!r}, and that name is taken")
            except PluginError as error:
                broken.append(error)
            else:
                declared[one.name], came[one.name] = one, where
        ordered = dict(sorted(declared.items(), key=lambda item: (item[1].order, item[0])))
        return _Found(files, renewals, ordered, came, tuple(broken))

    def _own(self) -> Iterator[T]:
        for path in Path(*import_module(self.group.package).__path__).glob("*.py"):
            if re.search(rf"^{self.group.constant}\b.* = ", path.read_text(encoding="utf-8"), re.MULTILINE):
                yield getattr(import_module(f"{self.group.package}.{path.stem}"), self.group.constant)

    def _usable(self, where: Outside, one: Any) -> T:
        """What came from outside, if it is what it should be.

        Raises:
            PluginError: it is of another type, lacks something, or has a name or an order that cannot be used.
        """
        if not isinstance(one, self.kind):
            raise where.refusal(f"is no {self.kind.__name__}")
        annotated = {name for base in self.kind.__mro__ for name in vars(base).get("__annotations__", ())}
        for name in sorted({*annotated, *dir(self.kind)}):
            if name.startswith("_"):
                continue
            try:
                getattr(one, name)
            except Exception as error:  # whatever a property of somebody's own raises
                raise where.refusal(f"has no {name} that could be read ({told(error)})") from None
        if not isinstance(one.name, str) or not _NAME.fullmatch(one.name):
            raise where.refusal(f"is called {one.name!r}; a name is of letters, digits, '_', '-' and spaces")
        if not isinstance(one.order, int):
            raise where.refusal(f"has the order {one.order!r}, which is no whole number")
        return one

    def __getitem__(self, name: str) -> T:
        """The declaration of that name."""
        return self._declared[name]

    def __iter__(self) -> Iterator[str]:
        """The names in their order."""
        return iter(self._declared)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._declared)

    @property
    def broken(self) -> tuple[str, ...]:
        """What comes from outside and cannot be used, a line each."""
        return tuple(map(str, self._found.broken))

    def check(self) -> None:
        """Refuses to go on without what cannot be used.

        Raises:
            PluginError: something from outside is broken.
        """
        for error in self._found.broken:
            raise error

    def named(self, name: str) -> T:
        """The declaration of that name.

        Raises:
            UnknownNameError: there is none.
        """
        try:
            return self[name]
        except KeyError:
            kind = self.group.entry_points.removeprefix("awesome.").removesuffix("s")
            raise UnknownNameError(f"{kind} {name!r} does not exist; there are {self.choices()}") from None

    def choices(self) -> str:
        """The names, and what else there would be if it were not broken: the end of a refusal of another name."""
        return "; ".join([", ".join(self), *self.broken])

    def called(self, name: str) -> AbstractContextManager[None]:
        """For a block that calls what is declared: what code from outside raises there becomes one line.

        The project's own errors are left as they are.
        """
        came = self._found.outside.get(name)
        return nullcontext() if came is None else came.called()

    def package_of(self, name: str) -> str:
        """The package that a declaration comes from, with its version, or the file; empty for the project's own."""
        came = self._found.outside.get(name)
        return "" if came is None else came.named

    def origins(self, *names: str) -> tuple[str, ...]:
        """Package, version and digest of the code of those of some declarations that come from outside, each once.

        Args:
            names: of the declarations; none for all.

        Raises:
            PluginError: there is no code that could be read.
        """
        came = self._found.outside
        return tuple(dict.fromkeys(came[name].origin for name in (names or came) if name in came))
