"""EvidenceOverDays: what TFMA does not compute, or not exactly. Intervals are the Evidence step's (scores.py)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import apache_beam as beam
import numpy as np
from numpy.typing import NDArray
from tensorflow_model_analysis.metrics import metric_types

from components.evidence.accuracy import majority
from components.evidence.auc import auc
from components.evidence.correlation import daily_rank_ic
from models.features import TIME
from models.labels import UP, get_label
from models.serving import GLOBAL_STEP, PROBABILITY

AUC_EXACT = "auc_exact"
RANK_IC = "rank_ic"
ACCURACY_BASELINE = "accuracy_baseline"
LOSS = "loss"
AVERAGE_LOSS = "average_loss"
EXAMPLE_COUNT = "example_count"

NAMES = (AUC_EXACT, RANK_IC, ACCURACY_BASELINE, LOSS, AVERAGE_LOSS, GLOBAL_STEP, EXAMPLE_COUNT)
"""
auc_exact            without thresholds, ties counted half
rank_ic              mean over the days of Spearman's correlation of probability and the label's return
accuracy_baseline    accuracy of always naming the majority class
loss                 what training minimises: the mean cross-entropy, as nothing is added to it
average_loss         mean cross-entropy
global_step          steps the model was trained
example_count        rows
"""


_Accumulator = list[tuple[np.ndarray[Any, Any], ...]]
"""Label, day, forward return and each model's probability, [rows], and their highest steps, [1, models], of groups of
rows, as they came.

An exact AUC and ranks within days need every row. As examples hold them one takes 9 bytes and 4 a model, which all go
together: protobuf, which takes 2 GB at most, is reached with 85 million test rows of four models.
"""


class EvidenceOverDays(metric_types.Metric):
    """Exact AUC, the rank IC, which has to know the days, and the original project's remaining names."""

    def __init__(self, name: str = "evidence_over_days", horizon: int = 1, label: str = UP) -> None:
        """Builds the metric; TFMA does so from the config's JSON, and wants the name."""
        super().__init__(_computations, name=name, horizon=horizon, label=label)


metric_types.register_metric(EvidenceOverDays)


def _computations(
    name: str = "",
    horizon: int = 1,
    label: str = UP,
    model_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
    example_weighted: bool | None = None,
) -> list[metric_types.MetricComputation]:
    # Thresholds on a metric that is one of several from one class are looked up without a weight.
    del name, example_weighted
    names = [(model, output) for model in model_names or [""] for output in output_names or [""]]
    keys = [[metric_types.MetricKey(n, *one, example_weighted=None) for n in NAMES] for one in names]
    returns = get_label(label).return_key(horizon)
    return [
        metric_types.MetricComputation(
            keys=[key for of_model in keys for key in of_model],
            preprocessors=[metric_types.FeaturePreprocessor(feature_keys=[TIME, returns])],
            combiner=_Evidence(keys, names, returns),
        )
    ]


class _Evidence(beam.CombineFn):
    """Gathers what each row has, once for all models, and computes at the end."""

    def __init__(self, keys: list[list[Any]], names: list[tuple[str, str]], returns: str) -> None:
        self._keys = keys
        self._names = names
        self._returns = returns

    def create_accumulator(self) -> _Accumulator:
        return []

    def add_input(self, accumulator: _Accumulator, element: Any) -> _Accumulator:
        # One row, or a group of them where the extractors keep batches together (extractors.py).
        answers = [element.get_predictions(*names) for names in self._names]
        accumulator.append(
            (
                _smallest(element.get_labels(*self._names[0])),
                _smallest(element.features[TIME]),
                _smallest(element.features[self._returns]),
                *(_smallest(one[PROBABILITY]) for one in answers),
                np.array([[np.max(_smallest(one[GLOBAL_STEP])) for one in answers]]),
            )
        )
        return accumulator

    def merge_accumulators(self, accumulators: Iterable[_Accumulator]) -> _Accumulator:
        return list(chain.from_iterable(accumulators))

    def compact(self, accumulator: _Accumulator) -> _Accumulator:
        # Thousands of small arrays take more room than what they hold.
        return [tuple(map(np.concatenate, zip(*accumulator, strict=True)))] if len(accumulator) > 1 else accumulator

    def extract_output(self, accumulator: _Accumulator) -> dict[Any, float]:
        columns = map(np.concatenate, zip(*accumulator, strict=True))
        labels, days, returns, *answers, steps = (values.astype(np.float64) for values in columns)
        found: dict[Any, float] = {}
        for keys, probabilities, step in zip(self._keys, answers, steps.max(axis=0).tolist(), strict=True):
            figures = (*_figures(labels, days, returns, probabilities), step, len(labels))
            found |= {key: float(value) for key, value in zip(keys, figures, strict=True)}
        return found


def _figures(
    labels: NDArray[np.float64],
    days: NDArray[np.float64],
    returns: NDArray[np.float64],
    probabilities: NDArray[np.float64],
) -> tuple[float, ...]:
    """The figures of a model that follow from its rows, as NAMES has them; all arrays are [rows]."""
    # Beam may bring the rows in any order; the last digits of sums must not depend on it.
    order = np.lexsort((probabilities, returns, days))
    labels, probabilities, days, returns = labels[order], probabilities[order], days[order], returns[order]
    _, daily = daily_rank_ic(probabilities, returns, days)
    counts = ~np.isnan(daily)
    ranks = float(daily[counts].mean()) if np.any(counts) else float("nan")
    clipped = np.clip(probabilities, 1e-7, 1 - 1e-7)
    loss = float(-np.mean(np.where(labels == 1, np.log(clipped), np.log1p(-clipped))))
    return auc(labels, probabilities), ranks, majority(labels), loss, loss


def _smallest(values: Any) -> np.ndarray[Any, Any]:
    """Numbers [rows], integers in the smallest form that holds them."""
    numbers = np.asarray(values).reshape(-1)
    if numbers.dtype.kind == "f":
        return numbers
    for kind in (np.int8, np.int32):
        if len(numbers) and np.iinfo(kind).min <= numbers.min() and numbers.max() <= np.iinfo(kind).max:
            return numbers.astype(kind)
    return numbers
