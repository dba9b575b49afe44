"""A notebook of notebooks/ run on a finished run, as a reader sees it."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"


@dataclass(frozen=True)
class ExecutedNotebook:
    """What the notebook showed: the outputs of all code cells, as nbformat has them, and the page in HTML."""

    outputs: list[Any]
    page: str

    @property
    def text(self) -> str:
        """The exported page without markup, words separated by single blanks."""
        body = re.sub(r"(?s)<(style|script).*?</\1>", " ", self.page[self.page.index("<body") :])
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

    @property
    def shown(self) -> str:
        """The HTML that the cells showed."""
        return "".join(output["data"].get("text/html", "") for output in self.outputs if "data" in output)


def execute(name: str, run: Path) -> ExecutedNotebook:
    """Runs a notebook on a run, in a kernel of its own and in its own folder as JupyterLab does, and exports it."""
    import nbformat
    from nbclient import NotebookClient
    from nbconvert import HTMLExporter

    notebook = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)
    [parameters] = [cell for cell in notebook.cells if "parameters" in cell.metadata.get("tags", ())]
    assert 'RUN = "runs/latest"' in parameters.source
    parameters.source = parameters.source.replace('"runs/latest"', repr(str(run)))
    resources = {"metadata": {"path": str(NOTEBOOKS)}}
    NotebookClient(notebook, timeout=300, kernel_name="python3", resources=resources).execute()
    page, _ = HTMLExporter().from_notebook_node(notebook)
    return ExecutedNotebook([output for cell in notebook.cells for output in cell.get("outputs", ())], page)
