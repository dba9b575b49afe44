"""A Flink that runs, and a run that is compared with the same one in memory; `tools/get_flink.py` fetches it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import COMMAND, clean_environment
from get_flink import fetch

from benchmarks.local_flink import LocalFlink, local_flink

RUN = ("run", "--market", "momentum", "--market-shares", "8", "--market-sessions", "500", "--models", "linear")
SETTINGS = "split_fractions = [0.6, 0.2, 0.2]\naudit = false\nbeam_start_seconds = 240\n"


@pytest.fixture(scope="session")
def flink(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalFlink]:
    with local_flink(fetch(), tmp_path_factory.mktemp("flink")) as running:
        yield running


@dataclass(frozen=True)
class Runs:
    """What was run: in memory, on Flink until a TaskManager was killed, and on Flink again.

    Attributes:
        memory, engine: folders of the workspaces.
        killed, again: exit code, output and errors of the two on Flink.
    """

    memory: Path
    engine: Path
    killed: tuple[int, str, str]
    again: tuple[int, str, str]


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    folder.mkdir(exist_ok=True)
    (folder / "awesome.toml").write_text(SETTINGS)
    return subprocess.Popen(
        [COMMAND, *RUN, *arguments, "--output", "out"],
        cwd=folder,
        env=clean_environment(COLUMNS="200"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=600)
    return process.returncode, out, err


@pytest.fixture(scope="session")
def runs(flink: LocalFlink, tmp_path_factory: pytest.TempPathFactory) -> Runs:
    folder = tmp_path_factory.mktemp("engine")
    # The jobs of a run are one for the question whether there is a worker, then one for each of Beam's steps.
    process = start(folder / "engine", *flink.flags(2))
    while process.poll() is None and [state for _, state in flink.jobs()] != ["FINISHED", "FINISHED", "RUNNING"]:
        time.sleep(0.2)
    flink.managers[0].kill()
    killed = ended(process)
    assert flink.start_manager is not None
    flink.start_manager()
    again = start(folder / "engine", *flink.flags(2))
    memory = start(folder / "memory")
    code, out, err = ended(memory)
    assert code == 0, out + err
    return Runs(folder / "memory", folder / "engine", killed, ended(again))
