"""The project's commands, and other programs, run against a server with the API of Kubeflow Pipelines."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pipelines_server import PipelinesServer


@dataclass(frozen=True)
class Outcome:
    """What a command left."""

    code: int
    out: str
    err: str

    @property
    def refusal(self) -> str:
        """The one line of a command that ended with an error of the user's."""
        assert self.code == 1, self
        [line] = self.err.splitlines()
        assert line.startswith("awesome: ")
        return line.removeprefix("awesome: ")


@dataclass
class Shell:
    """A folder of its own in which programs run, without settings but those of a test; and the server they ask."""

    server: PipelinesServer
    url: str
    folder: Path
    capsys: pytest.CaptureFixture[str] = field(repr=False)
    variables: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        kept = {
            key: value
            for key, value in os.environ.items()
            if not key.upper().startswith(("AWESOME_", "KF_PIPELINES_", "KUBEFLOW_HOME"))
        }
        path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
        home = str(self.folder.with_name("home"))
        return kept | {"PATH": path, "HOME": home, "COLUMNS": "200"} | self.variables

    def run(self, program: str, *arguments: str) -> Outcome:
        done = subprocess.run(
            [str(Path(sys.executable).with_name(program)), *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    @contextmanager
    def entered(self) -> Iterator[pytest.MonkeyPatch]:
        """This process in the folder, with the environment."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            for name in os.environ.keys() - self.environment().keys():
                patch.delenv(name)
            for name, value in self.environment().items():
                patch.setenv(name, value)
            yield patch

    def awesome(self, *arguments: str) -> Outcome:
        """`awesome kubeflow ...` with the server's address, in this process."""
        from pipeline.cli import main

        with self.entered() as patch:
            patch.setattr(sys, "argv", ["awesome", "kubeflow", *arguments, "--endpoint", self.url])
            self.capsys.readouterr()
            with pytest.raises(SystemExit) as stop:
                main()
            printed = self.capsys.readouterr()
        return Outcome(int(stop.value.code or 0), printed.out, printed.err)
