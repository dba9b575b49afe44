"""The figures of a judged file against scikit-learn and SciPy, and against the same rows as a run judges them."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from needed import needed
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss, roc_auc_score

from components.evidence.comparing import compare
from components.evidence.findings import Findings
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore
from components.judging.forecast_columns import ColumnChoice
from components.trials.hurdle import hurdle
from components.trials.record import Record, append, read_record, record_path
from models.features import forward_return_key, label_key
from pipeline.plan import Plan, load_plan
from pipeline.runs.results import RunReport
from pipeline.uses.judge import Asked, JudgedForecasts, judge_file

needed("adbc_driver_sqlite")


@pytest.fixture
def plan(market_db: Path, folder: Path) -> Plan:
    """A market of three shares, whose record begins with it."""
    shutil.copy(market_db, folder / "m.db")
    append(record_path(folder / "m.db"), (), complete=True)
    return load_plan({"db": folder / "m.db"})


def test_split(plan: Plan, horizon: int) -> pd.DataFrame:
    """The test split of a run, as FeatureExampleGen cuts and labels it, and what two models say of it."""
    with FeatureStore.open(plan.database) as store:
        shares = [one.share_id for one in store.shares()]
        settings = SplitSettings(horizons=tuple(sorted({1, horizon})), horizon=horizon)
        labelled = label_rows(store.read_features(shares), plan_splits(store.sessions(), settings))
    rows = np.flatnonzero(labelled.split == 2)
    columns = {name: values[rows] for name, values in labelled.columns.items()}
    following = np.where(labelled.missing[forward_return_key(1)][rows], np.nan, columns[forward_return_key(1)])
    rng = np.random.default_rng(horizon)
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(columns["time"].astype(str)),
            "share_id": [one.decode() for one in columns["share_id"]],
            "label": columns[label_key(horizon)],
            "forward_return": columns[forward_return_key(horizon)].astype(float),
            "next_return": following.astype(float),
            "good": 0.5 - columns["closes"][:, 0].astype(float) / columns["closes"][:, 1] + 0.5,
            "coin": rng.random(len(rows)),
        }
    )
    frame["good"] = (0.5 + frame["good"] * 3).clip(0, 1)
    return frame.sort_values(["time", "share_id"], ignore_index=True)


test_split.__test__ = False  # type: ignore[attr-defined]


def judged(plan: Plan, frame: pd.DataFrame, **asked: object) -> JudgedForecasts:
    path = Path("p.csv")
    frame.to_csv(path, index=False)
    return judge_file(plan, path, Asked(**asked))  # type: ignore[arg-type]


def report_of(made: JudgedForecasts) -> RunReport:
    assert made.judgement.report is not None
    return made.judgement.report


def close(one: object, two: object) -> None:
    """Two figures are the same to 1e-12; nan is nan."""
    np.testing.assert_allclose(
        [getattr(one, key) for key in ("value", "low", "high", "standard_error")],
        [getattr(two, key) for key in ("value", "low", "high", "standard_error")],
        rtol=0,
        atol=1e-12,
    )


@pytest.mark.parametrize("horizon", [1, 5])
def test_the_predictions_of_a_run_give_its_figures(plan: Plan, horizon: int) -> None:
    plan = replace(plan, splits=replace(plan.splits, horizon=horizon, horizons=tuple(sorted({1, horizon}))))
    frame = test_split(plan, horizon)
    expected, trial = compare(frame, ["good", "coin"], [], horizon, plan.settings.seed)
    # In any order, and without what only a run knows.
    given = frame.sample(frac=1, random_state=0)[["share_id", "coin", "time", "good"]]
    made = judged(plan, given, columns=ColumnChoice(("good", "coin")))
    report = report_of(made)
    assert made.judgement.file.judged == len(frame)
    pd.testing.assert_frame_equal(made.predictions[frame.columns], frame, check_dtype=False, atol=0, rtol=0)
    for name in ("good", "coin"):
        assert set(report.models[name].scores) == set(expected.models[name].scores)
        for metric, interval in expected.models[name].scores.items():
            close(report.models[name].scores[metric], interval)
        other = "coin" if name == "good" else "good"
        for metric, interval in expected.models[name].differences[other].items():
            close(report.models[name].differences[other][metric], interval)
    # What was seen is what the run saw: it is the same try.
    assert report.tries is not None
    assert report.tries.own == trial.id


def test_figures_are_those_of_the_libraries(plan: Plan) -> None:
    frame = test_split(plan, 1)
    report = report_of(judged(plan, frame[["time", "share_id", "good"]], columns=ColumnChoice(("good",))))
    model, label, said = report.models["good"], frame["label"], frame["good"]
    assert model.auc == pytest.approx(roc_auc_score(label, said), abs=1e-12)
    assert model.accuracy == pytest.approx(accuracy_score(label, said > 0.5), abs=1e-12)
    assert model.majority == pytest.approx(max(label.mean(), 1 - label.mean()), abs=1e-12)
    assert model.scores["brier"].value == pytest.approx(brier_score_loss(label, said), abs=1e-12)
    base = np.full(len(label), label.mean())
    expected = log_loss(label, said.clip(1e-7, 1 - 1e-7)) - log_loss(label, base)
    assert model.scores["loss_above_base_rate"].value == pytest.approx(expected, abs=1e-12)
    daily = [spearmanr(day["good"], day["forward_return"])[0] for _, day in frame.groupby("time") if len(day) > 2]
    assert model.rank_ic == pytest.approx(np.nanmean(daily), abs=1e-12)
    for year, rows in frame.groupby(frame["time"].dt.year):
        assert model.by_year[str(year)].auc == pytest.approx(roc_auc_score(rows["label"], rows["good"]), abs=1e-12)
        assert model.by_year[str(year)].rows == len(rows)
    for share, rows in frame.groupby("share_id"):
        assert model.by_share[share].auc == pytest.approx(roc_auc_score(rows["label"], rows["good"]), abs=1e-12)


def test_baselines_are_what_their_names_say(plan: Plan) -> None:
    frame = test_split(plan, 1)
    report = report_of(judged(plan, frame[["time", "share_id", "coin"]], columns=ColumnChoice(("coin",))))
    with FeatureStore.open(plan.database) as store:
        windows = store.read_features(["S000", "S001", "S002"]).to_pandas()
    windows["time"] = pd.to_datetime(windows["time"])
    rows = frame.merge(windows, on=["time", "share_id"])
    assert len(rows) == len(frame)
    for name, score in (
        ("momentum_20", rows["close0"] / rows["close20"]),
        ("reversal_1", rows["close1"] / rows["close0"]),
    ):
        expected = roc_auc_score(rows["label"], score.to_numpy(np.float32))
        # Windows are in single precision, in which few scores tie that do not tie otherwise.
        assert report.baselines[name]["auc"].value == pytest.approx(expected, abs=1e-4)
        difference = report.models["coin"].differences[name]["auc"].value
        assert difference == pytest.approx(report.models["coin"].auc - report.baselines[name]["auc"].value, abs=1e-12)
        assert "brier" not in report.baselines[name]
    assert report.baselines["base_rate"]["auc"].value == 0.5
    # On a market of reversal the regression finds it.
    assert report.baselines["logistic"]["auc"].low > 0.5


def test_a_score_says_only_in_which_order(plan: Plan) -> None:
    frame = test_split(plan, 1)[["time", "share_id", "good"]]
    scored = frame.assign(good=1000 * (frame["good"] - 0.7))
    one = report_of(judged(plan, frame, columns=ColumnChoice((), ("good",))))
    two = report_of(judged(plan, scored, columns=ColumnChoice((), ("good",))))
    assert set(one.models["good"].scores) == {"auc", "ic", "rank_ic", "icir"}
    assert np.isnan(one.models["good"].accuracy)
    for metric in ("auc", "rank_ic"):
        close(one.models["good"].scores[metric], two.models["good"].scores[metric])
    # The same order of the same rows is the same answer, on whatever scale.
    assert one.tries is not None
    assert two.tries is not None
    assert len(read_record(record_path(plan.database)).trials) == 1
    assert two.tries.own == one.tries.own


def test_each_other_file_is_a_try_and_raises_the_hurdle(plan: Plan) -> None:
    frame = test_split(plan, 1)[["time", "share_id"]]
    rng = np.random.default_rng(0)
    needed = []
    for number in range(3):
        made = report_of(judged(plan, frame.assign(probability=rng.random(len(frame)))))
        assert made.tries is not None
        assert made.tries.hurdle is not None
        assert len(made.tries.tries) == number + 1
        needed.append(made.tries.hurdle.needed)
    assert needed == sorted(needed)
    assert needed[0] < needed[1]
    assert {one.kind for one in read_record(record_path(plan.database)).trials} == {"judged"}


def test_a_file_whose_rows_have_one_label_alone_is_a_look_and_no_chance_to_pass(plan: Plan) -> None:
    frame = test_split(plan, 1)
    coin = frame[["time", "share_id", "coin"]].rename(columns={"coin": "probability"})
    rising = report_of(judged(plan, coin[frame["label"] == 1]))
    # It has no AUC, and other figures of these days that somebody has seen now.
    assert np.isnan(rising.models["probability"].auc)
    assert not rising.models["probability"].blessed
    assert "all test rows have the same label" in rising.models["probability"].reason
    assert np.isfinite(rising.models["probability"].scores["loss_above_base_rate"].value)
    [seen] = read_record(record_path(plan.database)).trials
    assert seen.kind == "judged"
    # So the next one is not the first, but shares its errors with no chance of the other: it needs what an epoch of
    # one try does.
    after = report_of(judged(plan, coin)).tries
    assert after is not None
    assert after.hurdle is not None
    assert len(after.tries) == 2
    assert (after.hurdle.runs, after.hurdle.epoch) == (1, 1)
    alone = hurdle(Record(True, ()), read_record(record_path(plan.database)).trials[-1])
    assert after.hurdle.needed > alone.needed
    assert after.hurdle.independent == pytest.approx(1, abs=1e-9)


def test_a_forecast_of_what_happened_passes_and_a_coin_does_not(plan: Plan) -> None:
    frame = test_split(plan, 1)
    knowing = frame.assign(known=0.5 + 0.2 * (frame["label"] - 0.5))[["time", "share_id", "known", "coin"]]
    models = report_of(judged(plan, knowing, columns=ColumnChoice(("known", "coin")))).models
    assert models["known"].auc == 1
    assert models["known"].blessed
    assert not models["coin"].blessed
    assert "chance" in models["coin"].reason


def test_figures_of_a_constant_score_are_those_of_a_coin() -> None:
    frame = pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2020-01-01", periods=60), 10),
            "share_id": np.tile([f"S{i}" for i in range(10)], 60),
            "label": np.random.default_rng(0).integers(0, 2, 600),
            "forward_return": 0.01,
            "next_return": 0.01,
            "same": 7.0,
            "two": np.random.default_rng(1).integers(0, 2, 600).astype(float),
        }
    )
    found, _ = compare(frame, ["same", "two"], [], 1, 0, scores={"same", "two"})
    assert isinstance(found, Findings)
    assert (found.models["same"].scores["auc"].low, found.models["same"].scores["auc"].high) == (0.5, 0.5)
    two = found.models["two"].scores["auc"]
    assert two.value == pytest.approx(roc_auc_score(frame["label"], frame["two"]), abs=1e-12)
