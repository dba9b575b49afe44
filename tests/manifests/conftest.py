"""A checkout in git, and each overlay by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from overlays import OVERLAYS
from small_checkout import Shell, write_checkout


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A checkout in git, and no engine on the path."""
    git = shutil.which("git")
    assert git is not None
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to(git)
    shell = Shell(write_checkout(tmp_path / "checkout"), {"PATH": str(programs), "HOME": str(tmp_path)})
    shell.git("init", "--quiet")
    shell.git("add", ".")
    shell.git("commit", "--quiet", "--message", "All")
    return shell


@pytest.fixture(params=OVERLAYS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)
