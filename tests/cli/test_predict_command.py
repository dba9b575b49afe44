"""`awesome predict`: what it refuses before anything is computed, and the table that it writes."""

from __future__ import annotations

import io
import json
import re
import shlex
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from pipeline.given_flags import OF_PREDICT
from pipeline.plan import load_plan
from pipeline.uses.past import PastForecasts
from pipeline.uses.past_table import past_json, print_past
from pipeline.uses.prediction_table import PredictionTableError, write_predictions

Awesome = Callable[..., Any]
ROWS = [("2024-01-02", "A", 0.5), ("2024-01-02", "B", 0.25)]


@pytest.fixture
def database(market_db: Path, folder: Path) -> Path:
    return Path(shutil.copy(market_db, folder / "m.db"))


def select(database: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


def test_the_same_again_changes_nothing_and_another_probability_takes_its_place(database: Path) -> None:
    first = write_predictions(database, "said", ROWS, "rnn", "run 1", "up", 1)
    assert (first.rows, first.written) == (2, 2)
    stood = select(database, "SELECT * FROM said")
    assert write_predictions(database, "SAID", ROWS, "rnn", "run 1", "up", 1).written == 0
    assert select(database, "SELECT * FROM said") == stood
    restated = [("2024-01-02", "A", 0.75), *ROWS[1:]]
    assert write_predictions(database, "said", restated, "rnn", "run 1", "up", 1).written == 1
    assert select(database, "SELECT probability FROM said") == [(0.75,), (0.25,)]
    assert write_predictions(database, "said", ROWS, "rnn", "run 2", "up", 1).written == 2
    assert select(database, "SELECT COUNT(*) FROM said") == [(4,)]


@pytest.mark.parametrize("name", ["select", "ORDER", "table"])
def test_a_table_may_be_called_like_a_word_of_sql(database: Path, name: str) -> None:
    assert write_predictions(database, name, ROWS, "rnn", "run 1", "up", 1).written == 2
    assert write_predictions(database, name, ROWS, "rnn", "run 1", "up", 1).written == 0
    assert select(database, f'SELECT COUNT(*) FROM "{name}"') == [(2,)]


def test_rows_are_written_all_or_none(database: Path) -> None:
    broken = [*ROWS, ("2024-01-03", "A", None)]
    with pytest.raises(Exception, match="NOT NULL"):
        write_predictions(database, "said", broken, "rnn", "run 1", "up", 1)  # type: ignore[arg-type]
    assert select(database, "SELECT name FROM sqlite_master WHERE name = 'said'") == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("price", "has another purpose"),
        ("sqlite_x", "has another purpose"),
        ("pragma_x", "has another purpose"),
        ("a b", "has letters, digits and _"),
        ("2x", "has letters, digits and _"),
        ("other", "has a table of that name with another shape (columns a, b)"),
        ("shown", "has a view of that name with another shape"),
        ("unkeyed", "has a table of that name with another shape"),
        ("sorted_rows", "has an index of that name with another shape"),
    ],
)
def test_a_table_of_another_purpose_or_shape_is_refused(awesome: Awesome, database: Path, name: str, why: str) -> None:
    columns = "session, share_id, model, run, label, horizon, probability, made_at"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE other (a, b)")
        connection.execute("CREATE VIEW shown AS SELECT * FROM PRICE")
        connection.execute(f"CREATE TABLE unkeyed ({columns})")
        connection.execute("CREATE INDEX sorted_rows ON unkeyed (session)")
    refusal = awesome("predict", "--db", str(database), "--db-table", name).refusal
    assert refusal.startswith(f"--db-table {name}: ")
    assert why in refusal
    with pytest.raises(PredictionTableError):
        write_predictions(database, name, ROWS, "rnn", "run 1", "up", 1)


def test_a_folder_that_holds_no_pulled_model_is_no_name_of_a_candidate(awesome: Awesome, database: Path) -> None:
    Path("mine").mkdir()
    refusal = awesome("predict", "--db", str(database), "--model", "mine").refusal
    assert refusal.startswith("--model mine holds no model that was pulled; bring one: awesome model pull ")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (("--since", "tomorrow"), "tomorrow is no date such as 2020-12-31"),
        (("--until", "2024-13-01"), "2024-13-01 is no date such as 2020-12-31"),
        (("--since", "2024-02-01", "--until", "2024-01-01"), "2024-02-01 is after --until 2024-01-01"),
        (("--output", "none/said.csv"), "the folder none does not exist"),
        (("--output", "said.xlsx"), "name a file that ends in .csv, .parquet, .json"),
    ],
)
def test_what_cannot_be_meant_is_refused(awesome: Awesome, database: Path, options: tuple[str, ...], why: str) -> None:
    assert why in awesome("predict", "--db", str(database), *options).refusal


def test_a_hint_has_the_users_own_options(awesome: Awesome, database: Path) -> None:
    refusal = awesome("predict", "--db", str(database), "--horizon", "5", "--shares", "S001,S000").refusal
    assert refusal == (
        f"no run in runs has used {database} with formatter window_returns and horizon 5; start one: "
        f"awesome run --db {database} --shares S001,S000 --horizon 5; "
        f"or name it: awesome predict --db {database} --shares S001,S000 --horizon 5 --run FOLDER"
    )
    refusal = awesome("predict", "--db", str(database), "--model", "rnn").refusal
    assert f"start one: awesome run --db {database}; or" in refusal


def test_a_hint_has_the_commands_other_options_too_quoted_for_the_shell(awesome: Awesome, database: Path) -> None:
    own = ["--since", "2000-03-01", "--until", "2000-04-01", "--json", "--output", "my file.csv", "--db-table", "P"]
    refusal = awesome("predict", "--db", str(database), *own).refusal
    assert f"start one: awesome run --db {database}; or name it: " in refusal
    said = shlex.split(refusal.partition(" or name it: ")[2])
    assert (said[:4], said[-2:]) == (["awesome", "predict", "--db", str(database)], ["--run", "FOLDER"])
    assert parted(said[4:-2]) == parted(own)
    # What the hint says is taken: it is refused for the folder alone, which is there no more than the run.
    assert awesome(*said[1:]).refusal.startswith("FOLDER")


def parted(words: list[str]) -> set[str]:
    """Each option with its value."""
    return set(re.split(" (?=--)", " ".join(words)))


def test_shares_of_a_file_are_named_by_the_file(awesome: Awesome, database: Path, folder: Path) -> None:
    (folder / "some.txt").write_text("S000\nS001\n")
    refusal = awesome("predict", "--db", str(database), "--shares", "@some.txt").refusal
    assert f"start one: awesome run --db {database} --shares @some.txt; or name it: " in refusal
    assert refusal.endswith(f"awesome predict --db {database} --shares @some.txt --run FOLDER")


def test_windows_that_were_left_out_of_the_past_are_had_by_the_same_command(folder: Path) -> None:
    past = PastForecasts(
        sessions=("2024-01-02",) * 50, share_ids=("A",) * 50, probabilities=np.full(50, 0.5, np.float32),
        uses=("later",) * 50, model="rnn", origin="runs/x", blessed=True, horizon=1, label="up", auc=0.6, auc_low=0.55,
        auc_high=0.65, across=3,
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=500)
    print_past(past, console, replace(load_plan(), command="predict", own={"since": ("--since", "2024-01-02")}))
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "a file has them all: awesome predict --since 2024-01-02 --output FILE.csv\n" in said
    assert "allow more: awesome predict --since 2024-01-02 --max-missing-sessions N\n" in said


def test_the_options_that_hints_repeat_are_those_of_the_commands() -> None:
    from pipeline.cli.jobs import run
    from pipeline.cli.predict import predict

    assert signature(predict).parameters.keys() >= set(OF_PREDICT) <= signature(run).parameters.keys()


def test_a_panel_has_no_tables_even_before_it_is_fetched(awesome: Awesome, folder: Path) -> None:
    refusal = awesome("predict", "--panel", "s3://bucket/panel", "--db-table", "PREDICTION").refusal
    assert "is a panel, and tables are of databases; write a file instead: --output" in refusal


def test_what_keeps_a_model_back_and_what_its_market_lacks_stands_under_the_past_too(folder: Path) -> None:
    past = PastForecasts(
        sessions=("2024-01-02",), share_ids=("A",), probabilities=np.array([0.5], np.float32), uses=("later",),
        model="rnn", origin="runs/x", blessed=True, horizon=1, label="up", auc=0.6, auc_low=0.55, auc_high=0.65,
        absent=("B", "C"), held_back=("null test",),
    )  # fmt: skip
    console = Console(file=io.StringIO(), width=500)
    print_past(past, console, load_plan())
    said = console.file.getvalue()  # type: ignore[attr-defined]
    assert "the market that the model knows lacks 2 shares here, so it is another one: B, C" in said
    assert "rnn: HELD BACK: the leak audit does not believe its figures (null test); AUC on the test split 0.6" in said
    assert json.loads(past_json(past))["held_back"] == ["null test"]
