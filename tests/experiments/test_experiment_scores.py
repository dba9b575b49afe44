"""The eleven metrics against scikit-learn, and differences on the same rows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sklearn import metrics as sk

from pipeline.studies.experiments.answers import Answers, read_answers, write_answers
from pipeline.studies.experiments.original import DNN_256_128_64, DNN_UNSTATED, LINEAR, LINEAR_TIME, LOSS_BATCH, METRICS
from pipeline.studies.experiments.scores import eleven_metrics, paired_difference, score


def made(seed: int, signal: float, days: int = 200, shares: int = 5) -> Answers:
    rng = np.random.default_rng(seed)
    label = np.random.default_rng(99).integers(0, 2, days * shares)
    return Answers(
        time=np.repeat(20000101 + np.arange(days), shares),
        share_id=np.tile([f"S{s}" for s in range(shares)], days),
        label=label,
        probability=1 / (1 + np.exp(-(signal * (label - 0.5) + rng.normal(size=len(label))))),
        known=np.full(len(label), 3),
        train_rows=7,
        global_step=11,
        seconds=0.5,
    )


def test_the_eleven_metrics_are_scikit_learns_on_rows_with_ties() -> None:
    label = np.array([1, 0, 1, 1, 0, 0, 1, 0])
    probability = np.array([0.9, 0.8, 0.6, 0.6, 0.6, 0.2, 0.5, 0.4])
    found = eleven_metrics(label, probability, 42)
    assert tuple(found) == METRICS
    called = probability > 0.5
    expected = {
        "loss": sk.log_loss(label, probability),
        "accuracy_baseline": 0.5,
        "global_step": 42,
        "recall": sk.recall_score(label, called),
        "auc": sk.roc_auc_score(label, probability),
        "prediction/mean": probability.mean(),
        "precision": sk.precision_score(label, called),
        "label/mean": 0.5,
        "average_loss": sk.log_loss(label, probability),
        "auc_precision_recall": sk.average_precision_score(label, probability),
        "accuracy": sk.accuracy_score(label, called),
    }
    assert found == pytest.approx(expected)
    assert found["recall"] == 0.75  # by hand: 3 of the 4 rises are called, and 3 of the 5 calls are rises
    assert found["precision"] == 0.6


def test_a_model_that_never_calls_up_has_no_precision_and_certainty_no_infinite_loss() -> None:
    found = eleven_metrics(np.array([1, 0]), np.array([0.0, 0.0]), 1)
    assert (found["precision"], found["recall"]) == (0.0, 0.0)
    assert np.isfinite(found["loss"])


@pytest.mark.parametrize("reported", [LINEAR, LINEAR_TIME, DNN_UNSTATED, DNN_256_128_64])
def test_the_originals_loss_is_summed_over_a_batch(reported: dict[str, float]) -> None:
    assert set(reported) == set(METRICS)
    assert reported["loss"] == pytest.approx(LOSS_BATCH * reported["average_loss"], rel=1e-6)


def test_a_score_counts_rows_and_days() -> None:
    found = score(made(1, 1.0), 1, 0.5, 0)
    assert (found.rows, found.days, found.train_rows, found.known) == (1000, 200, 7, 3.0)
    assert found.auc.low < found.auc.value < found.auc.high


def test_a_paired_difference_is_that_of_the_areas_and_zero_against_itself() -> None:
    good, bad = made(1, 2.0), made(2, 0.0)
    change = paired_difference(good, bad, 1, 0)
    areas = [sk.roc_auc_score(a.label, a.probability) for a in (good, bad)]
    assert change.value == pytest.approx(areas[0] - areas[1])
    assert 0 < change.low < change.value < change.high
    itself = paired_difference(good, good, 1, 0)
    assert (itself.low, itself.value, itself.high) == (0.0, 0.0, 0.0)
    with pytest.raises(ValueError, match="same rows"):
        paired_difference(good, made(1, 1.0, days=100), 1, 0)


def test_answers_are_read_as_they_were_written_and_a_broken_file_is_none(tmp_path) -> None:
    answers, path = made(1, 1.0), tmp_path / "a.npz"
    assert read_answers(path) is None
    write_answers(answers, path)
    again = read_answers(path)
    assert again is not None
    np.testing.assert_array_equal(again.probability, answers.probability)
    assert replace(again, share_id=0).seconds == 0.5
    assert [file.name for file in tmp_path.iterdir()] == ["a.npz"]
    path.write_bytes(path.read_bytes()[:100])
    assert read_answers(path) is None
