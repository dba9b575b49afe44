"""What the benchmark on wide panels says of its figures, and the plain script it compares with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from benchmarks.measure import ProcessUsage
from benchmarks.panels import Case, check_same_rows, main, skill_rows, speed_rows, target_rows
from benchmarks.straightforward import panel as script
from components.evidence.auc import auc, skill
from components.evidence.findings import Findings, ModelFindings
from components.evidence.interval import Interval


def usage(cpu: float) -> ProcessUsage:
    return ProcessUsage(cpu * 2, cpu, 100.0, "")


def scores(area: float) -> dict[str, Interval]:
    return {"auc": Interval(area, area - 0.01, area + 0.01, 0.005), "rank_ic": Interval(0.0, -0.01, 0.01, 0.005)}


def case(ahead: float, ahead_of_script: float = 0.0) -> Case:
    """Two models, rnn the better one, and by how much it is ahead of the two LightGBMs."""

    def model(area: float, *leads: float) -> ModelFindings:
        names = ("lightgbm", "script lightgbm")
        differences = {name: scores(lead) for name, lead in zip(names, leads, strict=True)}
        return ModelFindings(scores(area), differences, False, "")

    models = {"linear": model(0.49, 9.0, 9.0), "rnn": model(0.51, ahead, ahead_of_script)}
    learners = ("logistic_regression", "lightgbm", "script logistic_regression", "script lightgbm")
    seconds = {"linear": 8.0, "rnn": 10.0, "script logistic_regression": 2.0, "script lightgbm": 5.0}
    used = {name: usage(cpu) for name, cpu in seconds.items()}
    findings = Findings(models, {name: scores(0.5) for name in learners}, 5, 3)
    return Case("made", 20, "up", findings, used, dict.fromkeys(models, 4.0), usage(70.0))


@pytest.mark.parametrize(
    ("ahead", "ahead_of_script", "holds"),
    [(0.004, -0.0049, ["yes", "yes"]), (-0.0051, 0.1, ["no", "yes"]), (0.1, -0.0051, ["yes", "no"])],
)
def test_the_best_model_may_be_below_either_lightgbm_by_the_tolerance(
    ahead: float, ahead_of_script: float, holds: list[str]
) -> None:
    rows = target_rows(case(ahead, ahead_of_script))
    assert [row["holds"] for row in rows] == holds
    assert [(row["best"], row["auc"], row["against"]) for row in rows] == [
        ("rnn", 0.51, "lightgbm"),
        ("rnn", 0.51, "script lightgbm"),
    ]


def test_speed_is_a_ratio_to_each_script_and_to_both() -> None:
    rows = {row["process"]: row for row in speed_rows(case(0.0))}
    columns = ("x script logistic_regression", "x script lightgbm", "of it imports")
    assert [rows["Trainer rnn"][column] for column in columns] == [5, 2, 4]
    assert rows["whole job"]["x both"] == 10
    assert rows["script lightgbm"]["x script lightgbm"] == 1


def test_every_model_and_learner_has_its_figures_and_only_processes_have_seconds() -> None:
    rows = {row["model"]: row for row in skill_rows(case(0.0))}
    learners = ("logistic_regression", "lightgbm", "script logistic_regression", "script lightgbm")
    assert tuple(rows) == ("linear", "rnn", *learners)
    assert (rows["rnn"]["auc"], rows["rnn"]["auc 95 %"], rows["rnn"]["seconds"]) == (0.51, "0.5000 to 0.5200", 20.0)
    assert (rows["lightgbm"]["auc"], rows["lightgbm"]["seconds"], rows["lightgbm"]["peak MiB"]) == (0.5, None, None)


def test_unlike_rows_are_no_comparison() -> None:
    rows = pd.DataFrame({"time": pd.to_datetime(["2020-01-02", "2020-01-03"]), "share_id": ["A", "A"], "label": [0, 1]})
    check_same_rows(rows, rows.iloc[::-1], 7, 7)
    for other, train in ((rows.iloc[:1], 7), (rows.assign(label=[1, 1]), 7), (rows.assign(share_id="B"), 7), (rows, 8)):
        with pytest.raises(RuntimeError, match="not the run's"):
            check_same_rows(rows, other, 7, train)


def prices(path: Path, sessions: int = 26) -> pd.DataFrame:
    days = pd.bdate_range("2020-01-01", periods=sessions, name="time")
    growth = np.exp(np.arange(sessions) * 0.01)
    late = np.where(np.arange(sessions) < 3, np.nan, 7 / growth)
    table = pd.DataFrame({"UP": 10 * growth, "FLAT": 5.0, "LATE": late}, index=days)
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


def test_the_scripts_rows_of_outperform_are_those_beside_the_median_of_the_shares_with_a_window(tmp_path: Path) -> None:
    table = prices(tmp_path / "prices.csv")
    table["DOWN"] = 30 * np.exp(np.arange(len(table)) * -0.02)
    table.to_csv(tmp_path / "prices.csv", date_format="%Y-%m-%d")
    rows = script.read_rows(tmp_path / "prices.csv", horizon=2, label="outperform")
    told = {(row.time, row.share_id): (row.label, row.forward_return) for row in rows.itertuples()}
    early, late = table.index[20], table.index[23]
    # Of three shares FLAT is the median itself; from session 23 on LATE falls as well, by less than DOWN.
    assert {share: told[early, share][0] for share in ("UP", "DOWN")} == {"UP": 1, "DOWN": 0}
    assert (early, "FLAT") not in told
    median = (0 + np.exp(-0.02) - 1) / 2
    expected = {"UP": np.exp(0.02) - 1 - median, "FLAT": -median, "LATE": median, "DOWN": np.exp(-0.04) - 1 - median}
    assert {share: told[late, share][1] for share in expected} == pytest.approx(expected, abs=1e-6)
    assert [told[late, share][0] for share in expected] == [1, 1, 0, 0]


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
    script.main([*options, *dates, "--predictions", str(tmp_path / "out.parquet")])
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
