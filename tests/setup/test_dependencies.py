"""What is imported wherever prices are read is declared, and not only brought along by something else."""

from __future__ import annotations

import ast
import re
import sys
from importlib.metadata import packages_distributions, requires
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("feature_store", "price_files", "plausibility", "missing_sessions")
OWN = {"components", "models"}


def imported(room: str) -> set[str]:
    """The packages that the files of a room import at their top."""
    modules = set()
    for file in (ROOT / "components" / room).rglob("*.py"):
        for node in ast.parse(file.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                modules |= {name.name for name in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules.add(node.module)
    return {module.partition(".")[0] for module in modules} - OWN - set(sys.stdlib_module_names)


def test_what_files_of_prices_need_is_declared() -> None:
    declared = {re.split(r"[^\w.-]", line)[0] for line in requires("awesome") or () if "extra ==" not in line}
    packages = packages_distributions()
    needed = {package: set(packages[package]) for room in ROOMS for package in imported(room)}
    assert {"numpy", "pyarrow"} <= needed.keys()
    assert [package for package, names in needed.items() if not names & declared] == []


def test_an_upper_bound_says_what_a_newer_release_breaks() -> None:
    text = (ROOT / "pyproject.toml").read_text("utf-8").partition("[project]")[2].partition("[project.scripts]")[0]
    bound = [line for line in text.splitlines() if re.match(r' +"[\w.-]+(\[\w+\])?[^";]*<', line)]
    assert len(bound) >= 2
    assert [line for line in bound if not re.search(r'", +# .+ .+', line)] == []
