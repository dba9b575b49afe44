"""The verdict of the Evaluator under the pipeline's thresholds, and its reason in words."""

from __future__ import annotations

import re

import numpy as np
import pytest
from answered_rows import AnsweredRows, Evaluate, Evaluated, make_rows
from sklearn.metrics import roc_auc_score

from components.evidence.statistics import auc_interval

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::FutureWarning:google"),
    # 0/0 and log(0) in figures of slices and of sure answers.
    pytest.mark.filterwarnings("ignore::RuntimeWarning:tensorflow_model_analysis"),
]


def auc_and_error(rows: AnsweredRows) -> tuple[float, float]:
    """Of the candidate; the AUC by scikit-learn."""
    interval = auc_interval(rows.label, rows.candidate.astype(np.float64), rows.time)
    return roc_auc_score(rows.label, rows.candidate), interval.standard_error


def numbers(reason: str) -> list[float]:
    return [float(text) for text in re.findall(r"[-+]?\d+\.\d+", reason)]


def assert_verdict(evaluated: Evaluated, blessed: bool) -> None:
    """The flag, the file and the artifact's property say the same."""
    from tfx.components.evaluator import constants
    from tfx.dsl.io import fileio

    assert evaluated.evaluation.blessed is blessed
    assert evaluated.blessing.get_int_custom_property("blessed") == int(blessed)
    marker = constants.BLESSED_FILE_NAME if blessed else constants.NOT_BLESSED_FILE_NAME
    assert fileio.listdir(evaluated.blessing.uri) == [marker]
    # What LatestBlessedPredecessor looks for.
    assert evaluated.blessing.get_int_custom_property("current_model_id") == 1


def test_better_than_chance_without_a_predecessor_is_blessed(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=5, candidate=0.8, baseline=0.0)
    auc, error = auc_and_error(rows)
    assert auc - 0.5 > error
    evaluated = evaluate(rows, baseline=False)
    assert_verdict(evaluated, True)
    assert evaluated.evaluation.reason == (
        f"AUC {auc:.4f} is better than chance by more than its standard error of {error:.4f}; there is no predecessor"
    )


def test_better_than_chance_by_less_than_its_error_is_not_blessed(evaluate: Evaluate) -> None:
    rows = next(
        rows
        for rows in (make_rows(days=60, shares=5, candidate=0.0, baseline=0.0, seed=seed) for seed in range(50))
        if 0.2 < (auc_and_error(rows)[0] - 0.5) / auc_and_error(rows)[1] < 0.8
    )
    auc, error = auc_and_error(rows)
    evaluated = evaluate(rows, baseline=False)
    assert_verdict(evaluated, False)
    assert evaluated.evaluation.metrics["auc_above_chance"] == pytest.approx(auc - 0.5 - error, abs=1e-6)
    assert evaluated.evaluation.reason == (
        f"AUC {auc:.4f} is better than chance, but by less than its standard error of {error:.4f}"
    )


def test_below_chance_is_not_blessed_even_where_the_predecessor_was_worse(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=5, candidate=-0.3, baseline=-2.0)
    auc, _ = auc_and_error(rows)
    assert auc < 0.5
    evaluated = evaluate(rows)
    assert_verdict(evaluated, False)
    assert evaluated.evaluation.reason == f"AUC {auc:.4f} is no better than chance"


def test_worse_than_the_predecessor_is_not_blessed(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=5, candidate=0.6, baseline=1.2)
    auc, error = auc_and_error(rows)
    change = auc - roc_auc_score(rows.label, rows.baseline)
    assert auc - 0.5 > error
    assert change < -0.02
    evaluated = evaluate(rows)
    assert_verdict(evaluated, False)
    reason = evaluated.evaluation.reason
    assert reason.startswith("AUC ")
    assert re.search(r"better than chance by more than its .*, but worse than its predecessor \(-0\.\d{4}\)$", reason)
    assert numbers(reason) == pytest.approx([auc, error, change], abs=1e-3)
    # The metrics are the candidate's own.
    assert evaluated.evaluation.metrics["auc"] == pytest.approx(auc, abs=1e-3)
    assert evaluated.evaluation.metrics["global_step"] == 1234


def test_better_than_the_predecessor_is_blessed(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=5, candidate=0.9, baseline=0.3)
    auc, error = auc_and_error(rows)
    change = auc - roc_auc_score(rows.label, rows.baseline)
    evaluated = evaluate(rows)
    assert_verdict(evaluated, True)
    reason = evaluated.evaluation.reason
    assert re.search(r"by more than its .*, and not worse than its predecessor \(\+0\.\d{4}\)$", reason)
    assert numbers(reason) == pytest.approx([auc, error, change], abs=1e-3)


def test_equal_to_the_predecessor_is_blessed(evaluate: Evaluate) -> None:
    rows = make_rows(days=60, shares=5, candidate=0.9, baseline=0.0)
    same = AnsweredRows(rows.time, rows.forward_return, rows.candidate, rows.candidate)
    evaluated = evaluate(same)
    assert_verdict(evaluated, True)
    assert evaluated.evaluation.reason.endswith("and not worse than its predecessor (+0.0000)")


def test_too_few_days_to_know_the_error_are_not_blessed(evaluate: Evaluate) -> None:
    rows = make_rows(days=1, shares=200, candidate=2.0, baseline=0.0)
    auc, error = auc_and_error(rows)
    assert auc > 0.6
    assert np.isnan(error)
    evaluated = evaluate(rows, baseline=False)
    assert_verdict(evaluated, False)
    assert np.isnan(evaluated.evaluation.metrics["auc_above_chance"])
    assert evaluated.evaluation.reason == (
        f"AUC {auc:.4f} is better than chance, but there are too few days to tell by how much"
    )
