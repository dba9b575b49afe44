"""Imports of TensorFlow and TFX without what they need not do.

Python looks for garbage in a million new objects again and again while they are made, `tfx.components` brings in every
component there is, a client of Kubernetes and a tuner among them, as soon as anything below it is imported, and other
packages bring in whole libraries for a function that no run calls. Google's clients read what all installed packages
hold to word a warning.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import importlib.metadata
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any
from unittest.mock import patch

DEFERRED = (
    "tfx.components",
    # Keras: pictures of a data set, its models as scikit-learn's, and whether a terminal is IPython's.
    "matplotlib.pyplot",
    "keras.wrappers",
    "IPython",
    # TensorFlow, TFX and Beam on Google's and Amazon's machines, or in containers.
    "googleapiclient.discovery",
    "google.cloud.pubsub",
    "apache_beam.runners.dataflow.internal.clients.dataflow",
    "boto3",
    "docker",
    # arch: models of a volatility, which compile themselves.
    "arch",
    # Views in notebooks, and TFMA's metrics of texts.
    "tqdm.notebook",
    "tensorflow_model_analysis.view",
    "tensorflow_model_analysis.metrics.bleu",
    "tensorflow_model_analysis.metrics.rouge",
)
"""Modules whose own code runs when something in it is asked for by name; what lies below one is imported without."""


@contextlib.contextmanager
def light_imports() -> Iterator[None]:
    """What is imported within is left alone by the garbage collector, then and later; modules in DEFERRED wait."""
    if _DeferringFinder not in sys.meta_path:
        sys.meta_path.insert(0, _DeferringFinder)
    enabled, before = gc.isenabled(), len(sys.modules)
    gc.disable()
    try:
        with patch.object(importlib.metadata, "packages_distributions", dict):  # a warning names what it can import
            yield
    finally:
        # Modules stay: a collection would look at each of their objects in vain. What a run before has left does not.
        if len(sys.modules) > before:
            gc.freeze()
        if enabled:
            gc.enable()


class _DeferringFinder:
    """Finds the modules in DEFERRED where Python would, with a loader that waits."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name not in DEFERRED:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Waiting(spec.loader)
        return spec


class _Waiting(Loader):
    """Runs a module's code once something is asked of it that is neither there nor a module below it."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._lock = threading.RLock()
        self._ran = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_loader"], name)

    def exec_module(self, module: ModuleType) -> None:
        def ask(name: str) -> Any:
            if not name.startswith("__"):
                if not self._ran and PathFinder.find_spec(
                    f"{module.__name__}.{name}", vars(module).get("__path__", [])
                ):
                    return importlib.import_module(f"{module.__name__}.{name}")
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
