"""What a search cannot do is said in one line, before TensorFlow is loaded; and how a run takes hyperparameters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.plan import load_plan
from pipeline.settings import SettingsError

Awesome = Callable[..., Any]

REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "no such model": (("--model", "lstm"), "models (from --model): model 'lstm' does not exist; there are linear, "),
    "two models": (("--model", "linear,rnn"), "--model linear,rnn: a search is of one model; name one"),
    "no such version": (("--model", "rnn:9"), "models (from --model): model rnn has no version '9'"),
    "no such metric": (("--model", "rnn", "--metric", "luck"), "search_metric (from --metric): metric 'luck' does not"),
    "no trial": (("--model", "rnn", "--trials", "0"), "search_trials (from --trials): must be 1 or more, got 0"),
    "no database": (("--model", "rnn", "--db", "none.db"), "--db none.db does not exist"),
    "no file": (("--model", "rnn", "--hyperparameters", "no.json"), "(from --hyperparameters): no.json cannot be read"),
    "no plugin": (("--model", "mine", "--plugin", "mine.py"), "plugins (from --plugin): "),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_one_line(awesome: Awesome, arguments: tuple[str, ...], message: str) -> None:
    assert message in awesome("search", *arguments).refusal


def test_a_search_needs_a_model(awesome: Awesome) -> None:
    assert "--model" in awesome("search").refusal


def test_what_the_settings_name_is_not_searched_for(awesome: Awesome) -> None:
    Path("awesome.toml").write_text("[hyperparameters.linear]\ncategory_l2 = 0.001\n")
    message = awesome("search", "--model", "linear").refusal
    assert message.startswith("--model linear: nothing is left to search for, as the settings name category_l2 (hyper")
    values = "epochs = 3\nlearning_rate = 0.01\ncategory_l2 = 0.001\n"
    Path("awesome.toml").write_text(f"[hyperparameters.linear]\n{values}")
    message = awesome("search", "--model", "linear:1").refusal
    assert message.startswith(
        "--model linear: nothing is left to search for, as the settings name epochs, learning_rat"
    )
    assert "from awesome.toml" in message


def test_settings_and_flags_say_how_many_and_by_what(folder: Path) -> None:
    Path("awesome.toml").write_text('search_trials = 7\nsearch_metric = "rank_ic"\n')
    plan = load_plan({})
    assert (plan.settings.search_trials, plan.settings.search_metric) == (7, "rank_ic")
    plan = load_plan({"search_trials": 9})
    assert (plan.settings.search_trials, plan.origins["search_trials"]) == (9, "--trials")


def test_a_file_of_hyperparameters_goes_before_the_settings(folder: Path) -> None:
    Path("awesome.toml").write_text("[hyperparameters.rnn]\nepochs = 9\nunits = 4\n[hyperparameters.dnn]\nepochs = 2\n")
    best = Path("best.json")
    best.write_text(json.dumps({"rnn": {"epochs": 3, "learning_rate": 0.02}}))
    plan = load_plan({"hyperparameters": best})
    rnn, dnn = plan.models["rnn"].hyperparameters, plan.models["dnn"].hyperparameters
    assert (rnn.epochs, rnn.learning_rate, rnn.units, dnn.epochs) == (3, 0.02, 4, 2)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", r"x\.json cannot be read \(it is not JSON\); write it like \{\"rnn\""),
        ("[1]", "hyperparameters .*is no table of names and values"),
        ('{"rnn": 3}', "hyperparameters .*is no table of names and values"),
        ('{"rnn": {"unit": 3}}', "hyperparameters.rnn .*'unit' does not exist"),
        ('{"lstm": {"units": 3}}', "hyperparameters.lstm .*'lstm' does not exist"),
        ('{"rnn": {"learning_rate": 0}}', "learning_rate must be above 0"),
    ],
)
def test_a_file_that_holds_something_else_is_named(folder: Path, content: str, message: str) -> None:
    path = Path("x.json")
    path.write_text(content)
    with pytest.raises(SettingsError, match=message):
        load_plan({"hyperparameters": path})
