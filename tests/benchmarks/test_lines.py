"""`benchmarks.lines`: two runs of the same rows side by side, and what is said where they are not."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from judged_runs import model, report

from benchmarks import lines
from components.evidence.findings import PREDICTIONS_FILE
from pipeline.runs.folder import save_report

VERSIONS = {"tfx": "1.16.0", "tensorflow": "2.16.2", "python": "3.11.2"}
DAYS, SHARES = 80, 6


def left(folder: Path, said: dict[str, np.ndarray], **versions: str) -> Path:
    """What `measure` leaves of models that answer so."""
    returns = np.random.default_rng(1).normal(scale=0.01, size=DAYS * SHARES)
    time = np.repeat(pd.bdate_range("2020-01-01", periods=DAYS).to_numpy(), SHARES)
    share = np.tile([f"S{i}" for i in range(SHARES)], DAYS)
    rows = {"time": time, "share_id": share, "label": (returns > 0).astype(int), "forward_return": returns}
    (folder / lines.RUN).mkdir(parents=True)
    pd.DataFrame(rows | said).to_parquet(folder / lines.RUN / PREDICTIONS_FILE)
    made = report({name: model(0.5) for name in said})
    save_report(dataclasses.replace(made, versions=VERSIONS | versions), folder / lines.RUN / "report.json")
    (folder / lines.USAGE).write_text(json.dumps({"cpu": 61.5, "MiB": 1700}))
    return folder


@pytest.fixture(autouse=True)
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("benchmarks.measure.RESULTS", tmp_path)
    return tmp_path / "lines.json"


def test_what_differs_by_less_than_noise_is_told_from_what_differs_by_more(tmp_path: Path, results: Path) -> None:
    random = np.random.default_rng(2)
    coin, nudge = random.uniform(0.4, 0.6, DAYS * SHARES), random.normal(scale=1e-3, size=DAYS * SHARES)
    knowing = 0.5 + np.random.default_rng(1).normal(scale=0.01, size=DAYS * SHARES)  # by the returns themselves
    old = left(tmp_path / "old", {"linear": coin, "rnn": coin})
    new = left(tmp_path / "new", {"linear": coin + nudge, "rnn": knowing}, tfx="1.21.0")
    assert lines.main(["show", str(old), str(new)]) == 1
    found = json.loads(results.read_text())
    same, other = found["models"]
    assert (same["model"], same["within noise"], same["rows"]) == ("linear", "yes", DAYS * SHARES)
    assert abs(same["new less old"]) < 0.02
    assert (other["model"], other["within noise"]) == ("rnn", "no")
    assert other["low"] > 0.3  # half of what there is to know, at the least
    assert found["usage"][1] == {"line": "TFX 1.21.0, TensorFlow 2.16.2, Python 3.11.2", "cpu": 61.5, "MiB": 1700}
    assert lines.main(["show", str(old), str(left(tmp_path / "again", {"linear": coin, "rnn": coin}))]) == 0


def test_runs_that_are_not_the_same_are_refused_in_a_line(tmp_path: Path) -> None:
    coin = np.random.default_rng(2).random(DAYS * SHARES)
    old, other = left(tmp_path / "old", {"linear": coin}), left(tmp_path / "other", {"dnn": coin})
    with pytest.raises(SystemExit, match=r"old has models linear and .*other dnn: run the same"):
        lines.main(["show", str(old), str(other)])
    (old / lines.USAGE).unlink()
    with pytest.raises(SystemExit, match=r"usage.json cannot be read .*: `measure` writes it"):
        lines.main(["show", str(old), str(left(tmp_path / "new", {"linear": coin}))])
    with pytest.raises(SystemExit, match="is already there: name a new folder"):
        lines.main(["measure", str(old)])
