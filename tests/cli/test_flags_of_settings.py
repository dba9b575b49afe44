"""Every setting that a command makes use of has a flag there; what it uses is read from the code."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import pytest
import typer
from settings_in_use import settings_in_use
from typer.models import OptionInfo

from pipeline.cli import option_groups
from pipeline.cli.application import load_app
from pipeline.cli.option_groups import takes
from pipeline.loading import setting_of
from pipeline.settings import Settings

COMPARED = {"compare_formatters", "compare_labels"}
NAMED_URL = {"storage_url"}
OF_A_CLUSTER = {"clusters"}

WITHOUT: Mapping[str, set[str]] = {
    # A retraining is a run, but of the loop's own database, into the workspace; a secret is none for a list of
    # processes.
    "daily": {*COMPARED, "market", "market_shares", "market_sessions", "output", "panel", "until", "alert_url"},
    # What it repeats is defined there.
    "experiments": {"embargo", "horizon"},
    # Only to refuse it.
    "live": {"panel"},
    "ledger show": {"panel"},
    "ledger verify": {"panel"},
    "ledger export": {"panel"},
    # The steps before the first Trainer have no audit, and its own trials train on one device.
    "search": {"audit", "audit_plausible_auc", "accept_suspicion", "training_devices"},
    # Its folds are cut otherwise, of prices that stay as they are, for `horizons`.
    "walkforward": {
        *COMPARED,
        *("horizon", "split_dates", "split_start", "split_end", "source", "since", "until", "best_effort"),
        *option_groups.SOURCES,
    },
    # The cluster has its own database and workspace, and takes no decisions; a pod finds the rest around it.
    "kubeflow compile": {
        *OF_A_CLUSTER,
        *("accept", "exclude", "db", "market", "workspace", "flink_job_server", "beam_start_seconds"),
    },
    "kubeflow push": {"formatter", "horizon", "label", "workspace"},  # of no plan: it calls an image's so
    "kubeflow run": {*OF_A_CLUSTER, "panel"},  # of the pipeline that was uploaded
    "kubeflow schedule": {*OF_A_CLUSTER, "panel"},
    "kubeflow runs": OF_A_CLUSTER,
    "kubeflow terminate": OF_A_CLUSTER,
    "panel verify": {"db"},  # the panel that it names
    # An argument.
    "db push": NAMED_URL,
    "db pull": NAMED_URL,
    "model push": NAMED_URL,
    "model list": NAMED_URL,
    "model pull": NAMED_URL,
}
"""The settings that a command has no flag for, though its code looks at them."""

COMPILES = "kubeflow upload"
"""Uploads what `kubeflow compile` writes with its flags; without a file, what the settings say."""


def commands(group: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, Any]]:
    if not hasattr(group, "commands"):
        yield " ".join(path), group
        return
    for name, command in group.commands.items():
        yield from commands(command, (*path, name))
    if path and group.invoke_without_command:
        yield " ".join(path), group


COMMANDS = dict(commands(typer.main.get_command(load_app())))


def used_by(command: Any) -> set[str]:
    function = inspect.unwrap(command.callback)
    return {*settings_in_use(function.__module__, function.__name__)}


@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {COMPILES}))
def test_every_setting_that_a_command_makes_use_of_has_a_flag(name: str) -> None:
    command = COMMANDS[name]
    lacking = used_by(command) - {one.name for one in command.params}
    if name == "search":  # which calls them shorter
        lacking -= {"search_trials", "search_seeds", "search_metric", "models"}
    assert lacking == WITHOUT.get(name, set())


def test_what_is_read_from_the_code_is_what_a_command_uses() -> None:
    assert used_by(COMMANDS["run"]) >= {"db", "horizons", "embargo", "sources_rate", "suspect_return", "mlflow"}
    assert used_by(COMMANDS["features export"]) == {"db"}
    assert used_by(COMMANDS["sources"]) == set()
    assert used_by(COMMANDS[COMPILES]) >= used_by(COMMANDS["kubeflow compile"])


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_flag_of_a_setting_is_called_as_the_setting_is(name: str) -> None:
    for one in COMMANDS[name].params:
        if one.param_type_name == "option" and one.name in Settings.model_fields:
            flag = max(one.opts, key=len)
            assert setting_of(flag, one.name) == one.name, flag


def test_a_command_takes_groups_behind_its_own_options_and_gets_what_was_given() -> None:
    @takes({"b": Annotated[int | None, typer.Option(help="B.")], "a": Annotated[int | None, typer.Option()]})
    def command(a: int, *, more: option_groups.Settings) -> tuple[int, dict[str, Any]]:
        return a, more

    parameters = inspect.signature(command).parameters
    assert list(parameters) == ["a", "b"]
    assert isinstance(parameters["b"].annotation.__metadata__[0], OptionInfo)
    assert command(a=1, b=2) == (1, {"b": 2})  # type: ignore[call-arg]


OTHER_DEFAULTS = {("audit", "models"), ("experiments", "models"), ("explain", "models"), ("market", "db")}
"""Options that are called like a setting, and stand for what the command decides by itself."""


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_a_help_fits_80_columns_in_whole_sentences_and_its_defaults_are_those_of_the_settings(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    command = COMMANDS[name]
    text = command.get_help(command.make_context(name, [], resilient_parsing=True))
    assert max(map(len, text.splitlines())) <= 80
    assert re.findall(r"--\S+ <list", text) == []
    for one in command.params:
        told = getattr(one, "help", None) or ""
        if one.param_type_name != "option" or one.name == "help":
            continue
        assert told.endswith((".", ")")), one.name
        said = re.search(r"\(default: ([^ ]+)\)$", told)
        setting = Settings.model_fields.get(one.name)
        if said is None or setting is None or (name, one.name) in OTHER_DEFAULTS:
            continue
        default = setting.default
        if one.name in ("shares", "output", "split_start"):  # a word for none
            assert not default
        else:
            assert said[1] == (",".join(map(str, default)) if isinstance(default, tuple) else str(default)), one.name


def test_a_group_names_its_commands_in_whole_sentences(awesome: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for group in ("ledger", "members", "prices", "panel", "model", "db", "config", "schema", "kubeflow"):
        text = awesome(group, "--help").out
        assert "Commands:" in text
        assert "..." not in text.replace("[ARGS]...", "")
        assert max(map(len, text.splitlines())) <= 80
