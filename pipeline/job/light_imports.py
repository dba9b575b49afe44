"""Imports of TensorFlow and TFX without what they need not do.

Python looks for garbage in a million new objects again and again while they are made, and `tfx.components` brings in
every component there is, a client of Kubernetes and a tuner among them, as soon as anything below it is imported.
"""

from __future__ import annotations

import contextlib
import gc
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

DEFERRED = ("tfx.components",)
"""Packages whose own code runs when something in it is asked for by name; what lies below is imported without."""


@contextlib.contextmanager
def light_imports() -> Iterator[None]:
    """What is imported within is left alone by the garbage collector, then and later; packages in DEFERRED wait."""
    if _DeferringFinder not in sys.meta_path:
        sys.meta_path.insert(0, _DeferringFinder)
    enabled, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        yield
    finally:
        # Modules stay: a collection would look at each of their objects in vain. What a run before has left does not.
        if len(sys.modules) > before:
            gc.freeze()
        if enabled:
            gc.enable()


class _DeferringFinder:
    """Finds the packages in DEFERRED where Python would, with a loader that waits."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in DEFERRED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None and spec.submodule_search_locations is not None:
            spec.loader = _Waiting(spec.loader)
        return spec


class _Waiting(Loader):
    """Runs a package's code once something is asked of it that is not there."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.RLock()
        self._ran = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_loader"], name)

    def exec_module(self, module: ModuleType) -> None:
        def ask(name: str) -> Any:
            if not name.startswith("__"):
                self._run(module)
                if name in vars(module):
                    return vars(module)[name]
            raise AttributeError(f"module {module.__name__!r} has no attribute {name!r}")

        vars(module)["__getattr__"] = ask

    def _run(self, module: ModuleType) -> None:
        with self._lock:
            if self._ran:
                return
            self._ran = True  # first: what runs asks for names, too
            try:
                self._loader.exec_module(module)
            except BaseException:
                self._ran = False
                raise
