"""A disk that fills up while a run works."""

from __future__ import annotations

import errno
import logging
import os
from pathlib import Path

import numpy as np
import pytest

from components.errors import UserError
from models.stored import Storing
from pipeline.job.full_disk import FullDiskError, full_disk_named
from pipeline.job.quiet import run_log
from pipeline.job.workspace import output_folder


def chained(cause: Exception) -> Exception:
    """As Beam and TFX raise what a worker met."""
    try:
        try:
            raise cause
        except Exception as error:
            raise RuntimeError("[while running 'WriteSplit']") from error
    except RuntimeError as error:
        return error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        OSError(errno.EDQUOT, os.strerror(errno.EDQUOT)),
        RuntimeError("runs/tfx/x/saved_model.pb.tmp3; No space left on device"),
        chained(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
        RuntimeError("INTERNAL: Executing query failed: database or disk is full"),
    ],
)
def test_whatever_library_meets_it_says_it_in_one_line(error: Exception) -> None:
    with pytest.raises(FullDiskError, match=r"^runs: no space is left on its disk; .*the same command takes up"):
        with full_disk_named(Path("runs")):
            raise error


def test_where_the_rows_that_lie_on_disk_find_no_room_their_folder_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def full(number: int, part: memoryview) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    storing = Storing()
    monkeypatch.setattr(os, "write", full)
    with pytest.raises(FullDiskError, match=rf"^{tmp_path}: no space is left for temporary files; .*\(TMPDIR\)"):
        with full_disk_named(Path("runs")):
            storing.add(np.arange(10.0))


@pytest.mark.parametrize("error", [ValueError("no"), OSError(errno.EACCES, "Permission denied"), UserError("full")])
def test_every_other_error_stays_what_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, full_disk_named(Path("runs")):
        raise error
    assert raised.value is error


def test_a_log_that_cannot_be_written_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with run_log(Path("/dev/full")):
        for number in range(2000):
            logging.getLogger("x").error("line %d", number)
    assert capfd.readouterr() == ("", "")


def stopped(workspace: Path, stop: type[BaseException], log: str) -> Path:
    """A run's folder after it was stopped, its log as it was then."""
    folder = workspace / "run"

    def work() -> None:
        with output_folder(workspace, folder):
            (folder / "run.log").write_text(log)
            raise stop

    with pytest.raises(stop):
        work()
    return folder


@pytest.mark.parametrize("stop", [KeyboardInterrupt, UserError])
def test_a_run_that_is_stopped_before_it_did_anything_leaves_no_folder(
    stop: type[BaseException], tmp_path: Path
) -> None:
    assert not stopped(tmp_path, stop, "").exists()
    assert (stopped(tmp_path, stop, "training\n") / "run.log").exists()
