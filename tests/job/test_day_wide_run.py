"""A run that sees volumes and the other shares of the day, and what is predicted with it: of a past day the same."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jobs import Job, awesome, succeeded

from components.day_wide.reading import read_last
from components.feature_store import FeatureStore
from components.model_selector.opening import open_pushed
from models.card import read_card
from models.formatters import get_formatter
from models.twin.forecasting import TOLERANCE
from pipeline.plan import load_plan
from pipeline.runs.folder import open_run
from pipeline.serving.version import load_version
from pipeline.uses.predict import pushed_versions, through_tensorflow
from pipeline.uses.serve import load_pushed, windows_of

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

FORMATTER = get_formatter("market_activity")
"""All that market_relative sees, and the rest of the bars."""

ASKED = ("--formatter", FORMATTER.name)
MARKET = ("--market", "volume_reversal", "--market-shares", "24", "--market-sessions", "1100")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Job:
    folder = tmp_path_factory.mktemp("day_wide_run")
    return succeeded(folder, "run", *ASKED, *MARKET, "--models", "linear", "--output", "out")


@pytest.fixture(scope="module")
def past(run: Job) -> tuple[Path, str]:
    """The database as it was on a day of the test split, and that day."""
    rows = pd.read_parquet(run.folder / "out/predictions.parquet")
    day = sorted(rows["time"].dt.strftime("%Y-%m-%d").unique())[40]
    path = run.folder / "past.db"
    shutil.copy(run.folder / run.report()["data"]["database"], path)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("PRICE", "FEATURE"):
            connection.execute(f"DELETE FROM {table} WHERE time > ?", (day,))
        connection.commit()
    return path, day


def test_past_sessions_come_out_as_in_the_run(run: Job) -> None:
    rows = len(pd.read_parquet(run.folder / "out/predictions.parquet"))
    first = run.report()["splits"]["test"]["first"]
    out = succeeded(run.folder, "predict", *ASKED, *MARKET, "--model", "linear", "--run", "out", "--since", first).out
    assert f"{rows:,} rows as in the run {open_run(run.folder / 'out').report.id}, to the last bit" in out
    assert "otherwise than in the run" not in out


def test_the_run_is_clean_and_says_what_it_reads(run: Job) -> None:
    report = run.report()
    assert "Leak audit: clean" in run.out
    assert report["models"]["linear"]["twin"]["reason"] == ""
    assert (report["reach"], report["settings"]["embargo"]) == (60, 61)
    page = " ".join((run.folder / "out/report.html").read_text().split())
    assert "reaches 60 sessions back, and the embargo is 61 sessions." in page


def test_it_finds_what_becomes_of_returns_on_high_volume(run: Job) -> None:
    market = run.report()["market"]
    assert (market["best_auc"], market["best_rank_ic"]) == pytest.approx((0.5587, 0.1241), abs=6e-5)
    assert run.report()["models"]["linear"]["rank_ic"] > 0.05


def test_without_volumes_a_prediction_is_refused_in_one_line(run: Job, past: tuple[Path, str]) -> None:
    path = run.folder / "closes.db"
    shutil.copy(past[0], path)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE PRICE SET volume = NULL")
        connection.commit()
    refused = awesome(run.folder, "predict", *ASKED, "--db", str(path), "--run", "out", "--model", "linear")

    assert refused.code == 1
    assert "0% of the sessions of these shares have a volume above 0" in " ".join(refused.err.split())
    assert "Traceback" not in refused.err


def test_predict_gives_of_a_past_day_what_the_run_gave(run: Job, past: tuple[Path, str]) -> None:
    database, day = past
    said = succeeded(run.folder, "predict", *ASKED, "--db", str(database), "--run", "out", "--model", "linear").out
    found = {share: float(value) for share, value in re.findall(rf"^(S\d+) +{day} +(0\.\d+)", said, re.MULTILINE)}

    rows = pd.read_parquet(run.folder / "out/predictions.parquet")
    rows = rows[rows["time"] == day]
    assert len(found) == len(rows) == 24
    for share, probability in zip(rows["share_id"], rows["linear"], strict=True):
        assert found[share] == pytest.approx(probability, abs=TOLERANCE + 5e-5)  # four decimals are printed


def test_what_the_model_sees_of_a_past_day_has_the_bits_of_the_run(run: Job, past: tuple[Path, str]) -> None:
    import tensorflow as tf

    database, day = past
    report = run.report()
    saved_model = run.folder / report["models"]["linear"]["model_uri"] / "Format-Serving"
    market = read_card(saved_model).market
    assert list(market) == report["data"]["share_ids"]
    with FeatureStore.open(database) as store:
        last = store.listings.last_windows(list(market))
        found = read_last(store, market, last.shares, last.time, FORMATTER.day_columns)
    assert set(last.time) == {day}

    carried: dict[str, Any] = {}
    files = sorted((run.folder / report["artifacts"]["examples"] / "Split-test").iterdir())
    for record in tf.data.TFRecordDataset([str(file) for file in files]).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        if features["time"].int64_list.value[0] == int(day.replace("-", "")):
            carried[features["share_id"].bytes_list.value[0].decode()] = features
    assert sorted(carried) == sorted(last.shares)
    for name, values in FORMATTER.carried(found).items():
        for at, share in enumerate(last.shares):
            held = np.array(carried[share][name].float_list.value, np.float32)
            np.testing.assert_array_equal(np.atleast_1d(values[at]), held, err_msg=f"{name} of {share}")


def test_serve_and_tensorflow_answer_as_predict_does(run: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(run.folder)
    flags = {"formatter": FORMATTER.name, "market": "volume_reversal", "market_shares": 24, "market_sessions": 1100}
    plan = load_plan(flags)
    pushed = open_pushed(pushed_versions(plan.serving)[-1])
    windows = windows_of(plan)((), pushed.card)
    served = load_pushed(pushed).forecast(windows.share_ids, windows.closes, day=windows.day)

    said = dict(re.findall(r"^(S\d+) +\S+ +(0\.\d+)", succeeded(run.folder, "predict", *ASKED, *MARKET).out, re.M))
    assert {name: f"{one:.4f}" for name, one in zip(windows.share_ids, served.tolist(), strict=True)} == said
    monkeypatch.setattr("pipeline.uses.predict.AT_ONCE", 10)
    by_tensorflow = through_tensorflow(pushed.folder, windows.share_ids, windows.closes, windows.day)
    np.testing.assert_allclose(by_tensorflow, served, rtol=0, atol=TOLERANCE)
    with pytest.raises(ValueError, match="the formatter market_activity reads market_relative_returns, "):
        load_pushed(pushed).forecast(windows.share_ids, windows.closes)
    version = load_version(1, pushed.folder, load_pushed)
    assert "reads the other shares of the day" in version.unanswered("serving_default")


def test_the_market_is_that_of_the_run_whichever_shares_are_asked_for(run: Job, past: tuple[Path, str]) -> None:
    asked = ("predict", *ASKED, "--db", str(past[0]), "--run", "out", "--model", "linear")
    [everyone, few] = (succeeded(run.folder, *asked, *more).out for more in ((), ("--shares", "S003,S007")))
    lines = [line for line in few.splitlines() if re.match(r"S\d", line)]

    assert len(lines) == 2
    assert all(line in everyone.splitlines() for line in lines)


def test_the_loop_writes_down_what_the_model_saw_and_verify_makes_it_again(run: Job) -> None:
    database = run.folder / run.report()["data"]["database"]
    with FeatureStore.create(database) as store:
        day = max(store.listings.last_windows(store.listings.share_ids()).time)
        store.listings.put(store.listings.share_ids(), "24/5")
    asked = (
        *ASKED,
        "--db",
        str(database),
        "--no-retrain",
        "--clock",
        f"{np.datetime64(day) + 1}T12:00+00:00",
    )  # a Saturday
    said = succeeded(run.folder, "daily", *asked).out
    assert "24 written down on time, 0 late" in said

    again = succeeded(run.folder, "ledger", "verify", "--recompute", "--db", str(database)).out
    assert "24 predictions computed again: the same to the last bit" in again
    assert f"what 24 predictions were made of, again from {database}: the same to the last bit" in again
