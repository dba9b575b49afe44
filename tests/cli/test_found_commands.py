"""Commands are found: those of a file of pipeline/cli, and those that other packages add by entry points."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import typer


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with an installed package `extra`, whose entry points are `mine` and `kubeflow`'s broken neighbour."""
    info = tmp_path / "extra-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: extra\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[awesome.commands]\nmine = extra_commands\nbad = extra_broken\n")
    (tmp_path / "extra_broken.py").write_text("import no_such_module_anywhere\n")
    (tmp_path / "extra_commands.py").write_text(
        "from pipeline.cli.common import app\n"
        "@app.command()\n"
        "def greet() -> None:\n"
        "    '''Says hello.'''\n"
        "    print('hello')\n"
        "@app.command()\n"
        "def config() -> None:\n"
        "    '''Would take the place of a command of the project.'''\n"
        "    print('mine')\n"
    )
    return tmp_path


def awesome(site: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments],
        env=os.environ | {"PYTHONPATH": str(site)},
        cwd=site,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )


def test_a_package_adds_a_command_and_a_broken_one_is_one_line(site: Path) -> None:
    done = awesome(site, "greet")
    assert (done.returncode, done.stdout) == (0, "hello\n")
    [line] = done.stderr.splitlines()
    assert line.startswith("awesome: the entry point bad = extra_broken (awesome.commands) of extra 1.0 cannot be ")
    assert "ModuleNotFoundError: No module named 'no_such_module_anywhere'" in line


def test_no_package_takes_the_place_of_a_command_of_the_project(site: Path) -> None:
    done = awesome(site, "config")
    assert done.returncode == 0
    assert "window_returns" in done.stdout
    assert "mine" not in done.stdout


def test_every_file_of_the_command_line_is_imported() -> None:
    from pipeline import cli

    files = {f"pipeline.cli.{path.stem}" for path in Path(cli.__file__).parent.glob("*.py")} - {"pipeline.cli.__init__"}
    cli.load_app()
    assert files <= sys.modules.keys()
    assert "awesome_kubeflow.cli.compile" in sys.modules


@pytest.mark.parametrize("group", ["models", "formatters", "labels", "metrics", "checks"])
def test_a_run_refuses_what_a_package_adds_and_cannot_be_loaded_before_anything_else(
    tmp_path: Path, install: Callable[[str, str, str], Path], group: str
) -> None:
    site = install(f"awesome.{group}", "mine = extra_broken:MINE", "import no_such_module_anywhere\n").parent
    done = awesome(site, "run", "--workspace", str(tmp_path / "runs"))
    [line] = done.stderr.splitlines()
    assert line.startswith(f"awesome: the entry point mine = extra_broken:MINE (awesome.{group}) of ")
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize(
    "group", ["models", "formatters", "labels", "sources", "metrics", "checks", "steps", "commands"]
)
def test_a_command_that_needs_nothing_of_a_broken_package_goes_on_without_it(
    tmp_path: Path, install: Callable[[str, str, str], Path], group: str
) -> None:
    site = install(f"awesome.{group}", "mine = extra_broken:MINE", "import no_such_module_anywhere\n").parent
    done = awesome(site, "extract", "--source", "tencent", "--shares", "nobody")
    lines = done.stderr.splitlines()
    if group == "commands":  # every command is loaded with the application
        assert "extra_broken" in lines.pop(0)
    [line] = lines
    assert line == "awesome: share 'nobody' is not a name of source tencent: write sh600519, sz000001 or hk00700"


def test_every_command_of_the_project_stands_in_a_group_and_others_below_them(site: Path) -> None:
    from pipeline.cli import load_app
    from pipeline.cli.overview import GROUPS

    grouped = [name for names in GROUPS.values() for name in names]
    assert len(set(grouped)) == len(grouped)
    assert set(typer.main.get_command(load_app()).commands) == set(grouped)  # type: ignore[attr-defined]
    shown = awesome(site, "--help").stdout
    places = [shown.index(f"\n{title}:\n") for title in (*GROUPS, "From other packages")]
    assert places == sorted(places)
    assert "greet" in shown[places[-1] :]
    assert "..." not in shown.replace("[ARGS]...", "")
    assert max(map(len, shown.splitlines())) <= 80


def test_the_version_is_that_of_what_is_installed(site: Path) -> None:
    from pipeline.version import own_version

    assert awesome(site, "--version").stdout.startswith(f"awesome {own_version()}, Python 3.")
