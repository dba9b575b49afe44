"""`awesome walkforward` end to end on a small market with signal: stopped in its second fold, resumed, repeated."""

from __future__ import annotations

import json
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from command_line import COMMAND, clean_environment
from sklearn.metrics import roc_auc_score

from components.synthetic_market import get_scenario
from components.trials.record import read_record
from pipeline.runs.tries import iso

pytestmark = pytest.mark.slow

WALK = (
    *("walkforward", "--folds", "2", "--models", "linear", "--horizons", "1"),
    *("--market", "reversal_easy", "--market-shares", "30", "--market-sessions", "900"),
)
MODELS = ["linear", "logistic_regression", "lightgbm"]


@dataclass(frozen=True)
class Walks:
    """Three calls of a command: stopped in its second fold, resumed into the same folder, repeated into another."""

    folder: Path
    stopped: int
    left: list[str]
    resumed: Any
    repeated: Any
    printed: str


def start(folder: Path, output: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [COMMAND, *WALK, "--output", output],
        cwd=folder, env=clean_environment(COLUMNS="120"), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def finished(folder: Path, output: str) -> str:
    with start(folder, output) as process:
        out, err = process.communicate()
    assert (process.returncode, err) == (0, ""), out + err
    return out


def read(folder: Path, output: str) -> Any:
    return json.loads((folder / output / "walkforward.json").read_text())


@pytest.fixture(scope="module")
def walks(tmp_path_factory: pytest.TempPathFactory) -> Walks:
    folder = tmp_path_factory.mktemp("walk")
    # No fold may ask a source for prices.
    (folder / "awesome.toml").write_text('source = "tencent"\n')
    with start(folder, "out") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "fold 2 of 2" in line:
                process.send_signal(signal.SIGINT)
        process.wait()
    left = sorted(path.name for path in (folder / "out").glob("*"))
    finished(folder, "out")
    printed = finished(folder, "again")
    return Walks(folder, process.returncode, left, read(folder, "out"), read(folder, "again"), printed)


def test_what_was_stopped_is_taken_up_where_it_was(walks: Walks) -> None:
    assert (walks.stopped, walks.left) == (130, [])
    assert [(run["fold"], run["trained"]) for run in walks.resumed["runs"]] == [(1, []), (2, ["linear"])]


def test_a_repetition_comes_from_the_cache_and_gives_the_same_figures(walks: Walks) -> None:
    assert [run["trained"] for run in walks.repeated["runs"]] == [[], []]
    for key in ("folds", "horizons", "findings", "digest"):
        assert walks.repeated[key] == walks.resumed[key]
    assert "from the cache" in walks.printed


def test_the_signal_is_found_in_every_fold_and_year(walks: Walks) -> None:
    best = get_scenario("reversal_easy").best_auc(1)
    assert best is not None
    [horizon] = walks.repeated["horizons"]
    assert horizon["best_auc"] == pytest.approx(best)
    score = horizon["overall"]["scores"]["linear"]["auc"]
    assert 0.9 < (score["value"] - 0.5) / (best - 0.5)
    assert score["value"] < best + 3 * score["standard_error"]
    for part in (*horizon["folds"], *horizon["years"]):
        assert part["scores"]["linear"]["auc"]["low"] > 0.5
    [finding] = walks.repeated["findings"]
    assert (finding["tone"], finding["label"]) == ("good", "more than luck")
    assert " ".join(finding["sentence"].split()) in " ".join(walks.printed.split())


def test_predictions_hold_every_tested_day_once_with_models_and_baselines_alike(walks: Walks) -> None:
    frame = pd.read_parquet(walks.folder / "again" / "predictions.parquet")
    [horizon] = walks.repeated["horizons"]
    assert list(horizon["overall"]["scores"]) == MODELS
    assert frame[MODELS].notna().all().all()
    assert not frame.duplicated(["time", "share_id"]).any()
    for fold in walks.repeated["folds"]:
        mine = frame[frame["fold"] == fold["number"]]
        days = mine["time"].dt.strftime("%Y-%m-%d")
        # Of the data's last session the next is not known yet.
        assert (days.min(), days.nunique()) == (fold["test"]["first"], fold["test"]["sessions"] - (fold["number"] == 2))
        part = horizon["folds"][fold["number"] - 1]
        for model in MODELS:
            assert part["scores"][model]["auc"]["value"] == pytest.approx(roc_auc_score(mine["label"], mine[model]))


def test_each_fold_is_a_run_with_its_own_report(walks: Walks) -> None:
    [horizon] = walks.repeated["horizons"]
    for run, fold, part in zip(walks.repeated["runs"], walks.repeated["folds"], horizon["folds"], strict=True):
        report = json.loads((walks.folder / "again" / run["folder"] / "report.json").read_text())
        splits = report["splits"]
        assert splits["train"]["first"] == fold["train"]["first"]
        assert splits["eval"]["first"] == fold["evaluation"]["first"]
        assert splits["test"]["first"] == fold["test"]["first"]
        assert splits["train"]["purged"] > 0
        assert splits["test"]["purged"] == 0
        assert report["market"]["scenario"] == "reversal_easy"
        assert run["audit"] == "clean"
        for model, result in report["models"].items():
            assert part["scores"][model]["auc"]["value"] == pytest.approx(result["auc"], abs=1e-6)


def test_each_fold_is_a_try_that_runs_on_the_market_know_of(walks: Walks) -> None:
    [outside] = (walks.folder / "runs" / "markets").iterdir()
    [inside] = (walks.folder / "runs" / "walkforward" / "folds").glob(f"*/markets/{outside.name}")
    for path in (inside, outside):
        record = read_record(path)
        assert record.complete
        assert [trial.kind for trial in record.trials] == ["walk-forward", "walk-forward"]
        for trial, fold in zip(record.trials, walks.repeated["folds"], strict=True):
            assert iso(trial.days[0]) == fold["test"]["first"]
    [_, last] = walks.repeated["runs"]
    report = json.loads((walks.folder / "again" / last["folder"] / "report.json").read_text())
    assert len(report["tries"]["tries"]) == 1  # no other fold has seen its days


def test_nothing_is_left_among_the_users_own_runs(walks: Walks) -> None:
    names = {path.name for path in (walks.folder / "runs").iterdir()}
    assert names == {"walkforward", "markets"}  # where runs on this market look for what was tried on it
    assert [path.suffix for path in (walks.folder / "runs" / "markets").iterdir()] == [".jsonl"]
    assert (walks.folder / "runs" / "walkforward" / "latest").resolve() == walks.folder / "again"
