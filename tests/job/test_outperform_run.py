"""A run of the label `outperform` from end to end: everything that follows knows which label it is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jobs import MARKET, SETTINGS, Job, awesome, succeeded

from components.trials.record import read_record, record_path

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

ASKED = ("--label", "outperform", *MARKET)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("outperform")
    (folder / "awesome.toml").write_text(SETTINGS)
    return succeeded(folder, "run", *ASKED, "--models", "linear", "--output", "out")


@pytest.fixture(scope="module")
def predictions(run: Job) -> pd.DataFrame:
    return pd.read_parquet(run.folder / "out/predictions.parquet")


@pytest.fixture(scope="module")
def returns(run: Job) -> pd.DataFrame:
    """The returns to the next session by day and share, straight from the database."""
    database = run.folder / run.report()["data"]["database"]
    with closing(sqlite3.connect(database)) as connection:
        closes = pd.read_sql_query("SELECT time, share_id, close0 FROM FEATURE", connection)
    table = closes.pivot(index="time", columns="share_id", values="close0")
    table.index = pd.to_datetime(table.index)
    return table.shift(-1) / table - 1


def test_labels_and_returns_are_those_less_the_days_median(predictions: pd.DataFrame, returns: pd.DataFrame) -> None:
    own = returns.stack()
    excess = returns.sub(returns.median(axis=1), axis=0).stack()
    at = pd.MultiIndex.from_frame(predictions[["time", "share_id"]])

    np.testing.assert_allclose(predictions["forward_return"], excess.loc[at], atol=1e-6)
    assert (predictions["label"] == (excess.loc[at] > 0).to_numpy()).all()
    # What is traded is the close's own return.
    np.testing.assert_allclose(predictions["next_return"], own.loc[at], atol=1e-6)
    assert predictions.groupby("time")["label"].mean().eq(0.5).all()


def test_the_rank_ic_is_with_the_labels_own_return(run: Job, predictions: pd.DataFrame) -> None:
    model = run.report()["models"]["linear"]
    daily = predictions.groupby("time")[["linear", "forward_return"]].apply(
        lambda day: day["linear"].corr(day["forward_return"], method="spearman")
    )
    assert model["rank_ic"] == pytest.approx(daily.mean(), abs=1e-9)
    assert model["metrics"]["rank_ic"] == pytest.approx(daily.mean(), abs=1e-5)  # TFMA's, of the exported model
    assert model["rank_ic"] > 0.1  # the market reverses, and it does so share by share


def test_the_audit_has_made_the_levels_again_and_finds_no_leak(run: Job) -> None:
    checks: dict[str, Any] = {check["name"]: check for check in run.report()["audit"]["checks"]}

    assert "Leak audit: clean" in run.out
    assert "are those that all shares' prices give" in checks["label proof"]["sentence"]
    assert checks["completeness"]["status"] == checks["prefix replay"]["status"] == "passed"


def test_the_page_and_the_record_say_which_label_it_is(run: Job) -> None:
    page = (run.folder / "out/report.html").read_text()
    assert "Above the day's median next session?" in page.replace("&#39;", "'")
    assert "came above the median" in page
    assert run.report()["settings"]["label"] == "outperform"
    record = read_record(record_path(run.folder / run.report()["data"]["database"]))
    assert [one.asked.get("label") for one in record.trials] == ["outperform"]


def test_predict_speaks_of_it_and_takes_it_for_no_model_of_another_label(run: Job) -> None:
    said = succeeded(run.folder, "predict", *ASKED).out
    assert "probability of a return above the day's median after 1 session" in " ".join(said.split())

    refused = awesome(run.folder, "predict", *MARKET)
    assert refused.code == 1
    assert "no run in runs has used " in refused.err
    assert sorted(path.name for path in Path(run.folder / "runs/serving").iterdir()) == [
        "reversal_easy-12x700-seed0.outperform-window_returns-h1"
    ]
