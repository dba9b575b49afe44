"""How the models of a run did, as tables: TFMA's results overall and by year, and the predictions by share."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

import pandas as pd

from components.evidence import tfma_metrics
from components.evidence.evaluations import load_result, metric_values
from components.evidence.statistics import auc_interval
from models.features import YEAR
from pipeline.notebook.run import FinishedRun, Line

_SHARE_RESAMPLES = 300
"""Per share and model; a thousand of them for a hundred shares would take minutes and move the ends by little."""


def results(run: FinishedRun) -> dict[str, Any]:
    """TFMA's result of each model.

    Args:
        run: the run.

    Returns:
        An EvalResult by model.
    """
    return {name: load_result(run.evaluation(name)) for name in run.report.models}


def overall_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """What TFMA computed over the whole test split, a column a model.

    Args:
        results: of `results`.
    """
    return pd.DataFrame({name: _by_slice(result)[()] for name, result in results.items()}).rename_axis("metric")


def interval_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """The figures that come with 95% intervals from resampling blocks of days, a row a model.

    Args:
        results: of `results`.

    Returns:
        AUC and rank IC with low and high, accuracy beside the majority, and rows.
    """
    rows = {}
    for name, result in results.items():
        values = _by_slice(result)[()]
        rows[name] = {
            "AUC": values[tfma_metrics.AUC_EXACT],
            "AUC low": values[tfma_metrics.AUC_LOW],
            "AUC high": values[tfma_metrics.AUC_HIGH],
            "rank IC": values[tfma_metrics.RANK_IC],
            "rank IC low": values[tfma_metrics.RANK_IC_LOW],
            "rank IC high": values[tfma_metrics.RANK_IC_HIGH],
            "accuracy": values["accuracy"],
            "majority": values[tfma_metrics.ACCURACY_BASELINE],
            "rows": int(values[tfma_metrics.EXAMPLE_COUNT]),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def year_table(results: Mapping[str, Any]) -> pd.DataFrame:
    """The AUC of each model in each year, from TFMA's slices.

    Args:
        results: of `results`.

    Returns:
        A row a model and year: AUC, low, high, accuracy, majority, rows.
    """
    rows = [
        {"model": name, "year": int(key[0][1]), **_group(values)}
        for name, result in results.items()
        for key, values in sorted(_by_slice(result).items())
        if len(key) == 1 and key[0][0] == YEAR
    ]
    return pd.DataFrame(rows).set_index(["model", "year"])


def share_table(run: FinishedRun, predictions: pd.DataFrame) -> pd.DataFrame:
    """The AUC of each model on each share, from the predictions.

    Args:
        run: the run.
        predictions: of the run.

    Returns:
        A row a model and share: AUC, low, high, rows.
    """
    horizon, seed = int(run.report.settings["horizon"] or 1), int(run.report.settings["seed"] or 0)
    rows = []
    for name in run.report.models:
        for share, group in predictions.groupby("share_id"):
            area = auc_interval(
                group["label"].to_numpy(), group[name].to_numpy(), group["time"].to_numpy(),
                horizon=horizon, seed=seed, resamples=_SHARE_RESAMPLES,
            )  # fmt: skip
            rows.append(
                {"model": name, "share": share, "AUC": area.value, "low": area.low, "high": area.high,
                 "rows": len(group)}
            )  # fmt: skip
    return pd.DataFrame(rows).set_index(["model", "share"])


def interactive_metrics(result: Any) -> Any:
    """TFMA's own view of the years.

    Args:
        result: one of `results`.

    Returns:
        TFMA's widget where its extension can run, else the line that says what to do.
    """
    elsewhere = (
        "TFMA's interactive view exists for the classic notebook (below version 7) only; open this notebook there to "
        "see it. The tables and charts on this page are the same figures."
    )
    try:
        classic = int(importlib.metadata.version("notebook").split(".")[0]) < 7
    except importlib.metadata.PackageNotFoundError:
        classic = False
    if not classic:
        return Line(elsewhere)
    import tensorflow_model_analysis as tfma

    return tfma.view.render_slicing_metrics(result, slicing_column=YEAR)


def _group(values: Mapping[str, float]) -> dict[str, float]:
    return {
        "AUC": values[tfma_metrics.AUC_EXACT],
        "low": values[tfma_metrics.AUC_LOW],
        "high": values[tfma_metrics.AUC_HIGH],
        "accuracy": values["accuracy"],
        "majority": values[tfma_metrics.ACCURACY_BASELINE],
        "rows": int(values[tfma_metrics.EXAMPLE_COUNT]),
    }


def _by_slice(result: Any) -> dict[tuple[Any, ...], dict[str, float]]:
    return {key: metric_values(metrics) for key, metrics in result.slicing_metrics}
