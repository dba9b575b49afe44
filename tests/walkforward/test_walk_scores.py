"""A walk's scores by fold, by year and over all folds: against a hand-made case, scikit-learn and SciPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hand_made_walk import predictions
from scipy.stats import spearmanr
from sklearn.metrics import accuracy_score, roc_auc_score

from pipeline.studies.walkforward.scores import model_columns, score_horizon


def test_every_column_that_is_no_fact_is_a_model() -> None:
    frame = predictions()
    frame["lightgbm"] = 0.5
    assert model_columns(frame) == ["knows", "logistic_regression", "lightgbm"]
    assert list(score_horizon(frame, 1).overall.scores) == ["knows", "logistic_regression", "lightgbm"]


def test_folds_by_hand() -> None:
    # Two folds of two days and two shares. The second fit's scores are all higher than the first one's.
    frame = pd.DataFrame(
        {
            "horizon": 1,
            "fold": [1, 1, 1, 1, 2, 2, 2, 2],
            "time": pd.to_datetime(["2007-12-28", "2007-12-28", "2007-12-31", "2007-12-31"] * 2)
            + pd.to_timedelta([0] * 4 + [4] * 4, unit="D"),
            "share_id": ["A", "B"] * 4,
            "label": [1, 0, 1, 0, 1, 0, 0, 0],
            "forward_return": [0.01, -0.01, 0.02, -0.01, 0.01, -0.02, -0.01, -0.03],
            "m": [0.4, 0.3, 0.2, 0.1, 0.8, 0.7, 0.9, 0.6],
        }
    )
    found = score_horizon(frame, 1)
    assert [(part.name, part.first, part.last, part.days, part.rows) for part in found.folds] == [
        ("fold 1", "2007-12-28", "2007-12-31", 2, 4),
        ("fold 2", "2008-01-01", "2008-01-04", 2, 4),
    ]
    # Fold 1: of 4 pairs, 0.2 against 0.3 is wrong. Fold 2: of 3 pairs, 0.8 against 0.9 is wrong.
    assert [part.scores["m"].auc.value for part in found.folds] == pytest.approx([3 / 4, 2 / 3])
    assert [(part.name, part.rows) for part in found.years] == [("2007", 4), ("2008", 4)]
    assert found.overall.scores["m"].auc.value == pytest.approx((3 + 2) / (4 + 3))
    assert found.overall.majority == 5 / 8
    assert found.overall.scores["m"].accuracy == (2 + 1) / 8  # two falls of fold 1, one rise of fold 2
    assert (found.overall.rows, found.overall.days, found.overall.name) == (8, 4, "all folds")


def test_against_scikit_learn_and_scipy() -> None:
    frame = predictions()
    found = score_horizon(frame, 1)
    assert [part.name for part in found.years] == ["2006", "2007"]
    for part in found.folds:
        mine = frame[frame["fold"] == int(part.name.removeprefix("fold "))]
        for model in ("knows", "logistic_regression"):
            score = part.scores[model]
            assert score.auc.value == pytest.approx(roc_auc_score(mine["label"], mine[model]))
            assert score.accuracy == pytest.approx(accuracy_score(mine["label"], mine[model] > 0.5))
            daily = [spearmanr(day[model], day["forward_return"])[0] for _, day in mine.groupby("time")]
            assert score.rank_ic.value == pytest.approx(np.mean(daily))
    # 2007 holds the end of the first fold and the whole of the second, and only pairs of one fold count.
    year = frame[frame["time"].dt.year == 2007]
    areas, pairs = [], []
    for _, mine in year.groupby("fold"):
        up = mine["label"].sum()
        areas.append(roc_auc_score(mine["label"], mine["knows"]))
        pairs.append(up * (len(mine) - up))
    assert len(areas) == 2
    assert found.years[1].scores["knows"].auc.value == pytest.approx(np.average(areas, weights=pairs))


def test_the_interval_over_all_folds_is_that_of_independent_folds_where_labels_do_not_overlap() -> None:
    found = score_horizon(predictions(), 1)
    first, second = (part.scores["knows"].auc.standard_error for part in found.folds)
    # Of two folds with about as many pairs, the mean.
    assert found.overall.scores["knows"].auc.standard_error == pytest.approx(np.hypot(first, second) / 2, rel=0.15)


def test_the_stub_of_a_year_has_no_interval_at_a_long_horizon() -> None:
    # 65 weekdays of 2006 and 135 of 2007: at 20 sessions four horizons are 80 days.
    frame = predictions(horizon=20)
    stub, year = score_horizon(frame, 20).years
    assert (stub.days, year.days) == (65, 135)
    for score in stub.scores.values():
        assert 0 < score.auc.value < 1
        assert np.isnan([score.auc.low, score.auc.high, score.auc.standard_error, score.rank_ic.low]).all()
    for score in (*year.scores.values(), *score_horizon(frame, 16).years[0].scores.values()):
        assert score.auc.low < score.auc.value < score.auc.high


def test_a_probability_that_is_missing_is_a_defect() -> None:
    frame = predictions()
    frame.loc[3, "logistic_regression"] = np.nan
    with pytest.raises(ValueError, match="1 are not"):
        score_horizon(frame, 1)
