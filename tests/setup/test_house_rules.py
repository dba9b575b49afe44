"""What holds of every file of the project."""

from __future__ import annotations

import graphlib

import grimp


def test_no_file_imports_itself_by_way_of_others() -> None:
    """Also not a package one of its own files; imports inside functions and for type checkers count."""
    graph = grimp.build_graph("pipeline", "components", "models", "benchmarks", "awesome_kubeflow", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    graphlib.TopologicalSorter(imports).prepare()  # raises CycleError, which names the circle
