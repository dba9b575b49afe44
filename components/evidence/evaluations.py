"""What an Evaluator left behind, read once for the selector and the report."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import tensorflow as tf
import tensorflow_model_analysis as tfma

from components.evidence.tfma_metrics import ABOVE_CHANCE, AUC_EXACT, STANDARD_ERROR
from models.features import YEAR

CANDIDATE = "candidate"
BASELINE = "baseline"
AUC = "auc"


@dataclass(frozen=True)
class Evaluation:
    """One model's evaluation on the test split.

    Attributes:
        metrics: overall, TFMA's names to values.
        by_year: the same for each year.
        blessed: passed all thresholds.
        reason: in words, why it was blessed or not.
    """

    metrics: Mapping[str, float]
    by_year: Mapping[int, Mapping[str, float]]
    blessed: bool
    reason: str


def read_evaluation(evaluation_uri: str, blessing_uri: str) -> Evaluation:
    """Reads metrics and verdict.

    Args:
        evaluation_uri: of the ModelEvaluation artifact.
        blessing_uri: of the ModelBlessing artifact.
    """
    result = load_result(evaluation_uri)
    overall: Mapping[str, float] = {}
    by_year: dict[int, Mapping[str, float]] = {}
    differences: Mapping[str, float] = {}
    for slice_key, metrics in result.slicing_metrics:
        values = metric_values(metrics)
        if not slice_key:
            overall = values
            differences = metric_values(metrics, difference=True)
        elif len(slice_key) == 1 and slice_key[0][0] == YEAR:
            by_year[int(slice_key[0][1])] = values
    blessed = tf.io.gfile.exists(os.path.join(blessing_uri, "BLESSED"))
    return Evaluation(overall, dict(sorted(by_year.items())), blessed, _reason(overall, differences, blessed))


def load_result(evaluation_uri: str) -> Any:
    """TFMA's result of the candidate.

    Args:
        evaluation_uri: of the ModelEvaluation artifact.
    """
    result = tfma.load_eval_result(evaluation_uri, model_name=CANDIDATE)
    # Without a baseline TFMA drops the only model's name.
    return result if result.slicing_metrics else tfma.load_eval_result(evaluation_uri)


def metric_values(metrics: Mapping[str, Any], difference: bool = False) -> dict[str, float]:
    """The numbers of one slice, as TFMA nests them.

    Args:
        metrics: by output name, by sub key, by metric.
        difference: the differences from the baseline instead of the values.

    Returns:
        By TFMA's names.
    """
    found: dict[str, float] = {}
    for by_sub_key in metrics.values():
        for by_name in by_sub_key.values():
            for name, value in by_name.items():
                if ("doubleValue" in value) and (name.endswith("_diff") is difference):
                    found[name.removesuffix("_diff")] = float(value["doubleValue"])
    return found


def _reason(metrics: Mapping[str, float], differences: Mapping[str, float], blessed: bool) -> str:
    """Why, in words; the numbers are the thresholds' own."""
    area, error = metrics.get(AUC_EXACT, math.nan), metrics.get(STANDARD_ERROR, math.nan)
    above = metrics.get(ABOVE_CHANCE, math.nan)
    chance = f"AUC {area:.4f} is {'better' if area > 0.5 else 'no better'} than chance"
    if not above > 0:
        if area > 0.5 and math.isnan(error):
            chance += ", but there are too few days to tell by how much"
        elif area > 0.5:
            chance += f", but by less than its standard error of {error:.4f}"
        return chance
    chance += f" by more than its standard error of {error:.4f}"
    if AUC not in differences:
        return chance + "; there is no predecessor" if blessed else chance
    change = differences[AUC]
    compared = f"{'not worse' if blessed else 'worse'} than its predecessor ({change:+.4f})"
    return f"{chance}, {'and' if blessed else 'but'} {compared}"
