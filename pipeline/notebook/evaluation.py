"""How the models of a run did, as tables: the Evidence step's figures, TFMA's overall and by year, AUCs by share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import pandas as pd

from components.evidence.auc import auc_interval
from components.evidence.findings import Figures
from components.evidence.interval import Interval
from components.evidence.metric import METRICS
from components.evidence.tfma import metrics as tfma_metrics
from components.evidence.tfma.evaluations import read_evaluation
from components.evidence.words import figure, number4, signed
from pipeline.runs.folder import FinishedRun
from pipeline.runs.results import RunReport

_GROUP_RESAMPLES = 300
"""Per group and model; a thousand of them for a hundred shares would take minutes and move the ends by little."""


def figures_table(report: RunReport) -> pd.DataFrame:
    """Every figure of the models and the baselines with its 95 % interval from resampling blocks of days.

    Returns:
        A row a metric, a column a model or baseline; a cell such as "0.504 (0.477 to 0.530)".
    """
    scores = {name: model.scores for name, model in report.models.items()} | dict(report.baselines)
    return _metric_table(scores, number4)


def differences_table(report: RunReport, model: str) -> pd.DataFrame:
    """A model's figures less those of the others on the same rows, with paired 95 % intervals.

    Returns:
        A row a metric, a column each other model, baseline and predecessor.
    """
    columns = {f"less {other}": figures for other, figures in report.models[model].differences.items()}
    return _metric_table(columns, partial(signed, decimals=4))


def _metric_table(columns: Mapping[str, Figures], write: Callable[[float], str]) -> pd.DataFrame:
    cells = {
        name: {METRICS[metric].title: figure(one, write) for metric, one in figures.items() if metric in METRICS}
        for name, figures in columns.items()
    }
    return pd.DataFrame(cells).rename_axis("metric")


def tfma_table(run: FinishedRun) -> pd.DataFrame:
    """What TFMA computed over the whole test split, a column a model."""
    columns = {name: read_evaluation(run.evaluation(name), name).metrics for name in run.report.models}
    return pd.DataFrame(columns).rename_axis("metric")


def year_table(run: FinishedRun, predictions: pd.DataFrame) -> pd.DataFrame:
    """How each model did in each year: TFMA's slices, with the AUC's interval from the predictions.

    Returns:
        A row a model and year: AUC, low, high, accuracy, majority, rows.
    """
    years = predictions["time"].dt.year
    rows = []
    for name in run.report.models:
        for year, values in read_evaluation(run.evaluation(name), name).by_year.items():
            area = _interval(run, predictions[years == year], name)
            rows.append(
                {
                    "model": name,
                    "year": year,
                    "AUC": values[tfma_metrics.AUC_EXACT],
                    "low": area.low,
                    "high": area.high,
                    "accuracy": values["accuracy"],
                    "majority": values[tfma_metrics.ACCURACY_BASELINE],
                    "rows": int(values[tfma_metrics.EXAMPLE_COUNT]),
                }
            )
    return pd.DataFrame(rows).set_index(["model", "year"])


def share_table(run: FinishedRun, predictions: pd.DataFrame) -> pd.DataFrame:
    """The AUC of each model on each share, from the predictions.

    Returns:
        A row a model and share: AUC, low, high, rows.
    """
    rows = []
    for name in run.report.models:
        for share, group in predictions.groupby("share_id"):
            area = _interval(run, group, name)
            rows.append((name, share, area.value, area.low, area.high, len(group)))
    table = pd.DataFrame(rows, columns=["model", "share", "AUC", "low", "high", "rows"])
    return table.set_index(["model", "share"])


def slices_table(run: FinishedRun, model: str) -> pd.DataFrame:
    """Every figure that TFMA computed of a model, over the whole test split and in each year.

    It is what `tfma.view.render_slicing_metrics` shows, a widget that today's JupyterLab does not load.

    Returns:
        A row a slice, the whole split first; a column a metric, the number of rows first.
    """
    found = read_evaluation(run.evaluation(model), model)
    slices = {"all": found.metrics} | {str(year): values for year, values in found.by_year.items()}
    table = pd.DataFrame.from_dict(slices, orient="index").rename_axis("slice")
    metrics = sorted(table.columns, key=lambda name: (name != tfma_metrics.EXAMPLE_COUNT, name))
    return table[metrics].astype({tfma_metrics.EXAMPLE_COUNT: int})


def _interval(run: FinishedRun, rows: pd.DataFrame, model: str) -> Interval:
    settings = run.report.settings
    return auc_interval(
        rows["label"].to_numpy(),
        rows[model].to_numpy(),
        rows["time"].to_numpy(),
        horizon=int(settings["horizon"] or 1),
        seed=int(settings["seed"] or 0),
        resamples=_GROUP_RESAMPLES,
    )
