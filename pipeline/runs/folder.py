"""A run's folder: what its files are called, and the one place that opens a finished run."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.findings import PREDICTIONS_FILE
from components.records import RecordError, from_json, to_json
from components.whole_files import write_whole
from pipeline.runs.moved import here
from pipeline.runs.results import SCHEMA_VERSION, ModelResult, ReportError, RunReport

if TYPE_CHECKING:
    import pandas as pd

REPORT_JSON = "report.json"
REPORT_HTML = "report.html"
BACKTEST_JSON = "backtest.json"
BACKTEST_HTML = "backtest.html"
LOG_FILE = "run.log"
COMPARE_HTML = "compare.html"
_ID = re.compile("[0-9a-f]{12}")

LATEST = "latest"
"""The link in a workspace to its last finished run."""


@dataclass(frozen=True)
class FinishedRun:
    """What a run left: its folder, and its numbers."""

    folder: Path
    report: RunReport

    @property
    def database(self) -> Path:
        """The file that its data came from, absolute.

        Earlier versions kept a name as it was given: it is looked for from here, and from beside the workspace.
        """
        path = Path(self.report.data.database)
        if not path.is_absolute() and not path.exists():
            path = self.folder.resolve().parent.parent / path
        return path.absolute()

    @property
    def best(self) -> str:
        """The model of the highest AUC on the test split; empty where none is known."""
        known = {name: one.auc for name, one in self.report.models.items() if math.isfinite(one.auc)}
        return max(known, key=lambda name: known[name], default="")

    def models(self, names: Sequence[str] = ()) -> dict[str, ModelResult]:
        """The models of these names, without any all of the run; at least one.

        Raises:
            ReportError: the run has none of a name, or none at all.
        """
        models = self.report.models
        if not models and not names:
            raise ReportError(f"{self.folder} has no model; run `awesome run` again")
        if unknown := [repr(name) for name in names if name not in models]:
            raise ReportError(f"{self.folder} has no model {', '.join(unknown)}; it has {', '.join(models) or 'none'}")
        return {name: models[name] for name in names or models}

    def saved_model(self, name: str) -> Path:
        """The folder of an exported model.

        Raises:
            ReportError: it is gone.
        """
        uri = self.report.models[name].model_uri
        return Path(self._existing(uri and str(Path(uri) / "Format-Serving"), f"model {name}"))

    def training_log(self, name: str) -> str:
        """Where TensorBoard's logs of a model's training lie.

        Raises:
            ReportError: they are gone.
        """
        return self._existing(self.report.models[name].model_run_uri, f"training log of {name}")

    def evaluation(self, name: str) -> str:
        """Where TFMA's evaluation of a model lies.

        Raises:
            ReportError: it is gone.
        """
        return self._existing(self.report.models[name].evaluation_uri, f"evaluation of {name}")

    def artifact(self, name: str) -> str:
        """Where an artifact that the models share lies.

        Args:
            name: examples, statistics, schema, anomalies or transform_graph.

        Raises:
            ReportError: the report does not say, or the artifact is gone.
        """
        uri = self.report.artifacts.get(name, "")
        if not uri:
            raise ReportError(f"{self.folder}: its report does not say where the {name} lie; run `awesome run` again")
        return self._existing(uri, name)

    def predictions(self) -> pd.DataFrame:
        """The test split's predictions: time, share_id, label, forward_return, and a column a model.

        Raises:
            ReportError: they are gone, or cannot be read.
        """
        import pandas as pd

        path = self.folder / PREDICTIONS_FILE
        try:
            return pd.read_parquet(path)
        except FileNotFoundError:
            raise ReportError(
                f"{path}: the predictions are not beside {REPORT_JSON}. Run `awesome run` again to have them."
            ) from None
        except (OSError, ValueError) as error:
            reason = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise ReportError(f"{path}: cannot be read ({reason}). Run `awesome run` again to write it anew.") from None

    def _existing(self, uri: str, what: str) -> str:
        if not uri or not Path(uri).is_dir():
            raise ReportError(
                f"{self.folder}: the {what} at {uri or '(nowhere)'} is gone from the pipeline's cache; run again"
            )
        return uri


def open_run(path: Path) -> FinishedRun:
    """Opens a finished run by its folder, a link to it, or its report.json.

    What the report names is that of the workspace that the folder lies in now (moved.py).

    Raises:
        ReportError: as in `read_report`.
    """
    path = Path(path)
    folder = path if path.is_dir() else path.parent
    return FinishedRun(folder, here(read_report(path), folder.resolve().parent))


def check_workspace(workspace: Path) -> None:
    """Refuses what cannot hold runs.

    Raises:
        ReportError: there is no such folder.
    """
    if not workspace.is_dir():
        raise ReportError(f"{workspace} is no folder of runs; name it (--workspace), or make one with `awesome run`")


def find_run(workspace: Path, named: Path | None) -> Path:
    """The folder of a run: the workspace's latest one where none is named; a name or an id is looked for there, too.

    Raises:
        ReportError: none is named, and the workspace has no latest one.
    """
    if named is None:
        if not (workspace / LATEST).is_dir():
            raise ReportError(f"{workspace} has no finished run; make one with `awesome run`, or name its folder")
        return workspace / LATEST
    within = workspace / named
    if named.exists() or within.exists():
        return named if named.exists() else within
    return _of_id(workspace, str(named)) or named


def _of_id(workspace: Path, wanted: str) -> Path | None:
    if not _ID.fullmatch(wanted):
        return None
    for path in workspace.glob(f"*/{REPORT_JSON}"):
        try:
            if not path.parent.is_symlink() and read_report(path).id == wanted:
                return path.parent
        except ReportError:  # of another version: no reason not to find the others
            continue
    return None


def read_report(path: Path) -> RunReport:
    """Reads a report.

    Args:
        path: a report.json, or the folder of a run that holds one.

    Returns:
        The report; a null where a number belongs comes back as NaN.

    Raises:
        ReportError: the file is missing, is no report, or has another schema_version.
    """
    path = Path(path)
    if path.is_dir():
        path = path / REPORT_JSON
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ReportError(
            f"{path}: there is no report here. Name the folder of a finished run, such as runs/latest."
        ) from None
    except OSError as error:
        raise ReportError(f"{path}: cannot be read ({error.strerror}).") from None
    try:
        version = from_json(_Layout, content).schema_version
    except RecordError as error:
        raise ReportError(f"{path}: is not a report ({error}). Name the report.json of a run.") from None
    if version != SCHEMA_VERSION:
        raise ReportError(
            f"{path}: schema_version is {version!r}, this version of awesome reads {SCHEMA_VERSION}. "
            "Run `awesome run` again to write it anew."
        )
    try:
        return from_json(RunReport, content)
    except RecordError as error:
        raise ReportError(
            f"{path}: is not a complete report ({error}). Run `awesome run` again to write it anew."
        ) from None


@dataclass(frozen=True)
class _Layout:
    """What every report.json says, of whatever layout."""

    schema_version: Any


def save_report(report: RunReport, path: Path) -> None:
    """Writes a report whole or not at all.

    Raises:
        ReportError: the file cannot be written.
    """
    write_text(path, to_json(report) + "\n")


def write_text(path: Path, text: str) -> None:
    """Writes a UTF-8 file of a run whole or not at all.

    Raises:
        ReportError: the file cannot be written.
    """
    try:
        write_whole(path, text)
    except OSError as error:
        raise ReportError(
            f"{path}: cannot be written ({error.strerror}). Take away what is in the way, or choose another folder."
        ) from None
