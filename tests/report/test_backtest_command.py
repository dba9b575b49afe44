"""`awesome backtest`."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hand_made_backtest import made_run

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE
from components.plausibility import Grade, Suspect, SuspectRecord
from pipeline.runs.folder import save_report

Awesome = Callable[..., Any]


def test_the_command_prints_the_table_and_the_sentence_and_writes_both_files(awesome: Awesome) -> None:
    made_run(Path("runs/latest"))
    outcome = awesome("backtest", "--model", "rnn", "--costs", "0", "--quantile", "0.5")
    assert (outcome.code, outcome.err) == (0, "")
    assert "costs 0 basis points, quantile 50%, held for 1 session" in outcome.out
    assert re.search(r"^ rnn +[+-][\d.]+% +[+-][\d.]+ ", outcome.out, re.MULTILINE)
    text = " ".join(outcome.out.split())
    raw = json.loads(Path("runs/latest/backtest.json").read_text())
    assert raw["verdict"] in text
    assert raw["verdict"].startswith("rnn's long-short Sharpe after costs of 0 basis points is ")
    assert (raw["backtest"]["costs"], raw["backtest"]["quantile"]) == (0, 0.5)
    assert outcome.out.splitlines()[-1] == "The backtest: runs/latest/backtest.html"
    assert Path("runs/latest/backtest.html").is_file()
    assert sorted(path.name for path in Path("runs/latest").iterdir()) == [
        "backtest.html", "backtest.json", "predictions.parquet", "report.json",
    ]  # fmt: skip


def test_wrong_prices_and_excluded_shares_are_said_first_with_what_to_do(awesome: Awesome) -> None:
    wrong = Suspect("S 1", "2012-03-01", -0.75, Grade.WRONG, "a 4-for-1 split")
    run, _ = made_run(Path("runs/latest"))
    data = replace(run.data, database="my prices.db")
    prices = SuspectRecord((wrong,), excluded=("GONE",), shares=6, returns=700)
    save_report(replace(run, data=data, prices=prices), Path("runs/latest/report.json"))
    lines = awesome("backtest").out.splitlines()
    assert lines[1].startswith("  wrong: S 1, 2012-03-01")
    assert "(awesome prices suspects --db 'my prices.db' --accept 'S 1:2012-03-01')" in lines[2]
    assert lines[3] == "excluded shares, left out: GONE"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("runs/none",), r"^runs/none.*no report here"),
        (("--model", "dnn"), r"^runs/latest has no model 'dnn'; it has linear, rnn$"),
        (("--costs", "-1"), r"^costs of -1 basis points"),
        (("--quantile", "0.7"), r"^quantile 0\.7 is not above 0"),
        (("--costs", "abc"), r"--costs"),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(awesome: Awesome, arguments: tuple[str, ...], said: str) -> None:
    made_run(Path("runs/latest"))
    outcome = awesome("backtest", *arguments)
    assert re.search(said, outcome.refusal)
    assert not list(Path("runs/latest").glob("backtest.*"))


def test_predictions_that_are_missing_or_broken_are_named(awesome: Awesome) -> None:
    made_run(Path("runs/latest"))
    file = Path("runs/latest/predictions.parquet")
    file.write_bytes(b"no parquet")
    assert re.match(r"runs/latest/predictions\.parquet: cannot be read .*awesome run", awesome("backtest").refusal)
    file.unlink()
    assert re.match(r"runs/latest/predictions\.parquet: the predictions are not", awesome("backtest").refusal)


def test_a_long_horizon_of_an_older_run_asks_for_another_run(awesome: Awesome) -> None:
    settings = {"formatter": "window_returns", "horizon": 20, "seed": 0, "models": "linear"}
    _, frame = made_run(Path("runs/latest"), names=("linear",), settings=settings)
    frame.drop(columns="next_return").to_parquet("runs/latest/predictions.parquet")
    assert awesome("backtest").refusal.endswith("run `awesome run` again")


def test_a_folder_that_cannot_be_written_is_named(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    made_run(Path("runs/latest"))

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", refuse)
    assert "backtest.json: cannot be written (No space left on device)" in awesome("backtest").refusal
    assert not list(Path("runs/latest").glob("*backtest*"))


def test_the_command_has_the_defaults_of_the_backtest() -> None:
    from pipeline.cli.evidence import backtest

    defaults = {name: parameter.default for name, parameter in inspect.signature(backtest).parameters.items()}
    assert (defaults["costs"], defaults["quantile"]) == (DEFAULT_COSTS, DEFAULT_QUANTILE)
