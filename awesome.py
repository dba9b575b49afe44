"""The command `awesome`, under a name that nobody else has (`python -m awesome` is the same), and what Python calls.

    >>> import awesome
    >>> sorted(awesome.__all__)
    ['UserError', 'compare', 'live', 'open_run', 'predict', 'predict_past', 'run', 'runs']

`pipeline`, `components` and `models` are names that many projects have. Where Python was told to look elsewhere first
(PYTHONPATH, `python -m` in a folder), it would take those of somebody else; this module makes sure that it takes ours.
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

    from pipeline.api import UserError, compare, live, open_run, predict, predict_past, run, runs

__all__ = ["UserError", "compare", "live", "open_run", "predict", "predict_past", "run", "runs"]  # pipeline/api.py

PACKAGES = ("pipeline", "components", "models")
_HOME = os.path.dirname(os.path.abspath(__file__))


class OwnPackages:
    """Finds the project's packages beside this file, wherever else Python would look."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        """The package of that name; None for any other module."""
        return PathFinder.find_spec(name, [_HOME]) if name in PACKAGES else None


def __getattr__(name: str) -> object:
    """What `pipeline.api` has under a name: imported when it is asked for, as a command has no use for it."""
    if name not in __all__:
        raise AttributeError(f"module 'awesome' has no attribute {name!r}")
    _find_own_packages()
    from pipeline import api

    return getattr(api, name)


def _find_own_packages() -> None:
    if OwnPackages not in sys.meta_path:
        sys.meta_path.insert(0, OwnPackages)


def main() -> None:
    """Runs the command line."""
    _find_own_packages()
    try:
        from pipeline.cli import main as command

        command()
    except KeyboardInterrupt:  # Ctrl-C while the command line itself was loaded
        print("awesome: stopped", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
