"""The eleven metrics of TensorFlow's estimators, and the AUC with its interval, of a training's answers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.accuracy import accuracy, majority
from components.evidence.auc import auc, auc_interval
from components.evidence.day_leak import day_leak_auc_of_rows
from components.evidence.day_pairs import resampled_aucs
from components.evidence.interval import Interval
from components.evidence.pairs import Pairs
from components.evidence.resampling import DayBlocks
from pipeline.studies.experiments.answers import Answers

# A probability that float64 rounds to 0 or 1 would cost an infinite loss.
_LEAST = 1e-15


@dataclass(frozen=True)
class Score:
    """How one training did on its test rows.

    Attributes:
        metrics: the eleven, by the names of `original.METRICS`.
        auc: with its 95 % interval from blocks of days.
        predicted: AUC that a model reaches which uses of each row's day the labels it was trained on and nothing else,
            with one market factor of the measured correlation.
        train_rows: rows trained on.
        rows: test rows.
        days: sessions that the test rows stand on.
        known: mean number of rows of a test row's day that were trained on.
        seconds: of the training.
    """

    metrics: Mapping[str, float]
    auc: Interval
    predicted: float
    train_rows: int
    rows: int
    days: int
    known: float
    seconds: float


def score(answers: Answers, horizon: int, correlation: float, seed: int) -> Score:
    """Scores answers; `correlation` is the mean pairwise one of the returns over the horizon within a day."""
    area = auc_interval(answers.label, answers.probability, answers.time, horizon=horizon, seed=seed)
    return Score(
        metrics=eleven_metrics(answers.label, answers.probability, answers.global_step),
        auc=area,
        predicted=day_leak_auc_of_rows(correlation, answers.known),
        train_rows=answers.train_rows,
        rows=len(answers.label),
        days=len(np.unique(answers.time)),
        known=float(answers.known.mean()),
        seconds=answers.seconds,
    )


def paired_difference(first: Answers, second: Answers, horizon: int, seed: int) -> Interval:
    """The AUC of one model minus that of another on the same test rows, with its 95 % interval from blocks of days.

    Raises:
        ValueError: the rows are not the same.
    """
    if not (np.array_equal(first.time, second.time) and np.array_equal(first.share_id, second.share_id)):
        raise ValueError("a paired difference needs the same rows twice")
    blocks = DayBlocks(first.time, horizon=horizon, seed=seed)
    asked = [Pairs(answers.label == 1, answers.probability) for answers in (first, second)]
    value, its_value = (pairs.auc(None) for pairs in asked)
    drawn, its_drawn = (resampled_aucs(pairs, blocks) for pairs in asked)
    return blocks.summarise(value - its_value, drawn - its_drawn)


def eleven_metrics(labels: NDArray[Any], probabilities: NDArray[Any], global_step: int) -> dict[str, float]:
    """What the original reported, by the names and definitions of TensorFlow's binary estimators.

    Two differ: `loss` is the mean cross-entropy, where the original's linear and dnn models summed it over a batch of
    16 rows; and the areas are exact, where estimators take 200 thresholds.

    Args:
        labels: array [rows] of 0 and 1, at least one row.
        probabilities: array [rows] within [0, 1].
        global_step: steps trained.
    """
    from sklearn import metrics

    up, called = labels == 1, probabilities > 0.5
    clipped = np.clip(probabilities, _LEAST, 1 - _LEAST)
    loss = float(-np.mean(np.where(up, np.log(clipped), np.log1p(-clipped))))
    return {
        "loss": loss,
        "accuracy_baseline": majority(labels),
        "global_step": float(global_step),
        # Estimators give 0 where there is nothing to divide by.
        "recall": float(metrics.recall_score(up, called, zero_division=0.0)),
        "auc": auc(labels, probabilities),
        "prediction/mean": float(np.mean(probabilities)),
        "precision": float(metrics.precision_score(up, called, zero_division=0.0)),
        "label/mean": float(np.mean(up)),
        "average_loss": loss,
        "auc_precision_recall": float(metrics.average_precision_score(up, probabilities)) if up.any() else math.nan,
        "accuracy": accuracy(labels, probabilities),
    }
