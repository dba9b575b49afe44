"""`awesome evaluate`, `tensorboard` and `predict` as a user types them, on runs written by hand."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
import typer
from judged_runs import model, report
from shown import printed
from typer.models import OptionInfo

from pipeline.plan import load_plan
from pipeline.runs.folder import save_report
from pipeline.uses.forecast import Forecast, ShareForecast

Awesome = Callable[..., Any]


def forecast_of(
    shares: tuple[ShareForecast, ...], area: tuple[float, float, float] = (0.61, 0.57, 0.65), **said: Any
) -> Forecast:
    """What a model called rnn says of shares; the area under its curve, and the ends of its interval."""
    auc, low, high = area
    known = {"model": "rnn", "origin": "x", "blessed": True, "horizon": 1} | said
    return Forecast(shares=shares, auc=auc, auc_low=low, auc_high=high, **known)


def written_report(folder: Path, **changes: Any) -> Path:
    """A run of one model that was not blessed."""
    linear = model(0.502, model_uri=str(folder / "gone"), model_run_uri=str(folder / "gone too"))
    folder.mkdir(parents=True)
    save_report(report({"linear": linear}, **changes), folder / "report.json")
    return folder


@pytest.mark.parametrize("name", ["runs/one", "runs/one/report.json"])
def test_evaluate_prints_the_table_and_the_verdict_again(awesome: Awesome, name: str) -> None:
    written_report(Path("runs/one"))
    outcome = awesome("evaluate", name)
    assert (outcome.code, outcome.err) == (0, "")
    text = " ".join(outcome.out.split())
    assert "Test split 2010-01-04 to 2014-10-01: 5,950 rows, 1,190 sessions" in text
    assert re.search(r"linear +0\.502 +0\.511 +-0\.012", outcome.out)
    assert "No model beats chance beyond its 95 % interval on 1,190 test days" in text


@pytest.mark.parametrize("command", ["evaluate", "tensorboard"])
def test_a_run_that_is_not_there_is_refused(awesome: Awesome, command: str) -> None:
    assert awesome(command, "runs/none").refusal.startswith("runs/none")
    Path("report.json").write_text("{}")
    assert "report.json" in awesome(command, "report.json").refusal


def test_training_logs_that_are_gone_are_named(awesome: Awesome) -> None:
    written_report(Path("runs/one"))
    assert "linear" in awesome("tensorboard", "runs/one").refusal


def test_predict_where_a_run_pushed_no_model_names_a_candidate_of_that_run(awesome: Awesome) -> None:
    Path("runs/one").mkdir(parents=True)
    save_report(report({"rnn": model(0.502)}), Path("runs/one/report.json"))
    Path("awesome.db").touch()
    message = awesome("predict", "--shares", "S000").refusal
    assert message.startswith("no model was pushed to runs/serving/")
    assert message.endswith(": awesome predict --shares S000 --model rnn")


def test_predict_before_any_run_says_how_to_start_one(awesome: Awesome, market_db: Path) -> None:
    message = awesome("predict", "--db", str(market_db), "--formatter", "closes").refusal
    assert message.startswith(f"no run in runs has used {market_db} with formatter closes and horizon 1; start one: ")
    assert f" awesome run --db {market_db} --formatter closes; or name it: awesome predict " in message


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


def test_predict_finds_the_run_of_a_database_however_it_is_named(awesome: Awesome) -> None:
    written_report(Path("runs/one"))  # on awesome.db
    refusal = awesome("predict", "--db", str(Path("awesome.db").absolute()), "--model", "rnn").refusal
    assert refusal == "runs/one has no model 'rnn'; it has linear"


def test_predict_takes_the_latest_run_and_passes_over_reports_it_cannot_read(awesome: Awesome) -> None:
    written_report(Path("runs/b-older"), created="2024-05-06T07:08:08+00:00")
    written_report(Path("runs/a-newest"), created="2024-05-06T07:08:10+00:00")
    written_report(Path("runs/c-horizon"), created="2025-01-01T00:00:00+00:00", settings={"horizon": 20})
    written_report(Path("runs/d-version"), created="2025-01-01T00:00:00+00:00", schema_version=99)
    Path("runs/e-broken").mkdir()
    Path("runs/e-broken/report.json").write_text("{")
    assert awesome("predict", "--model", "rnn").refusal.startswith("runs/a-newest has no model")


def test_the_printed_json_of_a_forecast_is_json() -> None:
    from components.records import to_json

    forecast = forecast_of((ShareForecast("IBM", "2013-03-01", 0.5),), (0.51, float("nan"), 0.53), blessed=False)
    values = json.loads(to_json(forecast))
    assert values["shares"] == [{"share_id": "IBM", "session": "2013-03-01", "probability": 0.5}]
    assert (values["auc"], values["auc_low"]) == (0.51, None)


@pytest.mark.parametrize("blessed", [False, True])
def test_a_forecast_says_what_it_is_worth(blessed: bool) -> None:
    from pipeline.uses.forecast_table import print_forecast

    forecast = forecast_of(
        (ShareForecast("[b]", "2013-03-01", 0.51234),), (0.513, 0.49, 0.536), blessed=blessed, horizon=20
    )
    text = printed(200, print_forecast, forecast, plan=load_plan())
    assert re.search(r"^\[b\] +2013-03-01 +0\.5123 *$", text, re.MULTILINE)
    assert "after 20 sessions" in text
    assert "AUC on the test split 0.5130 (95 % interval over blocks of days 0.4900 to 0.5360)" in text
    assert ("NOT BLESSED" in text) is not blessed
    assert "HELD BACK" not in text
    assert "wrong prices" not in text


def test_a_forecast_of_a_model_that_the_audit_holds_back_says_so() -> None:
    from pipeline.uses.forecast_table import print_forecast

    shares = (ShareForecast("IBM", "2013-03-01", 0.5),)
    forecast = forecast_of(shares, held_back=("level test", "alarm"))

    text = printed(200, print_forecast, forecast, plan=load_plan())
    assert "rnn: HELD BACK: the leak audit does not believe its figures (level test, alarm); AUC on the test" in text


def test_a_forecast_marks_each_share_whose_window_holds_wrong_prices() -> None:
    from components.plausibility import Grade, Suspect
    from pipeline.uses.forecast_table import print_forecast

    shares = tuple(ShareForecast(f"S{number:02d}", "2013-03-01", 0.5) for number in range(60))
    wrong = tuple(Suspect(one.share_id, "2013-02-25", -0.75, Grade.WRONG, "a split") for one in shares[1:])
    large = Suspect("S00", "2013-02-26", 0.6, Grade.LARGE, "news")
    forecast = forecast_of(shares, (0.51, 0.5, 0.52), suspects=(*wrong, large), excluded=("GONE",))
    text = printed(200, print_forecast, forecast, plan=load_plan())
    assert len(re.findall(r"^S\d\d +2013-03-01 +0\.5000 +2013-02-25 *$", text, re.MULTILINE)) == 59
    assert re.search(r"^S00 +2013-03-01 +0\.5000 *$", text, re.MULTILINE)
    assert "\nexcluded shares, left out: GONE\n" in text


def test_a_forecast_says_which_shares_cannot_be_set_beside_the_others_and_how_old_it_is() -> None:
    from pipeline.uses.forecast_table import print_forecast

    shares = (ShareForecast("A", "2013-03-01", 0.5), ShareForecast("B", "2013-02-22", 0.6))
    forecast = forecast_of(shares, untrained=("A",))
    text = printed(200, print_forecast, forecast, plan=load_plan(), today=dt.date(2013, 3, 12))
    assert "the prices end on 2013-03-01, 11 days ago" in text
    assert "of an earlier session than the others, so of another day: B\n" in text
    assert "never trained on, so answered as an unknown share: A\n" in text
    for today in (None, dt.date(2013, 3, 5)):
        assert "days ago" not in printed(200, print_forecast, forecast, plan=load_plan(), today=today)


@pytest.mark.parametrize("suffix", ["csv", "parquet", "json"])
def test_a_forecast_is_written_as_its_file_is_called(suffix: str, folder: Path) -> None:
    import pandas as pd

    from pipeline.uses.forecast import COLUMNS, write_forecast

    shares = (ShareForecast("000001", "2013-03-01", 0.625), ShareForecast("B", "2013-02-22", 0.5))
    forecast = forecast_of(shares, horizon=5, untrained=("B",))
    path = Path(f"to:day.{suffix}")  # which is no URI
    write_forecast(forecast, path)
    if suffix == "json":
        assert json.loads(path.read_text())["shares"][0]["probability"] == 0.625
        return
    read = pd.read_csv(path, dtype={"share_id": str}) if suffix == "csv" else pd.read_parquet(path)
    assert tuple(read.columns) == COLUMNS
    assert read.to_numpy().tolist() == [
        ["000001", "2013-03-01", 0.625, "rnn", "up", 5, True, True],
        ["B", "2013-02-22", 0.5, "rnn", "up", 5, False, False],
    ]


def test_a_file_of_no_known_format_is_refused_before_anything_is_read(awesome: Awesome) -> None:
    refusal = awesome("predict", "--output", "f.xlsx").refusal
    assert refusal == "--output f.xlsx: name a file that ends in .csv, .parquet, .json"


def test_run_has_every_setting_that_it_reads_as_an_option() -> None:
    from inspect import signature

    from pipeline.cli.jobs import run
    from pipeline.cli.run_options import OF_OTHERS
    from pipeline.settings import Settings

    options = signature(run).parameters.keys() - {"fail_on"}
    assert options | OF_OTHERS.keys() == Settings.model_fields.keys()
    assert options.isdisjoint(OF_OTHERS)


def test_each_setting_is_refused_in_our_words_by_run_under_the_flag_of_its_name(awesome: Awesome) -> None:
    for flag, value, why in (
        ("--horizon", "0", "horizon (from --horizon): must be 1 or more, got 0"),
        ("--horizon", "abc", "horizon (from --horizon): is no whole number, got 'abc'"),
        ("--embargo", "-1", "embargo (from --embargo): must be 0 or more, got -1"),
        ("--sources-rate", "inf", "sources_rate (from --sources-rate): is no number that ends, got inf"),
        ("--split-fractions", "1,2", "split_fractions (from --split-fractions): give three numbers"),
        ("--s3-endpoint", "x", "s3_endpoint (from --s3-endpoint): is not an address"),
        ("--audit-plausible-auc", "1.5", "audit_plausible_auc (from --audit-plausible-auc): must be below 1, got 1.5"),
    ):
        outcome = awesome("run", flag, value)
        assert (outcome.code, outcome.refusal[: len(why)]) == (1, why)


def test_an_option_of_a_command_alone_is_refused_in_our_words(awesome: Awesome) -> None:
    for arguments, why in (
        (("runs", "prune", "--keep", "0"), "--keep: must be 1 or more, got 0; see awesome runs prune --help"),
        (("tensorboard", "--port", "-1"), "--port: must be 0 or more, got -1; see awesome tensorboard --help"),
        (("tensorboard", "--port", "x"), "--port: is no whole number, got 'x'; see awesome tensorboard --help"),
        (("serve", "--timeout", "inf"), "--timeout: must be 86400 or less, got inf; see awesome serve --help"),
    ):
        outcome = awesome(*arguments)
        assert (outcome.code, outcome.refusal) == (2, why)


def numbers(app: typer.Typer, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every option of the command line that takes a number, behind the words of its command."""
    for info in app.registered_commands:
        assert info.callback is not None
        words = (*path, info.name or info.callback.__name__.replace("_", "-"))
        for name, hint in get_type_hints(info.callback, include_extras=True).items():
            kinds, *told = get_args(hint) if get_origin(hint) is Annotated else (hint,)
            if {int, float} & {kinds, *get_args(kinds)} and isinstance(told[0], OptionInfo):
                flags = told[0].param_decls or (f"--{name.replace('_', '-')}",)
                yield (*words, max(flags, key=len))
    for group in app.registered_groups:
        yield from numbers(group.typer_instance, (*path, group.name) if group.name else path)


def test_every_option_that_takes_a_number_refuses_a_word_in_our_words(awesome: Awesome) -> None:
    from pipeline.cli.application import load_app

    found = list(numbers(load_app()))
    assert len(found) > 40
    assert ("run", "--horizon") in found
    for one in found:
        refusal = awesome(*one, "abc").refusal
        assert re.search(r"(is no (whole )?number|are no numbers), got 'abc'", refusal), (one, refusal)
