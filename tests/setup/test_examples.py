"""The examples in docstrings run, and print what stands there."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
# What imports TensorFlow has no example: these are among the fast tests.
MODULES = sorted(
    ".".join(path.relative_to(root).with_suffix("").parts)
    for root, packages in (
        (ROOT, ("pipeline", "components", "models", "benchmarks")),
        (ROOT / "kubeflow", ("awesome_*",)),
    )
    for package in packages
    for path in root.glob(f"{package}/**/*.py")
    if ">>> " in path.read_text(encoding="utf-8")
)


@pytest.mark.parametrize("module", MODULES)
def test_examples_print_what_stands_there(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert doctest.testmod(importlib.import_module(module)).failed == 0
