"""Rows of a test split with the answers of two models, and what an Evaluator made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from components.evidence.tfma.evaluations import Evaluation

STEPS = {"candidate": 1234, "baseline": 99}
HORIZONS = (1, 20)


@dataclass(frozen=True, eq=False)
class AnsweredRows:
    """Rows of a test split with what two models answer; every array has the length of the rows.

    Attributes:
        time: YYYYMMDD.
        forward_return: never 0, as rows without label are no examples.
        candidate: probabilities of the model that is evaluated.
        baseline: probabilities of its predecessor.
    """

    time: np.ndarray
    forward_return: np.ndarray
    candidate: np.ndarray
    baseline: np.ndarray

    @property
    def label(self) -> np.ndarray:
        """1 where the return is positive."""
        return (self.forward_return > 0).astype(np.int64)

    def take(self, rows: np.ndarray) -> AnsweredRows:
        """Those rows, in that order."""
        return AnsweredRows(self.time[rows], self.forward_return[rows], self.candidate[rows], self.baseline[rows])


def make_rows(days: int, shares: int, candidate: float, baseline: float, seed: int = 0) -> AnsweredRows:
    """Rows from autumn 2019 on; a model's answer is the coming return, times a weight, and noise."""
    rng = np.random.default_rng(seed)
    day = np.repeat(np.busday_offset("2019-09-02", np.arange(days), roll="forward"), shares)
    time = np.char.replace(day.astype(str), "-", "").astype(np.int64)
    # A common factor: rows of one day belong together.
    ahead = np.repeat(rng.normal(0, 1, days), shares) * 0.7 + rng.normal(0, 0.7, days * shares)

    def answer(weight: float) -> np.ndarray:
        score = weight * ahead + rng.normal(0, 1, len(ahead))
        return (1 / (1 + np.exp(-0.4 * score - 0.1))).astype(np.float32)

    return AnsweredRows(time, (0.02 * ahead).astype(np.float32), answer(candidate), answer(baseline))


Evaluate = Callable[..., "Evaluation"]


def write_examples(rows: AnsweredRows, horizon: int, folder: Path, files: int) -> None:
    """TFRecords, the rows dealt out to the files in turn."""
    import tensorflow as tf

    def integers(*values: int) -> Any:
        return tf.train.Feature(int64_list=tf.train.Int64List(value=values))

    def numbers(*values: float) -> Any:
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    [other] = set(HORIZONS) - {horizon}
    folder.mkdir(parents=True)
    labels = rows.label
    for index in range(files):
        with tf.io.TFRecordWriter(str(folder / f"data_tfrecord-{index:05d}-of-{files:05d}")) as writer:
            for row in range(index, len(labels), files):
                # Of every third row the horizon that is not trained has no label.
                known = [1] if row % 3 else []
                features = {
                    "share_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"AAA"])),
                    "time": integers(rows.time[row]),
                    "year": integers(rows.time[row] // 10_000),
                    "session": integers(row),
                    "closes": numbers(*[50.0] * 21),
                    f"label_{horizon}": integers(labels[row]),
                    f"forward_return_{horizon}": numbers(rows.forward_return[row]),
                    f"label_{other}": integers(*known),
                    f"forward_return_{other}": numbers(*known),
                    "candidate": numbers(rows.candidate[row]),
                    "baseline": numbers(rows.baseline[row]),
                }
                example = tf.train.Example(features=tf.train.Features(feature=features))
                writer.write(example.SerializeToString())
