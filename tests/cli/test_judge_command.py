"""`awesome judge`, as a user meets it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from needed import needed

from components.feature_store import FeatureStore
from components.trials.record import append, read_record, record_path

Awesome = Callable[..., Any]

needed("adbc_driver_sqlite")


@pytest.fixture
def forecasts(market_db: Path, folder: Path) -> pd.DataFrame:
    """Of the last 150 sessions of awesome.db, whose record begins with it; they follow the market a little."""
    shutil.copy(market_db, folder / "awesome.db")
    append(record_path(folder / "awesome.db"), (), complete=True)
    with FeatureStore.open(folder / "awesome.db") as store:
        windows = store.read_features([one.share_id for one in store.shares()]).to_pandas()
    windows = windows[windows["time"].isin(sorted(windows["time"].unique())[-150:])]
    noise = np.random.default_rng(0).standard_normal(len(windows))
    tilt = (windows["close1"] / windows["close0"] - 1).clip(-0.05, 0.05)
    windows["probability"] = (0.5 + tilt + 0.02 * noise).clip(0, 1)
    return windows[["time", "share_id", "probability"]]


def test_a_file_is_judged_and_counted_and_can_be_traded_again(
    awesome: Awesome, folder: Path, forecasts: pd.DataFrame
) -> None:
    forecasts.to_csv("p.csv", index=False)
    done = awesome("judge", "p.csv", "--output", "out")
    assert (done.code, done.err) == (0, "")
    words = " ".join(done.out.split())
    assert "447 of 450 forecasts" in words
    assert "3 rows left out, pending: the close 1 session later is not there yet" in words
    assert "the file does not say when its forecasts were written" in words
    assert "nobody says until when the model's training reaches (--known-until DATE)" in words
    assert "This file is the first to look at these 149 test days" in words
    assert "what a run's model has to show: AUC" in words
    assert "costs 10 basis points" in words
    assert sorted(path.name for path in (folder / "out").iterdir()) == [
        "judgement.html", "judgement.json", "predictions.parquet", "report.json",
    ]  # fmt: skip
    [trial] = read_record(record_path(folder / "awesome.db")).trials
    assert (trial.kind, trial.asked) == ("judged", {"models": "probability", "file": "p.csv"})
    judgement = json.loads((folder / "out" / "judgement.json").read_text())
    assert judgement["report"]["tries"]["own"] == trial.id
    assert awesome("backtest", "out").code == 0
    traded = json.loads((folder / "out" / "backtest.json").read_text())["backtest"]
    assert traded == judgement["backtest"]


def test_json_says_the_same_and_a_second_look_is_no_new_try(
    awesome: Awesome, folder: Path, forecasts: pd.DataFrame
) -> None:
    forecasts.to_parquet("p.parquet")
    first, second = (json.loads(awesome("judge", "p.parquet", "--json").out) for _ in range(2))
    assert first["file"]["judged"] == 447
    assert first["report"]["models"] == second["report"]["models"]
    assert len(second["report"]["tries"]["tries"]) == 1
    assert first["schema_version"] == 1
    assert set(first["report"]["baselines"]) == {"momentum_20", "reversal_1", "base_rate", "logistic"}
    assert [one["why"] for one in first["file"]["left_out"]] == ["pending"]
    # What stands in the list of tries is what was judged.
    assert "file p.parquet" in " ".join(awesome("trials", "--all").out.split())


def test_rows_to_mend_are_named_and_change_the_exit_code(
    awesome: Awesome, folder: Path, forecasts: pd.DataFrame
) -> None:
    forecasts["probability"] = forecasts["probability"].astype(str)
    forecasts.iloc[0, 1], forecasts.iloc[1, 2], forecasts.iloc[2, 0] = "s000", "2", "1999-01-01"
    forecasts.to_csv("p.csv", index=False)
    done = awesome("judge", "p.csv")
    assert (done.code, done.err) == (3, "")
    for line in (
        "1 row left out, other letters: the database writes the share in other letters; write it so, or say "
        "--ignore-case",
        f"  row 2, share s000, {forecasts.iloc[0, 0]}: S000",
        "1 row left out, no probability: probability is outside [0, 1]; write a probability, or say --score "
        "probability",
        f"  row 3, share S000, {forecasts.iloc[1, 0]}: 2",
        "  row 4, share S000, 1999-01-01: from 2000-01-31 on",
    ):
        assert line in done.out.splitlines()


def test_a_file_of_which_nothing_can_be_judged_is_no_try(
    awesome: Awesome, folder: Path, forecasts: pd.DataFrame
) -> None:
    forecasts[forecasts["time"] == forecasts["time"].max()].to_csv("p.csv", index=False)
    done = awesome("judge", "p.csv", "--output", "out")
    assert done.code == 4
    assert "None of the 3 forecasts can be judged." in done.out
    assert not (folder / "out").exists()
    assert read_record(record_path(folder / "awesome.db")).trials == ()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("other.csv",), "other.csv does not exist; name a CSV or Parquet file of forecasts"),
        ((".",), ". is a folder; name a CSV or Parquet file of forecasts"),
        (("p.csv", "--output", "p.csv"), "--output p.csv is a file; name a folder"),
        (("p.csv", "--known-until", "soon"), "soon is no date such as 2020-12-31"),
        (("p.csv", "--column", "time"), "time is not such as close=Settle"),
        (("p.csv", "--costs", "-1"), "costs of -1 basis points are not a number from 0 on"),
        (("p.csv", "--quantile", "0.7"), "quantile 0.7 is not above 0 and up to 0.5"),
        (("p.csv", "--score", "rank"), "the column rank (--score) is there not"),
        (("p.csv", "--horizon", "0"), "horizon"),
        (("p.csv", "--db", "none.db"), "none.db"),
    ],
)
def test_a_mistake_is_one_line_and_no_try(
    awesome: Awesome, folder: Path, forecasts: pd.DataFrame, arguments: tuple[str, ...], said: str
) -> None:
    forecasts.to_csv("p.csv", index=False)
    done = awesome("judge", *arguments)
    assert said in done.refusal
    assert read_record(record_path(folder / "awesome.db")).trials == ()


def test_a_runs_folder_is_not_written_over(awesome: Awesome, folder: Path, forecasts: pd.DataFrame) -> None:
    forecasts.to_csv("p.csv", index=False)
    (folder / "run").mkdir()
    (folder / "run" / "report.json").write_text("{}")
    assert (
        "--output run: there is the report of a run; name another folder"
        in awesome("judge", "p.csv", "--output", "run").refusal
    )


def test_forecasts_of_what_is_known_are_suspected_on_real_prices(
    awesome: Awesome, folder: Path, forecasts: pd.DataFrame
) -> None:
    with FeatureStore.open(folder / "awesome.db") as store:
        prices = pd.concat(
            pd.DataFrame({"time": one.time, "share_id": one.share_id, "close": one.close * one.factor})
            for one in store.price_series(["S000", "S001", "S002"])
        )
    prices.to_csv("prices.csv", index=False)
    assert awesome("prices", "import", "prices.csv", "--db", "real.db").code == 0
    prices["probability"] = (prices.groupby("share_id")["close"].shift(-1) > prices["close"]) * 0.2 + 0.4
    prices[["time", "share_id", "probability"]].tail(150).to_csv("p.csv", index=False)
    words = " ".join(awesome("judge", "p.csv", "--db", "real.db").out.split())
    assert "points to forecasts that were made after the fact" in words
    assert "passes" not in words
