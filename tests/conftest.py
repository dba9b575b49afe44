"""What all tests share."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from components.synthetic_market import generate, write_market

Awesome = Callable[..., "Outcome"]

WHOLE_FOLDERS = ("job", "kubeflow")
"""Folders of tests whose files share what is dear: one process has them all."""

HOST_FIXTURES = {"browser"}
"""What needs a program that the training image lacks: whoever asks for it is a test of the host."""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit code and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line on stderr of a command that was refused before any step of the pipeline."""
        assert self.code != 0
        assert [line for line in self.out.splitlines() if "✓ market " not in line] == []
        assert "Traceback" not in self.err
        [line] = self.err.splitlines()
        name, _, message = line.partition("awesome: ")
        assert name == ""
        return message


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working folder without settings in the environment, on a wide terminal."""
    monkeypatch.chdir(tmp_path)
    for name in os.environ:
        if name.upper().startswith("AWESOME_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def no_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """What needs TensorFlow or TFX cannot be imported meanwhile."""
    for name in ("apache_beam", "tensorflow", "tensorflow_data_validation", "tfx"):
        monkeypatch.setitem(sys.modules, name, None)
    # An earlier test may have imported ours that need them.
    for name in ("models.serving", "models.trainer", "pipeline.pipeline", "pipeline.job.steps", "pipeline.job.console"):
        monkeypatch.delitem(sys.modules, name, raising=False)


@pytest.fixture
def awesome(
    folder: Path, no_tensorflow: None, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Awesome:
    """Calls the console script's function; what needs TensorFlow or TFX cannot be imported meanwhile."""
    from pipeline.cli import main

    def call(*arguments: str) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["awesome", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as stop:
            main()
        printed = capsys.readouterr()
        return Outcome(int(stop.value.code or 0), printed.out, printed.err)

    return call


@pytest.fixture(scope="session")
def market_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store of 3 shares S000 to S002 and 700 sessions; not to be changed."""
    path = tmp_path_factory.mktemp("market") / "m.db"
    write_market(generate("reversal_easy", shares=3, sessions=700, seed=0), path)
    return path


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str, str], Path]:
    """Installs a package of one module that adds to a group by an entry point, `name = module:ATTRIBUTE`."""
    site = tmp_path / "site"

    def write(group: str, entry_point: str, code: str) -> Path:
        module = entry_point.partition(" = ")[2].partition(":")[0]
        info = site / f"{module}-1.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1\n")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry_point}\n")
        (site / f"{module}.py").write_text(code)
        monkeypatch.syspath_prepend(str(site))
        return site / f"{module}.py"

    return write


@pytest.hookimpl(tryfirst=True)  # before pytest chooses by markers
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of what several processes share, the longest comes first, so that no process is left with it: whole folders,
    then files with slow tests.
    """
    for item in items:
        if HOST_FIXTURES.intersection(getattr(item, "fixturenames", ())):
            item.add_marker("host")
    if hasattr(config, "workerinput"):
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        items.sort(key=lambda item: (item.path.parent.name not in WHOLE_FOLDERS, item.path not in slow))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Several processes share the tests by file, as fixtures are dear; some folders have them for all their files."""
    from xdist.scheduler import LoadScopeScheduling

    class ByFile(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            path = nodeid.partition("::")[0]
            folder = path.rpartition("/")[0]
            return folder if folder.rpartition("/")[2] in WHOLE_FOLDERS else path

    config.option.loadscopereorder = False  # else the files of the fewest tests, which are the slowest, come last
    return ByFile(config, log)
