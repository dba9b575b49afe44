"""What holds of every file of the project."""

from __future__ import annotations

import graphlib
from collections import Counter
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
FOLDERS = ("pipeline", "components", "models", "kubeflow", "tests", "benchmarks", "tools", "findings", "examples")
MOST_LINES = 400


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Also not a package one of its own files; imports inside functions and for type checkers count."""
    graph = grimp.build_graph("pipeline", "components", "models", "benchmarks", "awesome_kubeflow", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle


def test_a_long_file_says_in_its_first_line_what_it_is_long_for() -> None:
    files = [path for folder in FOLDERS for kind in ("*.py", "*.j2") for path in (ROOT / folder).rglob(kind)]
    assert len(files) > 300
    lines = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8").splitlines() for path in files}
    assert [name for name, text in lines.items() if len(text) > MOST_LINES and "long for" not in text[0]] == []


def test_no_two_files_of_tests_share_a_name() -> None:
    """Their folders are no packages, so that pytest takes them for one module: the second is not collected."""
    names = Counter(path.name for path in (ROOT / "tests").rglob("*.py") if path.name != "conftest.py")
    assert len(names) > 300
    assert [name for name, count in names.items() if count > 1] == []
