"""What the tests of the leak audit share, and what they leave behind."""

from __future__ import annotations

import gc
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from audited_parts import SMALL

from benchmarks.planted_leaks.small_runs import SmallRun, make_run
from models.formatters import FORMATTERS, DataFormatter


@pytest.fixture(scope="session", autouse=True)
def graphs_are_gone() -> Iterator[None]:
    """Graphs are to be gone before TensorFlow's library is torn down."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Transform graphs by what they were fitted on: runs of the same rows have the same one, which takes seconds."""
    return tmp_path_factory.mktemp("graphs")


@pytest.fixture(scope="session")
def honest(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    """A small run that nothing is wrong with; not to be changed."""
    return make_run(tmp_path_factory.mktemp("honest"), SMALL)


@pytest.fixture
def its_graph(honest: SmallRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a run the graph of the honest one, where examples are what is broken and no check looks at features."""
    monkeypatch.setattr(
        "models.in_memory.fit_formatter", lambda raw, formatter, folder: shutil.copytree(honest.graph, folder)
    )


@pytest.fixture
def declare() -> Iterator[Callable[[DataFormatter], None]]:
    """Declares a formatter for one test."""
    with ExitStack() as stack:
        yield lambda formatter: stack.enter_context(FORMATTERS.including(formatter))
