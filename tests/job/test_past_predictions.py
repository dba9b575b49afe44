"""`awesome predict --since`: what the run's model says of past sessions, and rows of a table of the database."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jobs import MARKET, NAMES, SHARES, Job, awesome, succeeded

from pipeline.runs.folder import open_run

pytestmark = pytest.mark.slow


def before(database: Path, day: str, copy: Path) -> Path:
    """The database as it was on a day."""
    shutil.copy(database, copy)
    with closing(sqlite3.connect(copy)) as connection:
        for table in ("PRICE", "FEATURE"):
            connection.execute(f"DELETE FROM {table} WHERE time > ?", (day,))
        connection.commit()
    return copy


def run_id(job: Job) -> str:
    return open_run(job.folder / "out").report.id


@pytest.mark.parametrize("name", NAMES)
def test_sessions_that_the_run_has_predicted_are_its_own_to_the_last_bit(
    job: Job, report: Any, predictions: pd.DataFrame, tmp_path: Path, name: str
) -> None:
    file = tmp_path / "past.parquet"
    chosen = ("--model", name, "--run", "out", "--output", str(file))
    out = succeeded(job.folder, "predict", *MARKET, *chosen, "--since", report["splits"]["eval"]["first"]).out
    past = pd.read_parquet(file)
    assert f"{len(predictions):,} rows as in the run {run_id(job)}, to the last bit" in out
    own = predictions.assign(session=predictions["time"].dt.strftime("%Y-%m-%d"))
    both = past.merge(own, on=["session", "share_id"])
    assert len(both) == len(predictions)
    assert (both["probability"] == both[name]).all()
    assert (both["split"] == "test").all()
    # The last session has no label yet, so the run has judged none of its rows.
    assert list(past["split"][past["session"] > report["splits"]["test"]["last"]]) == ["later"] * SHARES
    assert (past["split"][past["session"] < report["splits"]["test"]["first"]] == "eval").all()
    assert list(past["session"]) == sorted(past["session"])


def test_a_past_session_is_predicted_as_of_that_day(job: Job, report: Any, database: Path, tmp_path: Path) -> None:
    day = report["splits"]["train"]["last"]
    then = before(database, day, tmp_path / "then.db")
    asked = ("--model", "rnn", "--run", "out", "--json")
    as_of = json.loads(awesome(job.folder, "predict", "--db", str(then), *asked).out)
    past = json.loads(succeeded(job.folder, "predict", *MARKET, *asked, "--since", day, "--until", day).out)
    assert {row["session"] for row in past["rows"]} == {day}
    assert {row["split"] for row in past["rows"]} == {"train"}
    assert past["in_run"] == past["otherwise"] == 0
    said = {row["share_id"]: row["probability"] for row in past["rows"]}
    assert said == {share["share_id"]: share["probability"] for share in as_of["shares"]}  # to the last bit
    assert len(said) == SHARES


def test_prices_that_were_restated_since_the_run_are_said(
    job: Job, report: Any, predictions: pd.DataFrame, database: Path, tmp_path: Path
) -> None:
    copy = shutil.copy(database, tmp_path / "restated.db")
    day = report["splits"]["test"]["last"]
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("UPDATE FEATURE SET close0 = close0 * 1.1 WHERE share_id = 'S003' AND time = ?", (day,))
        connection.commit()
    asked = ("--db", str(copy), "--model", "linear", "--run", "out", "--since", day, "--until", day)
    out = succeeded(job.folder, "predict", *asked).out
    assert f"1 row otherwise than in the run {run_id(job)}: prices were restated" in out
    rows = json.loads(succeeded(job.folder, "predict", *asked, "--json").out)["rows"]
    [restated] = [row["probability"] for row in rows if row["share_id"] == "S003"]
    of_run = predictions[(predictions["time"] == day) & (predictions["share_id"] == "S003")]["linear"]
    assert not np.isclose(restated, of_run, atol=1e-3).any()


@pytest.mark.parametrize("option", [("--horizon", "7"), ("--label", "outperform"), ("--formatter", "closes")])
@pytest.mark.parametrize("stretch", [(), ("--since", "2000-01-03")])
def test_an_option_that_a_named_run_contradicts_is_no_wish_to_pass_over(
    job: Job, option: tuple[str, str], stretch: tuple[str, ...]
) -> None:
    refused = awesome(job.folder, "predict", *MARKET, "--model", "linear", "--run", "out", *option, *stretch)
    assert refused.code == 1
    assert f"and {option[0]} asks for {option[1]}; leave {option[0]} out" in refused.err


def test_a_table_of_the_database_has_each_prediction_once(
    job: Job, report: Any, database: Path, tmp_path: Path
) -> None:
    copy = shutil.copy(database, tmp_path / "copy.db")
    day = report["splits"]["test"]["last"]
    asked = ("--db", str(copy), "--model", "linear", "--run", "out", "--db-table", "PREDICTION")

    def rows() -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(copy)) as connection:
            return connection.execute("SELECT * FROM PREDICTION").fetchall()

    said = succeeded(job.folder, "predict", *asked, "--since", day, "--until", day).out
    assert f"The table PREDICTION of {copy}: {SHARES} rows written\n" in said
    first = rows()
    assert {row[:1] + row[2:6] for row in first} == {(day, "linear", run_id(job), "up", 1)}
    again = succeeded(job.folder, "predict", *asked, "--since", day).out
    assert f"{SHARES} rows written, {SHARES} stood there already" in again
    assert set(first) < set(rows())  # made_at too
    latest = succeeded(job.folder, "predict", *asked, "--shares", "S001").out
    assert f"The table PREDICTION of {copy}: 0 rows written, 1 stood there already" in latest
    # The store is what it was to everybody else.
    assert awesome(job.folder, "prices", "suspects", "--db", str(copy)).code == 0
