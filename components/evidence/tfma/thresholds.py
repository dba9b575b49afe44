"""CountsByThreshold: the figures of TFMA's own metrics that go by thresholds, under their names, from counts of rows.

TFMA's count in Python, row by row, which took half of an Evaluator's time; these count whole arrays. An accumulator has
the same size however many rows there are.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types, metric_util

from models.serving import PROBABILITY

NAMES = ("accuracy", "precision", "recall", "auc", "auc_precision_recall", "label/mean", "prediction/mean")
"""
accuracy, precision, recall   of calling a rise where the probability is above 1/2; nan without a call, or a rise
auc                           rows whose probabilities share a bin count as ties
auc_precision_recall          the average precision, in steps from bin to bin
label/mean, prediction/mean   shares of rises, and what the model expected of them
"""

BINS = 10_000
"""Of equal width from 0 to 1. Probabilities of this field crowd around 1/2: few bins would make ties of them."""

_SUMS = 4
"""Behind the bins of either label: rows, rows above 1/2, sum of probabilities, and of what rounding took from it."""


class CountsByThreshold(metric_types.Metric):
    """Accuracy, precision, recall, both areas and both means."""

    def __init__(self, name: str = "counts_by_threshold") -> None:
        """Builds the metric; TFMA does so from the config's JSON, and wants the name."""
        super().__init__(metric_util.merge_per_key_computations(_computations), name=name)


metric_types.register_metric(CountsByThreshold)


def _computations(
    name: str = "", model_name: str = "", output_name: str = "", example_weighted: bool | None = None
) -> list[metric_types.MetricComputation]:
    # Thresholds on a metric that is one of several from one class are looked up without a weight.
    del name, example_weighted
    keys = [metric_types.MetricKey(n, model_name, output_name, example_weighted=None) for n in NAMES]
    combiner = _Counts(keys, model_name, output_name)
    return [metric_types.MetricComputation(keys=keys, preprocessors=[], combiner=combiner)]


class _Counts(beam.CombineFn):
    """Rows of either label by bin: an accumulator is [2, BINS + _SUMS], falls first."""

    def __init__(self, keys: list[Any], model_name: str, output_name: str) -> None:
        self._keys = keys
        self._names = (model_name, output_name)

    def create_accumulator(self) -> NDArray[np.float64]:
        return np.zeros((2, BINS + _SUMS))

    def add_input(self, accumulator: NDArray[np.float64], element: Any) -> NDArray[np.float64]:
        # One row, or a group of them where the extractors keep batches together (extractors.py).
        labels = np.asarray(element.get_labels(*self._names)).reshape(-1) > 0
        probabilities = np.asarray(element.get_predictions(*self._names)[PROBABILITY], np.float64).reshape(-1)
        for label in (0, 1):
            of = probabilities[labels == label]
            if len(of):
                bins = np.clip((of * BINS).astype(np.int64), 0, BINS - 1)
                accumulator[label, :BINS] += np.bincount(bins, minlength=BINS)
                _add(accumulator[label], len(of), np.count_nonzero(of > 0.5), float(of.sum()))
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[NDArray[np.float64]]) -> NDArray[np.float64]:
        merged = self.create_accumulator()
        for one in accumulators:
            merged[:, :BINS] += one[:, :BINS]
            for label in (0, 1):
                rows, above, total, lost = one[label, BINS:]
                _add(merged[label], rows, above, total)
                _add(merged[label], 0, 0, lost)
        return merged

    def extract_output(self, accumulator: NDArray[np.float64]) -> dict[Any, float]:
        (fallen, false_calls, *fallen_sum), (risen, true_calls, *risen_sum) = accumulator[:, BINS:].tolist()
        # From the highest probabilities down, as a threshold falls.
        falls, rises = accumulator[:, BINS - 1 :: -1]
        rows = fallen + risen
        calls = np.cumsum(falls) + np.cumsum(rises)
        above = np.cumsum(rises) - rises / 2
        precise = np.divide(np.cumsum(rises), calls, out=np.zeros(BINS), where=calls > 0)
        values = (
            _ratio(true_calls + fallen - false_calls, rows),
            _ratio(true_calls, true_calls + false_calls),
            _ratio(true_calls, risen),
            _ratio(float(falls @ above), fallen * risen),
            _ratio(float(rises @ precise), risen),
            _ratio(risen, rows),
            _ratio(sum(fallen_sum) + sum(risen_sum), rows),
        )
        return dict(zip(self._keys, values, strict=True))


def _add(sums: NDArray[np.float64], rows: float, above: float, total: float) -> None:
    """Adds to the sums behind the bins; Neumaier's sum, as the last digits must not depend on the order of rows."""
    sums[BINS : BINS + 2] += rows, above
    before, after = sums[BINS + 2], sums[BINS + 2] + total
    larger, smaller = (before, total) if abs(before) >= abs(total) else (total, before)
    sums[BINS + 2 :] = after, sums[BINS + 3] + ((larger - after) + smaller)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
