"""`pipeline`, `components` and `models` are names of other people's folders, too: the installed command takes ours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from command_line import COMMAND, clean_environment

import awesome
from pipeline.cli import application
from pipeline.paths import hides_packages

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Somebody's project: two packages, one module and a plain folder of the names."""
    for name in ("models", "components"):
        (tmp_path / name).mkdir()
    (tmp_path / "components" / "__init__.py").write_text("raise RuntimeError('mine')")
    (tmp_path / "pipeline.py").write_text("raise RuntimeError('mine')")
    (tmp_path / "models.py").write_text("raise RuntimeError('mine')")
    return tmp_path


@pytest.mark.parametrize("command", [[COMMAND], [sys.executable, "-m", "awesome"]], ids=["command", "module"])
@pytest.mark.parametrize("path", ["", "."], ids=["as it is", "on the PYTHONPATH"])
def test_the_command_takes_its_own_packages(project: Path, command: list[str], path: str) -> None:
    environment = clean_environment(PYTHONPATH=path)
    done = subprocess.run([*command, "models"], env=environment, cwd=project, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("linear ")


def test_workers_of_beam_are_not_started_where_they_would_take_others(project: Path) -> None:
    assert hides_packages(project).startswith(f"{project}/pipeline.py has the name of a package of awesome's")
    (project / "pipeline.py").unlink()
    assert hides_packages(project).startswith(f"{project}/components has the name")
    (project / "components" / "__init__.py").unlink()
    (project / "components").rmdir()
    (project / "models.py").unlink()
    (project / "models").rmdir()
    assert hides_packages(project) == hides_packages(ROOT) == ""


def test_what_is_ours_is_said_alike() -> None:
    assert set(awesome.PACKAGES) < set(application._OWN_PACKAGES)


def test_ctrl_c_while_the_command_line_is_loaded_is_no_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.cli.main", stopped)
    with pytest.raises(SystemExit) as ended:
        awesome.main()
    assert ended.value.code == 130
    assert capsys.readouterr().err == "awesome: stopped\n"
