"""`awesome run` from end to end, on a small synthetic market with signal and on the shipped prices.

The expected numbers come from scikit-learn, from SQL on the database and from the exported models called by hand.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from executed_notebooks import ExecutedNotebook, execute

from components.feature_store import CLOSE_COLUMNS
from components.synthetic_market import get_scenario
from pipeline.runs.results import RunReport

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("awesome"))
SHARES, SESSIONS = 12, 700
NAMES = ("linear", "rnn")
MARKET = ("--market", "reversal_easy", "--market-shares", str(SHARES), "--market-sessions", str(SESSIONS))
SETTINGS = "".join(f"[hyperparameters.{name}]\nepochs = 3\n" for name in NAMES)
# The steps of the pipeline for one model, in an order they can run in.
BEFORE_TRAINING = ("FeatureExampleGen", "StatisticsGen", "ExampleValidator", "Transform")


@dataclass(frozen=True)
class Job:
    """A command that ended.

    Attributes:
        folder: where it was called.
        code: its exit code.
        out: what it printed.
        err: what it printed on stderr.
    """

    folder: Path
    code: int
    out: str
    err: str

    def report(self, output: str = "out") -> Any:
        """report.json of the run as plain JSON."""
        return json.loads((self.folder / output / "report.json").read_text())


def environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("AWESOME_")}
    return kept | {"COLUMNS": "160"}


def awesome(folder: Path, *arguments: str) -> Job:
    done = subprocess.run([COMMAND, *arguments], cwd=folder, env=environment(), capture_output=True, text=True)
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


def metrics_of(report: Any, name: str) -> dict[str, float | None]:
    return dict(report["models"][name]["metrics"])


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A first run of two models on a market with signal; the other tests only look at what it left."""
    folder = tmp_path_factory.mktemp("job")
    (folder / "awesome.toml").write_text(SETTINGS)
    return awesome(folder, "run", *MARKET, "--models", ",".join(NAMES), "--output", "out")


@pytest.fixture(scope="module")
def report(job: Job) -> Any:
    assert job.code == 0, job.out + job.err
    return job.report()


@pytest.fixture(scope="module")
def predictions(job: Job, report: Any) -> pd.DataFrame:
    return pd.read_parquet(job.folder / "out" / "predictions.parquet")


@pytest.fixture(scope="module")
def database(job: Job, report: Any) -> Path:
    return job.folder / report["data"]["database"]


# the run


def test_it_ends_well_and_quietly(job: Job) -> None:
    assert (job.code, job.err) == (0, "")


def test_it_shows_each_step_with_its_time(job: Job, report: Any) -> None:
    shown = dict(re.findall(r"^  ✓ (\S+) +([\d.]+) s", job.out, re.MULTILINE))
    assert set(shown) == {*report["seconds"], "report"}
    for name, seconds in report["seconds"].items():
        assert float(shown[name]) == pytest.approx(seconds, abs=0.051)


def test_it_shows_the_table_and_the_verdict(job: Job, report: Any) -> None:
    for name, model in report["models"].items():
        skill = f"{model['skill'] * 100:.0f}%"
        cells = rf"{name} +{model['auc']:.3f} +{model['accuracy']:.3f} +\+{model['rank_ic']:.3f} +{skill} +yes"
        assert re.search(cells, job.out)
    champion = report["champion"]
    assert f"{champion} reaches AUC {report['models'][champion]['auc']:.3f}" in job.out
    assert "the best possible" in job.out
    assert job.out.rstrip().endswith("The report: out/report.html")


def test_its_folder_holds_the_report_the_log_and_the_predictions(job: Job, report: Any) -> None:
    names = {path.name for path in (job.folder / "out").iterdir()}
    assert names == {"report.html", "report.json", "run.log", "predictions.parquet"}
    assert "<html" in (job.folder / "out/report.html").read_text()
    log = (job.folder / "out/run.log").read_text()
    assert "split train: 5472 rows, 240 purged, 0 unlabelled" in log
    assert "Traceback" not in log


def test_nothing_but_its_folders_is_made(job: Job, report: Any) -> None:
    assert {path.name for path in job.folder.iterdir()} == {"awesome.toml", "out", "runs"}
    assert list(job.folder.rglob(".partial-*")) == []


def test_latest_stands_for_it(job: Job, report: Any, tmp_path: Path) -> None:
    table = succeeded(job.folder, "evaluate", "runs/latest").out
    assert table.strip() in job.out


# report.json


def test_the_report_has_the_documented_keys(report: Any) -> None:
    text = (ROOT / "docs" / "report.md").read_text()
    sections = re.split(r"^##+ ", text, flags=re.MULTILINE)

    def documented(title: str) -> set[str]:
        [section] = [part for part in sections if part.startswith(title)]
        rows = re.findall(r"^\|(.*?)\|", section, re.MULTILINE)
        return {name for row in rows for name in re.findall(r"`(\w+)`", row)}

    assert set(report) == documented("Keys")
    for name in NAMES:
        assert set(report["models"][name]) == documented("models.NAME")
    for split in ("train", "eval", "test"):
        assert set(report["splits"][split]) == documented("splits.NAME")
    assert set(report["data"]) == documented("data\n")
    assert report["schema_version"] == 1


def test_the_report_says_what_was_asked_for(report: Any) -> None:
    assert list(report["models"]) == list(NAMES)
    settings = report["settings"]
    assert (settings["models"], settings["market"], settings["horizon"]) == ("linear,rnn", "reversal_easy", 1)
    assert settings["formatter"] == "window_returns"
    assert set(report["versions"]) == {"python", "tfx", "tensorflow", "keras", "awesome"}
    best = get_scenario("reversal_easy").best_auc(1)
    assert report["market"] == {"scenario": "reversal_easy", "best_auc": pytest.approx(best)}
    assert report["cached"] == []


def test_the_data_is_described_as_sql_counts_it(report: Any, database: Path) -> None:
    query = "SELECT COUNT(DISTINCT share_id), COUNT(DISTINCT time), MIN(time), MAX(time) FROM FEATURE"
    with closing(sqlite3.connect(database)) as connection:
        [counts] = connection.execute(query).fetchall()
    data = report["data"]
    assert (data["shares"], data["sessions"], data["first"], data["last"]) == counts == (12, 680, *counts[2:])
    assert data["share_ids"] == sorted(last_windows(database))
    assert re.fullmatch("[0-9a-f]{64}", data["digest"])


def test_the_splits_add_up_to_the_data(report: Any, database: Path) -> None:
    splits = report["splits"]
    # 70, 10 and 20 % of 680 sessions, less an embargo of 21 behind each border.
    assert {name: split["sessions"] for name, split in splits.items()} == {"train": 476, "eval": 47, "test": 115}
    for split in splits.values():
        assert split["rows"] + split["purged"] + split["unlabelled"] == SHARES * split["sessions"]
    # The longest horizon, 20, reaches over each border from 20 sessions before it.
    assert [splits[name]["purged"] for name in ("train", "eval", "test")] == [20 * SHARES, 20 * SHARES, 0]
    used = sum(split["rows"] + split["purged"] + split["unlabelled"] for split in splits.values())
    with closing(sqlite3.connect(database)) as connection:
        [(rows,)] = connection.execute("SELECT COUNT(*) FROM FEATURE").fetchall()
    assert used + 2 * 21 * SHARES == rows
    order = [splits[name][end] for name in ("train", "eval", "test") for end in ("first", "last")]
    assert order == sorted(set(order))


def test_seconds_are_of_every_step(report: Any) -> None:
    per_model = {f"{step}.{name}" for step in ("Trainer", "Predecessor", "Evaluator") for name in NAMES}
    steps = {"ImportSchemaGen", *BEFORE_TRAINING, *per_model, "Evidence", "LeakAudit", "ModelSelector", "Pusher"}
    assert set(report["seconds"]) == {"market", "imports", *steps}
    assert all(0 <= seconds < 600 for seconds in report["seconds"].values())
    assert report["seconds"]["Transform"] > 0.5


def test_the_report_is_read_by_its_own_reader(job: Job, report: Any) -> None:
    read = RunReport.from_json(job.folder / "out")
    assert read.champion == report["champion"]
    assert read.models["rnn"].metrics["auc"] == report["models"]["rnn"]["metrics"]["auc"]


# the figures


def test_the_predictions_are_of_every_row_of_the_test_split(report: Any, predictions: pd.DataFrame) -> None:
    assert len(predictions) == report["splits"]["test"]["rows"]
    assert not predictions.duplicated(["share_id", "time"]).any()
    assert str(predictions["time"].min())[:10] == report["splits"]["test"]["first"]
    assert str(predictions["time"].max())[:10] == report["splits"]["test"]["last"]
    assert (predictions["label"] == (predictions["forward_return"] > 0)).all()


def test_labels_are_the_direction_of_the_next_close(predictions: pd.DataFrame, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        stored = pd.read_sql("SELECT share_id, time, close0 FROM FEATURE ORDER BY share_id, time", connection)
    stored["next"] = stored.groupby("share_id")["close0"].shift(-1)
    stored["time"] = pd.to_datetime(stored["time"])
    merged = predictions.merge(stored, on=["share_id", "time"], how="left", validate="one_to_one")
    assert (merged["label"] == (merged["next"] > merged["close0"])).all()


@pytest.mark.parametrize("name", NAMES)
def test_the_figures_agree_with_scikit_learn(report: Any, predictions: pd.DataFrame, name: str) -> None:
    from sklearn import metrics

    label, score = predictions["label"], predictions[name]
    called = (score > 0.5).astype(int)
    model, tfma = report["models"][name], report["models"][name]["metrics"]
    area = metrics.roc_auc_score(label, score)
    assert model["auc"] == pytest.approx(area, abs=1e-6)
    assert tfma["auc"] == pytest.approx(area, abs=1e-3)
    assert tfma["auc_precision_recall"] == pytest.approx(metrics.average_precision_score(label, score), abs=5e-3)
    assert tfma["accuracy"] == pytest.approx(metrics.accuracy_score(label, called), abs=1e-3)
    assert tfma["precision"] == pytest.approx(metrics.precision_score(label, called), abs=1e-3)
    assert tfma["recall"] == pytest.approx(metrics.recall_score(label, called), abs=1e-3)
    assert tfma["average_loss"] == pytest.approx(metrics.log_loss(label, score), abs=1e-3)
    assert tfma["label/mean"] == pytest.approx(label.mean(), abs=1e-6)
    assert tfma["prediction/mean"] == pytest.approx(score.mean(), abs=1e-5)
    assert tfma["example_count"] == len(label)
    assert tfma["global_step"] > 0
    assert model["accuracy"] == tfma["accuracy"]
    assert model["majority"] == pytest.approx(max(label.mean(), 1 - label.mean()), abs=1e-6)
    ranks = predictions.groupby("time")[[name, "forward_return"]].apply(
        lambda day: day[name].corr(day["forward_return"], method="spearman")
    )
    assert model["rank_ic"] == pytest.approx(ranks.mean(), abs=1e-5)
    assert model["auc_low"] < model["auc"] < model["auc_high"]
    best = get_scenario("reversal_easy").best_auc(1)
    assert best is not None
    assert model["skill"] == pytest.approx((area - 0.5) / (best - 0.5), abs=1e-4)
    for share, group in model["by_share"].items():
        rows = predictions[predictions["share_id"] == share]
        assert group["rows"] == len(rows)
        assert group["auc"] == pytest.approx(metrics.roc_auc_score(rows["label"], rows[name]), abs=1e-6)
    assert sum(group["rows"] for group in model["by_year"].values()) == len(label)


# the champion


def test_the_signal_is_found_and_the_best_model_is_the_champion(report: Any) -> None:
    models = report["models"]
    assert [model["blessed"] for model in models.values()] == [True, True]
    assert models["linear"]["skill"] > 0.5
    assert report["champion"] == max(models, key=lambda name: models[name]["auc"])
    assert "is better than chance (" in models["linear"]["reason"]


def test_the_champion_is_pushed_as_it_was_trained(job: Job, report: Any, database: Path) -> None:
    pushed = Path(report["pushed"])
    assert pushed.parent == job.folder / "runs/serving/reversal_easy-12x700-seed0-window_returns-h1"
    assert (pushed / "saved_model.pb").is_file()
    card = json.loads((pushed / "assets.extra/awesome.json").read_text())
    assert (card["model"], card["formatter"], card["horizon"]) == (report["champion"], "window_returns", 1)
    windows = last_windows(database)
    trained = Path(report["models"][report["champion"]]["model_uri"]) / "Format-Serving"
    assert ask(pushed, windows) == ask(trained, windows)


# predict


def test_predict_answers_for_every_share_from_the_pushed_model(job: Job, report: Any, database: Path) -> None:
    forecast = json.loads(succeeded(job.folder, "predict", *MARKET, "--json").out)
    windows = last_windows(database)
    expected = ask(Path(report["pushed"]), windows)
    assert {share["share_id"]: share["probability"] for share in forecast["shares"]} == pytest.approx(
        expected, abs=2e-5
    )
    assert {share["share_id"]: share["session"] for share in forecast["shares"]} == {
        share: session for share, (session, _) in windows.items()
    }
    probabilities = [share["probability"] for share in forecast["shares"]]
    assert probabilities == sorted(probabilities, reverse=True)
    assert len(set(probabilities)) == SHARES
    champion = report["models"][report["champion"]]
    assert (forecast["model"], forecast["horizon"], forecast["blessed"]) == (report["champion"], 1, True)
    for key in ("auc", "auc_low", "auc_high"):
        assert forecast[key] == pytest.approx(champion[key], abs=1e-9)


def test_predict_prints_a_table_from_a_runs_candidate(job: Job, report: Any, database: Path) -> None:
    out = succeeded(job.folder, "predict", *MARKET, "--model", "rnn", "--run", "out", "--shares", "S003,S001").out
    windows = {share: window for share, window in last_windows(database).items() if share in ("S001", "S003")}
    expected = ask(Path(report["models"]["rnn"]["model_uri"]) / "Format-Serving", windows)
    shown = re.findall(r"^(S\d+) +(\d{4}-\d\d-\d\d) +([\d.]+)", out, re.MULTILINE)
    assert {share: (session, float(value)) for share, session, value in shown} == {
        share: (session, pytest.approx(expected[share], abs=6e-5)) for share, (session, _) in windows.items()
    }
    model = report["models"]["rnn"]
    assert f"rnn: AUC on the test split {model['auc']:.4f} " in out
    assert f"{model['auc_low']:.4f} to {model['auc_high']:.4f}" in out


# again


def test_its_models_go_to_object_storage_and_predict_the_same_elsewhere(
    job: Job, report: Any, database: Path, tmp_path: Path
) -> None:
    storage = str(tmp_path / "storage")
    succeeded(job.folder, "model", "push", storage, "out")
    listed = succeeded(job.folder, "model", "list", storage).out
    for name in NAMES:
        assert f"{report['models'][name]['auc']:.4f}" in listed
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    succeeded(elsewhere, "model", "pull", storage, "--model", "rnn", "--to", "rnn")
    windows = last_windows(database)
    pulled = json.loads(awesome(elsewhere, "predict", "--model", "rnn", "--db", str(database), "--json").out)
    assert {share["share_id"]: share["probability"] for share in pulled["shares"]} == pytest.approx(
        ask(Path(report["models"]["rnn"]["model_uri"]) / "Format-Serving", windows), abs=1e-5
    )  # float32 rounds otherwise for all shares at once than for one
    assert (pulled["auc"], pulled["blessed"]) == (report["models"]["rnn"]["auc"], report["models"]["rnn"]["blessed"])
    shutil.rmtree(elsewhere / "rnn" / "saved_model")
    refused = awesome(elsewhere, "predict", "--model", "rnn", "--db", str(database))
    assert (refused.code, "holds no saved_model; pull it again" in refused.err) == (1, True)


KILLED = """
import os, signal

def kill_or_replace(source, target, replace=os.replace):
    if os.path.basename(target) == "report.json":
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)

os.replace = kill_or_replace
from pipeline.cli import main
main()
"""
"""`awesome`, killed in the moment before its report is complete."""


def test_a_run_killed_while_it_writes_is_repeated_in_the_same_folder_from_the_cache(job: Job, report: Any) -> None:
    arguments = ("run", *MARKET, "--models", ",".join(NAMES), "--output", "again")
    killed = subprocess.run([sys.executable, "-c", KILLED, *arguments], cwd=job.folder, env=environment(), timeout=600)
    assert killed.returncode == -signal.SIGKILL
    left = {path.name for path in (job.folder / "again").iterdir()}
    assert {"report.html", "run.log", "predictions.parquet"} < left
    assert "report.json" not in left

    again = succeeded(job.folder, *arguments)
    assert {path.name for path in (job.folder / "again").iterdir()} == {
        "report.html", "report.json", "run.log", "predictions.parquet",
    }  # fmt: skip
    second = again.report("again")
    steps = set(report["seconds"]) - {"market", "imports"}
    assert set(second["cached"]) == {step for step in steps if not step.startswith("Predecessor.")}
    assert again.out.count("from the cache") == len(second["cached"])
    assert set(second["seconds"]) == set(report["seconds"])
    same = ("models", "splits", "data", "champion", "market")
    assert {key: second[key] for key in same} == {key: report[key] for key in same}
    pd.testing.assert_frame_equal(
        pd.read_parquet(job.folder / "again/predictions.parquet"),
        pd.read_parquet(job.folder / "out/predictions.parquet"),
    )


def test_a_run_without_the_cache_gives_the_same_figures(job: Job, report: Any) -> None:
    fresh = succeeded(job.folder, "run", *MARKET, "--models", "linear", "--no-cache", "--output", "fresh")
    second = fresh.report("fresh")
    assert second["cached"] == []
    assert "from the cache" not in fresh.out
    model = second["models"]["linear"]
    assert model["model_uri"] != report["models"]["linear"]["model_uri"]
    assert metrics_of(second, "linear").keys() >= metrics_of(report, "linear").keys()
    for name, value in metrics_of(report, "linear").items():
        assert model["metrics"][name] == pytest.approx(value, abs=1e-7), name
    # As good as its predecessor is not worse.
    assert model["blessed"] is True
    assert second["champion"] == "linear"


def test_a_killed_run_is_taken_up_by_the_next_even_of_a_single_share(market_db: Path, tmp_path: Path) -> None:
    shutil.copy(market_db, tmp_path / "m.db")
    before = (tmp_path / "m.db").read_bytes()
    (tmp_path / "awesome.toml").write_text(SETTINGS)
    arguments = ("run", "--db", "m.db", "--shares", "S001", "--models", "linear", "--output", "out")
    with subprocess.Popen(
        [COMMAND, *arguments], cwd=tmp_path, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "✓ Transform" in line:
                process.send_signal(signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"run.log"}
    assert (tmp_path / "m.db").read_bytes() == before

    job = succeeded(tmp_path, *arguments)
    report = job.report()
    assert set(report["cached"]) == {"ImportSchemaGen", *BEFORE_TRAINING}
    assert (report["data"]["shares"], report["data"]["share_ids"]) == (1, ["S001"])
    model = report["models"]["linear"]
    # One share has no rank among others.
    assert (model["rank_ic"], model["metrics"]["rank_ic"]) == (None, None)
    assert re.search(rf"linear +{model['auc']:.3f} +{model['accuracy']:.3f} +n/a", job.out)
    assert model["rows"] == 115 - 1
    assert list(model["by_share"]) == ["S001"]
    assert (tmp_path / "m.db").read_bytes() == before


# data that does not fit, the schema


def test_anomalies_stop_the_run_with_a_table(market_db: Path, tmp_path: Path) -> None:
    shutil.copy(market_db, tmp_path / "m.db")
    with closing(sqlite3.connect(tmp_path / "m.db")) as connection:
        connection.execute(
            f"INSERT INTO FEATURE SELECT '1700-01-04', share_id, {', '.join(CLOSE_COLUMNS)} FROM FEATURE "
            "WHERE share_id = 'S000' AND time = (SELECT MAX(time) FROM FEATURE)"
        )
        connection.commit()
    before = (tmp_path / "m.db").read_bytes()
    job = awesome(tmp_path, "run", "--db", "m.db", "--models", "linear", "--output", "out")
    assert job.code == 1
    assert "Traceback" not in job.err
    first, header, *rows = job.err.splitlines()
    assert first.startswith("awesome: the data does not fit the schema")
    assert header.split() == ["split", "feature", "what", "is", "wrong"]
    assert [row.split()[:2] for row in rows] == [["train", "time"], ["train", "year"]]
    assert "17000104" in rows[0]
    assert "✓ StatisticsGen" in job.out
    assert "Transform" not in job.out
    assert "step ExampleValidator failed" in (tmp_path / "out/run.log").read_text()
    assert not (tmp_path / "out/report.json").exists()
    assert (tmp_path / "m.db").read_bytes() == before


def test_schema_update_writes_a_schema_for_review_and_leaves_the_curated_one(market_db: Path, tmp_path: Path) -> None:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    curated = ROOT / "models" / "schema.pbtxt"
    before, database = curated.read_bytes(), market_db.read_bytes()
    job = awesome(tmp_path, "schema", "update", "--db", str(market_db), "--out", "new.pbtxt")
    assert (job.code, job.err) == (0, "")
    schema = text_format.Parse((tmp_path / "new.pbtxt").read_text(), schema_pb2.Schema())
    names = {feature.name for feature in schema.feature}
    assert names >= {"share_id", "time", "closes", "label_1", "label_20", "forward_return_1", "forward_return_20"}
    assert job.out.startswith("--- curated")
    assert "+++ inferred (new.pbtxt)" in job.out
    assert job.out.splitlines()[-1].startswith("new.pbtxt written")
    assert {path.name for path in tmp_path.iterdir()} == {"new.pbtxt"}
    assert (curated.read_bytes(), market_db.read_bytes()) == (before, database)


# real prices


def test_the_shipped_prices_are_the_default(tmp_path: Path) -> None:
    (tmp_path / "awesome.toml").write_text(SETTINGS)
    job = succeeded(tmp_path, "run", "--models", "linear")
    assert {path.name for path in tmp_path.iterdir()} == {"awesome.toml", "awesome.db", "runs"}
    assert "prices of 5 shares from prices.csv.gz into awesome.db" in job.out
    report = json.loads((tmp_path / "runs/latest/report.json").read_text())
    assert report["market"] is None
    assert report["data"]["share_ids"] == ["AAPL", "FB", "GOOG", "IBM", "MSFT"]
    assert report["data"]["share_ids"] == list(last_windows(tmp_path / "awesome.db"))
    assert "skill" not in job.out
    model = report["models"]["linear"]
    # On real prices of large shares anything else is a leak.
    assert np.isfinite(model["auc"])
    assert 0.45 < model["auc"] < 0.55
    assert model["skill"] is None
    assert report["champion"] == ("linear" if model["blessed"] else None)
    assert (report["pushed"] is None) == (report["champion"] is None)
    assert ("yes, champion" if model["blessed"] else "no: AUC") in " ".join(job.out.split())


# the notebooks


@pytest.fixture(scope="module")
def executed(job: Job, report: Any) -> dict[str, ExecutedNotebook]:
    return {name: execute(name, job.folder / "out") for name in ("data_validation", "model_analysis", "backtest")}


def test_no_cell_of_a_notebook_warns_and_none_shows_what_lies_elsewhere(executed: dict[str, ExecutedNotebook]) -> None:
    for name, notebook in executed.items():
        assert [output for output in notebook.outputs if output.get("name") == "stderr"] == [], name
        assert {output["output_type"] for output in notebook.outputs} <= {"stream", "execute_result"}, name
        assert "://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", notebook.shown), name


def test_the_data_notebook_shows_splits_schema_and_drift(executed: dict[str, ExecutedNotebook], report: Any) -> None:
    notebook = executed["data_validation"]
    for name, split in report["splits"].items():
        cells = (split["first"], split["last"], split["sessions"], split["rows"], split["purged"], split["unlabelled"])
        assert " ".join(map(str, (name, *cells))) in notebook.text
    assert "TFDV's interactive view loads scripts from the internet" in notebook.text
    assert "feature anomaly split train none eval none test none" in notebook.text
    # The window has 21 closes, and a share's mean label is what the predictions' is.
    assert re.search(r"closes float every row 21 1e-12 to 1e\+12", notebook.text)
    drift = dict(re.findall(r" (time|closes|label_1) [\d.]+ ([\d.]+)", notebook.text.partition("train to eval")[2]))
    assert float(drift["time"]) == pytest.approx(1, abs=0.01)
    assert float(drift["label_1"]) < 0.01
    [seen] = re.findall(r"KS train to test feature returns [-\d. ]*? ([\d.]+) log_volatility", notebook.text)
    assert float(seen) < 0.05
    # A market of one kind of shares, all there from the first day.
    assert "category share 0.0000 0.0000 0.0000" in notebook.text
    for title in ("The splits", "Raw features by split", "What the models saw by split (window_returns)"):
        assert title in notebook.text
    assert notebook.shown.count("<svg ") == 3


def test_the_models_notebook_shows_what_the_report_says(
    executed: dict[str, ExecutedNotebook], report: Any, predictions: pd.DataFrame
) -> None:
    notebook = executed["model_analysis"]
    for model in report["models"].values():
        assert f"{model['auc']:.4f} ({model['auc_low']:.4f} to {model['auc_high']:.4f})" in notebook.text
        for year, group in model["by_year"].items():
            assert re.search(rf" {year} {group['auc']:.4f} [\d.]+ [\d.]+ [\d.]+ [\d.]+ {group['rows']} ", notebook.text)
        for share, group in model["by_share"].items():
            assert re.search(rf" {share} {group['auc']:.4f} [\d.]+ [\d.]+ {group['rows']} ", notebook.text)
    for name in ("logistic_regression", "lightgbm", *NAMES):
        assert name in notebook.text
    assert "TFMA's interactive view exists for the classic notebook" in notebook.text
    for title in ("AUC by year", "AUC by share", "ROC curves", "Calibration"):
        assert f"<strong>{title}</strong>" in notebook.shown
    assert f"{report['champion']} less each other:" in notebook.text


def test_the_backtest_notebook_shows_the_backtest(executed: dict[str, ExecutedNotebook], job: Job, report: Any) -> None:
    from pipeline.report.backtest_summary import judge
    from pipeline.uses.backtest import backtest_run

    notebook = executed["backtest"]
    made = backtest_run(job.folder / "out")
    assert " ".join(judge(made.report, made.result, made.model).sentence.split()) in notebook.text
    for model in made.result.models.values():
        for portfolio in (model.long_short, model.long_only):
            sharpe = portfolio.after_costs.sharpe
            assert f"{sharpe.value:.4f} {sharpe.low:.4f} {sharpe.high:.4f}" in notebook.text
    free = made.result.models[made.model].long_short.before_costs
    assert f"0 {free.annual_return:.4f} {free.sharpe.value:.4f}" in notebook.text
    for title in ("What costs do to", "Month by month"):
        assert title in notebook.shown
    assert notebook.shown.count("<svg ") == 3
