"""`--label` of a judgement: forecasts of another label are judged as a run of that label judges its own."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from needed import needed

from components.evidence.comparing import compare
from components.feature_example_gen.day_levels import levels_of
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore
from components.feature_store.decisions import read_decisions
from components.judging.forecast_columns import ColumnChoice
from components.trials.record import append, read_record, record_path
from models.features import excess_return_key, forward_return_key, label_key
from models.labels import LABELS
from pipeline.plan import Plan, load_plan
from pipeline.uses.judge import Asked, JudgedForecasts, judge_file

needed("adbc_driver_sqlite")


@pytest.fixture
def database(market_db: Path, folder: Path) -> Path:
    """A market of three shares, whose record begins with it."""
    shutil.copy(market_db, folder / "m.db")
    append(record_path(folder / "m.db"), (), complete=True)
    return folder / "m.db"


def test_split_of(plan: Plan) -> pd.DataFrame:
    """The test split of a run with the plan's label, and what a model says of it."""
    horizon = plan.horizon
    with FeatureStore.open(plan.database) as store:
        shares = store.shares()
        splits = plan_splits(store.sessions(), SplitSettings(horizons=tuple(sorted({1, horizon})), horizon=horizon))
        levels = levels_of(store, shares, splits.sessions, splits.horizons, plan.label)
        made = label_rows(store.read_features([one.share_id for one in shares]), splits, levels=levels)
    rows = np.flatnonzero(made.split == 2)
    columns = {name: values[rows] for name, values in made.columns.items()}
    following = np.where(made.missing[forward_return_key(1)][rows], np.nan, columns[forward_return_key(1)])
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(columns["time"].astype(str)),
            "share_id": [one.decode() for one in columns["share_id"]],
            "label": columns[label_key(horizon)],
            "forward_return": columns[excess_return_key(horizon)].astype(float),
            "next_return": following.astype(float),
            "good": (1.5 - columns["closes"][:, 0] / columns["closes"][:, 1].astype(float)).clip(0, 1),
        }
    )
    return frame.sort_values(["time", "share_id"], ignore_index=True)


test_split_of.__test__ = False  # type: ignore[attr-defined]


def judged(plan: Plan, frame: pd.DataFrame) -> JudgedForecasts:
    frame[["time", "share_id", "good"]].to_csv("p.csv", index=False)
    return judge_file(plan, Path("p.csv"), Asked(columns=ColumnChoice(("good",))))


@pytest.mark.parametrize("horizon", [1, 5])
def test_predictions_of_a_run_of_another_label_give_its_figures(database: Path, horizon: int) -> None:
    plan = load_plan({"db": database, "label": "outperform", "horizon": horizon})
    frame = test_split_of(plan)
    assert len(frame) > 50
    expected, trial = compare(frame, ["good"], [], horizon, plan.settings.seed)

    made = judged(plan, frame)

    assert made.judgement.report is not None
    pd.testing.assert_frame_equal(made.predictions[frame.columns], frame, check_dtype=False, atol=0, rtol=0)
    for metric, interval in expected.models["good"].scores.items():
        found = made.judgement.report.models["good"].scores[metric]
        np.testing.assert_allclose([found.value, found.low], [interval.value, interval.low], rtol=0, atol=1e-12)
    assert made.judgement.report.label == "outperform"
    assert made.judgement.report.tries is not None
    assert made.judgement.report.tries.own == trial.id
    assert read_record(record_path(database)).trials[-1].asked["label"] == "outperform"


def test_the_share_that_is_the_median_itself_is_left_out_and_so_is_a_share_alone(database: Path) -> None:
    plan = load_plan({"db": database, "label": "outperform"})
    days = sorted(set(test_split_of(plan)["time"]))
    whole = pd.DataFrame([(day, share, 0.6) for day in days for share in ("S000", "S001", "S002")])
    whole.columns = ["time", "share_id", "good"]

    made = judged(plan, whole)

    left = {one.why: one.count for one in made.judgement.file.left_out}
    assert left["unchanged"] == len(days)  # of three shares one is the median
    assert made.judgement.file.judged == 2 * len(days)
    assert made.predictions["label"].mean() == 0.5

    with FeatureStore.create(database) as store:
        store.decide(read_decisions(exclude=("S001", "S002")))
    alone = judged(plan, whole[whole["share_id"] == "S000"])
    assert {one.why: one.count for one in alone.judgement.file.left_out} == {"alone": len(days)}


NEAR_THE_BEST = """
from models.labels import Label, Words

LABEL = Label("near_best", "within reach of the best", Words(*"abcdef"), lambda day: float(day.max()) - 0.01, 3)
"""


def test_a_label_of_somebodys_own_is_told_of_with_its_try_and_in_the_report(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_AWESOME_PLUGINS", "[]")
    Path("nearly.py").write_text(NEAR_THE_BEST)
    plan = load_plan({"db": database, "label": "near_best", "plugins": ["nearly.py"]})
    frame = test_split_of(plan)

    report = judged(plan, frame).judgement.report

    assert report is not None
    assert report.parts == LABELS.origins("near_best") != ()
    [trial] = read_record(record_path(database)).trials
    assert (trial.asked["label"], trial.asked["parts"]) == ("near_best", report.parts[0])
    with FeatureStore.create(database) as store:
        store.decide(read_decisions(exclude=("S002",)))  # of three shares two are left, and the label wants three
    assert judged(plan, frame).judgement.report is None
