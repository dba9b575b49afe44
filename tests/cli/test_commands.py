"""The commands that need no TensorFlow, as a user types them."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer.main

from components.synthetic_market import SCENARIOS, get_scenario
from models.formatters import FORMATTERS
from models.labels import LABELS
from models.registry import ARCHITECTURES
from pipeline.cli import load_app
from pipeline.cli.common import warn_of_plan
from pipeline.plan import load_plan

Awesome = Callable[..., Any]


def command_lines() -> list[tuple[str, ...]]:
    """Every command, found in the application itself, so that a new one cannot be forgotten here."""

    def below(command: Any, path: tuple[str, ...]) -> list[tuple[str, ...]]:
        children = getattr(command, "commands", None)
        if not children:
            return [path]
        own = [path] if command.invoke_without_command else []
        return own + [line for name, child in children.items() for line in below(child, (*path, name))]

    return below(typer.main.get_command(load_app()), ())


def fetch(db: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


# help


def test_every_command_is_found() -> None:
    found = {" ".join(line) for line in command_lines()}
    # A new one needs no line here: docs/commands.md, which is made of all, shows that it came or went.
    assert found >= {
        *("run", "runs", "runs prune", "compare", "predict", "evaluate", "audit", "backtest", "tensorboard"),
        *("config", "formatters", "models", "market"),
        "experiments",
        *("prices import", "features export", "schema update", "extract", "sources"),
        "walkforward",
        *("db push", "db pull", "model push", "model pull", "model list"),
        *("kubeflow compile", "kubeflow build", "kubeflow push", "kubeflow deploy"),
        *("kubeflow upload", "kubeflow run", "kubeflow runs", "kubeflow terminate", "kubeflow schedule"),
    }


@pytest.mark.parametrize("command", command_lines(), ids=" ".join)
def test_help_holds_an_example_whose_options_exist(awesome: Awesome, command: tuple[str, ...]) -> None:
    outcome = awesome(*command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert awesome(*command, "-h") == outcome
    text, *examples = outcome.out.split("Example: ")
    [example] = examples
    assert example.split()[: 1 + len(command)] == ["awesome", *command]
    for option in re.findall(r"--[a-z-]+", example):
        assert f"  {option}" in text or f", {option}" in text


def test_help_lists_the_commands(awesome: Awesome) -> None:
    outcome = awesome("--help")
    assert outcome.code == 0
    for command in {line[0] for line in command_lines()}:
        assert re.search(rf"^  {command} +\S", outcome.out, re.MULTILINE)


@pytest.mark.parametrize("group", [(), ("prices",), ("features",), ("schema",)])
def test_a_group_without_a_command_prints_its_help(awesome: Awesome, group: tuple[str, ...]) -> None:
    outcome = awesome(*group)
    assert outcome.code == 2
    assert outcome.out.startswith(f"Usage: {' '.join(('awesome', *group))} ")
    assert outcome.err == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("evaluat",), "No such command 'evaluat'"),
        (("run", "--nonsense"), "--nonsense"),
        (("run", "extra"), "extra"),
        (("run", "--horizon"), "--horizon"),
        (("compare",), "Missing argument"),
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
    def interrupted(*given: object) -> None:
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
    lines = [line.rstrip() for line in outcome.out.splitlines()]
    assert lines[lines.index("horizon = 5  (awesome.toml)") + 1] == "    sessions ahead that is trained"
    assert "models = rnn,linear  (AWESOME_MODELS)" in lines
    assert "seed = 0  (default)" in lines
    assert "source = (not set)  (default)" in lines
    place = lines.index("hyperparameters = {'rnn': {'epochs': 2}}  (awesome.toml)")
    assert "[hyperparameters.rnn] epochs = 9" in lines[place + 1]
    told = json.loads(awesome("config", "--json").out)
    assert told["models"] == {
        "value": "rnn,linear",
        "from": "AWESOME_MODELS",
        "meaning": "models to train, separated by commas; name:version for an older one",
    }


def test_config_init_writes_every_setting_with_its_default(awesome: Awesome) -> None:
    assert "nothing is set in it yet" in awesome("config", "init").out
    assert all(one["from"] == "default" for one in json.loads(awesome("config", "--json").out).values())
    before = json.loads(awesome("config", "--json").out)
    file = Path("awesome.toml")
    assert awesome("config", "init").refusal.startswith("awesome.toml is there already")
    said = re.findall(r"^# ([a-z_0-9]+ = (?!\(not set\)).*)$", file.read_text(), re.MULTILINE)
    file.write_text("\n".join(said))
    after = json.loads(awesome("config", "--json").out)
    assert {name: one["value"] for name, one in after.items()} == {name: one["value"] for name, one in before.items()}
    assert sum(one["from"] == "awesome.toml" for one in after.values()) == len(said) > 30


def test_config_is_readable_at_80_columns(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, awesome("config").out.splitlines())) <= 80


def test_no_command_prints_a_password(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    hidden = "p@ss:w/rd"
    monkeypatch.setenv("AWESOME_STORAGE_URL", f"s3://ann:{hidden}@prices/awesome?X-Amz-Signature={hidden}")
    monkeypatch.setenv("AWESOME_DB", f"mysql+pymysql://ann:{hidden}@host/metadata")
    monkeypatch.setenv("AWESOME_CLUSTERS", json.dumps({"stage": {"endpoint": f"https://ann:{hidden}@kfp:1"}}))
    out = awesome("config").out
    for part in ("p@ss", "ss:w", "w/rd", "ann"):
        assert part not in out
    for kept in ("***@prices/awesome", "***@host", "***@kfp:1"):
        assert kept in "".join(out.split())
    for command in (("db", "push"), ("model", "list"), ("run",), ("prices", "import", f"x://a:{hidden}@b.csv")):
        outcome = awesome(*command)
        assert outcome.code != 0
        assert "p@ss" not in outcome.err
        assert "w/rd" not in outcome.err


def test_config_fails_on_settings_that_cannot_be_used(awesome: Awesome) -> None:
    Path("awesome.toml").write_text("horizon = [1]")
    assert awesome("config").refusal.startswith("horizon (from awesome.toml): ")


# formatters, models, market


def test_formatters_are_described_with_their_features_and_warnings(awesome: Awesome) -> None:
    text = " ".join(awesome("formatters").out.split())
    for formatter in FORMATTERS.values():
        assert formatter.description in text
        assert all(f" {feature.name}" in text for feature in formatter.features)
    assert text.count("warning: ") == sum(formatter.warning is not None for formatter in FORMATTERS.values())
    assert "returns[20] (sequence, of closes)" in text


def test_labels_are_described(awesome: Awesome) -> None:
    text = " ".join(awesome("labels").out.split())
    for label in LABELS.values():
        assert f"{label.name} {label.description}" in text


@pytest.mark.parametrize("command", ["run", "predict", "walkforward", "daily"])
def test_a_label_that_does_not_exist_is_one_line(awesome: Awesome, command: str) -> None:
    refused = awesome(command, "--label", "down").refusal
    assert refused.startswith("label (from --label): label 'down' does not exist; there are up, outperform, got 'down'")


def test_models_are_described_with_versions_and_hyperparameters(awesome: Awesome) -> None:
    text = " ".join(awesome("models").out.split())
    for architecture in ARCHITECTURES.values():
        assert architecture.description in text
        for name, value in architecture.used().items():
            assert f"{name} {value}" in text
    assert "version 1, 2, 3 (default)" in text


def test_hyperparameters_of_a_model_that_is_not_trained_are_named(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = folder / "best.json"
    found.write_text('{"rnn": {"epochs": 9}, "linear": {"category_l2": 0.01}}')
    warn_of_plan(load_plan({"models": "linear", "hyperparameters": found}))
    said = capsys.readouterr().err
    assert said == "hyperparameters of rnn (from --hyperparameters) do nothing, as linear alone is trained\n"
    warn_of_plan(load_plan({"models": "linear,rnn", "hyperparameters": found}))
    # A file of settings is for all runs.
    (folder / "awesome.toml").write_text("[hyperparameters.rnn]\nepochs = 9\n")
    warn_of_plan(load_plan({"models": "linear"}))
    assert capsys.readouterr().err == ""


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
