"""Takes old runs out of a workspace, with the artifacts that no other run names."""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from pipeline.job.workspace import workspace_lock
from pipeline.naming import metadata_file
from pipeline.runs.folder import LATEST, REPORT_JSON, FinishedRun, check_workspace, open_run
from pipeline.runs.moved import parted
from pipeline.runs.results import ReportError, RunReport


@dataclass(frozen=True)
class Prunable:
    """What can go from a workspace.

    Attributes:
        runs: folders of runs, the oldest first.
        artifacts: folders of artifacts that only these runs name.
        size: bytes of all of it.
        kept: how many runs stay.
    """

    runs: tuple[Path, ...]
    artifacts: tuple[Path, ...]
    size: int
    kept: int


def find_prunable(workspace: Path, keep: int) -> Prunable:
    """What of a workspace goes if its newest runs are kept.

    Kept are also the run that `latest` names, every run whose model was the last of its pipeline to be pushed, folders
    whose report cannot be read, and of each pipeline the last blessed model of each kind, which the next one is judged
    against. The record of tries is no part of a workspace: what was tried stays counted.

    Args:
        workspace: its folder.
        keep: how many of the newest runs stay.

    Raises:
        ReportError: there is no such folder.
    """
    check_workspace(workspace)
    latest = (workspace / LATEST).resolve()
    runs = sorted(_opened(workspace), key=lambda run: (run.report.created, run.folder.name))
    pushed = {_pipeline(run.report): run.folder for run in runs if run.report.pushed}
    staying = {run.folder for run in runs[max(len(runs) - keep, 0) :]} | set(pushed.values())
    staying |= {run.folder for run in runs if run.folder.resolve() == latest}
    going = [run for run in runs if run.folder not in staying]
    needed = {uri for run in runs if run.folder in staying for uri in _named(run.report)} | _predecessors(runs)
    artifacts = sorted({uri for run in going for uri in _named(run.report)} - needed)
    home = workspace.resolve()
    folders = [path for path in map(Path, artifacts) if path.is_dir() and path.resolve().is_relative_to(home)]
    paths = [*(run.folder for run in going), *folders]
    return Prunable(tuple(run.folder for run in going), tuple(folders), sum(map(_size, paths)), len(runs) - len(going))


def prune(workspace: Path, keep: int) -> Prunable:
    """Takes out what `find_prunable` names; a run's folder goes last, so that a stopped command can be given again.

    Raises:
        ReportError: there is no such folder.
        OutputError: another run works in the workspace.
        OSError: something cannot be removed.
    """
    check_workspace(workspace)
    with workspace_lock(workspace):
        found = find_prunable(workspace, keep)
        _forget(workspace, {str(path) for path in found.artifacts})
        for path in (*found.artifacts, *found.runs):
            shutil.rmtree(path)
    return found


def _opened(workspace: Path) -> Iterable[FinishedRun]:
    for path in workspace.glob(f"*/{REPORT_JSON}"):
        if not path.parent.is_symlink():
            try:
                yield open_run(path.parent)
            except ReportError:  # of another version: nobody knows what it needs
                continue


def _named(report: RunReport) -> set[str]:
    """The artifacts that a report names."""
    models = {
        uri for model in report.models.values() for uri in (model.model_uri, model.model_run_uri, model.evaluation_uri)
    }
    return {uri for uri in (*models, *report.artifacts.values()) if uri}


def _predecessors(runs: Iterable[FinishedRun]) -> set[str]:
    """The last blessed model of each pipeline and kind."""
    last: dict[tuple[str, str], str] = {}
    for run in runs:  # the oldest first
        for name, model in run.report.models.items():
            if model.blessed:
                last[_pipeline(run.report), name] = model.model_uri
    return set(last.values())


def _pipeline(report: RunReport) -> str:
    """The name of a run's pipeline, which its artifacts lie under."""
    _, inside = parted(next(iter(report.artifacts.values()), ""))
    return "" if inside is None or len(inside.parts) < 2 else inside.parts[1]


def _forget(workspace: Path, uris: Collection[str]) -> None:
    """Lets ML Metadata know that artifacts are gone, so that no run takes them from its cache."""
    path = metadata_file(workspace)
    if not uris or not path.is_file():
        return
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as proto

    from pipeline.job.relocation import relocate

    config = proto.ConnectionConfig()
    config.sqlite.filename_uri = str(path)
    relocate(config, workspace.resolve())
    store = metadata_store.MetadataStore(config)
    gone = [artifact for artifact in store.get_artifacts() if artifact.uri in uris]
    for artifact in gone:
        artifact.state = proto.Artifact.DELETED
    if gone:
        store.put_artifacts(gone)


def _size(folder: Path) -> int:
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())
