"""The backtest of a finished run: traded from its predictions, and left as the files backtest.html and .json."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, Backtest, BacktestError
from components.records import to_json
from pipeline.report.backtest import default_model, render_backtest, trade, traded_models
from pipeline.report.backtest_summary import judge
from pipeline.runs.folder import BACKTEST_HTML, BACKTEST_JSON, open_run, write_text
from pipeline.runs.results import RunReport

SCHEMA_VERSION = 1
"""Of the layout of backtest.json."""


@dataclass(frozen=True)
class RunBacktest:
    """The backtest of a run's models and baselines, and the one of them that the chart and the verdict are about."""

    report: RunReport
    folder: Path
    model: str
    result: Backtest


def backtest_run(
    run: Path, model: str | None = None, costs: float = DEFAULT_COSTS, quantile: float = DEFAULT_QUANTILE
) -> RunBacktest:
    """Trades the predictions of a finished run.

    Args:
        run: the run's folder, or its report.json.
        model: the model or baseline to look at; None for the champion, or where there is none the first model.
        costs: basis points of what is traded.
        quantile: share of a day's shares on each side.

    Raises:
        ReportError: there is no run, or its predictions are missing.
        BacktestError: the model is not one of the run's, or the predictions cannot be traded.
    """
    opened = open_run(run)
    report, predictions = opened.report, opened.predictions()
    traded = traded_models(report, predictions)
    if model is not None and model not in traded:
        raise BacktestError(f"{run} has no model {model!r}; it has {', '.join(traded) or 'none'}")
    return RunBacktest(
        report=report,
        folder=opened.folder,
        model=model or default_model(report),
        result=trade(report, predictions, costs, quantile),
    )


def write_backtest(made: RunBacktest) -> Path:
    """Writes backtest.json and backtest.html, each whole or not at all, into the run's folder; gives the page.

    Raises:
        ReportError: a file cannot be written.
    """
    page = render_backtest(made.report, made.result, made.model)
    content = {
        "run": made.report.created,
        "model": made.model,
        "verdict": judge(made.report, made.result, made.model).sentence,
        "backtest": made.result,
        "schema_version": SCHEMA_VERSION,
    }
    write_text(made.folder / BACKTEST_JSON, to_json(content, indent=1) + "\n")
    write_text(made.folder / BACKTEST_HTML, page)
    return made.folder / BACKTEST_HTML
