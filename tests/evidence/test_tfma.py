"""TFMA's figures, under the pipeline's own configuration, against scikit-learn and the plain statistics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pytest
from answered_rows import STEPS, AnsweredRows, Evaluate, make_rows
from scipy import stats
from sklearn import metrics

if TYPE_CHECKING:
    from components.evidence.tfma.evaluations import Evaluation

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:google"),
    # 0/0 and log(0) in figures of slices and of sure answers.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:tensorflow_model_analysis"),
]


@pytest.fixture(scope="module")
def rows() -> AnsweredRows:
    """Rows over two turns of the year."""
    return make_rows(days=360, shares=7, candidate=0.5, baseline=0.0)


@pytest.fixture(scope="module")
def evaluated(evaluate: Evaluate, rows: AnsweredRows) -> Evaluation:
    return evaluate(rows, baseline=False)


def scikit_learn(rows: AnsweredRows) -> dict[str, float]:
    label, probability = rows.label, rows.candidate.astype(np.float64)
    up = probability > 0.5
    return {
        "auc": metrics.roc_auc_score(label, probability),
        "auc_exact": metrics.roc_auc_score(label, probability),
        "auc_precision_recall": metrics.average_precision_score(label, probability),
        "accuracy": metrics.accuracy_score(label, up),
        "accuracy_baseline": max(label.mean(), 1 - label.mean()),
        "precision": metrics.precision_score(label, up),
        "recall": metrics.recall_score(label, up),
        "average_loss": metrics.log_loss(label, probability),
        "loss": metrics.log_loss(label, probability),
        "label/mean": label.mean(),
        "prediction/mean": probability.mean(),
        "example_count": len(label),
        "global_step": STEPS["candidate"],
    }


def spearman_by_day(rows: AnsweredRows) -> float:
    days = [rows.time == day for day in np.unique(rows.time)]
    return float(np.mean([stats.spearmanr(rows.candidate[day], rows.forward_return[day])[0] for day in days]))


def assert_agrees(found: Mapping[str, float], rows: AnsweredRows) -> None:
    for name, value in scikit_learn(rows).items():
        assert found[name] == pytest.approx(value, abs=1e-3), name
    # What is computed without thresholds agrees to the last digits of a float32.
    for name in set(scikit_learn(rows)) - {"auc", "auc_precision_recall", "average_loss"}:
        assert found[name] == pytest.approx(scikit_learn(rows)[name], abs=1e-6), name
    assert found["rank_ic"] == pytest.approx(spearman_by_day(rows), abs=1e-6)


def test_every_figure_of_the_original_is_there_and_is_scikit_learn_s(evaluated: Evaluation, rows: AnsweredRows) -> None:
    found = evaluated.metrics
    assert_agrees(found, rows)
    assert set(found) == {*scikit_learn(rows), "rank_ic"}
    # The case is worth something only where the two models differ, and either answers both ways.
    assert 0.6 < found["auc"] < 0.8
    assert 0.02 < found["recall"] < 0.98


def test_figures_of_a_year_are_those_of_its_rows(evaluated: Evaluation, rows: AnsweredRows) -> None:
    by_year = evaluated.by_year
    assert list(by_year) == [2019, 2020, 2021]
    for year, found in by_year.items():
        part = rows.take(np.flatnonzero(rows.time // 10_000 == year))
        assert_agrees(found, part)
    assert sum(found["example_count"] for found in by_year.values()) == len(rows.time)


def test_the_order_of_rows_and_their_files_do_not_matter(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=8, candidate=0.5, baseline=0.0)
    # As many answers are equal as may be.
    rows = AnsweredRows(rows.time, rows.forward_return, rows.candidate.round(1), rows.baseline)
    mixed = np.random.default_rng(1).permutation(len(rows.time))
    first = evaluate(rows, baseline=False)
    second = evaluate(rows.take(mixed), baseline=False, files=3)
    for name in ("auc_exact", "rank_ic", "loss"):
        assert second.metrics[name] == first.metrics[name], name
    assert dict(second.metrics) == pytest.approx(dict(first.metrics), rel=1e-6)


def test_rows_taken_one_by_one_give_the_same_figures(evaluate: Evaluate) -> None:
    # Both ways with a second model: predictions lie one level deeper then.
    rows = make_rows(days=120, shares=4, candidate=0.6, baseline=0.2)
    together = evaluate(rows)
    apart = evaluate(rows, grouped=False)
    assert dict(together.metrics) == pytest.approx(dict(apart.metrics), rel=1e-6)
    assert list(together.by_year) == list(apart.by_year) == [2019, 2020]
    for year, found in apart.by_year.items():
        assert dict(together.by_year[year]) == pytest.approx(dict(found), rel=1e-6)
    assert together.metrics["example_count"] == 480


def test_horizon_chooses_the_return_and_sure_answers_have_a_finite_loss(evaluate: Evaluate) -> None:
    rows = make_rows(days=150, shares=4, candidate=0.5, baseline=0.0)
    sure = np.arange(20)
    rows.candidate[sure] = rows.label[sure]
    rows.candidate[sure[:5]] = 1 - rows.label[sure[:5]]
    found = evaluate(rows, baseline=False, horizon=20).metrics
    assert found["rank_ic"] == pytest.approx(spearman_by_day(rows), abs=1e-6)
    clipped = np.clip(rows.candidate.astype(np.float64), 1e-7, 1 - 1e-7)
    assert found["loss"] == pytest.approx(metrics.log_loss(rows.label, clipped), abs=1e-6)


def test_each_of_two_models_has_the_figures_that_it_has_alone(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=5, candidate=0.6, baseline=1.2)
    alone, beside = evaluate(rows, baseline=False), evaluate(rows)
    assert dict(beside.metrics) == pytest.approx(dict(alone.metrics), rel=1e-6)
    assert beside.metrics["global_step"] == STEPS["candidate"]
    other = evaluate(rows, model="baseline").metrics
    assert other["auc_exact"] == pytest.approx(metrics.roc_auc_score(rows.label, rows.baseline), abs=1e-6)
    assert other["global_step"] == STEPS["baseline"]
