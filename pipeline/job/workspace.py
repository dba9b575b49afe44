"""The folders of runs: made, checked, locked, and the link to the last one."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from components.errors import UserError
from components.evidence.findings import PREDICTIONS_FILE
from components.whole_files import PARTIAL, clear_left, is_being_written, whole_file
from pipeline.runs.folder import LATEST, LOG_FILE

WALKS = "walkforward"
"""Below a workspace: the walks, and in `folds` the workspaces that their folds run in."""


class OutputError(UserError):
    """A folder cannot be written, or another run works in it."""


def point_latest(workspace: Path, folder: Path) -> None:
    """Lets runs/latest stand for the last finished run."""
    real, home = folder.resolve(), workspace.resolve()
    # A workspace that is moved or copied takes its own runs along.
    target = real.relative_to(home) if real.is_relative_to(home) else real
    with whole_file(workspace / LATEST) as partial:
        partial.symlink_to(target, target_is_directory=True)


@contextlib.contextmanager
def output_folder(workspace: Path, output: Path | None, stem: str = "report") -> Iterator[Path]:
    """Makes the run's folder; a mistake of the user's, and Ctrl-C, take it away again if nothing was done in it yet.

    Args:
        workspace: takes a new folder, named after the time, where no other is named.
        output: the folder.
        stem: of the page and of the JSON, which is written last: where it is, the folder is complete.

    Yields:
        The folder, without what a killed run was writing.

    Raises:
        OutputError: it cannot be written, or holds an earlier run or anything that no run writes.
    """
    latest = workspace / LATEST
    if os.path.lexists(latest) and not latest.is_symlink():
        raise OutputError(f"{latest} is no link to the last run; move it away, or name another --workspace")
    folder = output or workspace / datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    # A run that was killed leaves these, in this order: the same command must be able to take up from there.
    whole = [LOG_FILE, PREDICTIONS_FILE, f"{stem}.html"]
    clear_left(folder)
    left = list(folder.iterdir()) if folder.is_dir() else []
    names = {path.name for path in left if path.is_file()}
    partial = {name for name in names if name.startswith(PARTIAL) and not is_being_written(name)}
    if len(names) < len(left) or names - partial - set(whole) or (whole[2] in names and whole[1] not in names):
        raise OutputError(f"--output {folder} is not empty; name a new folder, so that no earlier report is lost")
    made = not folder.exists()
    check_writable(folder)
    for name in partial:
        (folder / name).unlink(missing_ok=True)
    try:
        yield folder
    except (UserError, KeyboardInterrupt):
        log = folder / LOG_FILE
        with contextlib.suppress(OSError):
            if log.exists() and not log.stat().st_size:
                log.unlink()
            if made:
                folder.rmdir()
        raise


def check_writable(folder: Path) -> None:
    """Makes a folder where it is missing and writes in it.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f"{PARTIAL}probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = "it is a file" if folder.is_file() else error.strerror
        raise OutputError(f"{folder} cannot be written ({why}); name another folder") from None


@contextlib.contextmanager
def workspace_lock(workspace: Path) -> Iterator[None]:
    """One run at a time in a workspace: two would write the same metadata.

    Raises:
        OutputError: another run holds it.
    """
    with (workspace / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"another run works in {workspace}; wait for it or name another --workspace") from None
        yield
