"""What the Evaluator left behind: TFMA's point values, overall and by year."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.writers import eval_config_writer

from models.features import YEAR

_CANDIDATE = "candidate"
"""The name that every model had where each had an Evaluator of its own."""


@dataclass(frozen=True)
class Evaluation:
    """One model's evaluation on the test split.

    Attributes:
        metrics: overall, TFMA's names to values.
        by_year: the same for each year.
    """

    metrics: Mapping[str, float]
    by_year: Mapping[int, Mapping[str, float]]


def read_evaluation(evaluation_uri: str, model: str) -> Evaluation:
    """Reads the metrics of a model from a ModelEvaluation artifact."""
    result = _load_result(evaluation_uri, model)
    overall: Mapping[str, float] = {}
    by_year: dict[int, Mapping[str, float]] = {}
    for slice_key, metrics in result.slicing_metrics:
        values = _values(metrics)
        if not slice_key:
            overall = values
        elif len(slice_key) == 1 and slice_key[0][0] == YEAR:
            by_year[int(slice_key[0][1])] = values
    return Evaluation(overall, dict(sorted(by_year.items())))


def _load_result(evaluation_uri: str, model: str) -> Any:
    """TFMA's result of a model, from a ModelEvaluation artifact."""
    _, _, _, models = eval_config_writer.load_eval_run(evaluation_uri)
    # TFMA gives an only model no name, and logs a warning where it is asked for one.
    name = next((one for one in (model, _CANDIDATE) if one in models), None)
    return tfma.load_eval_result(evaluation_uri, model_name=name)


def _values(metrics: Mapping[str, Any]) -> dict[str, float]:
    found: dict[str, float] = {}
    for by_sub_key in metrics.values():
        for by_name in by_sub_key.values():
            for name, value in by_name.items():
                # With a predecessor, TFMA gives each metric's change as well.
                if "doubleValue" in value and not name.endswith("_diff"):
                    found[name] = float(value["doubleValue"])
    return found
