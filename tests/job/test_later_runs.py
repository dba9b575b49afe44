"""Runs after the first: killed, from the cache, without it; on data that does not fit and on real prices."""

from __future__ import annotations

import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from command_line import COMMAND, clean_environment
from jobs import (
    BEFORE_TRAINING,
    MARKET,
    NAMES,
    ROOT,
    SETTINGS,
    Job,
    awesome,
    last_windows,
    succeeded,
)

from components.feature_store import CLOSE_COLUMNS

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def metrics_of(report: Any, name: str) -> dict[str, float | None]:
    return dict(report["models"][name]["metrics"])


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
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, *arguments], cwd=job.folder, env=clean_environment(COLUMNS="160")
    )
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
        [COMMAND, *arguments], cwd=tmp_path, env=clean_environment(COLUMNS="160"), stdout=subprocess.PIPE, text=True
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
    record = "awesome.db.trials.jsonl"
    assert {path.name for path in tmp_path.iterdir()} == {"awesome.toml", "awesome.db", record, "runs"}
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
    assert ("yes, champion" if model["blessed"] else "is not blessed: AUC") in " ".join(job.out.split())
