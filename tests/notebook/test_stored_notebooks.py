"""The notebooks as they are stored: without outputs, with a parameter and steps that have names."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
NAMES = ("data_validation", "model_analysis", "backtest", "ledger")


def cells(name: str) -> list[dict[str, Any]]:
    return list(json.loads((ROOT / "notebooks" / f"{name}.ipynb").read_text())["cells"])


def test_there_are_these_notebooks_and_the_docs_name_them() -> None:
    assert {path.stem for path in (ROOT / "notebooks").glob("*.ipynb")} == set(NAMES)
    page = (ROOT / "docs" / "notebooks.md").read_text()
    assert all(f"`{name}.ipynb`" in page for name in NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_is_stored_without_outputs(name: str) -> None:
    code = [cell for cell in cells(name) if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"] is not None] == []
    assert len({cell["id"] for cell in cells(name)}) == len(cells(name))


@pytest.mark.parametrize("name", NAMES)
def test_what_a_notebook_imports_is_there(name: str) -> None:
    code = "\n".join("".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "code")
    taken = [node for node in ast.parse(code).body if isinstance(node, ast.ImportFrom) and node.module is not None]
    assert len(taken) >= 2
    for node in taken:
        exec(ast.unparse(node), {})


@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_begins_with_what_can_be_set_and_looks_at_the_latest_run(name: str) -> None:
    first = next(cell for cell in cells(name) if cell["cell_type"] == "code")
    assert first["metadata"]["tags"] == ["parameters"]
    assert "".join(first["source"]).startswith('RUN = "runs/latest"')


@pytest.mark.parametrize("name", NAMES)
def test_every_step_has_a_name_and_says_what_to_look_at(name: str) -> None:
    words = ["".join(cell["source"]) for cell in cells(name) if cell["cell_type"] == "markdown"]
    steps = [text for text in words if re.match(r"## \d\. ", text)]
    assert [int(text[3]) for text in steps] == list(range(1, len(steps) + 1))
    assert len(steps) >= 4
    assert [text for text in steps if not re.search(r"\*\*Look (at|for)\*\*", text)] == []
