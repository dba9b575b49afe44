"""A run whose source is a panel, beside the first run, whose database held the same prices."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from jobs import MARKET, SETTINGS, Job, awesome, succeeded

from components.trials.record import read_record, record_path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


@pytest.fixture(scope="module")
def panel_job(database: Path, tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A run of one of the two models, on the market's prices out of Parquet files of two shares each."""
    folder = tmp_path_factory.mktemp("panel")
    (folder / "awesome.toml").write_text(SETTINGS)
    succeeded(folder, "panel", "write", "prices", "--db", str(database), "--file-rows", "1400")
    done = succeeded(folder, "run", "--panel", "prices", "--models", "linear", "--output", "out")
    assert len(list((folder / "prices").glob("*.parquet"))) == 6
    return done


def test_the_examples_are_those_of_the_database(panel_job: Job, report: Any) -> None:
    made = panel_job.report()
    assert made["data"]["digest"] == report["data"]["digest"]
    assert made["splits"] == report["splits"]
    named = {name: value for name, value in made["data"].items() if name != "database"}
    assert named == {name: value for name, value in report["data"].items() if name != "database"}
    assert made["data"]["database"] == str(panel_job.folder / "prices")


def test_the_files_hold_the_same_examples_in_the_same_order(panel_job: Job, report: Any) -> None:
    import tensorflow as tf

    def examples(file: Path) -> list[tf.train.Example]:
        # Each process serialises the features of an example in an order of its own.
        records = tf.data.TFRecordDataset(str(file)).as_numpy_iterator()
        return [tf.train.Example.FromString(record) for record in records]

    ours, theirs = (Path(one["artifacts"]["examples"]) for one in (panel_job.report(), report))
    files = sorted(path.relative_to(theirs) for path in theirs.glob("Split-*/*"))
    assert files == sorted(path.relative_to(ours) for path in ours.glob("Split-*/*"))
    assert files
    for file in files:
        assert examples(ours / file) == examples(theirs / file)


def test_the_model_says_the_same(panel_job: Job, predictions: pd.DataFrame) -> None:
    keys = ["share_id", "time"]
    made = pd.read_parquet(panel_job.folder / "out" / "predictions.parquet").set_index(keys)["linear"]
    pd.testing.assert_series_equal(made.sort_index(), predictions.set_index(keys)["linear"].sort_index())


def test_the_audit_makes_the_rows_again_of_the_panel(panel_job: Job) -> None:
    checks = {check["name"]: check["status"] for check in panel_job.report()["audit"]["checks"]}
    assert {checks[name] for name in ("completeness", "prefix replay")} == {"passed"}


def test_the_record_of_tries_stands_beside_the_panel(panel_job: Job) -> None:
    assert len(read_record(record_path(panel_job.folder / "prices")).trials) == 1


def test_it_predicts_what_the_database_lets_it_predict(panel_job: Job, job: Job, report: Any) -> None:
    said = succeeded(panel_job.folder, "predict", "--panel", "prices", "--model", "linear", "--json")
    alike = succeeded(job.folder, "predict", *MARKET, "--model", "linear", "--json")
    ours, theirs = ({one["share_id"]: one for one in json.loads(done.out)["shares"]} for done in (said, alike))
    assert ours == theirs


def test_a_damaged_file_stops_the_next_run_in_a_line(panel_job: Job) -> None:
    file = sorted((panel_job.folder / "prices").glob("*.parquet"))[1]
    content = file.read_bytes()
    try:
        file.write_bytes(content[:-1] + b"X")
        done = awesome(panel_job.folder, "run", "--panel", "prices", "--models", "linear", "--output", "damaged")
        assert done.code == 1
        assert done.err.startswith(f"awesome: prices/{file.name} ")
        assert done.err.count("\n") == 1
    finally:
        file.write_bytes(content)
