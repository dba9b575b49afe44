"""Flags before environment before awesome.toml before defaults, and what each refuses."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest
import typer.main
from pydantic import ValidationError

from pipeline.cli import load_app
from pipeline.loading import load_settings, origins
from pipeline.secrets import cos_credentials
from pipeline.settings import Settings, SettingsError

pytestmark = pytest.mark.usefixtures("folder")


def write_toml(text: str) -> None:
    Path("awesome.toml").write_text(text)


def refused(flags: dict[str, Any] | None = None) -> str:
    with pytest.raises(SettingsError) as error:
        load_settings(flags)
    [line] = str(error.value).splitlines()
    return line


# values


def test_without_anything_every_setting_has_its_default() -> None:
    fields = Settings.model_fields
    assert load_settings().model_dump() == {name: field.default for name, field in fields.items()}
    assert origins() == dict.fromkeys(fields, "default")
    assert [name for name, field in fields.items() if not field.description] == []


@pytest.mark.parametrize("command", ["run", "predict", "walkforward", "extract"])
def test_the_defaults_that_help_names_are_those_of_the_settings(command: str) -> None:
    options = typer.main.get_command(load_app()).commands[command].params  # type: ignore[attr-defined]
    said = {one.name: re.search(r"\(default: ([^ ]+)\)$", one.help or "") for one in options}
    told = {name: found[1] for name, found in said.items() if found and found[1] != "all" and "TIME" not in found[1]}
    assert len(told) > (0 if command == "extract" else 5)
    for name, text in told.items():
        if name in Settings.model_fields:
            default = Settings.model_fields[name].default
            assert text == (",".join(map(str, default)) if isinstance(default, tuple) else str(default)), name


def test_the_file_is_overruled_by_the_environment_and_that_by_a_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    write_toml("seed = 1\nembargo = 1\nhorizon = 2\n")
    monkeypatch.setenv("AWESOME_SEED", "3")
    monkeypatch.setenv("AWESOME_EMBARGO", "4")
    flags = {"seed": 5, "formatter": None}
    settings = load_settings(flags)
    assert (settings.seed, settings.embargo, settings.horizon, settings.formatter) == (5, 4, 2, "window_returns")
    found = origins(flags)
    assert (found["seed"], found["embargo"], found["horizon"]) == ("--seed", "AWESOME_EMBARGO", "awesome.toml")
    assert found["formatter"] == "default"


def test_a_flag_of_two_words_is_named_as_it_is_typed() -> None:
    assert origins({"market_shares": 7})["market_shares"] == "--market-shares"


def test_commas_separate_and_blanks_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWESOME_SHARES", "IBM, BRK.B ,")
    monkeypatch.setenv("AWESOME_HORIZONS", "5,1")
    monkeypatch.setenv("AWESOME_SPLIT_FRACTIONS", "0.5,0.25,0.25")
    settings = load_settings({"models": "rnn:1, linear,rnn:1", "split_dates": "2001-01-01,2002-01-01"})
    assert settings.shares == ("IBM", "BRK.B")
    assert settings.horizons == (5, 1)
    assert settings.split_fractions == (0.5, 0.25, 0.25)
    assert settings.models == ("rnn:1", "linear")  # named twice, trained once
    assert settings.split_dates == ("2001-01-01", "2002-01-01")


def test_the_file_may_write_lists_and_tables() -> None:
    write_toml(
        'models = ["rnn"]\nsplit_dates = ["2001-01-01", "2002-01-01"]\ncache = false\n'
        "[hyperparameters.rnn]\nepochs = 9\nunits = [8, 4]\n"
    )
    settings = load_settings()
    assert (settings.models, settings.split_dates) == (("rnn",), ("2001-01-01", "2002-01-01"))
    assert settings.cache is False
    assert settings.hyperparameters == {"rnn": {"epochs": 9, "units": [8, 4]}}


def test_the_file_may_write_dates_without_quotes() -> None:
    write_toml("split_start = 2001-01-01\nsplit_dates = [2005-01-03, 2007-01-03]\n")
    settings = load_settings()
    assert (settings.split_start, settings.split_dates) == ("2001-01-01", ("2005-01-03", "2007-01-03"))


def test_hyperparameters_come_from_the_environment_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWESOME_HYPERPARAMETERS", '{"rnn": {"epochs": 9}}')
    assert load_settings().hyperparameters == {"rnn": {"epochs": 9}}


def test_empty_lists_in_the_environment_mean_all_and_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWESOME_SHARES", "")
    monkeypatch.setenv("AWESOME_SPLIT_DATES", "")
    monkeypatch.setenv("AWESOME_SPLIT_START", "")
    settings = load_settings()
    assert settings.shares == ()
    assert settings.split_dates is None
    assert settings.split_start is None


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load_settings().seed = 1  # type: ignore[misc]


# what is refused, and where it came from


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("horizon", "abc", "is no whole number"),
        ("horizon", "0", "must be 1 or more"),
        ("horizons", "1,x", "is no whole number"),
        ("split_fractions", "0.7,0.3", "give three numbers"),
        ("split_dates", "2001-01-01", "give two dates"),
        ("split_dates", "2001-01-01,2002-01-01,2003-01-01", "give two dates"),
        ("models", "", "name at least one model"),
        ("models", ",", "has commas and nothing between them; name one"),
        ("shares", ",", "has commas and nothing between them; name one"),
        ("embargo", "-1", "must be 0 or more"),
        ("seed", "-1", "must be 0 or more"),
        ("seed", str(2**32), "must be below 4294967296"),
        ("market_shares", "0", "must be 1 or more"),
        ("cache", "perhaps", "is no yes or no"),
    ],
)
def test_a_wrong_value_is_named_with_its_origin(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    said = {f"--{name.replace('_', '-')}": refused({name: value})}
    write_toml(f'{name} = "{value}"')
    said["awesome.toml"] = refused()
    monkeypatch.setenv(f"AWESOME_{name.upper()}", value)
    said[f"AWESOME_{name.upper()}"] = refused()
    for origin, message in said.items():
        assert message.startswith(f"{name} (from {origin}): ")
        assert part in message


def test_a_setting_the_file_should_not_have_is_named() -> None:
    write_toml("horizn = 1")
    assert refused().startswith("awesome.toml: there is no setting 'horizn'")


def test_a_setting_the_environment_should_not_have_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWESOME_HORIZN", "1")
    assert refused().startswith("environment: there is no setting AWESOME_HORIZN")


@pytest.mark.parametrize(("content", "said"), [(b"horizon = 2\nseed = = 1\n", "line 2"), (b'formatter = "\xff"', "")])
def test_a_file_that_is_no_toml_is_named_with_the_place(content: bytes, said: str) -> None:
    Path("awesome.toml").write_bytes(content)
    message = refused()
    assert message.startswith("awesome.toml: ")
    assert said in message


def test_a_folder_of_the_file_s_name_is_named() -> None:
    Path("awesome.toml").mkdir()
    assert refused().startswith("awesome.toml: is a folder")


@pytest.mark.parametrize("value", ["rnn", '{"rnn": '])
def test_hyperparameters_that_are_no_json_are_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AWESOME_HYPERPARAMETERS", value)
    assert refused().startswith("AWESOME_HYPERPARAMETERS: is not JSON")


def test_hyperparameters_that_are_no_table_are_refused() -> None:
    write_toml("[hyperparameters]\nrnn = 3")
    assert refused().startswith("hyperparameters (from awesome.toml): ")


# shares from a file, and where prices come from


def test_shares_may_stand_in_a_file(tmp_path: Path) -> None:
    names = tmp_path / "shares.txt"
    names.write_text("sh600519  # the first\n\n# none here\nsz000001\n")
    assert load_settings({"shares": f"@{names}"}).shares == ("sh600519", "sz000001")


def test_a_file_of_shares_that_is_missing_is_named(tmp_path: Path) -> None:
    assert f"{tmp_path / 'gone.txt'} cannot be read" in refused({"shares": f"@{tmp_path / 'gone.txt'}"})


def test_days_are_dates() -> None:
    settings = load_settings({"since": "2015-01-01", "until": "2016-12-31"})
    assert (settings.since, settings.until) == (dt.date(2015, 1, 1), dt.date(2016, 12, 31))
    assert "since (from --since)" in refused({"since": "yesterday"})


@pytest.mark.parametrize("name", ["sources_url", "s3_endpoint", "cos_endpoint", "mlflow"])
def test_an_address_needs_its_scheme_and_holds_no_password(name: str) -> None:
    for value in ("127.0.0.1:8765", "http://", "https://:443/path"):
        assert "is not an address" in refused({name: value})
    message = refused({name: "http://me:secret@127.0.0.1:8765"})
    assert "holds a user or password" in message
    assert "holds a query" in refused({name: "http://127.0.0.1:8765?token=x"})
    assert "secret" not in message


def test_a_key_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COS_SECRET_ID", "an id")
    monkeypatch.setenv("COS_SECRET_KEY", "a secret")
    assert cos_credentials() == ("an id", "a secret")
    assert "a secret" not in repr(load_settings())
    monkeypatch.setenv("COS_SECRET_KEY", "")
    assert cos_credentials() == ("an id", None)


# decisions


def test_decisions_come_one_by_one_or_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings({"accept": ["HK:0700:2020-08-31", "A,B:2021-01-04"], "exclude": ["C"]})
    assert (settings.accept, settings.exclude) == (("HK:0700:2020-08-31", "A", "B:2021-01-04"), ("C",))
    monkeypatch.setenv("AWESOME_EXCLUDE", "X, Y")
    assert load_settings().exclude == ("X", "Y")
    write_toml('accept = ["Z:2021-01-04"]')
    assert (load_settings().accept, origins()["accept"]) == (("Z:2021-01-04",), "awesome.toml")


def test_a_decision_that_cannot_be_read_names_its_origin() -> None:
    assert refused({"accept": ["A:2021-13-01"]}).startswith("accept (from --accept): 2021-13-01 is no date; write")
    write_toml('exclude = ["\\u0001"]')
    assert refused().startswith("exclude (from awesome.toml): ")


def test_suspicions_are_accepted_by_name_and_the_origin_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings({"accept_suspicion": ["level test", "alarm, future canary"]}).accept_suspicion == (
        "level test", "alarm", "future canary",
    )  # fmt: skip
    write_toml('accept_suspicion = ["level test"]')
    assert load_settings().accept_suspicion == ("level test",)
    assert origins()["accept_suspicion"] == "awesome.toml"
    monkeypatch.setenv("AWESOME_ACCEPT_SUSPICION", "alarm")
    assert (load_settings().accept_suspicion, origins()["accept_suspicion"]) == (("alarm",), "AWESOME_ACCEPT_SUSPICION")
