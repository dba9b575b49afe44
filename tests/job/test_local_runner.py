"""local_runner.py as the `tfx` program uses it."""

from __future__ import annotations

import io
import json
import os
import runpy
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from command_line import clean_environment
from rich.console import Console

from pipeline.plan import load_plan

ROOT = Path(__file__).resolve().parents[2]
RUNNER = ROOT / "local_runner.py"
NAME = "reversal-5x800-seed0-window_returns-h1"
SETTINGS = """
models = "linear"
market = "reversal"
market_shares = 5
market_sessions = 800
[hyperparameters.linear]
category_l2 = 0.01
"""
COMPLETE = 3  # of ml_metadata.proto's Execution.State
STATES = "SELECT t.name, e.last_known_state FROM Execution e JOIN Type t ON t.id = e.type_id"
RAN = ("FeatureExampleGen", "StatisticsGen", "Transform", "Trainer", "Evaluator", "ModelSelector", "Pusher")


def environment(home: Path) -> dict[str, str]:
    """That of an activated project environment, with the `tfx` program's own folder below `home`."""
    kept = clean_environment()
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}"
    # LOCAL_HOME, where it is set, comes before HOME/tfx/local.
    return kept | {"PATH": path, "HOME": str(home), "LOCAL_HOME": str(home / "tfx" / "local")}


def tfx(folder: Path, *arguments: str) -> str:
    """Runs the `tfx` program in a folder and returns what it printed, errors too."""
    done = subprocess.run(
        [str(Path(sys.executable).parent / "tfx"), *arguments],
        cwd=folder,
        env=environment(folder / "home"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('models = "lstm"', "lstm"),
        ('formatter = "levels"', "levels"),
        ("horizon = 0", "horizon"),
        ('workspace = "awesome.toml"', "awesome.toml cannot be written"),
    ],
)
def test_a_wrong_setting_is_one_line(text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "awesome.toml").write_text(text)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_path(str(RUNNER), run_name="__main__")
    line = str(stopped.value.code)
    assert line.startswith("awesome: ")
    assert message in line
    assert "\n" not in line
    assert [path.name for path in tmp_path.iterdir()] == ["awesome.toml"]


def test_nothing_runs_at_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert callable(runpy.run_path(str(RUNNER), run_name="local_runner")["main"])
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_create_run_delete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.job.run import run

    (tmp_path / "home").mkdir()
    (tmp_path / "awesome.toml").write_text(SETTINGS)
    registered = tmp_path / "home" / "tfx" / "local" / NAME
    runs = tmp_path / "runs"

    printed = tfx(tmp_path, "pipeline", "create", "--engine=local", f"--pipeline_path={RUNNER}")
    assert f'Pipeline "{NAME}" created successfully.' in printed
    assert json.loads((registered / "pipeline_args.json").read_text()) == {
        "pipeline_name": NAME,
        "pipeline_root": str(runs / "tfx" / NAME),
        "pipeline_dsl_path": str(RUNNER),
    }
    assert not (runs / "markets").exists(), "prices were prepared though nothing is run"
    assert not (runs / "tfx" / NAME).exists()

    printed = tfx(tmp_path, "run", "create", "--engine=local", f"--pipeline_name={NAME}")
    steps = [line.split()[1] for line in printed.splitlines() if line.endswith(" is finished.")]
    assert steps[0] == "FeatureExampleGen"
    assert steps[-1] == "Pusher"
    assert "INFO:tensorflow" not in printed
    with closing(sqlite3.connect(runs / "tfx" / "metadata.db")) as database:
        states = {name.rpartition(".")[2]: state for name, state in database.execute(STATES)}
    assert {name: states[name] for name in RAN} == dict.fromkeys(RAN, COMPLETE)
    assert list((runs / "tfx" / NAME / "Trainer.linear" / "model").glob("*/Format-Serving/saved_model.pb"))

    # The main job finds everything done, as it uses the same name, root and metadata.
    monkeypatch.chdir(tmp_path)
    printed_by_run = io.StringIO()
    report, _ = run(load_plan(), Console(file=printed_by_run, width=200))
    assert list(report.models) == ["linear"]
    done = [line.split()[1] for line in printed_by_run.getvalue().splitlines() if "from the cache" in line]
    # TFX resolves a predecessor anew each time.
    resolved = {"Predecessor.linear"}
    assert [step for step in done if step not in resolved] == [step for step in steps if step not in resolved]

    printed = tfx(tmp_path, "pipeline", "delete", "--engine=local", f"--pipeline_name={NAME}")
    assert f'Pipeline "{NAME}" deleted successfully.' in printed
    assert not registered.exists()
    assert (runs / "tfx" / NAME).is_dir(), "deleting the entry must not delete what was trained"
