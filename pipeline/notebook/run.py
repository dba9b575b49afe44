"""A finished run, opened from a notebook."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import UserError
from components.evidence.findings import PREDICTIONS_FILE
from pipeline.job.quiet import import_tensorflow
from pipeline.runs.results import RunReport

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.report.drawing import Chart


class NotebookError(UserError):
    """A run, or a part of it, is not where a notebook looks for it."""

    def _render_traceback_(self) -> list[str]:
        # What IPython asks an exception for: the user's mistake is one line, not a traceback.
        return [f"awesome: {self}"]


@dataclass(frozen=True)
class FinishedRun:
    """What a run left.

    Attributes:
        folder: of the run.
        report: its numbers.
    """

    folder: Path
    report: RunReport

    def predictions(self) -> pd.DataFrame:
        """The test split's predictions: time, share_id, label, forward_return, and a column a model.

        Raises:
            NotebookError: they are gone.
        """
        import pandas as pd

        path = self.folder / PREDICTIONS_FILE
        if not path.is_file():
            raise NotebookError(f"{path}: the predictions are not beside the report; run `awesome run` again")
        return pd.read_parquet(path)

    def artifact(self, name: str) -> str:
        """Where an artifact that the models share lies.

        Args:
            name: examples, statistics, schema, anomalies or transform_graph.

        Raises:
            NotebookError: the report does not say, or the artifact is gone.
        """
        uri = self.report.artifacts.get(name, "")
        if not uri:
            raise NotebookError(f"{self.folder}: its report does not say where the {name} lie; run `awesome run` again")
        return _existing(uri, name, self.folder)

    def evaluation(self, model: str) -> str:
        """Where TFMA's evaluation of a model lies.

        Args:
            model: its name.

        Raises:
            NotebookError: the evaluation is gone.
        """
        return _existing(self.report.models[model].evaluation_uri, f"evaluation of {model}", self.folder)


class Line(str):
    """A sentence that a notebook shows without quotes."""

    def __repr__(self) -> str:
        """The sentence itself."""
        return str(self)


class Shown:
    """Charts beside or below each other, as a notebook shows the last value of a cell."""

    def __init__(self, *charts: Chart | None) -> None:
        """Keeps the charts.

        Args:
            charts: None where there is nothing to draw.
        """
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


def open_run(path: str, start: Path | None = None) -> FinishedRun:
    """Opens a run.

    Args:
        path: the run's folder, or its report.json. A relative one is looked for in the working folder and above it, as
            JupyterLab starts a notebook in the notebook's own folder.
        start: the folder to look from; the working folder if None.

    Returns:
        The run.

    Raises:
        NotebookError: there is no finished run.
        ReportError: its report is of another layout.
    """
    start = Path.cwd() if start is None else start
    for base in (start, *start.parents):
        candidate = base / path
        folder = candidate if candidate.is_dir() else candidate.parent
        if (folder / "report.json").is_file():
            return FinishedRun(folder, RunReport.from_json(folder))
    raise NotebookError(f"{path}: there is no finished run here; `awesome run` makes one, and RUN names it")


def import_libraries() -> None:
    """Imports TensorFlow, and keeps what its libraries log below errors out of the notebook; first of all imports."""
    import_tensorflow()
    for name in (None, "absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _existing(uri: str, what: str, run: Path) -> str:
    if not Path(uri).is_dir():
        raise NotebookError(f"{run}: the {what} at {uri or '(nowhere)'} is gone from the pipeline's cache; run again")
    return uri
