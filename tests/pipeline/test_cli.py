"""The commands that need no TensorFlow, as a user types them."""

from __future__ import annotations

import csv
import gzip
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main

from components.feature_store import CLOSE_COLUMNS
from components.synthetic_market import SCENARIOS, get_scenario
from models.formatters import FORMATTERS
from models.registry import ARCHITECTURES
from pipeline.cli import load_app
from pipeline.runs.results import DataSummary, ModelResult, RunReport, SplitResult

Awesome = Callable[..., Any]

ROOT = Path(__file__).parents[2]
HEAVY = ("tensorflow", "tfx", "apache_beam", "keras", "pandas", "pyarrow", "numpy", "rich", "pydantic", "matplotlib")


def command_lines() -> list[tuple[str, ...]]:
    """Every command, found in the application itself, so that a new one cannot be forgotten here."""

    def below(command: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if not children:
            return [path]
        return [line for name, child in children.items() for line in below(child, (*path, name))]

    return below(typer.main.get_command(load_app()), ())


def write_prices(path: Path, sessions: int = 40, bad: dict[int, str] | None = None) -> Path:
    """A long file of one share; `bad` gives closes that are none, by line."""
    lines = ["time,share_id,close"]
    for day in range(sessions):
        close = (bad or {}).get(day + 2, f"{100 + day % 7}")
        lines.append(f"{'2024-01-01' if day < 31 else '2024-02-01'}"[:8] + f"{day % 31 + 1:02d},IBM,{close}")
    path.write_text("\n".join(lines) + "\n")
    return path


def fetch(db: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


# help


def test_every_command_is_found() -> None:
    found = {" ".join(line) for line in command_lines()}
    assert found == {
        *("run", "predict", "evaluate", "audit", "backtest", "tensorboard", "config", "formatters", "models", "market"),
        "experiments",
        *("prices import", "features export", "schema update", "extract", "sources"),
        "walkforward",
        *("db push", "db pull", "model push", "model pull", "model list"),
        *("kubeflow compile", "kubeflow build", "kubeflow push", "kubeflow deploy"),
        *("kubeflow upload", "kubeflow run", "kubeflow runs", "kubeflow terminate", "kubeflow schedule"),
    }


@pytest.mark.parametrize("command", command_lines(), ids=" ".join)
def test_help_holds_an_example_of_the_command(awesome: Awesome, command: tuple[str, ...]) -> None:
    outcome = awesome(*command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    [example] = re.findall(r"Example: (awesome .*)", outcome.out)
    assert example.split()[1 : 1 + len(command)] == list(command)


@pytest.mark.parametrize("command", command_lines(), ids=" ".join)
def test_options_in_the_example_exist(awesome: Awesome, command: tuple[str, ...]) -> None:
    text = awesome(*command, "-h").out
    [example] = re.findall(r"Example: (awesome .*)", text)
    for option in re.findall(r"--[a-z-]+", example):
        assert f"  {option}" in text.split("Example:")[0] or f", {option}" in text.split("Example:")[0]


def test_help_lists_the_commands(awesome: Awesome) -> None:
    outcome = awesome("--help")
    assert outcome.code == 0
    listed = outcome.out.split("Commands:")[1]
    for command in {line[0] for line in command_lines()}:
        assert re.search(rf"^  {command} +\S", listed, re.MULTILINE)


@pytest.mark.parametrize("group", [(), ("prices",), ("features",), ("schema",)])
def test_a_group_without_a_command_prints_its_help(awesome: Awesome, group: tuple[str, ...]) -> None:
    outcome = awesome(*group)
    assert outcome.code == 2
    assert outcome.out.startswith(f"Usage: {' '.join(('awesome', *group))} ")
    assert outcome.err == ""


def test_the_command_line_is_imported_without_anything_heavy() -> None:
    code = "import sys; from pipeline.cli import load_app; load_app(); "
    code += f"print([name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("evaluat",), "No such command 'evaluat'"),
        (("run", "--nonsense"), "--nonsense"),
        (("run", "extra"), "extra"),
        (("run", "--horizon", "abc"), "--horizon"),
        (("run", "--horizon"), "--horizon"),
        (("evaluate",), "Missing argument"),
        (("prices", "imprt"), "No such command 'imprt'"),
    ],
)
def test_a_mistyped_command_is_one_line_that_says_where_help_is(
    awesome: Awesome, arguments: tuple[str, ...], message: str
) -> None:
    outcome = awesome(*arguments)
    assert outcome.code == 2
    assert message in outcome.refusal
    assert re.search(r"; see awesome[a-z ]* --help$", outcome.refusal)


# what ends a command early


def test_a_stopped_command_says_so(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(flags: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("pipeline.plan.load_plan", interrupted)
    outcome = awesome("run")
    assert outcome.code == 130
    assert outcome.refusal.startswith("stopped")


def test_a_missing_library_is_named(awesome: Awesome, market_db: Path) -> None:
    # The fixture hides TensorFlow and TFX, as on a machine that has only the feature store's libraries.
    outcome = awesome("schema", "update", "--db", str(market_db))
    assert outcome.code == 1
    assert outcome.refusal.startswith("tensorflow")
    assert "pip install '.[pipeline]' in a checkout" in outcome.refusal


def test_a_defect_of_ours_is_not_hidden(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(flags: object) -> None:
        raise RuntimeError("defect")

    monkeypatch.setattr("pipeline.plan.load_settings", broken)
    with pytest.raises(RuntimeError, match="defect"):
        awesome("run")


# config


def test_config_prints_value_and_origin_of_every_setting(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("awesome.toml").write_text("horizon = 5\n[hyperparameters.rnn]\nepochs = 2\n")
    monkeypatch.setenv("AWESOME_MODELS", "rnn,linear")
    outcome = awesome("config")
    assert outcome.code == 0
    lines = {line.split()[0]: line for line in outcome.out.splitlines()}
    assert re.match(r"horizon +5 +awesome\.toml +sessions ahead", lines["horizon"])
    assert re.match(r"models +rnn,linear +AWESOME_MODELS +", lines["models"])
    assert re.match(r"seed +0 +default +", lines["seed"])
    assert "[hyperparameters.rnn] epochs = 9" in lines["hyperparameters"]
    assert "{'rnn': {'epochs': 2}}" in lines["hyperparameters"]


# formatters, models, market


def test_formatters_are_described_with_their_features_and_warnings(awesome: Awesome) -> None:
    text = " ".join(awesome("formatters").out.split())
    for formatter in FORMATTERS.values():
        assert formatter.description in text
        assert all(f" {feature.name}" in text for feature in formatter.features)
    assert text.count("warning: ") == sum(formatter.warning is not None for formatter in FORMATTERS.values())
    assert "returns[20] (sequence, of closes)" in text


def test_models_are_described_with_versions_and_hyperparameters(awesome: Awesome) -> None:
    text = " ".join(awesome("models").out.split())
    for architecture in ARCHITECTURES.values():
        assert architecture.description in text
        assert f"learning_rate {architecture.hyperparameters.learning_rate}" in text
    assert "version 1, 2 (default)" in text


def test_markets_are_listed_with_the_best_possible_auc(awesome: Awesome) -> None:
    lines = {line.split()[0]: line for line in awesome("market").out.splitlines()}
    assert list(lines) == list(SCENARIOS)
    assert "0.5000" in lines["null"]
    assert f"{get_scenario('reversal_easy').best_auc(1):.4f}" in lines["reversal_easy"]


def test_a_market_is_written_and_its_best_auc_printed(awesome: Awesome) -> None:
    outcome = awesome("market", "reversal_easy", "--db", "m.db", "--shares", "2", "--sessions", "60", "--seed", "3")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[0].startswith("m.db: 2 shares x 60 sessions, ")
    assert f"best possible AUC at horizon 1: {get_scenario('reversal_easy').best_auc(1):.4f}" in outcome.out
    assert f"best possible AUC at horizon 20: {get_scenario('reversal_easy').best_auc(20):.4f}" in outcome.out
    assert fetch(Path("m.db"), "SELECT share_id, COUNT(*) FROM FEATURE GROUP BY 1") == [("S000", 40), ("S001", 40)]
    first = fetch(Path("m.db"), "SELECT * FROM FEATURE")
    awesome("market", "reversal_easy", "--db", "same.db", "--shares", "2", "--sessions", "60", "--seed", "3")
    awesome("market", "reversal_easy", "--db", "other.db", "--shares", "2", "--sessions", "60", "--seed", "4")
    assert fetch(Path("same.db"), "SELECT * FROM FEATURE") == first
    assert fetch(Path("other.db"), "SELECT * FROM FEATURE") != first


def test_a_market_without_a_file_name_gets_one(awesome: Awesome) -> None:
    assert awesome("market", "null", "--shares", "1", "--sessions", "30").code == 0
    assert Path("market-null.db").is_file()


# prices import, features export


def test_prices_are_imported_in_full(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"))
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == "40 prices taken into p.db, 0 rows refused"
    assert re.search(r"^IBM +40 +0 +0 +2024-01-01 +2024-02-09 *$", outcome.out, re.MULTILINE)
    assert fetch(Path("p.db"), "SELECT COUNT(*) FROM PRICE") == [(40,)]
    again = awesome("prices", "import", str(file), "--db", "p.db")
    assert again.code == 0
    assert re.search(r"^IBM +0 +0 +40 ", again.out, re.MULTILINE)


def test_the_database_of_the_settings_is_used_where_none_is_named(
    awesome: Awesome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWESOME_DB", "mine.db")
    assert awesome("prices", "import", str(write_prices(Path("prices.csv")))).code == 0
    assert Path("mine.db").is_file()
    assert not Path("awesome.db").exists()


def test_refused_rows_are_printed_with_their_lines(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"), bad={5: "n/a", 9: "-3"})
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert outcome.code == 3
    assert re.search(r"^refused: row 5, share IBM, 2024-01-04: .", outcome.out, re.MULTILINE)
    assert re.search(r"^refused: row 9, share IBM, 2024-01-08: .", outcome.out, re.MULTILINE)
    assert outcome.out.count("refused: ") == 2
    assert outcome.out.splitlines()[-1] == "38 prices taken into p.db, 2 rows refused"


def test_of_many_refused_rows_the_first_are_printed_and_all_are_counted(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"), bad=dict.fromkeys(range(2, 37), "0"))
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert outcome.code == 3
    assert outcome.out.count("refused: row") == 20
    assert "... and 15 more" in outcome.out
    assert outcome.out.splitlines()[-1] == "5 prices taken into p.db, 35 rows refused"


def test_nothing_taken_is_another_exit_code(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"), bad=dict.fromkeys(range(2, 42), "none"))
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert outcome.code == 4
    assert outcome.out.splitlines()[-1] == "0 prices taken into p.db, 40 rows refused"


def test_another_source_is_refused_until_it_may_replace(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"))
    assert awesome("prices", "import", str(file), "--db", "p.db", "--source", "one").code == 0
    refused = awesome("prices", "import", str(file), "--db", "p.db", "--source", "two")
    assert "IBM" in refused.refusal
    assert fetch(Path("p.db"), "SELECT DISTINCT source FROM PRICE") == [("one",)]
    assert awesome("prices", "import", str(file), "--db", "p.db", "--source", "two", "--replace").code == 0
    assert fetch(Path("p.db"), "SELECT DISTINCT source FROM PRICE") == [("two",)]


def test_ignored_columns_are_named(awesome: Awesome) -> None:
    file = Path("prices.csv")
    rows = [line + ",x" for line in write_prices(file).read_text().splitlines()]
    file.write_text("\n".join(["time,share_id,close,mood", *rows[1:]]))
    assert "ignored columns: mood" in awesome("prices", "import", str(file), "--db", "p.db").out


def test_a_bracketed_share_is_printed_as_it_is(awesome: Awesome) -> None:
    file = write_prices(Path("[red]x.csv"), bad={3: "[bold]"})
    file.write_text(file.read_text().replace("IBM", "[b]IBM"))
    outcome = awesome("prices", "import", str(file), "--db", "[red]p.db")
    assert re.search(r"^\[b\]IBM +39 ", outcome.out, re.MULTILINE)
    assert "refused: row 3, share [b]IBM, 2024-01-02: " in outcome.out
    assert outcome.out.splitlines()[-1] == "39 prices taken into [red]p.db, 1 rows refused"


def test_features_are_exported_as_they_are_stored(awesome: Awesome, market_db: Path) -> None:
    outcome = awesome("features", "export", "f.csv", "--db", str(market_db), "--header")
    assert (outcome.code, outcome.out, outcome.err) == (0, "2040 rows written to f.csv\n", "")
    with Path("f.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["time", "share_id", *CLOSE_COLUMNS]
    assert len(rows) == 3 * (700 - 20)
    time, share_id, close0 = rows[7][:3]
    [(stored,)] = fetch(market_db, f"SELECT close0 FROM FEATURE WHERE share_id = '{share_id}' AND time = '{time}'")
    assert float(close0) == pytest.approx(stored, rel=1e-14)
    awesome("features", "export", "plain.csv", "--db", str(market_db))
    assert Path("plain.csv").read_bytes() == Path("f.csv").read_bytes().split(b"\n", 1)[1]


# evaluate, predict


def written_report(folder: Path, **changes: Any) -> Path:
    """A run of one model that was not blessed."""
    model = ModelResult(
        auc=0.513,
        auc_low=0.49,
        auc_high=0.535,
        accuracy=0.507,
        majority=0.521,
        rank_ic=0.012,
        rank_ic_low=-0.01,
        rank_ic_high=0.03,
        blessed=False,
        reason="AUC 0.5130 may be chance: its interval (0.4900 to 0.5350) contains 0.5",
        rows=1000,
        model_uri=str(folder / "gone"),
        model_run_uri=str(folder / "gone too"),
        auc_standard_error=0.014,
    )
    values: dict[str, Any] = {
        "created": "2024-05-06T07:08:09+00:00",
        "models": {"linear": model},
        "splits": {"test": SplitResult("2012-01-03", "2013-02-28", 1000, 0, 2, 290)},
        "champion": None,
        "pushed": None,
        "seconds": {"Transform": 1.0},
        "cached": (),
        "data": DataSummary(5, 3270, "d", "2000-03-01", "2013-03-01", ("IBM",), "awesome.db"),
        "settings": {"formatter": "window_returns", "horizon": 1, "seed": 0, "models": "linear"},
        "market": None,
        "versions": {},
    }
    folder.mkdir(parents=True)
    RunReport(**(values | changes)).to_json(folder / "report.json")
    return folder


@pytest.mark.parametrize("name", ["runs/one", "runs/one/report.json"])
def test_evaluate_prints_the_table_and_the_verdict_again(awesome: Awesome, name: str) -> None:
    written_report(Path("runs/one"))
    outcome = awesome("evaluate", name)
    assert (outcome.code, outcome.err) == (0, "")
    text = " ".join(outcome.out.split())
    assert "Test split 2012-01-03 to 2013-02-28: 1,000 rows, 290 sessions" in text
    assert re.search(r"linear +0\.513 +0\.507 +\+0\.012", outcome.out)
    assert "No model beats chance beyond its 95 % interval on 290 test days" in text


@pytest.mark.parametrize("command", ["evaluate", "tensorboard"])
def test_a_run_that_is_not_there_is_refused(awesome: Awesome, command: str) -> None:
    assert awesome(command, "runs/none").refusal.startswith("runs/none")
    Path("report.json").write_text("{}")
    assert "report.json" in awesome(command, "report.json").refusal


def test_training_logs_that_are_gone_are_named(awesome: Awesome) -> None:
    written_report(Path("runs/one"))
    assert "linear" in awesome("tensorboard", "runs/one").refusal


def test_predict_without_a_pushed_model_says_what_to_do(awesome: Awesome, market_db: Path) -> None:
    message = awesome("predict", "--db", str(market_db)).refusal
    assert message.startswith("no model was pushed")
    assert "awesome predict --model" in message


def test_predict_without_a_run_says_what_to_do(awesome: Awesome, market_db: Path) -> None:
    written_report(Path("runs/other"))  # on another database
    message = awesome("predict", "--db", str(market_db), "--model", "linear").refusal
    assert message.startswith("no run in runs has used")
    assert "awesome run" in message


def test_predict_from_a_model_the_run_does_not_have(awesome: Awesome) -> None:
    written_report(Path("runs/one"))
    assert awesome("predict", "--model", "rnn").refusal == "runs/one has no model 'rnn'; it has linear"
    assert awesome("predict", "--run", "runs/one").refusal.startswith("runs/one has no champion")
    assert "gone" in awesome("predict", "--model", "linear").refusal


def test_predict_takes_the_latest_run_and_passes_over_reports_it_cannot_read(awesome: Awesome) -> None:
    written_report(Path("runs/b-older"), created="2024-05-06T07:08:08+00:00")
    written_report(Path("runs/a-newest"), created="2024-05-06T07:08:10+00:00")
    written_report(Path("runs/c-horizon"), created="2025-01-01T00:00:00+00:00", settings={"horizon": 20})
    written_report(Path("runs/d-version"), created="2025-01-01T00:00:00+00:00", schema_version=99)
    Path("runs/e-broken").mkdir()
    Path("runs/e-broken/report.json").write_text("{")
    assert awesome("predict", "--model", "rnn").refusal.startswith("runs/a-newest has no model")


def test_the_shipped_prices_are_readable_as_they_are_shipped(awesome: Awesome) -> None:
    from pipeline.job.prices import SHIPPED_PRICES

    with gzip.open(SHIPPED_PRICES, "rt", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    outcome = awesome("prices", "import", str(SHIPPED_PRICES), "--db", "p.db")
    assert outcome.code in (0, 3)
    taken, refused = map(int, re.findall(r"(\d+) (?:prices|rows)", outcome.out.splitlines()[-1]))
    assert taken + refused == rows
    assert taken > 0.99 * rows


def test_config_fails_on_settings_that_cannot_be_used(awesome: Awesome) -> None:
    Path("awesome.toml").write_text("horizon = [1]")
    assert awesome("config").refusal.startswith("horizon (from awesome.toml): ")


def test_the_printed_json_of_a_forecast_is_json() -> None:
    from pipeline.uses.predict import Forecast, ShareForecast

    forecast = Forecast((ShareForecast("IBM", "2013-03-01", 0.5),), "rnn", "x", False, 1, 0.51, float("nan"), 0.53)
    values = json.loads(forecast.to_json())
    assert values["shares"] == [{"share_id": "IBM", "session": "2013-03-01", "probability": 0.5}]
    assert (values["auc"], values["auc_low"]) == (0.51, None)


@pytest.mark.parametrize("blessed", [False, True])
def test_a_forecast_says_what_it_is_worth(capsys: pytest.CaptureFixture[str], blessed: bool) -> None:
    from rich.console import Console

    from pipeline.uses.predict import Forecast, ShareForecast, print_forecast

    forecast = Forecast((ShareForecast("[b]", "2013-03-01", 0.51234),), "rnn", "x", blessed, 20, 0.513, 0.49, 0.536)
    print_forecast(forecast, Console(width=200))
    text = capsys.readouterr().out
    assert re.search(r"^\[b\] +2013-03-01 +0\.5123 *$", text, re.MULTILINE)
    assert "after 20 sessions" in text
    assert "AUC on the test split 0.5130 (95 % interval over blocks of days 0.4900 to 0.5360)" in text
    assert ("NOT BLESSED" in text) is not blessed
