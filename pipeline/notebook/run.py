"""A finished run, found from a notebook."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import UserError
from pipeline.job.quiet import import_tensorflow
from pipeline.runs.folder import REPORT_JSON

if TYPE_CHECKING:
    from pipeline.report.drawing import Chart


class NotebookError(UserError):
    """A run is not where a notebook looks for it."""


class Line(str):
    """A sentence that a notebook shows without quotes."""

    def __repr__(self) -> str:
        """The sentence itself."""
        return str(self)


class Shown:
    """Charts beside or below each other, as a notebook shows the last value of a cell."""

    def __init__(self, *charts: Chart | None) -> None:
        """Keeps the charts; None where there is nothing to draw."""
        self._charts = [chart for chart in charts if chart is not None]

    def _repr_html_(self) -> str:
        # White on purpose: the charts' ink is dark, and JupyterLab may not be.
        figures = "".join(
            f'<figure style="margin:0;flex:1 1 460px;max-width:620px"><figcaption><strong>{chart.title}</strong>'
            f"</figcaption>{chart.svg}</figure>"
            for chart in self._charts
        )
        style = "display:flex;flex-wrap:wrap;gap:16px 32px;padding:12px;background:#fff;color:#1b2733"
        return f'<div style="{style}">{figures}</div>'


def find_run(path: str, start: Path | None = None) -> Path:
    """Finds the folder of a run, for `awesome.open_run`.

    Args:
        path: the run's folder, or its report.json. A relative one is looked for in the working folder and above it, as
            JupyterLab starts a notebook in the notebook's own folder.
        start: the folder to look from; the working folder if None.

    Raises:
        NotebookError: there is no finished run.
    """
    start = Path.cwd() if start is None else start
    for base in (start, *start.parents):
        candidate = base / path
        folder = candidate if candidate.is_dir() else candidate.parent
        if (folder / REPORT_JSON).is_file():
            return folder
    raise NotebookError(f"{path}: there is no finished run here; `awesome run` makes one, and RUN names it")


def import_libraries() -> None:
    """Imports TensorFlow, and keeps what its libraries log below errors out of the notebook; first of all imports."""
    import_tensorflow()
    for name in (None, "absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
