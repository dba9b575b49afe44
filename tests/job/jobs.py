"""`awesome` in a process of its own, and what is expected of the models that it leaves."""

from __future__ import annotations

import json
import sqlite3
import subprocess
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import COMMAND, clean_environment

from components.feature_store import CLOSE_COLUMNS

ROOT = Path(__file__).parents[2]
SHARES, SESSIONS = 12, 700
NAMES = ("linear", "rnn")
MARKET = ("--market", "reversal_easy", "--market-shares", str(SHARES), "--market-sessions", str(SESSIONS))
SETTINGS = "[hyperparameters.rnn]\nepochs = 3\n"
# The steps of the pipeline for one model, in an order they can run in.
BEFORE_TRAINING = ("FeatureExampleGen", "StatisticsGen", "ExampleValidator", "Transform")


@dataclass(frozen=True)
class Job:
    """A command that ended: where it was called, its exit code, and what it printed."""

    folder: Path
    code: int
    out: str
    err: str

    def report(self, output: str = "out") -> Any:
        """report.json of the run as plain JSON."""
        return json.loads((self.folder / output / "report.json").read_text())


def awesome(folder: Path, *arguments: str) -> Job:
    done = subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=clean_environment(COLUMNS="160"), capture_output=True, text=True
    )
    return Job(folder, done.returncode, done.stdout, done.stderr)


def succeeded(folder: Path, *arguments: str) -> Job:
    job = awesome(folder, *arguments)
    assert (job.code, job.err) == (0, ""), job.out + job.err
    return job


def last_windows(db: Path) -> dict[str, tuple[str, list[float]]]:
    """The last session and its window of each share, straight from SQLite."""
    query = f"SELECT share_id, MAX(time), {', '.join(CLOSE_COLUMNS)} FROM FEATURE GROUP BY share_id"
    with closing(sqlite3.connect(db)) as connection:
        return {row[0]: (row[1], list(row[2:])) for row in connection.execute(query)}


def ask(saved_model: Path, windows: dict[str, tuple[str, list[float]]]) -> dict[str, float]:
    """What an exported model answers to the windows, one at a time."""
    import tensorflow as tf

    signature = tf.saved_model.load(str(saved_model)).signatures["predict_closes"]
    # One at a time, so that no share's answer can depend on another's; what is left is float32's rounding.
    answers = {}
    for share, (_, closes) in windows.items():
        answer = signature(share_id=tf.constant([share]), closes=tf.constant([closes], tf.float32))
        answers[share] = float(answer["probability"].numpy()[0, 0])
    return answers
