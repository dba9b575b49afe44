"""Where what a report names lies now: a workspace may have been moved, or be a copy of another one.

A report names artifacts by the paths of then. In a copy these still lead to the workspace that was copied, whose models
may have changed since: what a workspace's own run names is looked for in that workspace, and nowhere else.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.runs.results import RunReport

_ARTIFACTS = "tfx"
"""The folder of a workspace that holds its pipelines' artifacts and ML Metadata."""


def here(report: RunReport, workspace: Path) -> RunReport:
    """A run's report with the paths that its artifacts and its database have now.

    Args:
        report: as it was written down.
        workspace: the folder that holds the run's, absolute; of a run that was written elsewhere (`--output`), any one.

    Returns:
        A path within the workspace where that has artifacts of its own, of the database too where it lay in it, and the
        database beside it where one is there; else what was written down.
    """
    if not (workspace / _ARTIFACTS).is_dir():
        return report
    examples = report.artifacts.get("examples", "")
    models = {
        name: replace(
            model,
            model_uri=_artifact(model.model_uri, workspace),
            model_run_uri=_artifact(model.model_run_uri, workspace),
            evaluation_uri=_artifact(model.evaluation_uri, workspace),
        )
        for name, model in report.models.items()
    }
    artifacts = {name: _artifact(uri, workspace) for name, uri in report.artifacts.items()}
    data = replace(report.data, database=str(_beside(Path(report.data.database), examples, workspace)))
    return replace(report, models=models, artifacts=artifacts, data=data)


def _artifact(uri: str, workspace: Path) -> str:
    before, inside = parted(uri)
    return uri if inside is None or before == workspace else str(workspace / inside)


def _beside(path: Path, artifact: str, workspace: Path) -> Path:
    """A file that lay in or beside the workspace of an artifact, at the same place of this one."""
    before, inside = parted(artifact)
    if inside is None or before == workspace or not path.is_relative_to(before.parent):
        return path
    if path.is_relative_to(before):  # a market's, or a panel that was fetched; the workspace may have another name now
        return workspace / path.relative_to(before)
    found = workspace.parent / path.relative_to(before.parent)
    return found if found.exists() else path


def parted(uri: str) -> tuple[Path, Path | None]:
    """The workspace that an artifact was written in, and its path there; None where it lay in none."""
    path = Path(uri)
    places = [place for place, part in enumerate(path.parts) if part == _ARTIFACTS]
    if not places:
        return path, None
    return Path(*path.parts[: places[-1]]), Path(*path.parts[places[-1] :])
