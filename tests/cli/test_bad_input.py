"""What a user can get wrong: one clear line, a non-zero exit, before TensorFlow is loaded, and nothing is changed."""

from __future__ import annotations

import fcntl
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import COMMAND

from components.feature_store import CLOSE_COLUMNS
from models.card import CARD_FILE, EXTRA_FOLDER, ModelCard

Awesome = Callable[..., Any]


def make_database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def feature_table(closes: int) -> str:
    return f"CREATE TABLE FEATURE (time, share_id, {', '.join(CLOSE_COLUMNS[:closes])})"


@pytest.fixture
def m_db(folder: Path, market_db: Path) -> Path:
    """A good store in the working folder, to be spoilt."""
    shutil.copy(market_db, folder / "m.db")
    return Path("m.db")


def tree(folder: Path) -> dict[str, bytes | None]:
    """Every file's bytes and every folder below a folder, but the workspace's lock."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name not in ("runs", ".lock")
    }


# databases

NO_NUMBER = "UPDATE FEATURE SET close3 = 'n/a' WHERE share_id = 'S001' AND time = '2001-01-05'"
DATABASES: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (
        lambda path: path.write_text("a text of more than sixteen bytes"),
        "x.db is not an SQLite database",
    ),
    "a cut header": (lambda path: path.write_bytes(b"SQLite format 3\0"), "x.db"),
    "no bytes": (lambda path: path.touch(), "x.db is empty"),
    "a folder": (lambda path: path.mkdir(), "x.db is a folder"),
    "nothing": (lambda path: None, "x.db does not exist"),
    "another database": (lambda path: make_database(path, "CREATE TABLE t (a)"), "neither FEATURE nor PRICE"),
    "no rows": (lambda path: make_database(path, feature_table(21)), "holds no feature row"),
    "no close20": (lambda path: make_database(path, feature_table(20)), "FEATURE has no column close20"),
    "no closes": (lambda path: make_database(path, feature_table(1)), "FEATURE has no column close1, close2"),
}


@pytest.mark.parametrize(
    "command", [("run",), ("schema", "update"), ("features", "export", "f.csv")], ids=["run", "schema", "export"]
)
@pytest.mark.parametrize(("make", "message"), DATABASES.values(), ids=DATABASES)
def test_a_database_that_cannot_serve(
    awesome: Awesome, folder: Path, command: tuple[str, ...], make: Callable[[Path], object], message: str
) -> None:
    make(folder / "x.db")
    before = tree(folder)
    if command[0] == "features" and message == "holds no feature row":
        assert awesome(*command, "--db", "x.db").out == "0 rows written to f.csv\n"
        return
    outcome = awesome(*command, "--db", "x.db")
    assert outcome.code == 1
    assert message in outcome.refusal
    assert "x.db" in outcome.refusal
    assert tree(folder) == before


@pytest.mark.parametrize("damage", [slice(100, 600), slice(8192, 8292), slice(20_000, 300_000)])
def test_a_damaged_database_is_named(awesome: Awesome, folder: Path, m_db: Path, damage: slice) -> None:
    content = bytearray(m_db.read_bytes())
    content[damage] = b"\xff" * len(content[damage])
    m_db.write_bytes(content)
    before = tree(folder)
    outcome = awesome("run", "--db", "m.db", "--models", "linear")
    assert "m.db" in outcome.refusal
    assert tree(folder) == before


def test_a_missing_database_that_was_named_is_not_made_of_the_shipped_prices(awesome: Awesome, folder: Path) -> None:
    assert "awesome prices import FILE --db prices.db" in awesome("run", "--db", "prices.db").refusal
    assert tree(folder) == {}


def test_a_time_that_is_no_date(awesome: Awesome, folder: Path, m_db: Path) -> None:
    make_database(m_db, "UPDATE FEATURE SET time = 'yesterday' WHERE share_id = 'S001' AND time = '2001-01-05'")
    before = tree(folder)
    assert "yesterday" in awesome("run", "--db", "m.db").refusal
    assert tree(folder) == before


def test_text_where_a_number_belongs_is_named_with_share_and_day(awesome: Awesome, folder: Path, m_db: Path) -> None:
    make_database(m_db, NO_NUMBER)
    before = tree(folder)
    message = awesome("schema", "update", "--db", "m.db").refusal
    assert message.startswith("m.db: FEATURE, share S001, 2001-01-05: close3 is 'n/a', not a price above 0")
    assert tree(folder) == before


# settings


# What is wrong with a setting alone, tests/pipeline has.
BAD_RUNS: dict[str, tuple[tuple[str, ...], str]] = {
    "unknown model": (("--models", "lstm"), "model 'lstm' does not exist; there are linear, dnn, custom_dnn, rnn"),
    "unknown share": (("--shares", "S000,IBM"), "m.db has no share IBM; it has S000, S001, S002"),
    "empty market": (("--market", "null", "--market-shares", "0"), "market_shares (from --market-shares)"),
    "short market": (("--market", "null", "--market-shares", "2", "--market-sessions", "90"), "too short"),
    "long horizon": (("--horizon", "1000"), "the data is too short: 680 sessions leave the train split 0 sessions"),
    "dates outside": (("--split-dates", "1990-01-01,2001-01-01"), "split date 1990-01-01 lies outside the data"),
    "dates too close": (("--split-dates", "2001-01-01,2001-01-15"), "the eval split 0 sessions"),
}


@pytest.mark.parametrize(("flags", "message"), BAD_RUNS.values(), ids=BAD_RUNS)
def test_a_run_that_cannot_be(awesome: Awesome, folder: Path, m_db: Path, flags: tuple[str, ...], message: str) -> None:
    before = tree(folder)
    database = () if "--market" in flags else ("--db", "m.db")
    outcome = awesome("run", *database, "--models", "linear", *flags)
    assert outcome.code == 1
    assert message in outcome.refusal
    made = {name for name in set(tree(folder)) - set(before) if not name.startswith("runs/markets")}
    assert made == set()
    assert (folder / "m.db").read_bytes() == before["m.db"]


def test_a_settings_file_that_cannot_be_used(awesome: Awesome, folder: Path, m_db: Path) -> None:
    Path("awesome.toml").write_text("[hyperparameters.linear]\nepoch = 1")
    before = tree(folder)
    refusal = awesome("run", "--db", "m.db").refusal
    assert refusal.startswith("hyperparameters.linear (from awesome.toml): hyperparameter 'epoch' does not exist")
    assert tree(folder) == before


# folders; the tests may run as root, whom no permission stops, so a file stands in the way


@pytest.mark.parametrize(
    ("flags", "named"),
    [
        (("--output", "file/out"), "file/out"),
        (("--output", "file"), "file"),
        (("--workspace", "file"), "file"),
        (("--workspace", "file/runs"), "file/runs"),
        (("--workspace", "file", "--output", "out"), "file"),
    ],
)
def test_a_folder_that_cannot_be_written(
    awesome: Awesome, folder: Path, m_db: Path, flags: tuple[str, ...], named: str
) -> None:
    Path("file").write_text("a file")
    before = tree(folder)
    message = awesome("run", "--db", "m.db", *flags).refusal
    assert message.startswith(f"{named} cannot be written (")
    assert tree(folder) == before


@pytest.mark.parametrize("name", ["report.json", "notes.txt", ".report.html.d/x", "audit.json", "walkforward.html"])
def test_an_output_folder_that_holds_what_no_killed_run_leaves_is_kept(
    awesome: Awesome, folder: Path, m_db: Path, name: str
) -> None:
    Path("out", name).parent.mkdir(parents=True)
    Path("out/run.log").write_text("up to here\n")
    Path("out", name).write_text("{}")
    before = tree(folder)
    assert awesome("run", "--db", "m.db", "--output", "out").refusal.startswith("--output out is not empty")
    assert tree(folder) == before


WHOLE = ("run.log", "predictions.parquet", "report.html")
"""What a run writes before report.json, in this order."""


@pytest.mark.parametrize(
    ("done", "partial"),
    [
        (0, ".partial-probe"), (1, ""), (1, ".partial-01234567-predictions.parquet"), (2, ""),
        (2, ".partial-89abcdef-report.html"), (3, ""), (3, ".partial-01234567-report.json"),
    ],
)  # fmt: skip
def test_an_output_folder_of_a_killed_run_is_taken_again(
    awesome: Awesome, folder: Path, m_db: Path, done: int, partial: str
) -> None:
    Path("out").mkdir()
    for name in WHOLE[:done]:
        Path("out", name).write_text("up to here\n")
    before = tree(folder)
    if partial:
        Path("out", partial).write_text("up to h")
    # The next thing a run needs is TFX, which this fixture hides: so the folder was taken.
    assert "pip install '.[pipeline]' in a checkout" in awesome("run", "--db", "m.db", "--output", "out").refusal
    assert tree(folder) == before


def test_a_page_without_what_a_run_writes_before_it_is_somebodys_own(
    awesome: Awesome, folder: Path, m_db: Path
) -> None:
    Path("out").mkdir()
    Path("out", "report.html").write_text("mine")
    before = tree(folder)
    assert awesome("run", "--db", "m.db", "--output", "out").refusal.startswith("--output out is not empty")
    assert tree(folder) == before


@pytest.mark.parametrize("name", ["experiments.html", "experiments.json"])
def test_experiments_do_not_take_the_place_of_somebodys_own(awesome: Awesome, folder: Path, name: str) -> None:
    Path("out").mkdir()
    Path("out", name).write_text("mine")
    before = tree(folder)
    refusal = awesome("experiments", "--output", "out").refusal
    assert refusal == f"--output out: holds {name} of something else; name another folder"
    assert tree(folder) == before


@pytest.mark.parametrize("command", [("run",), ("walkforward", "--folds", "2")])
@pytest.mark.parametrize("make", [Path.mkdir, Path.touch])
def test_what_is_called_latest_and_is_no_link_stays(
    awesome: Awesome, m_db: Path, command: tuple[str, ...], make: Callable[[Path], None]
) -> None:
    home = Path("runs") if command[0] == "run" else Path("runs/walkforward")
    home.mkdir(parents=True)
    make(home / "latest")
    refusal = awesome(*command, "--db", "m.db").refusal
    assert refusal == f"{home / 'latest'} is no link to the last run; move it away, or name another --workspace"
    assert (home / "latest").exists()


def test_an_empty_output_folder_of_the_users_stays(awesome: Awesome, m_db: Path) -> None:
    Path("out").mkdir()
    assert awesome("run", "--db", "m.db", "--output", "out", "--shares", "IBM").code == 1
    assert list(Path("out").iterdir()) == []


def test_a_second_run_in_the_same_workspace(awesome: Awesome, folder: Path, m_db: Path) -> None:
    Path("runs").mkdir()
    with Path("runs/.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = tree(folder)
        assert awesome("run", "--db", "m.db").refusal.startswith("another run works in runs")
        assert tree(folder) == before
        assert "another run" not in awesome("run", "--db", "m.db", "--workspace", "other", "--shares", "IBM").refusal
    assert "another run" not in awesome("run", "--db", "m.db", "--shares", "IBM").refusal


@pytest.mark.parametrize("out", ["file/s.pbtxt", "."])
def test_a_schema_that_cannot_be_written(awesome: Awesome, m_db: Path, out: str) -> None:
    Path("file").touch()
    message = awesome("schema", "update", "--db", "m.db", "--out", out).refusal
    assert message.startswith(f"{out} cannot be written")


def test_features_that_cannot_be_written(awesome: Awesome, folder: Path, m_db: Path) -> None:
    Path("file").touch()
    before = tree(folder)
    assert awesome("features", "export", "file/f.csv", "--db", "m.db").refusal.startswith("file/f.csv")
    assert tree(folder) == before


@pytest.mark.parametrize("arguments", [("none.csv",), ("m.db",), (".",), ("empty.csv",), ("wrong.csv",)])
def test_a_file_of_prices_that_cannot_be_read(
    awesome: Awesome, folder: Path, m_db: Path, arguments: tuple[str, ...]
) -> None:
    Path("empty.csv").touch()
    Path("wrong.csv").write_text("a;b;c\n1;2;3\n")
    before = tree(folder)
    assert arguments[0] in awesome("prices", "import", *arguments, "--db", "m.db").refusal
    assert tree(folder) == before


def test_a_market_that_cannot_be(awesome: Awesome, folder: Path, m_db: Path) -> None:
    before = tree(folder)
    assert "bull" in awesome("market", "bull").refusal
    assert "at least 1" in awesome("market", "null", "--shares", "0").refusal
    assert "seed" in awesome("market", "null", "--seed", "-1").refusal
    assert "m.db holds prices" in awesome("market", "null", "--db", "m.db").refusal
    assert tree(folder) == before


def test_a_share_of_the_prediction_that_does_not_exist(awesome: Awesome, m_db: Path) -> None:
    saved = Path("runs/serving/m-window_returns-h1/1")
    (saved / "assets.extra").mkdir(parents=True)
    (saved / "saved_model.pb").touch()
    (saved / "assets.extra/evidence.json").write_text('{"metrics": {"auc": 1, "auc_low": 1, "auc_high": 1}}')
    card = saved / EXTRA_FOLDER / CARD_FILE
    for damaged in (None, "", "[]", '{"model": "linear"}'):
        if damaged is not None:
            card.write_text(damaged)
        refusal = awesome("predict", "--db", "m.db", "--shares", "IBM").refusal
        assert refusal.startswith(f"{saved}: what the model says of itself cannot be read (")
    card.write_text(ModelCard("linear", 1, "window_returns", 1, 0, 1, "").to_json())
    assert awesome("predict", "--db", "m.db", "--shares", "IBM").refusal.startswith("m.db has no share IBM")
    of_another = ModelCard("linear", 1, "window_returns", 1, 0, 1, "", label="outperform")
    own = card.read_text()
    card.write_text(of_another.to_json())
    assert awesome("predict", "--db", "m.db").refusal.startswith(f"{saved} holds a model of label outperform, ")
    card.write_text(own)
    assert awesome("predict", "--db", "m.db", "--horizon", "2").refusal.startswith("no run in runs has used m.db")
    assert awesome("predict", "--db", "none.db").refusal.startswith("none.db does not exist; name the database that")
    card.write_text(ModelCard("linear", 1, "window_returns", 20, 0, 1, "").to_json())
    refusal = awesome("predict", "--db", "m.db", "--shares", "IBM").refusal
    assert refusal.startswith(f"{saved} holds a model of horizon 20 and formatter window_returns, and horizon 1 and")
    card.write_text(ModelCard("linear", 1, "window_returns", 1, 0, 1, "").to_json())
    for damaged in ("", "[]", '{"metrics": {}}', '{"metrics": {"auc": "1"}}'):
        (saved / "assets.extra/evidence.json").write_text(damaged)
        refusal = awesome("predict", "--db", "m.db", "--shares", "IBM").refusal
        assert refusal.startswith(f"{saved}: its evidence cannot be read (")


# found only when the rows are read


@pytest.mark.slow
def test_text_in_a_row_ends_the_run_itself_with_one_line(folder: Path, m_db: Path) -> None:
    make_database(m_db, NO_NUMBER)
    before = m_db.read_bytes()
    command = [COMMAND, "run", "--db", "m.db", "--models", "linear"]
    done = subprocess.run([*command, "--output", "out"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line == f"awesome: {folder}/m.db: FEATURE, share S001, 2001-01-05: close3 is 'n/a', not a price above 0" + (
        "; import the share's prices again"
    )
    assert "FeatureExampleGen" not in done.stdout
    assert m_db.read_bytes() == before
    assert [path.name for path in Path("out").iterdir()] == ["run.log"]
    assert re.search("close3 is 'n/a'", Path("out/run.log").read_text())


# found only when a model is trained


@pytest.mark.slow
def test_a_learning_rate_without_sense_ends_the_run_with_one_line(folder: Path) -> None:
    Path("awesome.toml").write_text("[hyperparameters.linear]\nlearning_rate = 1e38\n")
    command = [COMMAND, "run", "--market", "null", "--models", "linear:1"]
    command += ["--market-shares", "3", "--market-sessions", "800", "--output", "out"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == (
        "awesome: Trainer.linear: training diverged, its losses are no numbers: lower learning_rate, which is 1e+38\n"
    )
    assert [path.name for path in Path("out").iterdir()] == ["run.log"]
