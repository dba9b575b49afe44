"""Imported by Python as it starts, where this folder is on the PYTHONPATH: `tfx` then finds the project's handler.

TFX imports the handler of `--engine=kubeflow` by the name below, and its own fails on a module that it no longer has.
Every Python that is started runs this, so it imports next to nothing.
"""

from __future__ import annotations

import os
import sys
from importlib.machinery import PathFinder

TYPE_CHECKING = False  # typing's own is the same to a type checker, and would have to be imported
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

REPLACED = "tfx.tools.cli.handler.kubeflow_handler"
OURS = "awesome_kubeflow.tfx_cli.handler"


class HandlerFinder:
    """Answers for the one module."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The project's handler under TFX's name; None for any other module, or where the project is not installed."""
        if name != REPLACED:
            return None
        from importlib.util import find_spec, spec_from_file_location

        try:
            ours = find_spec(OURS)
        except ModuleNotFoundError:
            return None
        return spec_from_file_location(name, ours.origin) if ours is not None and ours.origin else None


def _run_next() -> None:
    """Runs the `sitecustomize` that this one hides, if there is one: a distribution's, or the user's own."""
    here = os.path.dirname(os.path.realpath(__file__))
    spec = PathFinder.find_spec("sitecustomize", [one for one in sys.path if os.path.realpath(one) != here])
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        spec.loader.exec_module(module_from_spec(spec))


sys.meta_path.insert(0, HandlerFinder)
_run_next()
