"""What the benchmark on wide panels says of its figures, and the plain script it compares with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.measure import ProcessUsage
from benchmarks.panels import Case, Measured, auc_difference, check_same_rows, main, speed_rows, target_row
from benchmarks.straightforward import panel as script
from components.evidence.resampling import Interval
from components.evidence.statistics import auc, auc_interval, skill


def usage(cpu: float) -> ProcessUsage:
    return ProcessUsage(cpu * 2, cpu, 100.0, "")


def measured(name: str, area: float, cpu: float = 10.0) -> Measured:
    interval = Interval(area, area - 0.01, area + 0.01, 0.005)
    return Measured(name, interval, Interval(0.0, -0.01, 0.01, 0.005), usage(cpu), 4.0)


def case(ahead: float) -> Case:
    models = (measured("linear", 0.49), measured("rnn", 0.51 + ahead))
    learners = (measured("logistic_regression", 0.52, 2.0), measured("lightgbm", 0.51, 5.0))
    difference = Interval(ahead, ahead - 0.02, ahead + 0.02, 0.01)
    return Case("made", 20, {"train": 9, "eval": 3, "test": 5}, models, learners, "rnn", difference, usage(70.0))


@pytest.mark.parametrize(("ahead", "holds"), [(0.004, "yes"), (-0.0049, "yes"), (-0.0051, "no")])
def test_the_best_model_may_be_below_lightgbm_by_the_tolerance(ahead: float, holds: str) -> None:
    row = target_row(case(ahead))
    assert row["holds"] == holds
    assert (row["best"], row["auc"], row["lightgbm"]) == ("rnn", pytest.approx(0.51 + ahead), 0.51)


def test_speed_is_a_ratio_to_each_script_and_to_both() -> None:
    rows = {row["process"]: row for row in speed_rows(case(0.0))}
    trainer, job = rows["Trainer rnn"], rows["whole job"]
    assert (trainer["x logistic_regression"], trainer["x lightgbm"], trainer["of it imports"]) == (5, 2, 4)
    assert job["x both scripts"] == 10
    assert rows["script lightgbm"]["x lightgbm"] == 1


def test_difference_of_aucs_is_paired() -> None:
    rng = np.random.default_rng(0)
    days = np.repeat(np.arange(np.datetime64("2020-01-01"), np.datetime64("2020-07-01")), 20)
    label = rng.integers(0, 2, len(days))
    signal = label * 0.3 + rng.normal(size=len(days))
    rows = pd.DataFrame({"time": days, "label": label, "one": signal, "near": signal + rng.normal(0, 0.1, len(days))})
    found = auc_difference(rows, "one", "near", 1, 0)
    assert found.value == pytest.approx(auc(label, rows["one"].to_numpy()) - auc(label, rows["near"].to_numpy()))
    # Two scores that err together differ by far less than either is uncertain.
    assert found.standard_error < auc_interval(label, signal, days).standard_error / 3
    assert auc_difference(rows, "one", "one", 1, 0) == Interval(0.0, 0.0, 0.0, 0.0)


def test_unlike_rows_are_no_comparison() -> None:
    rows = pd.DataFrame({"time": pd.to_datetime(["2020-01-02", "2020-01-03"]), "share_id": ["A", "A"], "label": [0, 1]})
    check_same_rows(rows, rows.iloc[::-1], 7, 7)
    for other, train in ((rows.iloc[:1], 7), (rows.assign(label=[1, 1]), 7), (rows.assign(share_id="B"), 7), (rows, 8)):
        with pytest.raises(RuntimeError, match="not the run's"):
            check_same_rows(rows, other, 7, train)


def prices(path: Path, sessions: int = 26) -> pd.DataFrame:
    days = pd.bdate_range("2020-01-01", periods=sessions, name="time")
    growth = np.exp(np.arange(sessions) * 0.01)
    table = pd.DataFrame(
        {"UP": 10 * growth, "FLAT": 5.0, "LATE": np.where(np.arange(sessions) < 3, np.nan, 7 / growth)}
    )
    table.index = days
    table.to_csv(path, date_format="%Y-%m-%d")
    return table


def test_the_scripts_rows_are_windows_with_a_label(tmp_path: Path) -> None:
    table = prices(tmp_path / "prices.csv")
    rows = script.read_rows(tmp_path / "prices.csv", horizon=2)
    # The first window ends on session 20, the last label two sessions before the end; LATE begins three sessions late,
    # and an unchanged close has no label.
    by_share = {share: list(part["time"]) for share, part in rows.groupby("share_id", observed=True)}
    assert by_share == {"UP": list(table.index[20:24]), "LATE": list(table.index[23:24])}
    up, late = rows[rows["share_id"] == "UP"], rows[rows["share_id"] == "LATE"]
    returns = [f"return{i}" for i in range(20)]
    np.testing.assert_allclose(up[returns], 1.0)
    np.testing.assert_allclose(late[returns], -1.0)
    np.testing.assert_allclose(rows["log_volatility"], np.log(0.01))
    assert up["label"].eq(1).all()
    assert late["label"].eq(0).all()
    np.testing.assert_allclose(up["forward_return"], np.exp(0.02) - 1)


def test_the_scripts_returns_stand_with_the_oldest_first(tmp_path: Path) -> None:
    table = prices(tmp_path / "prices.csv")[["UP"]]
    table.iloc[-2:] *= 1.5  # a jump in the last return of the last window that has a label
    table.to_csv(tmp_path / "prices.csv", date_format="%Y-%m-%d")
    last = script.read_rows(tmp_path / "prices.csv", horizon=1).iloc[-1]
    assert last["time"] == table.index[-2]
    assert last["return19"] > 40 * last["return18"]


@pytest.mark.slow
@pytest.mark.parametrize("learner", script.LEARNERS)
def test_the_script_finds_what_is_there(tmp_path: Path, learner: str, capsys: pytest.CaptureFixture[str]) -> None:
    from components.synthetic_market import generate

    market = generate("momentum", shares=30, sessions=1500, seed=1)
    closes = pd.DataFrame(market.close, index=pd.DatetimeIndex(market.time, name="time"))
    closes.columns = list(market.share_ids)
    closes.to_csv(tmp_path / "prices.csv", date_format="%Y-%m-%d")
    days = [str(day.date()) for day in closes.index]
    options = ["--learner", learner, "--prices", str(tmp_path / "prices.csv")]
    dates = ["--train", days[0], days[1099], "--test", days[1130], days[-1]]
    assert script.main([*options, *dates, "--predictions", str(tmp_path / "out.parquet")]) == 0
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    answered = pd.read_parquet(tmp_path / "out.parquet")
    assert said["train_rows"] == 30 * 1080
    assert list(said["steps"]) == ["read", "fit", "predict"]
    assert answered["time"].min() == closes.index[1130]
    area = auc(answered["label"].to_numpy(), answered["probability"].to_numpy())
    assert skill(area, market.scenario.best_auc(1)) > 0.5


def test_a_panel_that_cannot_be_read_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "cvxportfolio-1.5.1.tar.gz").write_bytes(b"half of it")
    assert main(["--panels", "us431", "--data", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert said.startswith("benchmarks.panels: ")
    assert "not the pinned" in said
    assert len(said.splitlines()) == 1
