"""Keeps the libraries' noise off the terminal: into the run's log, not away."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from components.masking import masked
from pipeline.job.light_imports import light_imports


def quiet_tensorflow() -> None:
    """Silences TensorFlow's C++ log and the warnings of imports. Only works before TensorFlow is imported."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if not sys.warnoptions:
        warnings.filterwarnings("ignore", category=FutureWarning, module="google")


_OF_LIBRARIES = (
    # Google's packages, of the age of this Python.
    "ignore:You are using a Python version:FutureWarning",
    # TensorBoard of the older line, of its own import.
    "ignore:pkg_resources is deprecated as an API:UserWarning",
)
"""What libraries warn of and nobody here can mend, in the form of PYTHONWARNINGS."""


def quiet_children() -> None:
    """Has interpreters that are started from here say nothing of what libraries warn of when they are imported."""
    asked = [one for one in os.environ.get("PYTHONWARNINGS", "").split(",") if one]
    os.environ["PYTHONWARNINGS"] = ",".join([*_OF_LIBRARIES, *asked])  # what somebody asked for comes last, and wins


_THREADS = "TF_NUM_INTRAOP_THREADS"
"""Threads inside an operation, where nobody has said how many. TensorFlow takes one a processor; half as many train the
networks as soon, as two processors are often one core, and take less of both, as they wait for each other less."""


_OBJECTS = 10_000
"""New objects between two looks for garbage: a trace makes a million that stay, and Python would look every 700."""


def import_tensorflow() -> None:
    """Imports TensorFlow without a word, for half of the processors, and for a process that traces graphs.

    From 2.19 on it writes that there is no GPU past Python and past TF_CPP_MIN_LOG_LEVEL, from code that runs while
    its libraries are loaded. So the error stream is held back meanwhile; a failed import shows it, else it is a debug
    record.
    """
    quiet_tensorflow()
    os.environ.setdefault(_THREADS, str(max(1, (os.cpu_count() or 1) // 2)))
    gc.set_threshold(max(gc.get_threshold()[0], _OBJECTS), *gc.get_threshold()[1:])
    with contextlib.suppress(AttributeError, ValueError):  # no error stream, or a closed one
        sys.stderr.flush()
    terminal = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            with light_imports():
                import tensorflow  # noqa: F401
        except BaseException:
            held.seek(0)
            os.write(terminal, held.read())
            raise
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)
        held.seek(0)
        for line in held.read().decode("utf-8", "replace").splitlines():
            logging.getLogger("tensorflow.import").debug(line)


@contextlib.contextmanager
def quiet_log() -> Iterator[None]:
    """Drops log records below errors while the block runs: of commands that keep no log."""
    root = logging.getLogger()
    handler = logging.StreamHandler()
    handler.setLevel(logging.ERROR)
    before = root.handlers[:]
    root.handlers[:] = [handler]
    try:
        yield
    finally:
        root.handlers[:] = before


class _WithoutPasswords(logging.Formatter):
    """Libraries log the addresses that they were given."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        return masked(super().format(record))


class _LogFile(logging.FileHandler):
    """A full disk must not print a traceback for every record: what ends the run says it in one line."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Drops what cannot be written."""

    def close(self) -> None:
        """Closes the file, whether or not its last lines could be written."""
        with contextlib.suppress(OSError):
            super().close()


@contextlib.contextmanager
def run_log(path: Path) -> Iterator[None]:
    """Appends every log record and warning to a file while the block runs."""
    root = logging.getLogger()
    handler = _LogFile(path, encoding="utf-8", delay=True)
    handler.setFormatter(_WithoutPasswords("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    before, level = root.handlers[:], root.level
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    with warnings.catch_warnings():
        if not sys.warnoptions:
            warnings.simplefilter("default")
        logging.captureWarnings(True)
        try:
            yield
        finally:
            logging.captureWarnings(False)
            root.handlers[:] = before
            root.setLevel(level)
            handler.close()
