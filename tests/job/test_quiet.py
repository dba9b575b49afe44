"""Log records and warnings go into the run's file, and the terminal stays as it was."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

from pipeline.job.quiet import quiet_log, quiet_tensorflow, run_log


def test_records_and_warnings_go_into_the_file_and_nowhere_else(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "run.log"
    before, level = logging.getLogger().handlers[:], logging.getLogger().level
    with run_log(log):
        logging.getLogger("tfx.somewhere").info("step %d begins", 3)
        logging.getLogger("tfx.somewhere").debug("too much")
        # pytest has made warnings errors; as a user's process does, let them be shown.
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            logging.captureWarnings(True)
            warnings.warn("prices are stale", UserWarning, stacklevel=1)
    text = log.read_text()
    assert "INFO tfx.somewhere: step 3 begins" in text
    assert "prices are stale" in text
    assert "too much" not in text
    assert capfd.readouterr() == ("", "")
    assert (logging.getLogger().handlers, logging.getLogger().level) == (before, level)


def test_without_a_log_only_errors_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    before = logging.getLogger().handlers[:]
    with quiet_log():
        logging.warning("a library that says what nobody asked")
        logging.getLogger("tfx").error("broken")
    assert capsys.readouterr() == ("", "broken\n")
    assert logging.getLogger().handlers == before


def test_an_error_restores_logging_too(tmp_path: Path) -> None:
    before = logging.getLogger().handlers[:]

    def fail() -> None:
        with run_log(tmp_path / "run.log"):
            logging.getLogger().error("about to fail")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert logging.getLogger().handlers == before
    assert "about to fail" in (tmp_path / "run.log").read_text()


def test_a_second_run_appends(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    for number in (1, 2):
        with run_log(log):
            logging.getLogger().info("run %d", number)
    assert [line.rsplit(": ", 1)[1] for line in log.read_text().splitlines()] == ["run 1", "run 2"]


def test_a_run_without_a_record_leaves_no_file(tmp_path: Path) -> None:
    with run_log(tmp_path / "run.log"):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("before", "after"), [(None, "3"), ("0", "0")])
def test_tensorflow_is_silenced_unless_the_user_said_otherwise(
    monkeypatch: pytest.MonkeyPatch, before: str | None, after: str
) -> None:
    environment = {} if before is None else {"TF_CPP_MIN_LOG_LEVEL": before}
    monkeypatch.setattr(os, "environ", environment)
    quiet_tensorflow()
    assert environment == {"TF_CPP_MIN_LOG_LEVEL": after}


@pytest.mark.slow
@pytest.mark.parametrize("given", [None, "5"])
def test_tensorflow_gets_half_of_the_processors_unless_the_user_said_otherwise(given: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "TF_NUM_INTRAOP_THREADS"}
    environment |= {"TF_NUM_INTRAOP_THREADS": given} if given else {}
    program = """
import os
os.cpu_count = lambda: 6
from pipeline.job.quiet import import_tensorflow
import_tensorflow()
import tensorflow as tf
tf.random.normal([3])
print(os.environ["TF_NUM_INTRAOP_THREADS"])
"""
    command = [sys.executable, "-W", "ignore", "-c", program]
    assert subprocess.check_output(command, env=environment, text=True).split() == [given or "3"]
