"""Which settings a command makes use of, read from the code: what its function calls, what that calls, and so on.

A use is `settings.NAME`, and what the plan has made of settings: `plan.splits` is of the split's dates, its fractions,
... Calls are followed by name, within the project; what cannot be told so (a function in a variable, a method) is not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path

from pipeline.settings import Settings

PACKAGES = ("pipeline", "components", "models", "awesome_kubeflow")

MADE_OF: Mapping[str, frozenset[str]] = {
    "database": frozenset({"db"}),
    "splits": frozenset(
        {"horizons", "horizon", "split_fractions", "split_dates", "split_start", "split_end", "embargo"}
    ),
    "name": frozenset({"formatter", "horizon", "label", "workspace"}),
    "horizon": frozenset({"horizon"}),
    "formatter": frozenset({"formatter"}),
    "label": frozenset({"label"}),
    "models": frozenset({"models", "hyperparameters"}),
    "candidates": frozenset({"compare_formatters", "compare_labels"}),
    "storage": frozenset({"storage_url", "s3_endpoint", "cos_region", "cos_endpoint"}),
    "source": frozenset(
        {"source", "since", "until", "best_effort"}
        | {f"sources_{one}" for one in ("url", "rate", "timeout", "attempts", "backoff")}
    ),
    "select": frozenset({"shares"}),
    "parts": frozenset(),
    "check_single": frozenset(),
    "check_parts": frozenset(),
}
"""What the plan's attributes are made of; what is not here is read from its class. `select` looks at a source for no
more than what its shares are called, and the `check_...` refuse what is not used."""

_NOT_FOLLOWED = {("pipeline.plan", "load_plan"), ("pipeline.plan", "resolve"), ("pipeline.plan", "Plan")}
_NOT_FOLLOWED |= {("pipeline.settings", "Settings"), ("pipeline.loading", "load_settings")}
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

Name = tuple[str, str]
"""A module, and what it defines at its top."""


@dataclass(frozen=True)
class _Module:
    defined: Mapping[str, ast.AST]
    imported: Mapping[str, Name]


@dataclass
class _Seen:
    settings: set[str] = field(default_factory=set)
    called: set[Name] = field(default_factory=set)


def settings_in_use(module: str, function: str) -> Mapping[str, Name]:
    """The settings that a function makes use of, and where it, or what it calls, does so."""
    todo, known, found = [(module, function)], {(module, function)}, dict[str, Name]()
    while todo:
        at = todo.pop()
        seen = _seen(*at)
        for setting in seen.settings:
            found.setdefault(setting, at)
        new = seen.called - known - _NOT_FOLLOWED
        known |= new
        todo += sorted(new)
    return found


@cache
def _seen(module: str, name: str) -> _Seen:
    seen = _Seen()
    _look(module, _module(module).defined[name], {}, seen)
    return seen


def _look(module: str, node: ast.AST, local: Mapping[str, Name | None], seen: _Seen) -> None:
    if isinstance(node, _FUNCTIONS):
        local = {**local, **_locals(node)}
        children: Iterator[ast.AST] = iter([*node.args.defaults, *node.body])  # no annotations, no decorators
    else:
        children = ast.iter_child_nodes(node)
    if isinstance(node, ast.Name) and (called := _named(module, node.id, local)) is not None:
        seen.called.add(called)
    if isinstance(node, ast.Attribute):
        seen.settings |= _settings_of(node)
        if isinstance(node.value, ast.Name) and (home := _named(module, node.value.id, local, of_modules=True)):
            if (called := _named(home[0], node.attr, {})) is not None:
                seen.called.add(called)
    for child in children:
        _look(module, child, local, seen)


def _settings_of(node: ast.Attribute) -> frozenset[str]:
    of = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
    if of in ("settings", "_settings"):
        return frozenset({node.attr} & Settings.model_fields.keys())
    if of in ("plan", "_plan", "inner", "chosen"):
        return _of_plan(node.attr)
    return frozenset()


@cache
def _of_plan(name: str) -> frozenset[str]:
    if name in MADE_OF:
        return MADE_OF[name]
    plan = _module("pipeline.plan").defined["Plan"]
    assert isinstance(plan, ast.ClassDef)
    found: frozenset[str] = frozenset()
    for one in plan.body:
        if isinstance(one, ast.FunctionDef) and one.name == name:
            for node in ast.walk(one):
                if isinstance(node, ast.Attribute):
                    found |= _settings_of(node)
                    if isinstance(node.value, ast.Name) and node.value.id == "self":
                        found |= _of_plan(node.attr)
    return found


def _named(module: str, name: str, local: Mapping[str, Name | None], of_modules: bool = False) -> Name | None:
    """What a name stands for: something that is defined in the project, or one of its modules."""
    if name in local:
        target = local[name]
    elif name in _module(module).defined:
        return None if of_modules else (module, name)
    else:
        target = _module(module).imported.get(name)
    if target is None or target[0].partition(".")[0] not in PACKAGES:
        return None
    whole = ".".join(part for part in target if part)
    if target[1] and target[1] in _module(target[0]).defined:
        return None if of_modules else target
    if target[1] and target[1] in _module(target[0]).imported:
        return _named(target[0], target[1], {}, of_modules)
    return (whole, "") if of_modules and _path(whole) is not None else None


def _locals(function: ast.AST) -> dict[str, Name | None]:
    """Names that a function gives a meaning of its own: what it imports, and for all else None."""
    found: dict[str, Name | None] = {}
    for node in ast.walk(function):
        if isinstance(node, ast.arg):
            found[node.arg] = None
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found[node.id] = None
        else:
            found.update(_imports(node))
    return found


def _imports(node: ast.AST) -> dict[str, Name]:
    if isinstance(node, ast.ImportFrom):
        return {one.asname or one.name: (node.module or "", one.name) for one in node.names}
    if isinstance(node, ast.Import):
        return {one.asname or one.name.partition(".")[0]: (one.name, "") for one in node.names}
    return {}


@cache
def _path(module: str) -> Path | None:
    package, *rest = module.split(".")
    home = files(package).joinpath(*rest)
    for path in (Path(str(home)) / "__init__.py", Path(f"{home}.py")):
        if path.is_file():
            return path
    return None


@cache
def _module(name: str) -> _Module:
    path = _path(name)
    assert path is not None, name
    tree = ast.parse(path.read_text(encoding="utf-8"))
    defined = {one.name: one for one in tree.body if isinstance(one, (*_FUNCTIONS, ast.ClassDef))}
    imported: dict[str, Name] = {}
    for node in tree.body:
        for inner in ast.walk(node) if isinstance(node, ast.If) else [node]:
            imported.update(_imports(inner))
    return _Module(defined, imported)
